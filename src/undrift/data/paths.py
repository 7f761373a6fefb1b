"""Which paths a dataset's files may have: relative, plain, and the same file on every machine."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from undrift.core.errors import BadInput

_LONGEST_PATH_BYTES = 1024
_LONGEST_PART_BYTES = 255
_DRIVE = re.compile(r"[A-Za-z]:")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?\Z", re.IGNORECASE)
_FORBIDDEN_FOLDERS = frozenset({".git", ".undrift"})


class UnsafePath(BadInput):
    """A path could lie outside its folder, or mean different files on different machines."""

    code = "unsafe-path"


def check_path(path: str) -> str:
    """Return the path if it is safe to write below any folder.

    Parameters
    ----------
    path : str
        Relative, parts separated by ``/``.

    Raises
    ------
    UnsafePath
        For empty, absolute and drive paths; for ``.``, ``..``, empty and over-long parts; for
        control characters, backslashes and colons; for ``.git``, ``.undrift`` and the device names
        of Windows.
    """
    problem = _problem(path)
    if problem:
        raise UnsafePath(
            f"{path[:120]!r} cannot be the path of a dataset's file: {problem}",
            cure="use a relative path of plain names",
        )
    return path


def check_distinct(paths: Iterable[str]) -> None:
    """Check that no two paths are one file, also where case or Unicode form is ignored.

    Raises
    ------
    UnsafePath
        If two are, or if one is a folder of another.
    """
    seen: dict[str, str] = {}
    for path in paths:
        folded = _folded(path)
        if folded in seen:
            raise UnsafePath(
                f"{seen[folded]!r} and {path!r} are one file where case is ignored", cure="rename one of them"
            )
        seen[folded] = path
    for folded, path in seen.items():
        for above in _folders_above(folded):
            if above in seen:
                raise UnsafePath(
                    f"{seen[above]!r} is a file and also the folder of {path!r}", cure="rename one of them"
                )


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _folders_above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _problem(path: str) -> str:
    if not path or len(path.encode("utf-8", "surrogatepass")) > _LONGEST_PATH_BYTES:
        return "it is empty or too long"
    if path.startswith("/") or _DRIVE.match(path):
        return "it is absolute"
    if not path.isprintable() or "\\" in path or ":" in path:
        return "it holds a control character, a backslash or a colon"
    return next((found for part in path.split("/") if (found := _part_problem(part))), "")


def _part_problem(part: str) -> str:
    if part in {"", ".", ".."}:
        return "it has a part that is empty, '.' or '..'"
    if len(part.encode("utf-8", "surrogatepass")) > _LONGEST_PART_BYTES:
        return "a part of it is too long"
    if part.endswith((" ", ".")):
        return "a part ends in a space or a dot"
    if part.casefold() in _FORBIDDEN_FOLDERS or _RESERVED.match(part):
        return f"{part!r} has a meaning of its own"
    return ""
