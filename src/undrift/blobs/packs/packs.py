"""The packs of a store: what they hold, and how it gets into them and out again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from blake3 import blake3

from undrift.blobs import errors
from undrift.blobs.errors import BlobMissing, PackCorrupt
from undrift.blobs.incoming import Incoming, IncomingFile
from undrift.blobs.packs.files import PackFiles
from undrift.blobs.packs.index import Held, IndexDamaged, PackIndex
from undrift.blobs.packs.toc import Place, Toc, toc_of
from undrift.blobs.packs.writer import PackWriter
from undrift.blobs.progress import SeenPacks, nobody
from undrift.core.digest import hex_of

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a store keeps its packs.

    Attributes
    ----------
    packs : Path
        The pack files.
    index : Path
        The database that tells which pack holds which chunk.
    """

    packs: Path
    index: Path


@dataclass(slots=True)
class Together:
    """What became of packs that were to be put together.

    Attributes
    ----------
    pack : str or None
        The pack that holds their chunks; None when others hold all of these, or nothing was done.
    names : list of str
        The packs in whose place it is.
    damaged : list of str
        Those that stay as they are.
    """

    pack: str | None = None
    names: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


class Packs:
    """Chunks in pack files; safe to share between threads and processes.

    Parameters
    ----------
    folders : Folders
        Where they are. The index is made from the packs when it is missing or damaged, and catches up with
        them when a chunk is not found.
    incoming : Incoming
        Where packs are written.
    is_erased : callable
        Says of a chunk's digest whether it was erased and must not come in from elsewhere.

    Attributes
    ----------
    files : PackFiles
        The packs as files.

    Notes
    -----
    A pack is never modified. Only :meth:`replace` and :meth:`merge` take one away; who calls them holds the
    store's exclusive lock.
    """

    def __init__(self, folders: Folders, incoming: Incoming, is_erased: Callable[[str], bool]) -> None:
        self.files = PackFiles(folders.packs)
        self._index = PackIndex(folders.index)
        self._incoming = incoming
        self._is_erased = is_erased

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those of some chunks that no pack holds undamaged, as far as is known."""
        raw = list(map(raw_of, digests))
        return {text_of(one) for one in set(raw) - self._held(raw)}

    def find(self, digests: Iterable[str]) -> dict[str, list[Held]]:
        """Return where chunks lie, good copies first; those that are nowhere are not in it."""
        raw = list(map(raw_of, dict.fromkeys(digests)))
        found = self._asked(lambda: self._index.find(raw))
        if len(found) < len(raw) and self.catch_up():
            found = self._asked(lambda: self._index.find(raw))
        return {text_of(digest): held for digest, held in found.items()}

    def size(self, digest: str) -> int | None:
        """Return how long a chunk is, None when no pack holds it."""
        found = self.find([digest]).get(digest)
        return found[0].length if found else None

    def read_chunk(self, digest: str) -> bytes:
        """Return the bytes of a chunk, verified; from a good copy where another is damaged.

        Raises
        ------
        BlobMissing
            If no pack holds it.
        BlobCorrupt
            If every pack that holds it is damaged there.
        """
        for _ in range(2):  # a pack may have been rewritten since its place was looked up
            damaged: list[tuple[str, str]] = []
            for held in self.find([digest]).get(digest, ()):
                data = self.files.read(held.pack, held.offset, held.length)
                if data is None:
                    continue
                if blake3(data).digest() == raw_of(digest):
                    self.mark_damaged(damaged)
                    return data
                damaged.append((digest, held.pack))
            if damaged:
                self.mark_damaged(damaged)
                raise errors.corrupt(digest, f"in the pack {damaged[0][1]} ")
            self.catch_up(drop_lost=True)
        raise errors.missing(digest)

    def writer(self) -> PackWriter:
        """Return a writer of new chunks, to be used in a ``with`` block."""
        return PackWriter(self._incoming, self._held, self._place)

    def adopt(self, path: Path) -> str:
        """Take in a pack file from elsewhere and return its name here; the file itself is left as it is.

        Parameters
        ----------
        path : Path
            A whole pack, whatever it is called.

        Raises
        ------
        PackCorrupt, BlobCorrupt
            If its table of contents or one of its chunks is not right; nothing is then taken in.
        DiskFull
            If it does not fit.

        Notes
        -----
        Chunks that were erased from this project are left out; the rest then makes another pack.
        """
        toc = toc_of(path)
        with self._incoming.file() as file, path.open("rb") as original:
            kept: dict[bytes, int] = {}
            for place in toc.places:
                data = original.read(place.length)
                if blake3(data).digest() != place.digest:
                    raise errors.corrupt(text_of(place.digest), f"in the pack {path.name} ")
                if not self._is_erased(text_of(place.digest)):
                    file.write([data])
                    kept[place.digest] = place.length
            rest = Toc(tuple(kept.items()))
            file.write([rest.end])
            if kept:
                self._place(file, rest)
        return rest.name

    def catch_up(self, *, drop_lost: bool = False) -> bool:
        """Enter packs that the index does not know, and say whether there were any.

        Parameters
        ----------
        drop_lost : bool
            Also take out packs whose files are no more.
        """
        known, there = self._asked(self._index.packs), set(self.files.names())
        new = dict(self.files.readable(sorted(there - known.keys())))
        lost = sorted(known.keys() - there) if drop_lost else []
        if new or lost:
            self._asked(lambda: self._index.change(new, lost))
        return bool(new)

    def digests(self) -> dict[str, int]:
        """Return all chunks that packs hold, with their lengths."""
        self.catch_up(drop_lost=True)
        return {text_of(digest): length for digest, length in self._asked(lambda: list(self._index.digests()))}

    def contents(self, name: str) -> tuple[Place, ...]:
        """Return what lies where in a pack, from the index when the file's own table is damaged."""
        try:
            return self.files.toc(name).places
        except PackCorrupt:
            known = self._asked(lambda: self._index.chunks_of(name))
            return tuple(Place(digest, held.offset, held.length) for digest, held in known.items())

    def disagrees(self, name: str) -> bool:
        """Say whether the index tells of a pack something else than the pack itself."""
        known = self._asked(lambda: self._index.chunks_of(name))
        told = [(digest, held.offset, held.length) for digest, held in known.items()]
        return told != [(place.digest, place.offset, place.length) for place in self.contents(name)]

    def mark_damaged(self, copies: Sequence[tuple[str, str]]) -> None:
        """Write down that packs' copies of chunks are damaged: the next addition of these bytes stores them again."""
        if copies:
            self._asked(lambda: self._index.mark([(raw_of(digest), pack) for digest, pack in copies]))

    def has_damage(self) -> bool:
        """Say whether a chunk was found damaged and its pack is still there."""
        return self._asked(self._index.has_damage)

    def replace(self, name: str, kept: Collection[str]) -> Toc | None:
        """Put a pack with only some of its chunks in the place of one, and return its table of contents.

        Parameters
        ----------
        name : str
            The pack.
        kept : collection of str
            The chunks to keep. What is damaged is not kept.

        Returns
        -------
        Toc or None
            Of the new pack; None when nothing is kept.

        Notes
        -----
        The new pack is durable and in the index before the old one goes. May be killed at any point and
        repeated.
        """
        wanted = set(map(raw_of, kept))
        chunks: dict[bytes, int] = {}
        with self._incoming.file() as file:
            for place in self.contents(name):
                data = self.files.read(name, place.offset, place.length) if place.digest in wanted else None
                if data is not None and blake3(data).digest() == place.digest:
                    file.write([data])
                    chunks[place.digest] = place.length
            rest = Toc(tuple(chunks.items()))
            if chunks:
                file.write([rest.end])
                file.accept(self.files.path(rest.name))  # heals the end of a pack that keeps its name
        self._take_away([name], rest)
        return rest if chunks else None

    def merge(self, names: Sequence[str], seen: SeenPacks = nobody) -> Together:
        """Put one pack in the place of several, and return which these were.

        Parameters
        ----------
        names : sequence of str
            The packs. One in which anything is damaged stays as it is, for a repair.
        seen : callable
            Told of bytes that were written, and of packs that are done.

        Notes
        -----
        A chunk that lies in another pack, too, and is right there, is not written again. The new pack is durable and
        in the index before the old ones go. May be killed at any point and repeated.
        """
        done, asked = Together(), frozenset(names)
        chunks: dict[bytes, int] = {}
        with self._incoming.file() as file:
            for name in names:
                try:
                    pieces = self.files.whole(name)
                except PackCorrupt:
                    done.damaged.append(name)
                    continue
                except BlobMissing:  # went since it was named
                    continue
                for known in chunks.keys() | _elsewhere(self, pieces, asked):
                    pieces.pop(known, None)
                file.write(list(pieces.values()))
                chunks.update({digest: len(piece) for digest, piece in pieces.items()})
                done.names.append(name)
                seen(sum(map(len, pieces.values())), 1)
            if not done.names[1:]:
                return Together(damaged=done.damaged)
            whole = Toc(tuple(chunks.items()))
            if chunks:
                file.write([whole.end])
                file.accept(self.files.path(whole.name))
                done.pack = whole.name
        self._take_away(done.names, whole)
        return done

    def start_anew(self) -> None:
        """Make the index again from the packs."""
        self._index.start_anew(dict(self.files.readable(self.files.names())))

    def _held(self, digests: Sequence[bytes]) -> set[bytes]:
        """Return which chunks lie undamaged, as far as is known, in packs whose files are there."""
        there: dict[str, bool] = {}
        held: set[bytes] = set()
        for digest, copies in self._asked(lambda: self._index.find(digests)).items():
            for copy in copies:
                if copy.pack not in there:
                    there[copy.pack] = self.files.has(copy.pack)
                if there[copy.pack] and not copy.is_damaged:
                    held.add(digest)
        return held

    def _take_away(self, names: Sequence[str], instead: Toc) -> None:
        """Enter a pack that is in its place, unless it is empty, and take those away that it is instead of."""
        new = {instead.name: instead} if instead.chunks else {}
        self._asked(lambda: self._index.change(new, names))
        self.files.remove(name for name in names if name not in new)

    def _place(self, file: IncomingFile, toc: Toc) -> None:
        """Give a finished pack its place, then enter it in the index."""
        file.accept(self.files.path(toc.name))
        self._asked(lambda: self._index.change({toc.name: toc}))

    def _asked(self, question: Callable[[], _T]) -> _T:
        """Ask the index; one that is damaged is made anew from the packs first."""
        try:
            return question()
        except IndexDamaged:
            self.start_anew()
            return question()


def _elsewhere(packs: Packs, digests: Iterable[bytes], names: frozenset[str]) -> set[bytes]:
    """Return those of some chunks that lie, and are right, in packs of other names."""
    found: set[bytes] = set()
    for digest, copies in packs.find(map(text_of, digests)).items():
        others = (packs.files.read(one.pack, one.offset, one.length) for one in copies if one.pack not in names)
        if any(data is not None and blake3(data).digest() == raw_of(digest) for data in others):
            found.add(raw_of(digest))
    return found


def raw_of(digest: str) -> bytes:
    """Return the 32 bytes of a digest."""
    return bytes.fromhex(hex_of(digest))


def text_of(digest: bytes) -> str:
    """Return a digest as it is written."""
    return f"b3:{digest.hex()}"
