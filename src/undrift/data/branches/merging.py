"""Bringing a branch back, or the news of a line into its branch: three versions in, one out, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from undrift.core.errors import BadInput, DecisionNeeded
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data import additions, parts, suites
from undrift.data.branches import ties
from undrift.data.branches.conflicts import NO_CONFLICTS, Conflicts, Side
from undrift.data.branches.content import Content, Sides, count_rows, merged, need_table
from undrift.data.branches.rows import Rule, Tell
from undrift.data.drift import drift
from undrift.data.manifest import Manifest
from undrift.data.origins import Origin
from undrift.data.personal.columns import sampled
from undrift.data.personal.masks import Masks
from undrift.data.quality.check import Asked, CheckReport, check
from undrift.data.quality.suite import Suite
from undrift.data.repository import NewVersion
from undrift.data.schema import SchemaMismatch
from undrift.data.stored import StoredVersions, as_ref
from undrift.data.tabular.text_file import BadTable
from undrift.data.versions import DatasetVersion, check_tag
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change

MERGED = "data.merged"
Outcome: TypeAlias = Literal["nothing", "fast-forward", "merged", "conflicts", "refused"]
_LONGEST_CELL = 200


class NoBase(BadInput):
    """Two datasets have no version from which both descend."""

    code = "no-common-version"


class SeveralBases(DecisionNeeded):
    """Two datasets descend from several versions, none of which descends from the others."""

    code = "several-common-versions"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a merge is done.

    Attributes
    ----------
    key : tuple of str
        Columns that name a row: then rows are merged where files conflict.
    take : {"ours", "theirs"} or None
        Whose file, column, row or cell counts where both sides changed it: the target's, or the other's.
    base : str
        Reference of the version at which both began; by default what branches and merges recorded.
    is_checked : bool or None
        Whether the merged table must pass the target's suite; by default where one is frozen.
    tag : str or None
        A tag for the new version.
    reason : str
        Why; it stays for ever.
    is_plan : bool
        Whether nothing is written.
    """

    key: tuple[str, ...] = ()
    take: Side | None = None
    base: str = ""
    is_checked: bool | None = None
    tag: str | None = None
    reason: str = ""
    is_plan: bool = False


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a merge.

    Attributes
    ----------
    outcome : {"nothing", "fast-forward", "merged", "conflicts", "refused"}
        Nothing to merge; the other side's version as it is; both; conflicts that nobody resolved; a failed check.
    into, of, base : str
        References of the newest version of the target, of the other dataset, and of the version both began at.
    version : DatasetVersion or None
        The new version of the target; None when none was made.
    conflicts : Conflicts
        What both sides changed in different ways.
    taken : {"ours", "theirs"} or None
        What resolved them.
    rows : dict of str to int
        Where rows were merged: how many were added, removed, changed as the target sees it.
    drift : str
        In what the columns are not those of the target's version before.
    report : CheckReport or None
        How the merged table stands against the target's suite.
    is_plan : bool
        Whether nothing was written.
    """

    outcome: Outcome
    into: str
    of: str
    base: str
    version: DatasetVersion | None = None
    conflicts: Conflicts = NO_CONFLICTS
    taken: Side | None = None
    rows: dict[str, int] = field(default_factory=dict)
    drift: str = ""
    report: CheckReport | None = None
    is_plan: bool = False

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines, without the version."""
        return {
            "outcome": self.outcome,
            "plan": self.is_plan,
            "into": self.into,
            "of": self.of,
            "base": self.base,
            "taken": self.taken,
            "conflicts": self.conflicts.as_json(),
            "rows": dict(self.rows),
            "drift": self.drift or None,
            "check": self.report.as_json() if self.report else None,
        }


@dataclass(frozen=True, slots=True)
class _Found:
    """What two sides make up, before anything is written."""

    sides: Sides
    content: Content
    held: Manifest
    outcome: Outcome


