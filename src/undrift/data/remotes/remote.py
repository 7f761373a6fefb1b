"""A remote: what lies where in it, and what of it is believed.

Layout below its address::

    undrift-remote.json           the format, written first
    packs/, tocs/                 chunks of files, see blobs/remote_packs.py
    manifests/ab/ab3f...          manifests of versions, named by digest
    recipes/ab/ab3f...            the chunks of what is left of erased files
    erased/ab/ab3f...             what became of erased files
    unpurged                      there while packs may still hold bytes of erased files
    versions/NAME/NNNNNNNN-b3.json  what is known of each version
    tags/NAME/TAG                 number and id of the version that has a tag, written once
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from undrift.blobs.buckets import Bucket, Listed, ObjectMissing, at_once
from undrift.blobs.contents import Contents
from undrift.blobs.remote_packs import RemoteCorrupt, RemotePacks
from undrift.core import canonical
from undrift.core.digest import BadDigest, blake3_bytes, check_digest, hex_of
from undrift.core.errors import BadInput, NotFound
from undrift.core.files import make_private, write_atomic
from undrift.core.ids import BadName, check_name
from undrift.data.manifest import BadManifest, Manifest
from undrift.data.paths import UnsafePath
from undrift.data.remotes.known import RECORDS, kept
from undrift.data.remotes.records import BadRecord, Record, decode
from undrift.data.versions import check_tag

FORMAT = "undrift.remote/1"
_MARKER = "undrift-remote.json"
_UNPURGED = "unpurged"
_LARGEST_MANIFEST_BYTES = 1 << 30


class NoRemote(NotFound):
    """Nothing was ever pushed to this address."""

    code = "no-remote"


class RemoteTooNew(BadInput):
    """A newer undrift wrote this remote."""

    code = "remote-too-new"


class Remote:
    """Versions at an address.

    Parameters
    ----------
    name : str
        What the settings call it.
    address : str
        A folder or an object storage.
    cache : Path
        A local folder for what never changes.

    Attributes
    ----------
    name, cache
        The same.
    bucket : Bucket
        What is at the address.
    packs : RemotePacks
        The chunks that it holds.
    """

    def __init__(self, name: str, address: str, cache: Path, *, make: bool = False) -> None:
        self.name = name
        self.cache = cache
        self.bucket = Bucket(address, make=make)
        self.packs = RemotePacks(self.bucket, cache)
        self._records = make_private(cache / RECORDS)

    def begin(self) -> None:
        """Make it a remote if it is none yet.

        Raises
        ------
        RemoteTooNew
            If a newer undrift made it one.
        """
        if not self.bucket.create(_MARKER, canonical.dumps({"format": FORMAT})):
            self.check()

    def check(self) -> None:
        """Check that something was pushed here, in a form that can be read.

        Raises
        ------
        NoRemote, RemoteTooNew
            If not.
        """
        try:
            found = self.bucket.read(_MARKER)
        except ObjectMissing as error:
            raise NoRemote(
                f"nothing was pushed to {self.name!r} ({self.bucket.address}) yet",
                cure=f"undrift data push --remote {self.name}, in a project that has versions",
            ) from error
        if found != canonical.dumps({"format": FORMAT}):
            raise RemoteTooNew(f"the remote {self.name!r} has another format than {FORMAT}", cure="upgrade undrift")

    def records(self, names: Iterable[str] | None = None) -> tuple[list[Record], list[BadRecord]]:
        """Return what the remote knows of versions, by dataset and number, and which records are damaged.

        Parameters
        ----------
        names : iterable of str, optional
            Only of these datasets.
        """
        prefixes = ["versions"] if names is None else [f"versions/{check_name(one, 'dataset')}" for one in names]
        best: dict[tuple[str, int, str], Record] = {}
        bad: list[BadRecord] = []
        for prefix in prefixes:
            for found in at_once(self._record, self.bucket.list(prefix)):
                if isinstance(found, BadRecord):
                    bad.append(found)
                    continue
                key = (found.dataset, *found.identity)
                if key not in best or best[key].weight < found.weight:
                    best[key] = found
        return sorted(best.values(), key=lambda one: (one.dataset, one.number, one.version_id)), bad

    def write_record(self, record: Record) -> None:
        """Write what is known of a version, and note here that the remote knows it."""
        data = record.encode()
        self.bucket.write(record.path, data)
        write_atomic(kept(self._records, record.path), data)

    def manifest(self, record: Record) -> Manifest:
        """Return the manifest of a version, every byte and path of it checked.

        Raises
        ------
        RemoteCorrupt
            If it is not there, damaged, or names what no manifest may name.
        """
        path = _under("manifests", record.version_id)
        found = self.bucket.head(path)
        if found is None or found.size_bytes > _LARGEST_MANIFEST_BYTES:
            raise self._corrupt(path, record.ref, "it is not there" if found is None else "it is too large")
        data = self.bucket.read(path)
        if blake3_bytes(data) != record.version_id:
            raise self._corrupt(path, record.ref, "its bytes have another digest")
        try:
            manifest = Manifest.decode(data)
            record.check(manifest)
        except (BadManifest, UnsafePath, BadRecord) as error:
            raise self._corrupt(path, record.ref, error.message) from error
        for part in manifest.parts:
            for chunk in part.contents.chunks:
                place = self.packs.places().get(chunk.digest)
                if place is not None and place.length != chunk.size_bytes:
                    raise self._corrupt(path, record.ref, f"{part.path}: a chunk is not as long as is said")
        return manifest

    def object(self, digest: str) -> bytes | None:
        """Return the bytes of a manifest as they are there, None when there are none; who asks compares the digest."""
        path = _under("manifests", digest)
        found = self.bucket.head(path)
        return None if found is None or found.size_bytes > _LARGEST_MANIFEST_BYTES else self.bucket.read(path)

    def write_manifest(self, manifest: Manifest) -> None:
        """Write a manifest."""
        self.bucket.write(_under("manifests", manifest.version_id), manifest.encode())

    def erased(self) -> dict[str, str | None]:
        """Return what became of erased files: the digest of what is left, None where nothing is.

        Raises
        ------
        RemoteCorrupt
            If an object there is none.
        """

        def told(listed: Listed) -> tuple[str, str | None]:
            # Of an empty object its name says all: nothing is left.
            text = self.bucket.read(listed.path).decode("ascii", "replace") if listed.size_bytes else ""
            try:
                return check_digest(f"b3:{listed.path.rpartition('/')[2]}"), check_digest(text) if text else None
            except BadDigest as error:
                raise self._corrupt(listed.path, "erased files", error.message) from error

        return dict(at_once(told, self.bucket.list("erased")))

    def write_erased(self, digest: str, left: str | None) -> None:
        """Write what became of an erased file."""
        self.bucket.write(_under("erased", digest), (left or "").encode())

    def is_unpurged(self) -> bool:
        """Say whether packs may still hold bytes of erased files."""
        return self.bucket.head(_UNPURGED) is not None

    def note_unpurged(self, *, is_so: bool) -> None:
        """Write down that packs may still hold bytes of erased files, or that they do not any more."""
        if is_so:
            self.bucket.write(_UNPURGED, b"")
        else:
            self.bucket.delete(_UNPURGED)

    def recipe(self, digest: str) -> bytes:
        """Return the list of chunks of what is left of an erased file; who uses it checks it.

        Raises
        ------
        RemoteCorrupt
            If it is not there.
        """
        path = _under("recipes", digest)
        try:
            return self.bucket.read(path)
        except ObjectMissing as error:
            raise self._corrupt(path, digest, "it is not there") from error

    def has_recipe(self, digest: str) -> bool:
        """Say whether there is a list of chunks of a file that no manifest lists."""
        return self.bucket.head(_under("recipes", digest)) is not None

    def write_recipe(self, contents: Contents, data: bytes) -> None:
        """Write the list of chunks of what is left of an erased file."""
        self.bucket.write(_under("recipes", contents.digest), data)

    def tags(self, name: str) -> dict[str, tuple[int, str]]:
        """Return number and id of the versions of a dataset that have tags.

        Raises
        ------
        RemoteCorrupt
            If an object there is no tag.
        """

        def told(listed: Listed) -> tuple[str, tuple[int, str]]:
            try:
                tag = msgspec.json.decode(self.bucket.read(listed.path), type=_Tag)
                return check_tag(listed.path.rpartition("/")[2]), (tag.number, check_digest(tag.version_id))
            except (msgspec.MsgspecError, BadName, BadInput) as error:
                raise self._corrupt(listed.path, f"data:{name}", str(error).splitlines()[0][:200]) from error

        return dict(at_once(told, self.bucket.list(f"tags/{name}")))

    def write_tag(self, record: Record, tag: str) -> bool:
        """Give a version a tag, for ever, and say whether the remote has it now: not when another version has it."""
        path = f"tags/{record.dataset}/{tag}"
        data = canonical.dumps({"number": record.number, "version_id": record.version_id})
        if self.bucket.create(path, data):
            return True
        held = msgspec.json.decode(self.bucket.read(path), type=_Tag)
        return held.version_id == record.version_id

    def lists(self) -> Iterator[Manifest]:
        """Give the manifests of all versions.

        Raises
        ------
        RemoteCorrupt
            If one is damaged.
        """
        records, bad = self.records()
        if bad:
            raise bad[0]
        self.packs.places()  # read once, before several ask for it
        yield from at_once(self.manifest, {one.version_id: one for one in records}.values())

    def _record(self, listed: Listed) -> Record | BadRecord:
        """Return a record, or what is wrong with it; one that was read before is not fetched again."""
        path = listed.path
        noted = kept(self._records, path)
        try:
            return decode(noted.read_bytes(), path)
        except (FileNotFoundError, BadRecord):
            pass
        data = self.bucket.read(path)
        try:
            record = decode(data, path)
        except BadRecord as error:
            return error
        write_atomic(noted, data)
        return record

    def _corrupt(self, path: str, what: str, why: str) -> RemoteCorrupt:
        return RemoteCorrupt(
            f"{what}: {path} of the remote {self.name!r} is damaged: {why}",
            cure=heal_with(self.name),
            object=path,
            remote=self.name,
        )


def heal_with(remote: str, ref: str = "") -> str:
    """Return the cure for what is damaged at a remote.

    Parameters
    ----------
    remote : str
        The remote's name.
    ref : str
        A version that needs it; empty where none is known.
    """
    words = " ".join(filter(None, ("undrift data push", ref.removeprefix("data:"), "--verify --remote", remote)))
    return f"{words}, in a project that holds the version; or pull from another remote"


class _Tag(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    version_id: str


def _under(folder: str, digest: str) -> str:
    name = hex_of(digest)
    return f"{folder}/{name[:2]}/{name}"
