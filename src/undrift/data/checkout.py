"""Writing a version's files into a workspace: all of them, verified, or none."""

from __future__ import annotations

import errno
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from undrift.blobs.copying import materialise, write_new
from undrift.blobs.progress import Seen, nobody
from undrift.blobs.store import BlobStore
from undrift.core.errors import BadInput
from undrift.core.files import full_disk_told
from undrift.data.damage import told_of
from undrift.data.manifest import Manifest, Part
from undrift.data.places import Look, Places

_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR})
_LOOKED_UP = 500  # files whose chunks are looked up together


class BadTarget(BadInput):
    """A checkout would overwrite something, or its target is not a plain place."""

    code = "bad-target"


@dataclass(frozen=True, slots=True)
class Manner:
    """How files are written.

    Attributes
    ----------
    overwrite : bool
        Whether an existing file may be replaced; folders never are.
    seen : callable
        Told of progress in bytes.
    """

    overwrite: bool = False
    seen: Seen = nobody


PLAINLY = Manner()


@dataclass(frozen=True, slots=True)
class Source:
    """A version that is to be checked out.

    Attributes
    ----------
    dataset : str
        Its dataset.
    number : int
        Its number.
    manifest : Manifest
        Its files.
    """

    dataset: str
    number: int
    manifest: Manifest


def checkout(blobs: BlobStore, places: Places, source: Source, target: Path, manner: Manner = PLAINLY) -> Path:
    """Write a version's files, remember where they are, and return the path that was written.

    Parameters
    ----------
    blobs : BlobStore
        Where the bytes are.
    places : Places
        The record of what is where in the workspace.
    source : Source
        The version.
    target : Path
        One file: the file to write, or an existing folder to write it in, under its own name.
        Several: the folder to make; it may exist when it is empty.
    manner : Manner
        How to write it.

    Raises
    ------
    BadTarget
        If the target exists, is a symbolic link, or its folder is missing.
    BlobMissing, BlobCorrupt
        If bytes are missing or wrong; nothing was then written.
    DiskFull
        If they do not fit; nothing is left of them.
    """
    written = _write(blobs, source.manifest, target, manner)
    digests = _digests_in(blobs, source.manifest, written)
    places.record(Look.at(written).place((source.dataset, source.number), "", digests))
    return written


def _write(blobs: BlobStore, manifest: Manifest, target: Path, manner: Manner) -> Path:
    if target.is_symlink():
        raise BadTarget(f"{target} is a symbolic link", cure="name the place itself")
    if not target.parent.is_dir():
        raise BadTarget(f"there is no folder {target.parent}", cure="make it, or choose another target")
    if len(manifest.parts) == 1 and "/" not in manifest.parts[0].path:
        return _write_file(blobs, manifest.parts[0], target, manner)
    return _write_folder(blobs, manifest, target, manner.seen)


def _give_place(staging: Path, target: Path) -> None:
    """Make a folder the target in one step; what came to lie there meanwhile is neither replaced nor followed."""
    try:
        staging.replace(target)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        raise BadTarget(f"something else came to be at {target} meanwhile", cure="choose a new folder") from error


def _digests_in(blobs: BlobStore, manifest: Manifest, written: Path) -> dict[str, str]:
    """Return the digests of files that were checked out, by their paths there; of erased ones those of what is left."""
    names = {written.name: manifest.parts[0]} if written.is_file() else {part.path: part for part in manifest.parts}
    left = {path: blobs.left_of(part.contents.digest) for path, part in names.items()}
    return {path: digest for path, digest in left.items() if digest is not None}


def _write_file(blobs: BlobStore, part: Part, target: Path, manner: Manner) -> Path:
    file = target / part.path if target.is_dir() else target
    if file.is_symlink() or file.is_dir() or (file.exists() and not manner.overwrite):
        raise BadTarget(f"{file} exists", cure="choose another target, or allow overwriting a file")
    with told_of(part.path):
        materialise(blobs, part.contents, file, manner.seen)
    return file


def _write_folder(blobs: BlobStore, manifest: Manifest, target: Path, seen: Seen) -> Path:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadTarget(f"{target} exists and is not an empty folder", cure="choose a new folder")
    # Made fresh beside the target, private like the store: no link can lie in it, and it becomes
    # the target in one step.
    with full_disk_told(target):
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        with full_disk_told(target):
            for folder in sorted({(staging / part.path).parent for part in manifest.parts}):
                folder.mkdir(parents=True, exist_ok=True)
            for start in range(0, len(manifest.parts), _LOOKED_UP):
                some = manifest.parts[start : start + _LOOKED_UP]
                places = blobs.packs.find(chunk.digest for part in some for chunk in part.contents.chunks)
                for part in some:
                    with told_of(part.path):
                        write_new(blobs, part.contents, f"{staging}/{part.path}", places)
                    seen(part.contents.size_bytes)
            _give_place(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target
