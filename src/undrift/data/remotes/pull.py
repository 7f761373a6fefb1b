"""Pulling versions: nothing is believed before it is verified, and nothing is made known before it is all here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from undrift.blobs.assembly import pieces
from undrift.blobs.buckets import BucketUnreachable
from undrift.blobs.contents import Contents, decode, remember
from undrift.blobs.errors import BlobCorrupt, BlobMissing
from undrift.blobs.remote_packs import RemoteCorrupt
from undrift.blobs.store import BlobStore
from undrift.core.errors import NotFound, UndriftError
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data import additions, repository
from undrift.data.manifest import Manifest
from undrift.data.remotes.imports import import_version, slot_for
from undrift.data.remotes.push import Tell
from undrift.data.remotes.records import Record
from undrift.data.remotes.remote import NoRemote, Remote, heal_with
from undrift.data.stored import StoredVersions
from undrift.data.versions import SHORTEST_ID_PREFIX, AddConflict, DatasetNotFound, DatasetVersion, TagTaken
from undrift.ledger.actor import Actor

_ATTEMPTS = 20


class NotAtRemote(NotFound):
    """No remote has what is asked for."""

    code = "not-at-remote"


@dataclass(slots=True)
class Pulled:
    """What a pull did.

    Attributes
    ----------
    versions : list of str
        References, here, of the versions that came.
    renumbered : dict of str to str
        Those that have another number here than at the remote: here, there.
    known : int
        How many versions were here already.
    mended : list of str
        Versions that were here without all of their bytes, and have them now.
    chunks, size_bytes : int
        What was fetched.
    tags : int
        How many tags came.
    conflicts : list of str
        Tags that name another version here.
    erased : list of str
        Files that the remote says are erased and that are held here still.
    failed : list of UndriftError
        What could not be taken, and why.
    """

    versions: list[str] = field(default_factory=list)
    renumbered: dict[str, str] = field(default_factory=dict)
    known: int = 0
    mended: list[str] = field(default_factory=list)
    chunks: int = 0
    size_bytes: int = 0
    tags: int = 0
    conflicts: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    failed: list[UndriftError] = field(default_factory=list)

    def as_json(self) -> dict[str, JSON]:
        """Return this for machines."""
        failed: list[JSON] = [{"code": one.code, "message": one.message, "cure": one.cure} for one in self.failed]
        return {
            "versions": list(self.versions),
            "renumbered": dict(self.renumbered),
            "known": self.known,
            "mended": list(self.mended),
            "chunks": self.chunks,
            "bytes": self.size_bytes,
            "tags": self.tags,
            "conflicts": list(self.conflicts),
            "erased_there": list(self.erased),
            "failed": failed,
        }


@dataclass(frozen=True, slots=True)
class _Source:
    """A remote that answers, and what it says."""

    remote: Remote
    records: list[Record]
    erased: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class _Manner:
    """How versions are taken.

    Attributes
    ----------
    tell : callable
        Told of progress.
    is_asked_for : bool
        Whether somebody named what is wanted: then bytes that were let go of here come back, too.
    """

    tell: Tell
    is_asked_for: bool


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A version, and the remotes that have it."""

    record: Record
    sources: list[_Source]


def pull(stored: StoredVersions, remotes: Sequence[Remote], refs: Sequence[Ref], actor: Actor, tell: Tell) -> Pulled:
    """Bring versions from remotes.

    Parameters
    ----------
    stored : StoredVersions
        The versions that exist here.
    remotes : sequence of Remote
        Where to look, in this order; what one lacks or holds wrong is taken from the next.
    refs : sequence of Ref
        Datasets, or single versions by number, tag or id; none: everything.
    actor : Actor
        Who pulls.
    tell : callable
        Told of progress.

    Returns
    -------
    Pulled
        What came; a version that could not be taken is told there and does not keep others away.

    Raises
    ------
    NotAtRemote, NoRemote
        If nothing there is what was asked for.
    BucketUnreachable
        If no remote answers.
    """
    done = Pulled()
    sources = _sources(remotes, refs, done)
    wanted = _chosen(sources, refs)
    for one in wanted:
        try:
            _take(stored, one, actor, done, _Manner(tell, is_asked_for=bool(refs)))
        except (RemoteCorrupt, BlobCorrupt, BlobMissing, BucketUnreachable) as error:
            done.failed.append(error)
    _take_tags(stored, wanted, actor, done)
    done.failed += _still_gone(stored, refs)
    return done


def _still_gone(stored: StoredVersions, refs: Sequence[Ref]) -> list[UndriftError]:
    """Return what is to be said of versions that were asked for and have no bytes here still."""
    found: list[UndriftError] = []
    for ref in refs:
        try:
            version = stored.find(ref)
        except DatasetNotFound:  # a number that another version has here
            continue
        if version.is_gone:
            found.append(_no_bytes(version.ref))
    return found


