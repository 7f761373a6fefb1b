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
from undrift.data.places import Look, Places, compared

_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR})
_LOOKED_UP = 500  # files whose chunks are looked up together
_SHOWN = 3


class BadTarget(BadInput):
    """A checkout would overwrite something, or its target is not a plain place."""

    code = "bad-target"


@dataclass(frozen=True, slots=True)
class Manner:
    """How files are written.

    Attributes
    ----------
    overwrite : bool
        Whether a file may be replaced, and a folder in which everything is still as it was added or checked out.
    seen : callable
        Told of progress in bytes.
    as_folder : bool
        Whether one file, too, is written into a folder that is made for it.
    """

    overwrite: bool = False
    seen: Seen = nobody
    as_folder: bool = False


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
        If the target exists, is a symbolic link, its folder is missing, or it is a folder with changes that no version
        has.
    BlobMissing, BlobCorrupt
        If bytes are missing or wrong; nothing was then written.
    DiskFull
        If they do not fit; nothing is left of them.
    """
    if target.is_symlink():
        raise BadTarget(f"{target} is a symbolic link", cure="name the place itself")
    if not target.parent.is_dir():
        raise BadTarget(f"there is no folder {target.parent}", cure="make it, or choose another target")
    parts = source.manifest.parts
    if len(parts) == 1 and "/" not in parts[0].path and not manner.as_folder:
        written = _write_file(blobs, parts[0], target, manner)
    else:
        written = _write_folder(blobs, source.manifest, _Folder(target, places, manner))
    digests = _digests_in(blobs, source.manifest, written)
    places.record(Look.at(written).place((source.dataset, source.number), "", digests))
    return written


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is to be made, or to take the place of one."""

    path: Path
    places: Places
    manner: Manner

    def is_in_use(self) -> bool:
        """Say whether there is something that must give way; refuse it when something would be lost.

        Raises
        ------
        BadTarget
            If it is no folder, nobody said that it may be replaced, or it holds what no version holds.
        """
        path = self.path
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return False
        if not path.is_dir():
            raise BadTarget(f"{path} is a file, and a folder is to be written", cure="choose a new folder")
        if not self.manner.overwrite:
            raise BadTarget(f"{path} exists and is not an empty folder", cure="choose a new folder, or say --overwrite")
        known = self.places.find(path)
        if known is None:
            raise BadTarget(f"{path} was neither added nor checked out", cure="choose a new folder, or delete this one")
        found = compared(self.places, known)
        if found.changed or found.new:  # what is missing is not lost: it comes back
            lost = ", ".join([*found.changed, *found.new][:_SHOWN])
            raise BadTarget(
                f"{path} is no longer what data:{known.dataset}@{known.number} holds: {lost}",
                cure=f"add it as a version first (undrift data add {path} --name {known.dataset}), or delete it",
            )
        return True

    def take_place(self, staging: Path, *, was_in_use: bool) -> None:
        """Make another folder this one; what came to lie there meanwhile is neither replaced nor followed."""
        aside = None
        if was_in_use and self.is_in_use():
            aside = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", suffix=".old", dir=self.path.parent))
            self.path.replace(aside)  # an empty folder gives way to another
        try:
            staging.replace(self.path)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            raise BadTarget(
                f"something else came to be at {self.path} meanwhile", cure="choose a new folder"
            ) from error
        if aside is not None:
            shutil.rmtree(aside)


def _digests_in(blobs: BlobStore, manifest: Manifest, written: Path) -> dict[str, str]:
    """Return the digests of files that were checked out, by their paths there; of erased ones those of what is left."""
    names = {written.name: manifest.parts[0]} if written.is_file() else {part.path: part for part in manifest.parts}
    left = {path: blobs.left_of(part.contents.digest) for path, part in names.items()}
    return {path: digest for path, digest in left.items() if digest is not None}


def _write_file(blobs: BlobStore, part: Part, target: Path, manner: Manner) -> Path:
    file = target / part.path if target.is_dir() else target
    if file.is_symlink() or file.is_dir() or (file.exists() and not manner.overwrite):
        raise BadTarget(f"{file} exists", cure="choose another target, or say --overwrite for a file")
    with told_of(part.path):
        materialise(blobs, part.contents, file, manner.seen)
    return file


def _write_folder(blobs: BlobStore, manifest: Manifest, made: _Folder) -> Path:
    was_in_use, target = made.is_in_use(), made.path
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
                    made.manner.seen(part.contents.size_bytes)
            made.take_place(staging, was_in_use=was_in_use)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target