class Merging:
    """Merges one dataset into another.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    masks : Masks
        Knows which cells of conflicts are not shown.
    folder : Path
        Where rows are kept on their way into the store.
    """

    def __init__(self, stored: StoredVersions, masks: Masks, folder: Path) -> None:
        self._stored = stored
        self._folder = folder
        self._ledger, self._blobs = stored.ledger, stored.blobs
        self._masks = masks

    def merge(self, of: str, into: str, actor: Actor, manner: Manner) -> Merged:
        """Merge the newest version of one dataset into another, once, and return what became of it.

        Parameters
        ----------
        of : str
            The dataset whose news are wanted.
        into : str
            The dataset that gets a version.
        actor : Actor
            Who merges.
        manner : Manner
            How.

        Raises
        ------
        AddConflict
            If the target got another version meanwhile; nothing was written.
        """
        if manner.tag is not None:
            self._stored.check_tag_free(into, check_tag(manner.tag))
        with self._blobs.lock.shared():
            theirs, ours = (self._stored.find(Ref("data", name)) for name in (of, into))
            if theirs.name == ours.name:
                raise BadInput(f"{of} and {into} are one dataset", cure="name a branch and what it left")
            base = self._base(ours, theirs, manner)
            if base is None or (ours.version_id == theirs.version_id and base.ref in (ours.ref, theirs.ref)):
                return Merged("nothing", ours.ref, theirs.ref, (base or theirs).ref, is_plan=manner.is_plan)
            found = self._found(Sides(base, ours, theirs), manner)
            return self._decided(found, actor, manner)

    def _base(self, ours: DatasetVersion, theirs: DatasetVersion, manner: Manner) -> DatasetVersion | None:
        """Return the version at which both began, None when ours descends from theirs already."""
        if manner.base:
            return self._stored.find(as_ref(manner.base))
        with self._ledger.read() as connection:
            names = {*ties.family(connection, ours.name), theirs.name}
            lines = ties.lines(connection, names)
        one, other = ties.point_of(ours), ties.point_of(theirs)
        if other in lines.ancestors(one):
            return None
        found = lines.bases(one, other)
        if not found:
            raise NoBase(
                f"{ours.name!r} and {theirs.name!r} have no version in common", cure="say where both began: --base REF"
            )
        if len(found) > 1:
            told = ", ".join(point.ref for point in found)
            raise SeveralBases(f"{ours.ref} and {theirs.ref} both descend from {told}", cure="say which: --base REF")
        return self._stored.find(as_ref(found[0].ref))

    def _found(self, sides: Sides, manner: Manner) -> _Found:
        held = self._stored.manifest(sides.ours)
        base, ours, theirs = sides.base, sides.ours, sides.theirs
        if ours.version_id in (base.version_id, theirs.version_id):
            content = Content(self._stored.manifest(theirs).parts, schema=theirs.schema)
            is_forward = ours.version_id == base.version_id
            return _Found(sides, content, held, "fast-forward" if is_forward else "merged")
        rule = Rule(manner.key, manner.take, self._tell(ours, theirs) if manner.key else None)
        return _Found(sides, merged(self._stored, sides, rule), held, "merged")

    def _decided(self, found: _Found, actor: Actor, manner: Manner) -> Merged:
        """Write the version, unless conflicts, a check or a plan are in the way."""
        content, ours = found.content, found.sides.ours
        told = Merged(
            found.outcome,
            ours.ref,
            found.sides.theirs.ref,
            found.sides.base.ref,
            conflicts=content.conflicts,
            taken=manner.take if content.conflicts.total else None,
            rows=_counts(content),
            is_plan=manner.is_plan,
        )
        if content.conflicts.total and manner.take is None:
            return replace(told, outcome="conflicts")
        new = self._described(found)
        with self._ledger.read() as connection:
            suite = suites.load(connection, self._blobs, ours.name)
            if suite is None and manner.is_checked:
                suites.need(connection, self._blobs, ours.name)
        told = replace(told, drift=drift(ours, new.schema))
        if suite is not None and manner.is_checked is not False:
            told = replace(told, report=self._checked(content, found, suite))
        if told.report is not None and told.report.verdict == "fail":
            return replace(told, outcome="refused")
        return told if manner.is_plan else self._written(found, new, told, (actor, manner))

    def _described(self, found: _Found) -> NewVersion:
        """Return what will be known of the version but for its id and size.

        Raises
        ------
        SchemaMismatch, BadTable
            If files of both sides are not one table.
        """
        content, ours, theirs = found.content, found.sides.ours, found.sides.theirs
        there = (self._stored.manifest(theirs).parts, theirs.schema)
        is_theirs = content.rows is None and (content.before, content.schema) == there
        try:
            rows = theirs.rows if is_theirs else count_rows(self._blobs, content, ours, found.held)
        except (SchemaMismatch, BadTable) as error:
            raise type(error)(
                f"files of {ours.ref} and {theirs.ref} are not one table; {error.message}",
                cure="--key COLUMN merges their rows; or bring the columns in line on one side first",
            ) from error
        return NewVersion(
            name=ours.name,
            version_id="",
            parent=ours.number,
            size_bytes=0,
            files=0,
            schema=content.schema,
            rows=rows,
            table_digest=theirs.table_digest if is_theirs else None,
            origin=Origin("merge", theirs.ref, version_id=theirs.version_id),
        )

    def _checked(self, content: Content, found: _Found, suite: Suite) -> CheckReport:
        schema = content.schema or need_table(found.sides.theirs)
        return check(content.scan(self._blobs, schema), suite, Asked(examples=0))

    def _written(self, found: _Found, new: NewVersion, told: Merged, who: tuple[Actor, Manner]) -> Merged:
        """Store the bytes, then make the version, its check, its tag and its event in one change."""
        actor, manner = who
        manifest, stored_bytes = found.content.store(self._blobs, self._folder)
        self._blobs.put_bytes(manifest.encode())
        report = told.report
        report_digest = suites.store_report(self._blobs, report) if report is not None else ""
        new = replace(new, version_id=manifest.version_id, size_bytes=manifest.size_bytes, files=len(manifest.parts))
        with self._ledger.change(actor) as change:
            version = additions.make(change, new)
            if report is not None:
                suites.record_check(change, version.ref, report, report_digest)
            _record(change, version, told, manner, stored_bytes)
            if manner.tag is not None:
                version = additions.tag(change, version, manner.tag)
        return replace(told, version=version)

    def _tell(self, ours: DatasetVersion, theirs: DatasetVersion) -> Tell:
        """Return what shows cells: of personal columns their masks. It looks for these when there is a cell to show."""
        personal = cache(lambda: self._personal(ours, theirs))

        def tell(column: str, cell: object) -> str | None:
            if cell is None:
                return None
            mask = self._masks.open_mask() if column in personal() else None
            text = str(cell)
            if mask is not None:
                return mask.text(text)
            return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}..."

        return tell

    def _personal(self, ours: DatasetVersion, theirs: DatasetVersion) -> frozenset[str]:
        """Return the columns that are personal on either side or that the suite knows for such."""
        with self._ledger.read() as connection:
            suite = suites.load(connection, self._blobs, ours.name)
        stated = suite.personal if suite is not None else frozenset()
        found = set(stated) - set(self._masks.settings(ours.name).not_personal)
        for version in (ours, theirs):
            rows = parts.scan(self._blobs, self._stored.manifest(version), self._stored.schema(version))
            found |= set(self._masks.columns(version.name, sampled(rows, version.rows or 0)))
        return frozenset(found)


def _record(change: Change, version: DatasetVersion, told: Merged, manner: Manner, stored_bytes: int) -> None:
    body: dict[str, JSON] = {
        "into": told.into,
        "of": told.of,
        "base": told.base,
        **additions.facts_of(version),
        "parent": version.parent,
        "fast_forward": told.outcome == "fast-forward",
        "key": list(manner.key),
        "conflicts": told.conflicts.total,
        "taken": told.taken,
        "stored_bytes": stored_bytes,
        "table_digest": version.table_digest,
    }
    change.record(MERGED, version.ref, {**body, "reason": manner.reason} if manner.reason else body)


def _counts(content: Content) -> dict[str, int]:
    rows = content.rows
    return {} if rows is None else {"added": rows.added, "removed": rows.removed, "changed": rows.changed}