def _no_bytes(ref: str) -> NotAtRemote:
    return NotAtRemote(
        f"no remote has the bytes of {ref}",
        cure=f"undrift data push {ref.removeprefix('data:')}, in a project that holds it; or add its files again",
    )


def _sources(remotes: Sequence[Remote], refs: Sequence[Ref], done: Pulled) -> list[_Source]:
    """Return the remotes that answer; of the others is told why, unless there is no other."""
    names = {ref.name for ref in refs} or None
    found: list[_Source] = []
    for remote in remotes:
        try:
            remote.check()
            records, bad = remote.records(names)
            found.append(_Source(remote, records, remote.erased()))
        except (BucketUnreachable, NoRemote, RemoteCorrupt, NotFound) as error:
            done.failed.append(error)
            continue
        done.failed += bad
    if not found:
        raise done.failed[0]
    return found


def _chosen(sources: Sequence[_Source], refs: Sequence[Ref]) -> list[_Wanted]:
    by_identity: dict[tuple[str, int, str], _Wanted] = {}
    for source in sources:
        for record in source.records:
            key = (record.dataset, *record.identity)
            if key not in by_identity:
                by_identity[key] = _Wanted(record, [])
            by_identity[key].sources.append(source)
    every = sorted(by_identity.values(), key=lambda one: (one.record.dataset, one.record.number))
    if not refs:
        return every
    kept: list[_Wanted] = []
    for ref in refs:
        matching = [one for one in every if _matches(one, ref)]
        if not matching:
            raise NotAtRemote(f"no remote has {ref}", cure=f"undrift data push {ref}, in a project that holds it")
        kept += [one for one in matching if one not in kept]
    return kept


def _matches(wanted: _Wanted, ref: Ref) -> bool:
    record = wanted.record
    if record.dataset != ref.name:
        return False
    if not ref.selector or ref.number is not None:  # the first digits of an id are no number
        return ref.number in (None, record.number)
    if len(ref.selector) >= SHORTEST_ID_PREFIX and record.version_id.startswith(f"b3:{ref.selector}"):
        return True
    return any(source.remote.tags(ref.name).get(ref.selector) == record.identity for source in wanted.sources)


def _take(stored: StoredVersions, wanted: _Wanted, actor: Actor, done: Pulled, manner: _Manner) -> None:
    """Bring one version: bytes, then manifest, then the row that makes it known."""
    record, blobs = wanted.record, stored.blobs
    with stored.ledger.read() as connection:
        slot = slot_for(connection, record)
    here = stored.find(Ref("data", record.dataset, str(slot.number))) if slot.is_held else None
    if here is not None and here.is_gone and not manner.is_asked_for:
        done.known += 1
        return
    manifest = _manifest(wanted)
    with blobs.lock.shared():
        contents = [one for part in manifest.parts for one in _needed(blobs, wanted, part.contents, done)]
        came = _fetch(blobs, wanted, contents, done, manner.tell)
        if came or here is None or here.is_gone:
            _verify(blobs, wanted, manifest, contents)
        blobs.put_bytes(manifest.encode())
        if here is not None:
            done.known += 1
            is_back = _note_back(stored, here, actor)
            done.mended += [here.ref] if came or is_back else []
            return
        version = _import(stored, record, manifest, wanted.sources[0].remote.name, actor)
    done.versions.append(version.ref)
    if version.number != record.number:
        done.renumbered[version.ref] = record.ref


def _note_back(stored: StoredVersions, version: DatasetVersion, actor: Actor) -> bool:
    """Record that the bytes of a version that were let go of are here again, and say whether they were."""
    if version.is_gone:
        with stored.ledger.change(actor) as change:
            repository.set_gone(change.connection, version, is_gone=False)
            change.record(repository.BYTES_RESTORED, version.ref, {"version_id": version.version_id})
    return version.is_gone


def _manifest(wanted: _Wanted) -> Manifest:
    """Return the manifest from the first remote that has a good one."""
    errors: list[UndriftError] = []
    for source in wanted.sources:
        try:
            return source.remote.manifest(wanted.record)
        except (RemoteCorrupt, BucketUnreachable) as error:
            errors.append(error)
    raise errors[0]


def _needed(blobs: BlobStore, wanted: _Wanted, contents: Contents, done: Pulled) -> list[Contents]:
    """Return what must be here of a file: all of it, or what is left of it where it was erased."""
    if not blobs.tombstones.has(contents.digest):
        source = next((one for one in wanted.sources if contents.digest in one.erased), None)
        if source is None:
            return [contents]
        if not _missing(blobs, (chunk.digest for chunk in contents.chunks)):
            done.erased.append(f"{wanted.record.ref} {contents.digest}")
            return [contents]
        blobs.tombstones.write(contents.digest, source.erased[contents.digest])
    left = blobs.left_of(contents.digest)
    if left is None:
        return []
    for source in wanted.sources:
        try:
            rest = decode(source.remote.recipe(left), left)
        except (RemoteCorrupt, BlobCorrupt):
            continue
        remember(blobs, rest)
        return [rest]
    return []  # erased here alone: what is left is here


