"""What a remote holds of versions, read and compared; what is damaged there is put right with what is here.

Killed at any point the remote is no worse than before: good copies are there before damaged ones go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from undrift.blobs.buckets import ObjectMissing
from undrift.blobs.contents import Contents, encode, named
from undrift.blobs.errors import PackCorrupt
from undrift.blobs.packs.packs import text_of
from undrift.blobs.packs.toc import toc_of
from undrift.blobs.progress import Seen, nobody
from undrift.blobs.remote_packs import RemoteCorrupt
from undrift.blobs.remote_ranges import pack_path, toc_path
from undrift.blobs.store import BlobStore
from undrift.data.damage import told_of
from undrift.data.manifest import Manifest
from undrift.data.remotes.known import RECORDS
from undrift.data.remotes.remote import Remote
from undrift.data.versions import DatasetVersion

Listed: TypeAlias = Sequence[tuple[DatasetVersion, Manifest]]


@dataclass(slots=True)
class Compared:
    """What was read at a remote, and what of it is damaged.

    Attributes
    ----------
    size_bytes : int
        How many bytes of chunks were read and compared.
    damaged : list of str
        Objects there that are damaged, or were.
    chunks : dict of str to set of str
        Damaged chunks, by the packs in which they lie.
    again : list of callable
        What writes small objects again that are damaged.
    """

    size_bytes: int = 0
    damaged: list[str] = field(default_factory=list)
    chunks: dict[str, set[str]] = field(default_factory=dict)
    again: list[Callable[[], None]] = field(default_factory=list)


def sendable(blobs: BlobStore, version: DatasetVersion, manifest: Manifest, erased: Iterable[str]) -> list[Contents]:
    """Return what a remote is to hold of a version: its files, what is left of erased ones, nothing erased there.

    Parameters
    ----------
    blobs : BlobStore
        Where the bytes are.
    version : DatasetVersion
        The version.
    manifest : Manifest
        Its files.
    erased : iterable of str
        Digests of files that were erased at the remote.

    Raises
    ------
    BlobMissing, BlobCorrupt
        If the list of chunks of what is left of a file cannot be read; the version is named.
    """
    with told_of(version.ref):
        living = [one for part in manifest.parts for one in _living(blobs, part.contents)]
    there = set(erased)
    return [one for one in living if one.digest not in there]


def compare(blobs: BlobStore, remote: Remote, chosen: Listed, erased: Iterable[str], seen: Seen) -> Compared:
    """Read what a remote holds of versions, every byte, and return what is damaged.

    Nothing is changed but tables of contents, which are made again from their packs.

    Parameters
    ----------
    blobs : BlobStore
        Where the bytes are here.
    remote : Remote
        The remote. Chunks of which it has no undamaged copy count as missing there from now on.
    chosen : sequence of (DatasetVersion, Manifest)
        The versions.
    erased : iterable of str
        Digests of files that were erased at the remote.
    seen : callable
        Told of bytes that were read and compared.

    Raises
    ------
    BucketUnreachable
        If the remote does not answer.
    """
    found = Compared()

    def counted(size_bytes: int) -> None:
        found.size_bytes += size_bytes
        seen(size_bytes)

    _distrust(remote)
    remote.packs.look()
    _mend_tables(remote, found)
    digests: set[str] = set()
    gone = set(erased)
    for version, manifest in chosen:
        contents = sendable(blobs, version, manifest, gone)
        digests |= {chunk.digest for one in contents for chunk in one.chunks}
        _compare_lists(blobs, remote, manifest, found)
    found.chunks = remote.packs.wrong(digests, counted)
    found.damaged = list(dict.fromkeys([*found.damaged, *map(pack_path, found.chunks)]))
    return found


def heal(remote: Remote, found: Compared) -> None:
    """Write small objects again and take damaged chunks out of packs; good copies of them were sent before.

    Parameters
    ----------
    remote : Remote
        The remote.
    found : Compared
        What is damaged there.

    Raises
    ------
    BucketUnreachable
        If the remote does not answer; the next time goes on.
    """
    for write in found.again:
        write()
    tocs = dict(remote.packs.tocs())
    # A pack that was sent again under its own name is right now.
    still = remote.packs.wrong({digest for some in found.chunks.values() for digest in some}, nobody)
    for name in found.chunks:
        if wrong := still.get(name):
            lying = [text_of(digest) for digest, _ in tocs[name].chunks]
            remote.packs.rewrite(name, [digest for digest in lying if digest not in wrong])
    if found.chunks:
        remote.packs.look()


def _distrust(remote: Remote) -> None:
    """Forget what was read of a remote before, so that all of it is read again."""
    remote.packs.distrust()
    for noted in (remote.cache / RECORDS).iterdir():
        noted.unlink()


def _living(blobs: BlobStore, contents: Contents) -> list[Contents]:
    """Return contents, what is left of erased ones, or nothing."""
    left = blobs.left_of(contents.digest)
    if left is None:
        return []
    return [contents] if left == contents.digest else [named(blobs, left)]


def _mend_tables(remote: Remote, found: Compared) -> None:
    """Write damaged tables of contents again from the packs, at whose end each stands a second time."""
    damaged = list(remote.packs.damaged)
    for path in damaged:
        name = path.rpartition("/")[2]
        with TemporaryDirectory() as folder:
            file = Path(folder) / "pack"
            try:
                remote.bucket.download(pack_path(name), file)
                toc = toc_of(file)
            except (ObjectMissing, PackCorrupt):
                continue  # its chunks count as missing, and are sent again
        if toc.name == name and path == toc_path(name):
            remote.bucket.write(path, toc.encoded)
    if damaged:
        found.damaged += damaged
        remote.packs.look()


def _compare_lists(blobs: BlobStore, remote: Remote, manifest: Manifest, found: Compared) -> None:
    """Compare the list of files of a version, and the lists of chunks of what is left of erased ones."""
    there = remote.object(manifest.version_id)
    if there != manifest.encode():  # one that is not there was deleted, or is about to be written anyway
        found.damaged += [f"the list of files {manifest.version_id}"] if there is not None else []
        found.again.append(partial(remote.write_manifest, manifest))
    for part in manifest.parts:
        left = blobs.left_of(part.contents.digest)
        if left is None or left == part.contents.digest:
            continue
        rest = named(blobs, left)
        data = encode(rest)
        try:
            is_right = remote.recipe(left) == data
        except RemoteCorrupt:
            is_right = True  # it is not there yet: what was erased is told by the push
        if not is_right:
            found.damaged.append(f"the list of chunks {left}")
            found.again.append(partial(remote.write_recipe, rest, data))
