"""`undrift data erase`: a subject's rows go from everything that holds rows; what is not rows stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from undrift.core.clock import Clock
from undrift.core.digest import blake3_bytes
from undrift.core.errors import Conflict
from undrift.core.json import JSON
from undrift.core.masking import Mask, open_mask
from undrift.core.refs import Ref
from undrift.data.erasing import NoSuchColumn, Subject
from undrift.data.personal.redaction import matches
from undrift.loop.privacy.journal import Entry, Journal, opened
from undrift.project import Project
from undrift.segments import erasing as logs
from undrift.segments.erasing import Doomed, Rewrite
from undrift.segments.seal import seal_abandoned
from undrift.segments.tables import ROW_PREFIX

KIND = "data.erased"
_OPEN_FOR_S = 90.0
_POLL_S = 0.5


class LogInUse(Conflict):
    """The rows lie in a log file that a worker still writes."""

    code = "log-in-use"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, or would be.

    Attributes
    ----------
    dataset, column : str
        Where the subject was looked for, and by what.
    entries : tuple of Entry
        Every file that was changed.
    unsearched : tuple of str
        Versions with files in which nobody can look for a row.
    gone : tuple of str
        Those of them whose bytes were let go of here: a remote may hold them.
    is_plan : bool
        Whether nothing was changed.
    """

    dataset: str
    column: str
    entries: tuple[Entry, ...]
    unsearched: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    is_plan: bool = False

    @property
    def removed(self) -> int:
        """Rows and records taken out of all files."""
        return sum(entry.removed for entry in self.entries)

    def as_json(self) -> dict[str, JSON]:
        """Return the erasure for machines."""
        return {
            "dataset": self.dataset,
            "column": self.column,
            "plan": self.is_plan,
            "removed": self.removed,
            "changed": [entry.as_json() for entry in self.entries],
            "unsearched": list(self.unsearched),
            "gone": list(self.gone),
        }


@dataclass(slots=True)
class _Work:
    """One erasure under way; without a journal it only looks."""

    project: Project
    subject: Subject
    mask: Mask
    journal: Journal | None
    found: list[Entry] = field(default_factory=list)

    def note(self, entry: Entry) -> None:
        self.found.append(entry)
        if self.journal is not None:
            self.journal.note(entry)


def plan(project: Project, subject: Subject) -> Erased:
    """Return what erasing a subject would change; nothing is changed.

    Raises
    ------
    DatasetNotFound, NoSuchColumn
        If there is no such dataset or column.
    """
    _check(project, subject)
    work = _Work(project, subject, open_mask(project.store), None)
    for change in project.data.erasure.changes(subject, work.mask):
        work.note(Entry(change.where, change.before, change.after, change.removed, list(change.versions)))
    for endpoint, folder in _folders(project, subject.dataset):
        count = _counted(folder, _doomed(work))
        if count:
            work.note(Entry(f"log of endpoint:{endpoint}, {folder.parent.name}", "", "", count))
    return _told(work, work.found, is_plan=True)


def erase(project: Project, subject: Subject, reason: str) -> Erased:
    """Erase a subject's rows everywhere, record that it was done, and return what was changed.

    Parameters
    ----------
    project : Project
        The project.
    subject : Subject
        Whose rows.
    reason : str
        Why, in words that stay for ever; it must not name the subject.

    Raises
    ------
    DatasetNotFound, NoSuchColumn
        If there is no such dataset or column; nothing was changed.
    NotRedactable
        If a file cannot be rewritten without changing other rows.
    LogInUse
        If a worker does not let go of a log file that holds the rows.

    Notes
    -----
    May be killed at any point: the same command goes on, and the event counts everything. It holds
    digests, counts, and masks of the values; nobody without the masks' key can test a guess.
    """
    _check(project, subject)
    mask = open_mask(project.store)
    commitments = sorted(mask.text(f"{subject.dataset}\x1f{subject.column}\x1f{value}") for value in subject.values)
    name = blake3_bytes("\n".join(commitments).encode())[3:35]
    with opened(project, name) as journal:
        work = _Work(project, subject, mask, journal)
        _apply(work)
        told = _told(work, journal.entries, is_plan=False)
        if journal.entries:
            project.data.erasure.purge()
            _record(work, journal, commitments, reason)
        journal.close()
    return told


