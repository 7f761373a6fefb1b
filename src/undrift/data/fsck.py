"""Checking all that datasets need of the store: whose bytes are damaged, and putting right what can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from undrift.blobs.checking import Checked, ChunkSource, Finding, check, repair
from undrift.blobs.contents import Contents, named, remembered
from undrift.blobs.errors import BlobCorrupt, BlobMissing
from undrift.blobs.progress import Seen, nobody
from undrift.blobs.tombstones import BlobErased
from undrift.core.json import JSON
from undrift.data.stored import StoredVersions
from undrift.data.whole_chunks import WholeChunks

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong, and whose it is.

    Attributes
    ----------
    finding : Finding
        What is wrong.
    needed_by : tuple of str
        Files of versions that need it, as ``data:NAME@N: PATH``; empty when nothing does.
    is_repaired : bool
        Whether it is right now.
    """

    finding: Finding
    needed_by: tuple[str, ...] = ()
    is_repaired: bool = False

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines."""
        return {
            "kind": self.finding.kind,
            "digest": self.finding.digest,
            "where": self.finding.where,
            "has_copy": self.finding.has_copy,
            "needed_by": list(self.needed_by),
            "repaired": self.is_repaired,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of everything found.

    Attributes
    ----------
    checked : Checked
        How much was read.
    versions : int
        How many versions were followed.
    faults : tuple of Fault
        What is, or was, wrong.
    """

    checked: Checked
    versions: int
    faults: tuple[Fault, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong now."""
        return all(fault.is_repaired for fault in self.faults)

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines."""
        checked = self.checked
        return {
            "sound": self.is_sound,
            "versions": self.versions,
            "objects": checked.objects,
            "packs": checked.packs,
            "chunks": checked.chunks,
            "bytes": checked.size_bytes,
            "faults": [fault.as_json() for fault in self.faults],
        }


@dataclass(slots=True)
class _Needs:
    """What is needed and not right: by whom, and whether it is an object."""

    by: dict[str, list[str]] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    versions: int = 0

    def add(self, digest: str, who: str, *, is_object: bool = False) -> None:
        self.by.setdefault(digest, []).append(who)
        if is_object:
            self.objects.add(digest)


def fsck(
    stored: StoredVersions, sources: Sequence[ChunkSource] = (), *, is_repair: bool = False, seen: Seen = nobody
) -> Report:
    """Read everything that datasets keep, and return what is wrong with it.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    sources : sequence of ChunkSource
        Where else the bytes may be, beside whole files that were put together for readers; asked only when repairing.
    is_repair : bool
        Whether to put right what can be: the index, copies, and what a source has.
    seen : callable
        Told of progress in bytes.

    Raises
    ------
    StoreInUse
        If others use the store for too long.
    """
    lock = stored.blobs.lock
    with lock.alone() if is_repair else lock.shared():
        checked = check(stored.blobs, seen)
        needs = _needs(stored, checked)
        findings = list(checked.findings)
        told = {finding.digest for finding in findings if finding.kind in ("object", "chunk")}
        findings += [Finding("missing", digest, "nothing holds it") for digest in needs.by if digest not in told]
        faults = [Fault(finding, tuple(needs.by.get(finding.digest, ()))) for finding in findings]
        if not is_repair or not faults:
            return Report(checked, needs.versions, tuple(faults))
        again, left = checked, needs
        while True:
            before = set(left.by)
            missing = {digest: digest in left.objects for digest in left.by}
            repair(stored.blobs, again, missing, [WholeChunks(stored), *sources])
            again = check(stored.blobs)
            left = _needs(stored, again)
            if not left.by.keys() - before:  # else a list of files is back, and tells of more that is missing
                break
        faults += [Fault(Finding("missing", one, "nothing holds it"), tuple(left.by[one])) for one in left.by]
        faults = list({(one.finding.kind, one.finding.digest): one for one in reversed(faults)}.values())[::-1]
        now = {(one.kind, one.digest) for one in again.findings}
        now |= {("missing", digest) for digest in left.by}
        repaired = [replace(one, is_repaired=(one.finding.kind, one.finding.digest) not in now) for one in faults]
        return Report(checked, needs.versions, tuple(repaired))


def told(report: Report) -> list[str]:
    """Return what was found, a line each, for people."""
    checked = report.checked
    read = (
        f"{report.versions:,} versions, {checked.packs:,} packs with {checked.chunks:,} chunks, {checked.objects:,} "
        f"objects, {checked.size_bytes / 1e6:,.1f} MB read and compared"
    )
    lines = [read]
    for fault in report.faults[:_MOST_SHOWN]:
        finding = fault.finding
        state = "repaired" if fault.is_repaired else "a good copy is used" if finding.has_copy else "damaged"
        if finding.kind == "missing" and not fault.is_repaired:
            state = "missing"
        lines.append(f"{state}: {finding.kind} {finding.digest} ({finding.where})")
        lines += [f"    {one}" for one in fault.needed_by[:_MOST_SHOWN]]
    if len(report.faults) > _MOST_SHOWN:
        lines.append(f"and {len(report.faults) - _MOST_SHOWN:,} more: --json tells all")
    if report.is_sound:
        return [*lines, "everything is as it should be"]
    if all(fault.is_repaired or fault.finding.has_copy for fault in report.faults):
        return [*lines, "nothing is lost; damaged copies lie there still: undrift data fsck --repair takes them out"]
    return [*lines, "not everything is as it should be"]


def _needs(stored: StoredVersions, checked: Checked) -> _Needs:
    """Return what versions and recipes need and what is not among the good bytes."""
    needs = _Needs()
    for version in stored.every():
        if version.is_gone:
            continue
        needs.versions += 1
        if version.version_id not in checked.good:
            needs.add(version.version_id, f"{version.ref}: its list of files", is_object=True)
            continue
        for part in stored.manifest(version).parts:
            _follow(stored, checked, needs, (part.contents, f"{version.ref}: {part.path}"))
    try:
        for contents in remembered(stored.blobs):
            _follow(stored, checked, needs, (contents, "a delivered batch, or the rest of an erased file"))
    except BlobCorrupt as error:
        checked.findings.append(Finding("object", str(error.fields["digest"]), "its list of chunks is damaged"))
    return needs


def _follow(stored: StoredVersions, checked: Checked, needs: _Needs, one: tuple[Contents, str]) -> None:
    contents, who = one
    if stored.blobs.tombstones.has(contents.digest):
        try:
            contents = named(stored.blobs, contents.digest)
        except BlobErased:
            return
        except (BlobMissing, BlobCorrupt):
            needs.add(contents.digest, f"{who}, what is left of it")
            return
    for chunk in contents.chunks:
        if chunk.digest not in checked.good:
            needs.add(chunk.digest, who)
