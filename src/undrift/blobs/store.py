"""The store of bytes: write once, named by digest, verified on every read.

Layout of the folder::

    objects/ab/ab3f...    one file per object, never modified, mode 0400
    packs/ab/ab3f....pack many chunks of files in one file, never modified, mode 0400
    index.db              which pack holds which chunk; made again from the packs when it is lost
    recipes/ab/ab3f...    the chunks of a file that no version lists
    whole/ab/ab3f...      files put together from chunks, for readers; a cache
    incoming/             files being written; a left-over of a dead writer is swept
    erased/ab/ab3f...     what became of bytes that were erased: the digest of what is left of
                          them, or nothing
    store.lock            shared by who adds, held alone by who deletes

An object or a pack appears by rename after its bytes are on disk, so a reader or a crash sees a
whole one or none.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from pathlib import Path

from undrift.blobs import errors
from undrift.blobs.errors import BlobCorrupt, BlobMissing
from undrift.blobs.incoming import Incoming
from undrift.blobs.packs.packs import Folders, Packs
from undrift.blobs.sharing import StoreLock
from undrift.blobs.tombstones import Tombstones
from undrift.blobs.whole import DEFAULT_LIMIT_BYTES, WholeFiles
from undrift.core.digest import blake3_bytes, blake3_file, hex_of
from undrift.core.files import fsync_folder, make_where_possible, temporary_folder

__all__ = ["BlobCorrupt", "BlobMissing", "BlobStore"]


class Apart:
    """A temporary folder for whole files, deleted with the object that holds it.

    Parameters
    ----------
    cache_bytes : int
        How much to keep.

    Attributes
    ----------
    incoming : Incoming
        Where files are written.
    whole : WholeFiles
        Where they are kept.
    """

    def __init__(self, cache_bytes: int) -> None:
        self._folder = temporary_folder()
        folder = Path(self._folder.name)
        self.incoming = Incoming(folder / "incoming")
        self.whole = WholeFiles(folder / "whole", cache_bytes)


class BlobStore:
    """Objects and packed chunks in a local folder; safe to share between threads and processes.

    Parameters
    ----------
    folder : Path
        Where they are; made with mode 0700 when missing.
    cache_bytes : int
        How much of whole files to keep for readers.

    Attributes
    ----------
    folder : Path
        The same.
    packs : Packs
        The chunks of files.
    whole : WholeFiles
        Files put together for readers.
    incoming : Incoming
        Where files are written.
    tombstones : Tombstones
        What became of erased bytes.
    lock : StoreLock
        Who adds shares it until what was added is referred to; who deletes holds it alone.

    Notes
    -----
    Writing bytes that the store already holds changes nothing, except that an object found
    damaged is replaced by the good bytes. Bytes that were erased are refused; whoever reads them gets
    what is left of them, verified by its own digest.
    """

    def __init__(self, folder: Path, cache_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.folder = make_where_possible(folder)
        self._objects = make_where_possible(folder / "objects")
        self.incoming = Incoming(folder / "incoming")
        self.tombstones = Tombstones(folder / "erased")
        self.lock = StoreLock(folder / "store.lock")
        self.whole = WholeFiles(folder / "whole", cache_bytes)
        folders = Folders(folder / "packs", folder / "index.db")
        self.packs = Packs(folders, self.incoming, self.tombstones.has)
        self._cache_bytes = cache_bytes

    @cached_property
    def apart(self) -> Apart:
        """Where files are put together for this process's readers while the store cannot take them."""
        return Apart(self._cache_bytes)

    def put_bytes(self, data: bytes) -> str:
        """Store some bytes and return their digest."""
        digest = blake3_bytes(data)
        self.tombstones.refuse(digest)
        if not self._holds_good(digest, len(data)):
            with self.incoming.file() as file:
                file.write([data])
                file.accept(self._path(digest))
        return digest

    def has(self, digest: str) -> bool:
        """Say whether an object, or what is left of it, is there; its bytes are not checked."""
        left = self.left_of(digest)
        return left is not None and self._path(left).is_file()

    def left_of(self, digest: str) -> str | None:
        """Return the digest of what is left of an object: its own unless it was erased, None when nothing is."""
        return self.tombstones.left_of(digest)

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
        self.tombstones.write(digest, left)
        self.whole.drop(digest)
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
        digest = self.tombstones.readable(digest)
        try:
            return self._path(digest).stat().st_size
        except FileNotFoundError as error:
            raise errors.missing(digest) from error

    def read_bytes(self, digest: str) -> bytes:
        """Return the bytes of an object, verified.

        Raises
        ------
        BlobMissing
            If it is not there.
        BlobCorrupt
            If its bytes are not those that the digest names.
        """
        digest = self.tombstones.readable(digest)
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise errors.missing(digest) from error
        if blake3_bytes(data) != digest:
            raise errors.corrupt(digest)
        return data

    def verified_path(self, digest: str) -> Path:
        """Return the path of an object, verified now, for a reader that maps files itself.

        The file is read-only and is never to be written.

        Raises
        ------
        BlobMissing, BlobCorrupt
            As for :meth:`read_bytes`.
        """
        digest = self.tombstones.readable(digest)
        path = self._path(digest)
        try:
            found = blake3_file(path)
        except FileNotFoundError as error:
            raise errors.missing(digest) from error
        if found != digest:
            raise errors.corrupt(digest)
        return path

    def _path(self, digest: str) -> Path:
        name = hex_of(digest)
        return self._objects / name[:2] / name

    def _holds_good(self, digest: str, size_bytes: int) -> bool:
        path = self._path(digest)
        try:
            return path.stat().st_size == size_bytes and blake3_file(path) == digest
        except FileNotFoundError:
            return False
