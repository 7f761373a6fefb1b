"""Large files are stored by a child process while this one still loads what the rest of an addition needs.

Storing a gigabyte takes about as long as two or three times loading the libraries that write the ledger.
Threads would wait for each other at every chunk while modules are imported; processes do not.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from undrift.blobs.contents import Chunk, Contents
from undrift.blobs.progress import Seen
from undrift.blobs.store import BlobStore
from undrift.blobs.storing import Stored, store_files
from undrift.data.paths import check_path
from undrift.data.places import Look

_WORTH_IT_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 20


class Ahead:
    """Files that are being stored; a context manager, within which the store's lock is shared.

    Parameters
    ----------
    blobs : Path
        The store's folder.
    source : Path
        A file or folder, to be stored as it is.
    seen : callable
        Told of progress, in the child.

    Attributes
    ----------
    look : Look
        The files as they were before.

    Raises
    ------
    SourceNotFound, EmptySource, UnsafePath
        If there is nothing to store, or something that must not be.
    """

    def __init__(self, blobs: Path, source: Path, seen: Seen) -> None:
        self.look = Look.at(source)
        self._places: Mapping[str, Path] = (
            {source.name: source} if source.is_file() else {check_path(path): source / path for path in self.look.files}
        )
        self._blobs = blobs
        self._seen = seen
        self._held = ExitStack()
        self._child = 0
        self._pipe = -1

    def __enter__(self) -> Self:
        if sum(found.size_bytes for found in self.look.files.values()) < _WORTH_IT_BYTES:
            return self
        store = BlobStore(self._blobs)
        self._held.enter_context(store.lock.shared())
        self._pipe, end = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            self._store(store, end)
        os.close(end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child:
            os.kill(self._child, signal.SIGKILL)  # nobody waits for its result any more
            self._ended()
        self._held.close()

    def stored(self) -> tuple[dict[str, Contents], int] | None:
        """Return what the files are made of, by their paths, and how many bytes were new.

        Returns
        -------
        tuple or None
            None when they were too small to be worth it, or when storing them failed: whoever does it
            again is told why.
        """
        if not self._child:
            return None
        blocks: list[bytes] = []
        while block := os.read(self._pipe, _BLOCK_BYTES):
            blocks.append(block)
        if self._ended() != 0:
            return None
        told = msgspec.json.decode(b"".join(blocks), type=_Told)
        contents = [Contents(digest, size, tuple(Chunk(*one) for one in chunks)) for digest, size, chunks in told.files]
        return dict(zip(self._places, contents, strict=True)), told.added_bytes

    def _store(self, store: BlobStore, end: int) -> None:
        """Be the child."""
        status = 1
        try:
            stored: Stored = store_files(store, list(self._places.values()), self._seen)
            files = [
                (one.digest, one.size_bytes, [(chunk.digest, chunk.size_bytes) for chunk in one.chunks])
                for one in stored.contents
            ]
            rest = memoryview(msgspec.json.encode(_Told(files, stored.added_bytes)))
            while rest:
                rest = rest[os.write(end, rest) :]
            status = 0
        finally:
            os._exit(status)  # what was raised is raised again in the parent, which then stores them itself

    def _ended(self) -> int:
        os.close(self._pipe)
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        return status


class _Told(msgspec.Struct):
    files: list[tuple[str, int, list[tuple[str, int]]]]
    added_bytes: int
