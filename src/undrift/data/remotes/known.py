"""Which remotes are known to hold a version, without asking them: by what was pushed there or seen there last.

A remote keeps the records of versions that it was told or read here, each in a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from undrift.core.digest import blake3_bytes
from undrift.core.refs import Ref
from undrift.data.versions import DatasetVersion

REMOTES, RECORDS = "remotes", "records"
_SHORT = 12


class _Seen(msgspec.Struct):
    dataset: str
    number: int
    version_id: str


def kept(records: Path, path: str) -> Path:
    """Return where the record that lies somewhere in a remote is kept here."""
    return records / blake3_bytes(path.encode())[3:]


def pull_of(remotes: Path, version: DatasetVersion) -> str | None:
    """Return the command that brings the bytes of a version back, None when no remote is known to hold it.

    Parameters
    ----------
    remotes : Path
        The folder in which each remote has one of its own.
    version : DatasetVersion
        The version, which may have another number there.
    """
    for name, seen in _seen(remotes):
        if (seen.dataset, seen.version_id) == (version.name, version.version_id):
            is_same = seen.number == version.number
            selector = str(seen.number) if is_same else seen.version_id.removeprefix("b3:")[:_SHORT]
            return f"undrift data pull {version.name}@{selector} --remote {name}"
    return None


def pull_of_unknown(remotes: Path, ref: Ref) -> str | None:
    """Return the command that brings what a reference names and nobody knows here, None when no remote is known to.

    Parameters
    ----------
    remotes : Path
        The folder in which each remote has one of its own.
    ref : Ref
        A dataset, or a version by number or id; tags are looked up at the remote itself.
    """
    for name, seen in _seen(remotes):
        is_it = not ref.selector or ref.number == seen.number or seen.version_id.startswith(f"b3:{ref.selector}")
        if seen.dataset == ref.name and is_it:
            selected = f"@{ref.selector}" if ref.selector else ""
            return f"undrift data pull {ref.name}{selected} --remote {name}"
    return None


def _seen(remotes: Path) -> Iterator[tuple[str, _Seen]]:
    for file in sorted(remotes.glob(f"*/{RECORDS}/*")):
        try:
            yield file.parent.parent.name, msgspec.json.decode(file.read_bytes(), type=_Seen)
        except (msgspec.MsgspecError, FileNotFoundError):  # it is fetched again when the remote is read
            continue
