"""Storing files: cut into chunks where their content says, each chunk kept once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from blake3 import blake3

from undrift.blobs.chunker import LARGEST_BYTES, SMALLEST_BYTES, cut
from undrift.blobs.contents import Chunk, Contents
from undrift.blobs.packs.packs import text_of
from undrift.blobs.packs.writer import PackWriter
from undrift.blobs.progress import Seen, nobody
from undrift.blobs.store import BlobStore
from undrift.core.digest import blake3_file

_WINDOW_BYTES = 8 << 20
_WINDOWS = 4  # one is read, one is cut, one is written, one waits
_GROUP_FILES = 256  # small files that are read together

Named: TypeAlias = tuple[bytes, memoryview]
Cut: TypeAlias = tuple[Contents, list[Named]]


@dataclass(frozen=True, slots=True)
class Stored:
    """Files that were stored.

    Attributes
    ----------
    contents : tuple of Contents
        What each is made of, in the order in which they were given.
    added_bytes : int
        How many bytes were new to the store.
    """

    contents: tuple[Contents, ...]
    added_bytes: int


def store_file(store: BlobStore, source: Path) -> Contents:
    """Store a file and return what it is made of.

    Raises
    ------
    BlobErased
        If exactly these bytes were erased.
    DiskFull
        If they do not fit.
    OSError
        If the file cannot be read.
    """
    return store_files(store, [source]).contents[0]


def store_files(store: BlobStore, sources: Sequence[Path], seen: Seen = nobody) -> Stored:
    """Store files, many to a pack, and return what they are made of.

    Parameters
    ----------
    store : BlobStore
        Where. Who calls this holds ``store.lock.shared()`` until something refers to what was stored.
    sources : sequence of Path
        The files. One that changes meanwhile is stored as it was read.
    seen : callable
        Told of progress in bytes.

    Raises
    ------
    BlobErased
        If exactly these bytes were erased.
    DiskFull
        If they do not fit; what was stored so far is referred to by nothing.
    OSError
        If a file cannot be read.
    """
    found: list[Contents] = []
    with store.packs.writer() as writer, ThreadPoolExecutor(1, thread_name_prefix="cut") as ahead:
        for group in _cut_ahead(ahead, _groups(sources)):
            if isinstance(group, Path):
                found.append(_store_large(store, writer, group, seen))
                continue
            for contents, _ in group:
                store.tombstones.refuse(contents.digest)
            writer.add_named([piece for _, pieces in group for piece in pieces])
            found += [contents for contents, _ in group]
            seen(sum(contents.size_bytes for contents, _ in group))
    return Stored(tuple(found), writer.added_bytes)


def store_bytes(store: BlobStore, data: bytes) -> Stored:
    """Store bytes as the content of one file.

    Raises
    ------
    BlobErased, DiskFull
        As for :func:`store_file`.
    """
    contents, pieces = _cut_whole(data)
    store.tombstones.refuse(contents.digest)
    with store.packs.writer() as writer:
        writer.add_named(pieces)
    return Stored((contents,), writer.added_bytes)


def _groups(sources: Iterable[Path]) -> Iterator[Path | list[Path]]:
    """Give large files one by one, and small ones together, in their order."""
    group: list[Path] = []
    size_bytes = 0
    for source in sources:
        found = source.stat().st_size
        if group and (size_bytes + found > _WINDOW_BYTES or len(group) >= _GROUP_FILES):
            yield group
            group, size_bytes = [], 0
        if found > _WINDOW_BYTES:
            yield source
            continue
        group.append(source)
        size_bytes += found
    if group:
        yield group


def _cut_ahead(cutter: ThreadPoolExecutor, groups: Iterable[Path | list[Path]]) -> Iterator[Path | list[Cut]]:
    """Give large files as they are and small ones read and cut, by a thread that is one group ahead."""
    waiting: deque[Path | Future[list[Cut]]] = deque()

    def ready(one: Path | Future[list[Cut]]) -> Path | list[Cut]:
        return one if isinstance(one, Path) else one.result()

    for group in groups:
        waiting.append(group if isinstance(group, Path) else cutter.submit(_cut_each, group))
        if len(waiting) > 1:
            yield ready(waiting.popleft())
    while waiting:
        yield ready(waiting.popleft())


def _cut_each(sources: Iterable[Path]) -> list[Cut]:
    return [_cut_whole(source.read_bytes()) for source in sources]


def _cut_whole(data: bytes) -> Cut:
    digest = blake3(data).digest()
    if not data:
        return Contents(text_of(digest), 0, ()), []
    if len(data) <= SMALLEST_BYTES:
        return Contents(text_of(digest), len(data), (Chunk(text_of(digest), len(data)),)), [(digest, memoryview(data))]
    pieces = _named(cut(memoryview(data), is_last=True))
    return Contents(text_of(digest), len(data), _chunks(pieces)), pieces


def _named(pieces: Iterable[memoryview]) -> list[Named]:
    return [(blake3(piece).digest(), piece) for piece in pieces]


def _chunks(pieces: Iterable[Named]) -> tuple[Chunk, ...]:
    return tuple(Chunk(text_of(digest), len(piece)) for digest, piece in pieces)


def _store_large(store: BlobStore, writer: PackWriter, source: Path, seen: Seen) -> Contents:
    """Store a file window by window: one is read and one written while the one between them is cut."""
    if not store.tombstones.is_empty():  # what was erased must not even be written
        store.tombstones.refuse(blake3_file(source))
    with (
        source.open("rb", buffering=0) as file,
        ThreadPoolExecutor(1, thread_name_prefix="read") as reader,
        ThreadPoolExecutor(1, thread_name_prefix="write") as written,
    ):
        return _Pipeline(writer, file, reader, written).run(seen)


class _Pipeline:
    """The stages of storing one file; each has its own thread, so buffers go round and are used again."""

    def __init__(
        self, writer: PackWriter, file: BinaryIO, reader: ThreadPoolExecutor, written: ThreadPoolExecutor
    ) -> None:
        self._writer = writer
        self._file = file
        self._reader = reader
        self._written = written
        self._hasher = blake3()
        self._chunks: list[Chunk] = []
        self._writing: deque[tuple[Future[int], bytearray]] = deque()
        self._free = [bytearray(LARGEST_BYTES + _WINDOW_BYTES) for _ in range(_WINDOWS)]

    def run(self, seen: Seen) -> Contents:
        size_bytes, carried = 0, b""
        reading = self._read()
        while True:
            buffer, count = reading.result()
            if count:
                reading = self._read()
            size_bytes += count
            start = LARGEST_BYTES - len(carried)
            buffer[start:LARGEST_BYTES] = carried
            window = memoryview(buffer)[start : LARGEST_BYTES + count]
            pieces = _named(cut(window, is_last=not count))
            self._chunks += _chunks(pieces)
            carried = bytes(window[sum(len(piece) for _, piece in pieces) :])
            self._writing.append((self._written.submit(self._writer.add_named, pieces), buffer))
            seen(count)
            if not count:
                break
        for writing, _ in self._writing:
            writing.result()
        return Contents(text_of(self._hasher.digest()), size_bytes, tuple(self._chunks))

    def _read(self) -> Future[tuple[bytearray, int]]:
        if not self._free:
            writing, buffer = self._writing.popleft()
            writing.result()
            self._free.append(buffer)
        return self._reader.submit(self._fill, self._free.pop())

    def _fill(self, buffer: bytearray) -> tuple[bytearray, int]:
        view, count = memoryview(buffer)[LARGEST_BYTES:], 0
        while count < len(view) and (more := self._file.readinto(view[count:])):  # type: ignore[attr-defined]
            count += more
        self._hasher.update(view[:count])
        return buffer, count
