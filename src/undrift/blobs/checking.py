"""Checking every byte of a store against its name, and putting right what can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from blake3 import blake3

from undrift.blobs.contents import is_there
from undrift.blobs.errors import BlobCorrupt, BlobMissing, PackCorrupt
from undrift.blobs.packs.packs import text_of
from undrift.blobs.packs.writer import PackWriter
from undrift.blobs.progress import Seen, nobody
from undrift.blobs.store import BlobStore
from undrift.core.digest import BadDigest, blake3_bytes, blake3_file, check_digest

Kind: TypeAlias = Literal["object", "pack", "chunk", "index", "missing", "tombstone", "stranger"]


class ChunkSource(Protocol):
    """Somewhere else that may hold the same chunks and objects, such as a remote.

    ``fetch`` returns the bytes of a digest, or None when it does not hold them. What it returns is compared
    with the digest by the caller. It may be slow, and raises an error of ours when it cannot be reached.
    """

    def fetch(self, digest: str) -> bytes | None:
        """Return the bytes that a digest names, None when they are not there."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes
    ----------
    kind : str
        An ``object``, a ``pack`` (its table of contents), a ``chunk`` in a pack, what the ``index`` says of a pack, a
        ``missing`` chunk or object, a ``tombstone``, or a ``stranger``: a file that does not belong into the store.
    digest : str
        What is damaged or missing; of a pack or stranger its name.
    where : str
        The pack of a chunk, the reason for others.
    has_copy : bool
        Whether the same bytes lie undamaged elsewhere in the store, so that nothing is lost.
    """

    kind: Kind
    digest: str
    where: str
    has_copy: bool = False

    @property
    def pack(self) -> str:
        """The pack of a chunk."""
        return self.where.rpartition(" ")[2]


@dataclass(slots=True)
class Checked:
    """What a check read, and what it found.

    Attributes
    ----------
    objects, packs, chunks, size_bytes : int
        How much was read.
    findings : list of Finding
        What is wrong.
    good : set of str
        Digests of chunks and objects that are there and right.
    """

    objects: int = 0
    packs: int = 0
    chunks: int = 0
    size_bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    good: set[str] = field(default_factory=set)


def check(store: BlobStore, seen: Seen = nobody) -> Checked:
    """Read everything in a store and return what is wrong with it; damaged chunks are noted in the index.

    Parameters
    ----------
    store : BlobStore
        The store, which others may use meanwhile; nobody may delete from it.
    seen : callable
        Told of progress in bytes.
    """
    checked = Checked()
    store.packs.catch_up(drop_lost=True)
    _check_objects(store, checked, seen)
    damaged = _check_packs(store, checked, seen)
    for digest, pack in damaged:
        checked.findings.append(Finding("chunk", digest, f"in the pack {pack}", digest in checked.good))
    _check_tombstones(store, checked)
    return checked


def repair(store: BlobStore, checked: Checked, missing: Mapping[str, bool], sources: Sequence[ChunkSource]) -> set[str]:
    """Put right what a check found, and return the digests that are right now.

    Parameters
    ----------
    store : BlobStore
        The store, whose lock the caller holds alone.
    checked : Checked
        What was found.
    missing : mapping of str to bool
        What something refers to and that is nowhere, and whether it is an object.
    sources : sequence of ChunkSource
        Where else the bytes may be; the first that has them is used.

    Raises
    ------
    DiskFull
        If what was fetched does not fit.

    Notes
    -----
    Ends of packs are made again from the index, then the index from the packs. A damaged copy goes when
    there is a good one. What cannot be put right stays as it is. May be killed and repeated.
    """
    for finding in checked.findings:
        if finding.kind == "pack":
            held = {text_of(place.digest) for place in store.packs.contents(finding.digest)}
            if held:
                store.packs.replace(finding.digest, held)
                checked.good |= held
    store.packs.start_anew()
    damaged = [one for one in checked.findings if one.kind == "chunk"]
    store.packs.mark_damaged([(one.digest, one.pack) for one in damaged])  # else they count as held
    healed: set[str] = set()
    wanted = {one.digest: one.kind == "object" for one in checked.findings if one.kind in ("object", "chunk")}
    with store.packs.writer() as writer:
        for digest, is_object in {**missing, **wanted}.items():
            if digest not in checked.good and _fetched(store, writer, digest, sources, is_object=is_object):
                healed.add(digest)
    for pack in {one.pack for one in damaged}:
        _drop_damaged(store, pack, checked.good | healed)
    return healed | checked.good


def _check_objects(store: BlobStore, checked: Checked, seen: Seen) -> None:
    for path in sorted((store.folder / "objects").glob("??/*")):
        try:
            digest = check_digest(f"b3:{path.name}")
        except BadDigest:
            checked.findings.append(Finding("stranger", str(path.relative_to(store.folder)), "its name is no digest"))
            continue
        checked.objects += 1
        size_bytes = path.stat().st_size
        checked.size_bytes += size_bytes
        if blake3_file(path) == digest:
            checked.good.add(digest)
        else:
            checked.findings.append(Finding("object", digest, "its bytes have another digest"))
        seen(size_bytes)


def _check_packs(store: BlobStore, checked: Checked, seen: Seen) -> list[tuple[str, str]]:
    """Read all packs; return the damaged chunks with their packs."""
    damaged: list[tuple[str, str]] = []
    for name in store.packs.files.names():
        try:
            store.packs.files.toc(name)
        except BlobMissing:  # rewritten meanwhile
            continue
        except (PackCorrupt, BadDigest) as error:
            kind: Kind = "stranger" if isinstance(error, BadDigest) else "pack"
            checked.findings.append(Finding(kind, name, error.message))
            if kind == "stranger":
                continue
        checked.packs += 1
        if store.packs.disagrees(name):
            checked.findings.append(Finding("index", name, "the index says something else of it"))
        for digest, is_good, size_bytes in _read_pack(store, name):
            checked.chunks += 1
            checked.size_bytes += size_bytes
            if is_good:
                checked.good.add(digest)
            else:
                damaged.append((digest, name))
            seen(size_bytes)
    store.packs.mark_damaged(damaged)
    return damaged


def _read_pack(store: BlobStore, name: str) -> Iterator[tuple[str, bool, int]]:
    for place in store.packs.contents(name):
        data = store.packs.files.read(name, place.offset, place.length) or b""
        yield text_of(place.digest), blake3(data).digest() == place.digest, place.length


def _check_tombstones(store: BlobStore, checked: Checked) -> None:
    for path in sorted((store.folder / "erased").glob("??/*")):
        try:
            digest = check_digest(f"b3:{path.name}")
            left = store.left_of(digest)
            is_whole = left is None or is_there(store, left)
        except (BadDigest, BlobCorrupt):
            is_whole = False
        if not is_whole:
            checked.findings.append(Finding("tombstone", f"b3:{path.name}", "what is left of it is not there"))


def _fetched(
    store: BlobStore, writer: PackWriter, digest: str, sources: Sequence[ChunkSource], *, is_object: bool
) -> bool:
    for source in sources:
        data = source.fetch(digest)
        if data is not None and blake3_bytes(data) == digest:
            if is_object:
                store.put_bytes(data)
            else:
                writer.add(digest, data)
            return True
    return False


def _drop_damaged(store: BlobStore, pack: str, good: set[str]) -> None:
    """Rewrite a pack without its damaged chunks, if all of these are right elsewhere; else it stays."""
    held = [(digest, is_good) for digest, is_good, _ in _read_pack(store, pack)]
    if all(is_good or digest in good for digest, is_good in held):
        store.packs.replace(pack, [digest for digest, is_good in held if is_good])
    else:
        store.packs.mark_damaged([(digest, pack) for digest, is_good in held if not is_good])