def erasures(project: Project, dataset: str) -> dict[str, int]:
    """Return how many rows were erased from each version of a dataset, by reference; untouched ones are not in it."""
    found: dict[str, int] = {}
    for event in project.ledger.events(f"data:{dataset}", [KIND]):
        changed = event.body.get("changed", [])
        for entry in changed if isinstance(changed, list) else []:
            for ref in entry.get("versions", []):
                if not ref.startswith(f"data:{dataset}@"):
                    continue  # of a dataset with the same rows: its own log tells it
                found[ref] = found.get(ref, 0) + int(entry["removed"])
    return found


def _check(project: Project, subject: Subject) -> None:
    project.data.get(Ref("data", subject.dataset))
    if not project.data.erasure.knows(subject):
        raise NoSuchColumn(
            f"no version of {subject.dataset!r} has a column {subject.column[:60]!r}",
            cure=f"undrift data profile {subject.dataset} lists the columns",
        )


def _apply(work: _Work) -> None:
    for change in work.project.data.erasure.changes(work.subject, work.mask):
        work.note(Entry(change.where, change.before, change.after, change.removed, list(change.versions)))
        change.apply()
    doomed = _doomed(work)

    def note(rewrite: Rewrite) -> None:
        work.note(Entry(rewrite.where, rewrite.before, rewrite.after, rewrite.removed))

    for _, folder in _folders(work.project, work.subject.dataset):
        _wait_closed(folder, doomed, work.project.clocks.real)
        logs.erase(folder, doomed, note)


def _record(work: _Work, journal: Journal, commitments: list[str], reason: str) -> None:
    """Write one event for the dataset, and one for each other dataset that shared the bytes."""
    project, subject = work.project, work.subject
    names = {ref.partition(":")[2].partition("@")[0] for entry in journal.entries for ref in entry.versions}
    with project.ledger.change(project.actor) as change:
        project.data.history.forget(change, (ref for entry in journal.entries for ref in entry.versions))
        for name in sorted({subject.dataset, *names}):
            body: dict[str, JSON] = {
                "column": subject.column,
                "subjects": list(commitments),
                "reason": reason,
                "removed": sum(entry.removed for entry in journal.entries),
                "changed": [entry.as_json() for entry in journal.entries],
            }
            journal.record(project, change, KIND, f"data:{name}", body)


def _told(work: _Work, entries: Iterable[Entry], *, is_plan: bool) -> Erased:
    erasure, subject = work.project.data.erasure, work.subject
    unsearched, gone = tuple(erasure.unsearched(subject.dataset)), tuple(erasure.gone(subject.dataset))
    return Erased(subject.dataset, subject.column, tuple(entries), unsearched, gone, is_plan)


def _folders(project: Project, dataset: str) -> list[tuple[str, Path]]:
    """Return the log folders of endpoints whose models learnt from a dataset, or from one that holds its rows."""
    names = project.data.erasure.family(dataset)
    learnt = tuple(f"data:{name}@" for name in names)
    models = {one.model for one in project.registry.versions() if one.data.startswith(learnt)}
    models |= {name for name, settings in project.settings.models.items() if settings.dataset in names}
    rooms = project.endpoint_rooms
    return [
        (state.name, folder)
        for state in project.endpoints.all()
        if state.stable.model in models
        for folder in (rooms.predictions(state.name), rooms.feedback(state.name))
        if folder.is_dir()
    ]


def _doomed(work: _Work) -> Doomed:
    """Return what tells the subject's records: its value as the caller's key, or in the column that was asked with.

    Labels that name a prediction by its id go with it where their key tells them; a truth without a
    key says nothing about anybody once its prediction is gone.
    """
    values = work.subject.values | work.subject.masked(work.mask).values
    column = f"{ROW_PREFIX}{work.subject.column}"

    def doomed(table: pl.DataFrame) -> pl.Series:
        hits = matches(table["key"], values)
        return hits | matches(table[column], values) if column in table.columns else hits

    return doomed


def _counted(folder: Path, doomed: Doomed) -> int:
    from undrift.segments.parquet import read_feedback, read_predictions

    table = (read_predictions if folder.parent.name == "predictions" else read_feedback)(folder)
    return int(doomed(table).sum()) if table.height else 0


def _wait_closed(folder: Path, doomed: Doomed, clock: Clock) -> None:
    """Return when no living writer holds such a record in an open file: each closes its file every minute."""
    deadline = clock.monotonic() + _OPEN_FOR_S
    while True:
        seal_abandoned(folder)
        if not logs.open_with(folder, doomed):
            return
        if clock.monotonic() >= deadline:
            raise LogInUse(
                "a worker still writes a log file that holds the rows", cure="undrift down ENDPOINT, then try again"
            )
        clock.sleep(_POLL_S)
