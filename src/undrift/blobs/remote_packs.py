"""Packs in a bucket: sent and fetched so that what was finished before a kill is not sent or fetched again.

Layout below the bucket's address::

    packs/ab/ab3f....pack   as in a local store, never modified
    tocs/ab/ab3f...         the pack's table of contents, written after the pack: what has none is not there

A table is named by its digest, as its pack is, so a copy of it is kept here for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from undrift.blobs.buckets import Bucket, Listed, ObjectMissing, at_once
from undrift.blobs.errors import BlobCorrupt, BlobMissing, PackCorrupt
from undrift.blobs.packs.packs import raw_of, text_of
from undrift.blobs.packs.toc import FULL_BYTES, FULL_CHUNKS, LARGEST_CHUNK_BYTES, Toc, toc_named
from undrift.blobs.packs.writer import ChunkTooLarge
from undrift.blobs.progress import Seen
from undrift.blobs.remote_ranges import Lying, length_of, pack_path, read_each, read_parts, runs, toc_path
from undrift.blobs.store import BlobStore
from undrift.core.errors import Corrupt
from undrift.core.files import make_private, write_atomic
from undrift.core.scratch import scratch

_AT_ONCE = 4
_WHOLE_SHARE = 0.5
"""A pack of which more than this is wanted comes whole."""
_LARGEST_TOC_BYTES = 16 << 20


class RemoteCorrupt(Corrupt):
    """A remote holds bytes that are not what they should be; nothing of them was taken."""

    code = "remote-corrupt"


@dataclass(slots=True)
class Sent:
    """What was sent, or fetched.

    Attributes
    ----------
    packs, chunks, size_bytes : int
        How much.
    damaged : dict of str to str
        Chunks that came wrong, and the object they came from.
    """

    packs: int = 0
    chunks: int = 0
    size_bytes: int = 0
    damaged: dict[str, str] = field(default_factory=dict)


class RemotePacks:
    """The chunks that a remote holds.

    Parameters
    ----------
    bucket : Bucket
        Where.
    cache : Path
        A local folder for tables of contents and packs on their way.

    Attributes
    ----------
    bucket : Bucket
        The same.
    damaged : dict of str to str
        Tables of contents that could not be read, and why; their packs are as good as not there.

    Notes
    -----
    The list of packs is read anew by :meth:`look`; other writers may add packs at any time.
    """

    def __init__(self, bucket: Bucket, cache: Path) -> None:
        self.bucket = bucket
        self.damaged: dict[str, str] = {}
        self._cache = make_private(cache / "tocs")
        self._work = make_private(cache / "work")
        self._places: dict[str, Lying] | None = None
        self._tocs: dict[str, Toc] = {}

    def look(self) -> None:
        """Read which packs there are.

        Raises
        ------
        BucketUnreachable
            If the remote does not answer.
        """
        self.damaged = {}
        listed = {one.path.rpartition("/")[2]: one for one in self.bucket.list("tocs") if not one.path.endswith("/")}
        tocs: dict[str, Toc] = {}
        for name, found in zip(sorted(listed), at_once(self._looked_at, sorted(listed.items())), strict=True):
            if isinstance(found, Toc):
                tocs[name] = found
            else:
                self.damaged[listed[name].path] = found.message
        self._tocs = tocs
        self._places = {
            text_of(place.digest): Lying(name, place.offset, place.length)
            for name, toc in tocs.items()
            for place in toc.places
        }

    def places(self) -> Mapping[str, Lying]:
        """Return where each chunk lies."""
        if self._places is None:
            self.look()
        return self._places or {}

    def tocs(self) -> Mapping[str, Toc]:
        """Return the tables of contents by the names of their packs."""
        self.places()
        return self._tocs

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those of some chunks that no pack of the remote holds."""
        return set(digests) - self.places().keys()

    def read_chunk(self, digest: str) -> bytes:
        """Return a chunk, verified.

        Raises
        ------
        BlobMissing
            If the remote does not hold it.
        RemoteCorrupt
            If its bytes are wrong.
        """
        place = self.places().get(digest)
        if place is None:
            raise BlobMissing(f"{self.bucket.address} has no chunk {digest}", cure="push it there first", digest=digest)
        path = pack_path(place.pack)
        found = read_parts(self.bucket, path, [place], length_of(self.bucket, path))
        if found is None:
            raise self._corrupt(path, "it is not there, or shorter than its table of contents says")
        (data,) = found
        if blake3(data).digest() != raw_of(digest):
            raise self._corrupt(path, f"the chunk {digest} has other bytes")
        return data

    def send(self, digests: Sequence[str], read: Callable[[str], bytes], seen: Seen) -> Sent:
        """Send chunks that the remote does not hold, in packs of 64 MiB, and return what was sent.

        Parameters
        ----------
        digests : sequence of str
            In the order in which they are to lie.
        read : callable
            Gives a chunk's verified bytes.
        seen : callable
            Told of bytes that are at the remote now.

        Raises
        ------
        BucketUnreachable
            If the remote does not answer; packs that were finished stay.
        ChunkTooLarge
            If a chunk comes from a store that kept whole files as one.
        """
        wanted = self.missing(digests)
        sent = Sent()
        waiting: list[Future[Toc]] = []
        with scratch(self._work) as folder, ThreadPoolExecutor(2, thread_name_prefix="push") as sender:
            try:
                for number, (toc, chunks) in enumerate(
                    _packed(filter(wanted.__contains__, dict.fromkeys(digests)), read)
                ):
                    file = folder / f"{number}.pack"
                    with file.open("wb") as pack:
                        pack.writelines(chunks)
                        pack.write(toc.end)
                    waiting.append(sender.submit(self._put, toc, file))
                    sent.packs += 1
                    sent.chunks += len(toc.chunks)
                    sent.size_bytes += toc.size_bytes
                    while len(waiting) > 1:
                        seen(self._note(waiting.pop(0).result()))
                while waiting:
                    seen(self._note(waiting.pop(0).result()))
            finally:
                for one in waiting:
                    one.cancel()
        return sent

    def fetch(self, store: BlobStore, digests: Collection[str], seen: Seen) -> Sent:
        """Take chunks into a store, each verified first, and return what came; what came wrong is named.

        Parameters
        ----------
        store : BlobStore
            Where they are wanted; those it holds are not fetched.
        digests : collection of str
            The chunks; those that the remote does not hold are left out.
        seen : callable
            Told of bytes that are here now.

        Raises
        ------
        BucketUnreachable
            If the remote does not answer; what was finished stays.
        DiskFull
            If it does not fit.
        """
        by_pack: dict[str, set[str]] = {}
        for digest in store.packs.missing(digests):
            place = self.places().get(digest)
            if place is not None:
                by_pack.setdefault(place.pack, set()).add(digest)
        sent = Sent()
        scattered: list[tuple[str, set[str]]] = []
        with (
            scratch(self._work) as folder,
            ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pull") as pool,
        ):
            whole: list[Future[tuple[str, set[str], bool]]] = []
            for name, some in sorted(by_pack.items()):
                lengths = sum(self.places()[digest].length for digest in some)
                if lengths < _WHOLE_SHARE * self._tocs[name].data_bytes:
                    scattered.append((name, some))
                else:
                    whole.append(pool.submit(self._adopt, store, name, some, folder / name))
            for one in whole:
                name, some, is_good = one.result()
                if is_good:
                    _count(sent, self._tocs[name].data_bytes, len(some), seen)
                else:
                    scattered.append((name, some))
        with store.packs.writer() as writer:
            for name, some in scattered:
                self._fetch_some(writer.add, name, some, sent, seen)
        return sent

    def rewrite(self, name: str, kept: Sequence[str]) -> None:
        """Put a pack with only some of its chunks in the place of one; what is damaged is not kept.

        Parameters
        ----------
        name : str
            The pack.
        kept : sequence of str
            Its chunks that stay.
        """
        there = [(text_of(one.digest), Lying(name, one.offset, one.length)) for one in self.tocs()[name].places]
        stays = set(kept)
        read = read_each(self.bucket, [one for one in there if one[0] in stays])
        chunks = {raw_of(digest): data for digest, data in read if data is not None}
        toc = Toc(tuple((digest, len(data)) for digest, data in chunks.items()))
        if chunks:
            with scratch(self._work) as folder:
                file = folder / "rest.pack"
                file.write_bytes(b"".join(chunks.values()) + toc.end)
                self._put(toc, file)
        if toc.name != name:
            self.drop(name)

    def distrust(self) -> None:
        """Forget what was read of the remote before, here and on disk, so that all of it is read again."""
        for kept in self._cache.iterdir():
            if kept.is_file():
                kept.unlink()
        self._places, self._tocs = None, {}

    def wrong(self, digests: Collection[str], seen: Seen) -> dict[str, set[str]]:
        """Read chunks in every pack that holds them, and return those that are damaged there by the packs' names.

        Parameters
        ----------
        digests : collection of str
            The chunks.
        seen : callable
            Told of bytes that were read and compared.

        Raises
        ------
        BucketUnreachable
            If the remote does not answer.

        Notes
        -----
        A chunk of which no undamaged copy is there counts as missing from now on, until the next :meth:`look`.
        """
        asked, good = set(digests), set[str]()
        found: dict[str, set[str]] = {}
        for name, toc in dict(self.tocs()).items():
            there = [(text_of(one.digest), Lying(name, one.offset, one.length)) for one in toc.places]
            wanted = [one for one in there if one[0] in asked]
            for (digest, data), (_, place) in zip(read_each(self.bucket, wanted), wanted, strict=True):
                if data is None:
                    found.setdefault(name, set()).add(digest)
                else:
                    good.add(digest)
                seen(place.length)
        for digest in {one for some in found.values() for one in some} - good:
            if self._places is not None:
                self._places.pop(digest, None)
        return found

    def drop(self, name: str) -> None:
        """Delete a pack; its table goes first, so that nobody looks for it."""
        self.bucket.delete(toc_path(name))
        self.bucket.delete(pack_path(name))

    def _adopt(self, store: BlobStore, name: str, some: set[str], file: Path) -> tuple[str, set[str], bool]:
        """Take a whole pack in, and say whether all of it was right."""
        try:
            self.bucket.download(pack_path(name), file)
            store.packs.adopt(file)
        except (BlobCorrupt, PackCorrupt, ObjectMissing):
            return name, some, False
        finally:
            file.unlink(missing_ok=True)
        return name, some, True

    def _fetch_some(self, add: Callable[[str, bytes], bool], name: str, some: set[str], sent: Sent, seen: Seen) -> None:
        path = pack_path(name)
        wanted = sorted(((digest, self.places()[digest]) for digest in some), key=lambda one: one[1].offset)
        length = length_of(self.bucket, path)
        for run in runs(wanted):
            pieces = read_parts(self.bucket, path, [place for _, place in run], length)
            if pieces is None:
                sent.damaged.update({digest: path for digest, _ in run})
                continue
            for (digest, _), data in zip(run, pieces, strict=True):
                if blake3(data).digest() != raw_of(digest):
                    sent.damaged[digest] = path
                    continue
                add(digest, data)
                _count(sent, len(data), 1, seen)

    def _note(self, toc: Toc) -> int:
        """Note that a pack is there now, and return how many bytes of chunks it has."""
        self._tocs[toc.name] = toc
        if self._places is not None:
            lying = (Lying(toc.name, place.offset, place.length) for place in toc.places)
            self._places.update(zip((text_of(digest) for digest, _ in toc.chunks), lying, strict=True))
        return toc.data_bytes

    def _put(self, toc: Toc, file: Path) -> Toc:
        self.bucket.write(pack_path(toc.name), file)
        self.bucket.write(toc_path(toc.name), toc.encoded)
        write_atomic(self._cache / toc.name, toc.encoded)
        file.unlink()
        return toc

    def _looked_at(self, one: tuple[str, Listed]) -> Toc | RemoteCorrupt:
        """Return a table of contents, or what is wrong with it."""
        name, listed = one
        try:
            return self._tocs.get(name) or self._toc(name, listed.path, listed.size_bytes)
        except RemoteCorrupt as error:
            return error

    def _toc(self, name: str, path: str, size_bytes: int) -> Toc:
        kept = self._cache / name
        try:
            return toc_named(kept.read_bytes(), name)
        except (FileNotFoundError, PackCorrupt):
            pass
        if size_bytes > _LARGEST_TOC_BYTES or path != toc_path(name):
            raise self._corrupt(path, "it is no table of contents")
        data = self.bucket.read(path)
        try:
            toc = toc_named(data, name)
        except PackCorrupt as error:
            raise self._corrupt(path, error.message) from error
        write_atomic(kept, data)
        return toc

    def _corrupt(self, path: str, why: str) -> RemoteCorrupt:
        return RemoteCorrupt(
            f"{self.bucket.address}/{path} is damaged: {why}",
            cure="undrift data push --verify --remote NAME, in a project that holds the versions",
            object=path,
        )


def _packed(digests: Iterable[str], read: Callable[[str], bytes]) -> Iterator[tuple[Toc, list[bytes]]]:
    """Give packs of chunks; at most one is held in memory."""
    chunks: list[bytes] = []
    names: list[tuple[bytes, int]] = []
    size_bytes = 0
    for digest in digests:
        data = read(digest)
        if len(data) > LARGEST_CHUNK_BYTES:
            raise ChunkTooLarge(
                f"the store keeps {digest} in one piece of {len(data):,} bytes, as older ones did",
                cure="check the version out and add it again, then push",
            )
        chunks.append(data)
        names.append((raw_of(digest), len(data)))
        size_bytes += len(data)
        if size_bytes >= FULL_BYTES or len(chunks) >= FULL_CHUNKS:
            yield Toc(tuple(names)), chunks
            chunks, names, size_bytes = [], [], 0
    if chunks:
        yield Toc(tuple(names)), chunks


def _count(sent: Sent, size_bytes: int, chunks: int, seen: Seen) -> None:
    sent.size_bytes += size_bytes
    sent.chunks += chunks
    seen(size_bytes)
