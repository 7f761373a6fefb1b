"""Pushing versions: bytes before manifests, manifests before records, records before tags.

Killed at any point the remote is valid, and the next push goes on: packs that were finished are not sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from undrift.blobs.contents import encode, named
from undrift.blobs.packs.toc import FULL_BYTES
from undrift.blobs.runs import read_chunk
from undrift.blobs.store import BlobStore
from undrift.core.errors import Conflict
from undrift.core.json import JSON
from undrift.data.damage import told_of
from undrift.data.manifest import Manifest
from undrift.data.remotes.purging import purge
from undrift.data.remotes.records import Record
from undrift.data.remotes.remote import Remote
from undrift.data.remotes.verifying import Compared, Listed, compare, heal, sendable
from undrift.data.stored import StoredVersions
from undrift.data.versions import DatasetVersion

Tell = Callable[[str, int, int], None]
"""Is told what is being done, and how many bytes of how many are done."""
_ATTEMPTS = 5


class RemoteChanges(Conflict):
    """Others take from the remote faster than this push can send."""

    code = "remote-changes"


@dataclass(slots=True)
class Pushed:
    """What a push did.

    Attributes
    ----------
    remote : str
        Where.
    versions : list of str
        References that the remote did not know before.
    known : int
        How many it did.
    packs, chunks, size_bytes : int
        What was sent.
    tags : int
        How many tags it got.
    conflicts : list of str
        Tags that name another version there.
    erased : int
        Of how many files it was told that they were erased.
    purged : int
        Packs that were rewritten there without erased bytes.
    gone : list of str
        Versions that were left out, because their bytes were let go of here.
    withheld : list of str
        Files that are whole here and were erased there; their bytes were not sent.
    compared_bytes : int or None
        How much was read there and compared; None when nobody asked for it.
    healed : list of str
        Objects that were damaged there, and what was in them is right now.
    """

    remote: str
    versions: list[str] = field(default_factory=list)
    known: int = 0
    packs: int = 0
    chunks: int = 0
    size_bytes: int = 0
    tags: int = 0
    conflicts: list[str] = field(default_factory=list)
    erased: int = 0
    purged: int = 0
    gone: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    compared_bytes: int | None = None
    healed: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, JSON]:
        """Return this for machines."""
        return {
            "remote": self.remote,
            "versions": list(self.versions),
            "known": self.known,
            "packs": self.packs,
            "chunks": self.chunks,
            "bytes": self.size_bytes,
            "tags": self.tags,
            "conflicts": list(self.conflicts),
            "erased": self.erased,
            "purged_packs": self.purged,
            "gone": list(self.gone),
            "withheld": list(self.withheld),
            "compared_bytes": self.compared_bytes,
            "healed": list(self.healed),
        }


def push(
    stored: StoredVersions, remote: Remote, chosen: Sequence[DatasetVersion], tell: Tell, *, is_verify: bool = False
) -> Pushed:
    """Bring versions to a remote.

    Parameters
    ----------
    stored : StoredVersions
        The versions that exist.
    remote : Remote
        Where to.
    chosen : sequence of DatasetVersion
        Which.
    tell : callable
        Told of progress.
    is_verify : bool
        Whether to read and compare what the remote has of these versions, and to put right what is damaged there.

    Raises
    ------
    BlobMissing, BlobCorrupt
        If bytes of a version are not here, or damaged; the version is named. What was sent stays.
    BucketUnreachable
        If the remote does not answer.
    RemoteChanges
        If others take from it all the while.
    """
    remote.begin()
    done = Pushed(remote.name, gone=[version.ref for version in chosen if version.is_gone])
    chosen = [version for version in chosen if not version.is_gone]
    manifests = {version.version_id: stored.manifest(version) for version in chosen}
    erased = remote.erased()
    done.erased = _tell_erased(stored.blobs, remote, manifests, erased)
    done.withheld = _held_back(stored.blobs, chosen, manifests, erased)
    keep = set(erased)
    listed = [(one, manifests[one.version_id]) for one in chosen]
    compared = _compared(stored.blobs, remote, listed, keep, tell) if is_verify else None
    _send_all(stored.blobs, remote, listed, keep, (done, tell))
    if compared is not None:
        heal(remote, compared)
        done.compared_bytes, done.healed = compared.size_bytes, compared.damaged
    _make_known(stored, remote, chosen, manifests, done)
    _purge(remote, done)
    return done


def push_erased(stored: StoredVersions, remote: Remote, names: Sequence[str], tell: Tell) -> Pushed:
    """Tell a remote what was erased of versions that it has, and take the bytes out there; nothing else becomes known.

    Parameters
    ----------
    stored : StoredVersions
        The versions that exist.
    remote : Remote
        Where to.
    names : sequence of str
        The datasets.
    tell : callable
        Told of progress.

    Raises
    ------
    BlobMissing, BlobCorrupt, BucketUnreachable, RemoteChanges
        As for :func:`push`.
    """
    there = {record.version_id for record in remote.records(names)[0]}
    every = [version for name in names for version in stored.history(name) if version.version_id in there]
    done = Pushed(remote.name, gone=[version.ref for version in every if version.is_gone])
    chosen = [version for version in every if not version.is_gone]
    manifests = {version.version_id: stored.manifest(version) for version in chosen}
    erased = remote.erased()
    done.erased = _tell_erased(stored.blobs, remote, manifests, erased)
    # Also where nothing is news: whoever was killed here may have sent nothing of what is left.
    _send_all(stored.blobs, remote, [(one, manifests[one.version_id]) for one in chosen], set(erased), (done, tell))
    _purge(remote, done)
    return done


def _compared(blobs: BlobStore, remote: Remote, listed: Listed, erased: set[str], tell: Tell) -> Compared:
    """Read and compare what a remote has of versions."""
    total, so_far = sum(manifest.size_bytes for _, manifest in listed), 0

    def seen(size_bytes: int) -> None:
        nonlocal so_far
        so_far += size_bytes
        tell("what is there, read and compared", min(so_far, total), total)

    return compare(blobs, remote, listed, erased, seen)


def _purge(remote: Remote, done: Pushed) -> None:
    if remote.is_unpurged():
        done.purged = purge(remote)
        remote.note_unpurged(is_so=False)


@dataclass(slots=True)
class _Load:
    """Chunks that are sent together, of one large version or of many small ones.

    Attributes
    ----------
    owner : dict of str to str
        The version that a chunk is sent for.
    sizes : dict of str to int
        Their lengths, in the order in which they are to lie.
    """

    owner: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


def _loads(
    blobs: BlobStore, remote: Remote, chosen: Sequence[tuple[DatasetVersion, Manifest]], erased: set[str]
) -> Iterator[_Load]:
    """Give what the remote lacks of versions, oldest first, without what was erased there."""
    load = _Load()
    for version, manifest in chosen:
        contents = sendable(blobs, version, manifest, erased)
        sizes = {chunk.digest: chunk.size_bytes for one in contents for chunk in one.chunks}
        wanted = remote.packs.missing(sizes)
        load.sizes.update({digest: size_bytes for digest, size_bytes in sizes.items() if digest in wanted})
        load.owner.update({digest: version.ref for digest in sizes if digest in wanted})
        if sum(load.sizes.values()) >= FULL_BYTES:
            yield load
            load = _Load()
    if load.sizes:
        yield load


def _send_all(
    blobs: BlobStore,
    remote: Remote,
    chosen: Sequence[tuple[DatasetVersion, Manifest]],
    erased: set[str],
    report: tuple[Pushed, Tell],
) -> None:
    """Send what the remote lacks, until it lacks nothing: others may take packs away meanwhile."""
    for _ in range(_ATTEMPTS):
        is_complete = True
        for load in _loads(blobs, remote, chosen, erased):
            _send(blobs, remote, load, report)
            is_complete = False
        if is_complete:
            return
        remote.packs.look()
    raise RemoteChanges(f"others take from the remote {remote.name!r} while this pushes", cure="push again later")


def _send(blobs: BlobStore, remote: Remote, load: _Load, report: tuple[Pushed, Tell]) -> None:
    done, tell = report
    total, so_far = sum(load.sizes.values()), 0
    first = next(iter(load.owner.values()))

    def seen(size_bytes: int) -> None:
        nonlocal so_far
        so_far += size_bytes
        tell(first, so_far, total)

    def read(digest: str) -> bytes:
        with told_of(load.owner[digest]):
            return read_chunk(blobs, digest)

    tell(first, 0, total)
    sent = remote.packs.send(list(load.sizes), read, seen)
    done.packs += sent.packs
    done.chunks += sent.chunks
    done.size_bytes += sent.size_bytes


def _tell_erased(blobs: BlobStore, remote: Remote, manifests: dict[str, Manifest], known: dict[str, str | None]) -> int:
    """Write down at the remote what was erased, before anything else, and return of how many files it is news."""
    if blobs.tombstones.is_empty():
        return 0
    news = 0
    digests = {part.contents.digest for manifest in manifests.values() for part in manifest.parts}
    for digest in sorted(digests):
        left = blobs.left_of(digest)
        # Also what was left before rows of somebody else were erased from it.
        for erased in blobs.tombstones.chain(digest):
            if erased in known and known[erased] == left:
                continue
            if not news:
                remote.note_unpurged(is_so=True)  # first: whoever is killed here leaves word for the next push
            if left is not None:
                rest = named(blobs, left)
                remote.write_recipe(rest, encode(rest))
            remote.write_erased(erased, left)
            known[erased] = left
            news += 1
    return news


def _make_known(
    stored: StoredVersions,
    remote: Remote,
    chosen: Sequence[DatasetVersion],
    manifests: dict[str, Manifest],
    done: Pushed,
) -> None:
    """Write manifests, then records, then tags."""
    names = {version.name for version in chosen}
    there, _ = remote.records(names)
    known = _Known(there)
    held = {one.version_id for one in there}
    here: dict[tuple[str, int | None], str] = {
        (one.name, one.number): one.version_id for name in names for one in stored.history(name)
    }
    for version_id, manifest in manifests.items():
        if version_id not in held:
            remote.write_manifest(manifest)
    for version in sorted(chosen, key=lambda one: (one.name, one.number)):
        mine = Record.of(version, here.get((version.name, version.parent)))
        other = known.same_as(mine)
        if other is None:
            done.versions.append(version.ref)
        else:
            done.known += 1
        if other is None or (other.identity == mine.identity and other.weight < mine.weight):
            remote.write_record(mine)
        for tag in version.tags:
            if remote.write_tag(other or mine, tag):
                done.tags += 1
            else:
                done.conflicts.append(f"{version.name}@{tag}")


def _held_back(
    blobs: BlobStore,
    chosen: Sequence[DatasetVersion],
    manifests: dict[str, Manifest],
    erased: dict[str, str | None],
) -> list[str]:
    """Return the files that are whole here and were erased there: their bytes do not go back."""
    return [
        f"{version.ref} {part.path}"
        for version in chosen
        for part in manifests[version.version_id].parts
        if part.contents.digest in erased and not blobs.tombstones.has(part.contents.digest)
    ]


class _Known:
    """The versions that a remote knows.

    Parameters
    ----------
    records : sequence of Record
        All of them.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._born = {(one.dataset, one.birth): one for one in records}
        self._numbered = {(one.dataset, one.number): one for one in records}
        self._ids = {(one.dataset, one.version_id): one for one in records}

    def same_as(self, mine: Record) -> Record | None:
        """Return the record of a version; one whose number is taken there is the same as any with its bytes."""
        found = self._born.get((mine.dataset, mine.birth))
        if found is None and (mine.dataset, mine.number) in self._numbered:
            return self._ids.get((mine.dataset, mine.version_id))
        return found
