"""The store of objects: write once, named by digest, verified on every read.

Layout of the folder::

    objects/ab/ab3f...   one file per object, never modified, mode 0400
    incoming/            files being written; a left-over of a dead writer is swept
    erased/ab/ab3f...    what became of an object whose bytes were erased: the digest of what
                         is left of it, or nothing


An object appears by rename after its bytes are on disk, so a reader or a crash sees a whole
object or none.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from undrift.blobs.tombstones import Tombstones
from undrift.core.digest import blake3_bytes, blake3_file, hex_of
from undrift.core.errors import Corrupt, NotFound
from undrift.core.files import fsync_folder, make_private, replacing

_READ_ONLY = 0o400
_WORKSPACE_FILE = 0o666  # the umask takes away what the user does not want
_BLOCK_BYTES = 1 << 20


class BlobMissing(NotFound):
    """No object of this digest is in the store."""

    code = "blob-missing"


class BlobCorrupt(Corrupt):
    """The bytes of an object are not those its digest names."""

    code = "blob-corrupt"


class BlobStore:
    """Objects in a local folder; safe to share between threads and processes.

    Parameters
    ----------
    folder : Path
        Where the objects are; made with mode 0700 when missing.

    Notes
    -----
    Writing bytes that the store already holds changes nothing, except that an object found
    damaged is replaced by the good bytes. Bytes that were erased are refused; whoever reads them gets
    what is left of them, verified by its own digest.
    """

    def __init__(self, folder: Path) -> None:
        self._objects = make_private(folder / "objects")
        self._incoming = make_private(folder / "incoming")
        self._tombstones = Tombstones(folder / "erased")
        self._sweep()

    def put_bytes(self, data: bytes) -> str:
        """Store some bytes and return their digest."""
        digest = blake3_bytes(data)
        self._tombstones.refuse(digest)
        if not self._holds_good(digest, len(data)):
            with self._incoming_file() as (file, path):
                file.write(data)
                self._accept(file, path, digest)
        return digest

    def put_file(self, source: Path) -> str:
        """Store a copy of a file's bytes and return their digest.

        Raises
        ------
        OSError
            If the file cannot be read or the disk is full; the store is then unchanged.
        """
        digest = blake3_file(source)
        self._tombstones.refuse(digest)
        if self._holds_good(digest, source.stat().st_size):
            return digest
        with source.open("rb") as original, self._incoming_file() as (file, path):
            digest = _copy(original, file)  # the file may have changed since: what was copied counts
            self._accept(file, path, digest)
        return digest

    def has(self, digest: str) -> bool:
        """Say whether an object, or what is left of it, is there; its bytes are not checked."""
        left = self.left_of(digest)
        return left is not None and self._path(left).is_file()

    def left_of(self, digest: str) -> str | None:
        """Return the digest of what is left of an object: its own unless it was erased, None when nothing is."""
        return self._tombstones.left_of(digest)

    def erase(self, digest: str, left: str | None) -> None:
        """Erase an object for ever; what is left of it, stored already, answers in its place.

        Parameters
        ----------
        digest : str
            The object.
        left : str or None
            Digest of what takes its place; None when nothing does.

        Notes
        -----
        May be killed at any point and repeated. The file is unlinked; what the disk keeps of it is
        beyond this program.
        """
        self._tombstones.write(digest, left)
        self._path(digest).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            fsync_folder(self._path(digest).parent)

    def size(self, digest: str) -> int:
        """Return the number of bytes of an object.

        Raises
        ------
        BlobMissing
            If it is not there.
        """
        digest = self._tombstones.readable(digest)
        try:
            return self._path(digest).stat().st_size
        except FileNotFoundError as error:
            raise _missing(digest) from error

    def read_bytes(self, digest: str) -> bytes:
        """Return the bytes of an object, verified.

        Raises
        ------
        BlobMissing
            If it is not there.
        BlobCorrupt
            If its bytes are not those that the digest names.
        """
        digest = self._tombstones.readable(digest)
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise _missing(digest) from error
        if blake3_bytes(data) != digest:
            raise _corrupt(digest)
        return data

    def open_verified(self, digest: str) -> BinaryIO:
        """Return an open file on an object's bytes, verified before it is returned.

        Raises
        ------
        BlobMissing, BlobCorrupt
            As for :meth:`read_bytes`.
        """
        return self.verified_path(digest).open("rb")

    def verified_path(self, digest: str) -> Path:
        """Return the path of an object, verified now, for a reader that maps files itself.

        The file is read-only and is never to be written.

        Raises
        ------
        BlobMissing, BlobCorrupt
            As for :meth:`read_bytes`.
        """
        digest = self._tombstones.readable(digest)
        path = self._path(digest)
        try:
            found = blake3_file(path)
        except FileNotFoundError as error:
            raise _missing(digest) from error
        if found != digest:
            raise _corrupt(digest)
        return path

    def materialise(self, digest: str, target: Path) -> None:
        """Write an object's bytes to a file, which appears whole and verified or not at all.

        Parameters
        ----------
        digest : str
            The object.
        target : Path
            The file to make or replace; its folder must exist.

        Raises
        ------
        BlobMissing, BlobCorrupt
            As for :meth:`read_bytes`; the target is then untouched.
        """
        digest = self._tombstones.readable(digest)
        try:
            original = self._path(digest).open("rb")
        except FileNotFoundError as error:
            raise _missing(digest) from error
        with original, replacing(target, _WORKSPACE_FILE) as part:
            with part.open("wb") as file:
                found = _copy(original, file)
            if found != digest:
                raise _corrupt(digest)

    def _path(self, digest: str) -> Path:
        name = hex_of(digest)
        return self._objects / name[:2] / name

    def _holds_good(self, digest: str, size_bytes: int) -> bool:
        path = self._path(digest)
        try:
            return path.stat().st_size == size_bytes and blake3_file(path) == digest
        except FileNotFoundError:
            return False

    @contextmanager
    def _incoming_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Give a new file which only this writer holds; it is gone at the end unless accepted."""
        path, descriptor = self._claim()
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file, path
        finally:
            path.unlink(missing_ok=True)

    def _claim(self) -> tuple[Path, int]:
        while True:
            path = self._incoming / f"{secrets.token_hex(12)}.part"
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:  # else a sweep took it before it was locked
                return path, descriptor
            os.close(descriptor)

    def _accept(self, file: BinaryIO, path: Path, digest: str) -> None:
        target = self._path(digest)
        if not target.parent.exists():
            make_private(target.parent)
            fsync_folder(self._objects)
        file.flush()
        os.fchmod(file.fileno(), _READ_ONLY)
        os.fsync(file.fileno())
        path.replace(target)
        fsync_folder(target.parent)

    def _sweep(self) -> None:
        """Delete what dead writers left: their locks are free."""
        for path in self._incoming.glob("*.part"):
            with suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                except BlockingIOError:
                    pass
                finally:
                    os.close(descriptor)


def _copy(original: BinaryIO, copy: BinaryIO) -> str:
    """Copy a file and return the digest of what was copied."""
    hasher = blake3()
    while block := original.read(_BLOCK_BYTES):
        hasher.update(block)
        copy.write(block)
    return f"b3:{hasher.hexdigest()}"


def _missing(digest: str) -> BlobMissing:
    return BlobMissing(
        f"the store has no object {digest}", cure="add the data again, or restore the store", digest=digest
    )


def _corrupt(digest: str) -> BlobCorrupt:
    return BlobCorrupt(
        f"the object {digest} is damaged: its bytes have another digest",
        cure="add the original data again: good bytes replace the damaged object",
        digest=digest,
    )
