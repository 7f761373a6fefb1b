"""Writing files of a workspace out of their chunks, each verified before it is written."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from undrift.blobs.assembly import left_of, pieces
from undrift.blobs.contents import Contents
from undrift.blobs.progress import Seen, nobody
from undrift.blobs.runs import LARGEST_RUN_BYTES, Places, Run, found_runs, is_right, read_alone, runs_of
from undrift.blobs.store import BlobStore
from undrift.core.files import replacing

_WORKSPACE_FILE = 0o666


def materialise(store: BlobStore, contents: Contents, target: Path, seen: Seen = nobody) -> None:
    """Write the bytes to a file, which appears whole and verified or not at all.

    Parameters
    ----------
    store : BlobStore
        Where they are.
    contents : Contents
        Their chunks, as the verified manifest of a version lists them.
    target : Path
        The file to make or replace; its folder must exist. A link of that name is replaced, not followed.
    seen : callable
        Told of progress in bytes.

    Raises
    ------
    BlobMissing, BlobCorrupt, BlobErased
        As for :func:`undrift.blobs.assembly.read`; the target is then untouched.
    DiskFull
        If they do not fit.

    Notes
    -----
    A version's id names its list of chunks, and every chunk is verified by its own digest. That they make up the
    file's digest was verified when the version was admitted, and is not computed again; of erased files, whose rest
    no version lists, it is. The system brings the file to disk when it likes: what is in the store can be written
    again.
    """
    with replacing(target, _WORKSPACE_FILE, durable=False) as part:
        _write(store, contents, os.open(part, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), seen)


def write_new(store: BlobStore, contents: Contents, path: str, places: Places) -> None:
    """Write the bytes to a file that must not exist yet; when this fails, what is there of it is to be deleted.

    Parameters
    ----------
    store : BlobStore
        Where they are.
    contents : Contents
        Their chunks, as for :func:`materialise`.
    path : str
        The file to make.
    places : mapping
        Where chunks lie, as ``store.packs.find`` returned it for these and many others.

    Raises
    ------
    BlobMissing, BlobCorrupt, BlobErased
        As for :func:`undrift.blobs.assembly.read`.
    FileExistsError
        If there is something of that name.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    _write(store, contents, os.open(path, flags, _WORKSPACE_FILE), nobody, places)


def _write(store: BlobStore, contents: Contents, descriptor: int, seen: Seen, places: Places | None = None) -> None:
    """Write the bytes to an open file, and close it."""
    try:
        left = left_of(store, contents)
        if left is not contents:
            _write_in_order(descriptor, pieces(store, left), seen)
            return
        chunks = contents.chunks
        runs = found_runs(store, chunks) if places is None else iter(runs_of(chunks, places))
        _Copy(store, descriptor, runs, contents.size_bytes).run(seen)
    finally:
        os.close(descriptor)


def _write_in_order(descriptor: int, given: Iterable[bytes], seen: Seen) -> None:
    start = 0
    for piece in given:
        _write_at(descriptor, memoryview(piece), start)
        start += len(piece)
        seen(len(piece))


def _write_at(descriptor: int, data: memoryview, start: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, start)
        data, start = data[written:], start + written


class _Copy:
    """Runs of chunks on their way into a file: read, verified and written by two threads side by side.

    Each thread goes through one buffer of its own: memory that is asked for anew for every run costs as much as
    writing it.
    """

    def __init__(self, store: BlobStore, descriptor: int, runs: Iterator[Run], size_bytes: int) -> None:
        self._store = store
        self._descriptor = descriptor
        self._todo = _placed(runs)
        self._size_bytes = size_bytes
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._untold_bytes = 0

    def run(self, seen: Seen) -> None:
        """Copy all runs; what fails in one thread ends the other, too."""
        if self._size_bytes <= LARGEST_RUN_BYTES:
            self._work(seen)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="copy") as pool:
            other = pool.submit(self._work, nobody)
            self._work(seen)
            other.result()
        seen(self._untold_bytes)

    def _work(self, seen: Seen) -> None:
        buffer = memoryview(bytearray(min(self._size_bytes, LARGEST_RUN_BYTES)))
        try:
            while (placed := self._next()) is not None:
                self._copy(*placed, buffer)
                with self._lock:
                    self._untold_bytes += placed[1].size_bytes
                if seen is not nobody:  # one thread tells, of what both have done
                    self._tell(seen)
        finally:
            self._over.set()  # nothing is left to do, or what failed here ends the other thread, too

    def _next(self) -> tuple[int, Run] | None:
        with self._lock:
            return None if self._over.is_set() else next(self._todo, None)

    def _tell(self, seen: Seen) -> None:
        with self._lock:
            count, self._untold_bytes = self._untold_bytes, 0
        seen(count)

    def _copy(self, start: int, run: Run, buffer: memoryview) -> None:
        view = buffer[: run.size_bytes]
        if self._is_read(run, view):
            _write_at(self._descriptor, view, start)
            return
        for chunk in run.chunks:
            _write_at(self._descriptor, memoryview(read_alone(self._store, chunk)), start)
            start += chunk.size_bytes

    def _is_read(self, run: Run, view: memoryview) -> bool:
        """Read a run and say whether all of it is there and right."""
        if run.held is None or len(view) < run.size_bytes:  # a chunk from elsewhere may be larger than any run
            return False
        return self._store.packs.files.read_into(run.held.pack, run.held.offset, view) and is_right(view, run.chunks)


def _placed(runs: Iterable[Run]) -> Iterator[tuple[int, Run]]:
    """Give runs with their places in the file."""
    start = 0
    for run in runs:
        yield start, run
        start += run.size_bytes