def _missing(blobs: BlobStore, digests: Iterable[str]) -> set[str]:
    return {one for one in blobs.packs.missing(digests) if not blobs.has(one)}


def _fetch(blobs: BlobStore, wanted: _Wanted, contents: Sequence[Contents], done: Pulled, tell: Tell) -> bool:
    """Fetch what is missing from one remote after the other, and say whether anything came."""
    sizes = {chunk.digest: chunk.size_bytes for one in contents for chunk in one.chunks}
    missing = _missing(blobs, sizes)
    if not missing:
        return False
    total, so_far = sum(sizes[digest] for digest in missing), 0
    damaged: dict[str, str] = {}

    def seen(size_bytes: int) -> None:
        nonlocal so_far
        so_far += size_bytes
        tell(wanted.record.ref, min(so_far, total), total)

    tell(wanted.record.ref, 0, total)
    for source in wanted.sources:
        sent = source.remote.packs.fetch(blobs, missing, seen)
        done.chunks += sent.chunks
        done.size_bytes += sent.size_bytes
        damaged.update({digest: f"{source.remote.name}: {path}" for digest, path in sent.damaged.items()})
        damaged.update({f"toc {path}": f"{source.remote.name}: {path}" for path in source.remote.packs.damaged})
        missing = _missing(blobs, missing)
        if not missing:
            return True
    raise _cannot(wanted, contents, missing, damaged)


def _cannot(wanted: _Wanted, contents: Sequence[Contents], missing: set[str], damaged: dict[str, str]) -> RemoteCorrupt:
    """Return the error about chunks that no remote gives: object, dataset and file are named."""
    one = min(missing, key=lambda digest: (digest not in damaged, digest))
    file = next(found.digest for found in contents if any(chunk.digest == one for chunk in found.chunks))
    manifest = _manifest(wanted)
    path = next((part.path for part in manifest.parts if part.contents.digest == file), "what is left of a file")
    why = damaged.get(one) or next(iter(damaged.values()), "")
    told = f"the object {why} is damaged" if why else "no remote holds all of its bytes"
    return RemoteCorrupt(
        f"{wanted.record.ref}: {path} cannot be pulled: {told}",
        cure=heal_with(why.partition(":")[0] or wanted.sources[0].remote.name, wanted.record.ref),
        object=why,
        path=path,
        chunks=len(missing),
    )


def _verify(blobs: BlobStore, wanted: _Wanted, manifest: Manifest, contents: Sequence[Contents]) -> None:
    """Read every file once: its chunks may be right and still not make up the file.

    Raises
    ------
    RemoteCorrupt
        If they do not; the version then does not become known.
    """
    paths = {part.contents.digest: part.path for part in manifest.parts}
    for one in contents:
        try:
            for _ in pieces(blobs, one):
                pass
        except BlobCorrupt as error:
            raise RemoteCorrupt(
                f"{wanted.record.ref}: {paths.get(one.digest, one.digest)}: {error.message}",
                cure=heal_with(wanted.sources[0].remote.name, wanted.record.ref),
                path=paths.get(one.digest, ""),
            ) from error


def _import(stored: StoredVersions, record: Record, manifest: Manifest, remote: str, actor: Actor) -> DatasetVersion:
    for _ in range(_ATTEMPTS):
        try:
            with stored.ledger.change(actor) as change:
                return import_version(change, record, manifest, remote)
        except AddConflict:
            continue
    raise AddConflict(f"{record.dataset!r} changes faster than a version can be pulled", cure="pull again")


def _take_tags(stored: StoredVersions, wanted: Sequence[_Wanted], actor: Actor, done: Pulled) -> None:
    for name in dict.fromkeys(one.record.dataset for one in wanted):
        here = {one.version_id: one for one in stored.history(name)}
        chosen = {one.record.version_id for one in wanted if one.record.dataset == name}
        sources = {source.remote.name: source for one in wanted for source in one.sources}
        for source in sources.values():
            try:
                tags = source.remote.tags(name)
            except RemoteCorrupt as error:
                done.failed.append(error)
                continue
            for tag, (_, version_id) in tags.items():
                if version_id in chosen and version_id in here and tag not in here[version_id].tags:
                    _take_tag(stored, here[version_id], tag, actor, done)


def _take_tag(stored: StoredVersions, version: DatasetVersion, tag: str, actor: Actor, done: Pulled) -> None:
    try:
        with stored.ledger.change(actor) as change:
            additions.tag(change, version, tag)
        done.tags += 1
    except TagTaken:
        done.conflicts.append(f"{version.name}@{tag}")
