"""Branches of datasets: begun, listed and merged here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from undrift.core.errors import BadInput
from undrift.core.ids import check_name
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data import additions, repository, suites
from undrift.data.branches import ties
from undrift.data.branches.lines import Lines, Point, Tie
from undrift.data.branches.merging import Manner, Merged, Merging
from undrift.data.origins import Origin
from undrift.data.personal.masks import Masks
from undrift.data.quality.suite import Suite
from undrift.data.repository import NewVersion
from undrift.data.stored import StoredVersions, as_ref
from undrift.data.versions import AddConflict, DatasetVersion
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change

BRANCHED = "data.branched"
_ATTEMPTS = 20


class BranchTaken(BadInput):
    """The name of a branch is that of a dataset already."""

    code = "name-taken"


@dataclass(frozen=True, slots=True)
class Branch:
    """A dataset that began as a version of another.

    Attributes
    ----------
    name : str
        Its name.
    left : str
        Reference of the version that it began with, as it was called there.
    left_id : str
        Id of that version.
    origin_is_here : bool
        Whether the dataset that it left from is in this project.
    ahead : int
        How many versions with news of its own that dataset has not got.
    behind : int
        How many versions of that dataset it has not got.
    merged : str or None
        The newest version of that dataset into which it was merged.
    brought : str or None
        The newest version of it into which that dataset was merged.
    """

    name: str
    left: str
    left_id: str
    origin_is_here: bool
    ahead: int
    behind: int
    merged: str | None
    brought: str | None

    @property
    def is_merged(self) -> bool:
        """Whether the dataset that it left from has all of its news."""
        return self.merged is not None and self.ahead == 0

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines."""
        return {
            "branch": f"data:{self.name}",
            "left": self.left,
            "left_id": self.left_id,
            "origin_is_here": self.origin_is_here,
            "ahead": self.ahead,
            "behind": self.behind,
            "is_merged": self.is_merged,
            "merged": self.merged,
            "brought": self.brought,
        }


class Branches:
    """The branches of a project's datasets.

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
        self._merging = Merging(stored, masks, folder)
        self._ledger, self._blobs = stored.ledger, stored.blobs

    def branch(self, ref: Ref | str, name: str, *, actor: Actor, reason: str = "") -> DatasetVersion:
        """Begin a dataset with a version of another, whose bytes it shares, and return its first version.

        Parameters
        ----------
        ref : Ref or str
            The version.
        name : str
            The new dataset.
        actor : Actor
            Who branches.
        reason : str
            Why; it stays for ever.

        Raises
        ------
        DatasetNotFound, AmbiguousVersion
            If there is no such version.
        BytesGone, BlobMissing, BlobCorrupt
            If its list of files cannot be read.
        BranchTaken
            If there is a dataset of that name.

        Notes
        -----
        One change of the ledger: version, suite and schema are there together or not at all. No byte is copied.
        """
        check_name(name, "dataset")
        with self._blobs.lock.shared():  # from the look at the bytes until they are referred to, nobody lets go of them
            version = self._stored.find(as_ref(ref))
            self._stored.manifest(version)
            with self._ledger.read() as connection:
                suite = suites.load(connection, self._blobs, version.name)
                _refuse_taken(connection, name)
            try:
                with self._ledger.change(actor) as change:
                    made = _begin(change, version, name, reason)
                    if suite is not None:
                        _carry_suite(change, version, name, suite)
            except AddConflict as error:
                raise _taken(name) from error
        return made

    def merge(self, of: str, into: str, *, actor: Actor, manner: Manner | None = None) -> Merged:
        """Merge the newest version of a dataset into another one, and return what became of it.

        It works both ways: a branch into what it left, and what it left into the branch. Where the target did not move
        since both began it gets the other's version as it is. Else what one side changed counts; what both changed in
        different ways is a conflict, and with a conflict that ``manner.take`` does not resolve nothing is written.

        Parameters
        ----------
        of : str
            The dataset whose news are wanted.
        into : str
            The dataset that gets a version.
        actor : Actor
            Who merges.
        manner : Manner, optional
            How; by default files as wholes.

        Returns
        -------
        Merged
            The version, or why there is none: nothing to merge, conflicts, a check that failed.

        Raises
        ------
        DatasetNotFound
            If there is no such dataset.
        NoBase, SeveralBases
            If nobody can tell where both began.
        NotATable, BadKey, SchemaMismatch
            If rows are to be merged and cannot be, or files of both sides are not one table.
        TagTaken
            If the tag names another version.
        BytesGone, BlobMissing, BlobCorrupt
            If bytes of a version are not there or not right.
        AddConflict
            If other writers were faster in every attempt.

        Notes
        -----
        One change of the ledger after the bytes are stored: killed at any point, the version is there or it is not. A
        version that somebody adds to the target meanwhile is seen, and the merge begins anew with it.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._merging.merge(of, into, actor, manner or Manner())
            except AddConflict:
                continue
        raise AddConflict(f"{into!r} changes faster than it can be merged into", cure="try again later")

    def all(self, dataset: str | None = None) -> list[Branch]:
        """Return the branches that there are, by name.

        Parameters
        ----------
        dataset : str, optional
            Only the branches of this dataset, and itself where it is one.
        """
        if dataset is not None:
            self._stored.find(Ref("data", dataset))
        with self._ledger.read() as connection:
            return [
                _told(lines, point, tie)
                for point, tie, lines in ties.branches(connection)
                if dataset is None or dataset in (point.dataset, tie.dataset)
            ]


def _begin(change: Change, version: DatasetVersion, name: str, reason: str) -> DatasetVersion:
    new = NewVersion(
        name=name,
        version_id=version.version_id,
        parent=None,
        size_bytes=version.bytes,
        files=version.files,
        schema=version.schema,
        rows=version.rows,
        table_digest=version.table_digest,
        origin=Origin("branch", version.ref, version_id=version.version_id),
    )
    made = additions.make(change, new)
    left: dict[str, JSON] = {
        "dataset": version.name,
        "number": version.number,
        "version_id": version.version_id,
    }
    body: dict[str, JSON] = {"left": left, **additions.facts_of(made), "table_digest": made.table_digest}
    change.record(BRANCHED, made.ref, {**body, "reason": reason} if reason else body)
    return made


def _carry_suite(change: Change, version: DatasetVersion, name: str, suite: Suite) -> None:
    suites.freeze(change, name, suites.Freezing(suite, suite.digest, None, f"that of data:{version.name}"))


def _told(lines: Lines, first: Point, tie: Tie) -> Branch:
    origin, branch = tie.dataset, first.dataset
    return Branch(
        name=branch,
        left=tie.ref,
        left_id=tie.version_id,
        origin_is_here=lines.newest(origin) is not None,
        ahead=lines.ahead(branch, origin),
        behind=lines.ahead(origin, branch),
        merged=_last_merge(lines, into=origin, of=branch),
        brought=_last_merge(lines, into=branch, of=origin),
    )


def _last_merge(lines: Lines, into: str, of: str) -> str | None:
    found = [
        point
        for point, line in lines.every.items()
        if point.dataset == into and line.tie is not None and (line.tie.kind, line.tie.dataset) == ("merge", of)
    ]
    return max(found).ref if found else None


def _refuse_taken(connection: Connection, name: str) -> None:
    if repository.newest(connection, name) is not None:
        raise _taken(name)


def _taken(name: str) -> BranchTaken:
    return BranchTaken(f"there is a dataset {name!r} already", cure="name the branch otherwise: undrift data list")
