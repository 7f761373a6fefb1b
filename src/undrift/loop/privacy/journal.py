"""What an erasure is about to do, written down before it is done: a kill loses neither the work nor its count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from undrift.core.errors import Corrupt
from undrift.core.files import FileLock, fsync_folder, make_private, write_atomic
from undrift.core.ids import new_id
from undrift.core.json import JSON
from undrift.ledger.ledger import Change
from undrift.project import Project

FOLDER = "erasures"


class BadJournal(Corrupt):
    """A journal of an erasure cannot be read."""

    code = "bad-erasure-journal"


class Entry(msgspec.Struct, frozen=True):
    """One file that is changed.

    Attributes
    ----------
    where : str
        The file, or what it is.
    before, after : str
        Digests of its bytes; ``after`` is empty when nothing is left.
    removed : int
        Rows or records taken out.
    versions : list of str
        Data versions that hold it.
    """

    where: str
    before: str
    after: str
    removed: int
    versions: list[str] = []

    def as_json(self) -> dict[str, JSON]:
        """Return the entry as its event keeps it: digests and counts."""
        plain: dict[str, JSON] = {
            "where": self.where,
            "before": self.before,
            "after": self.after or None,
            "removed": self.removed,
        }
        return {**plain, "versions": list(self.versions)} if self.versions else plain


class _Stored(msgspec.Struct):
    id: str
    entries: dict[str, Entry] = {}


class Journal:
    """The entries of one erasure, durable before what they tell is done.

    Parameters
    ----------
    path : Path
        Its file; what an earlier attempt noted there counts.
    fresh_id : str
        The erasure's id when there was no earlier attempt.
    """

    def __init__(self, path: Path, fresh_id: str) -> None:
        self._path = path
        try:
            self._stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        except FileNotFoundError:
            self._stored = _Stored(fresh_id)
        except msgspec.DecodeError as error:
            raise BadJournal(f"{path.name} cannot be read", cure=f"look at it, then delete {path}") from error

    @property
    def id(self) -> str:
        """Id of the erasure, the same in every attempt."""
        return self._stored.id

    @property
    def entries(self) -> list[Entry]:
        """What was done or begun."""
        return list(self._stored.entries.values())

    def note(self, entry: Entry) -> None:
        """Write an entry down; the same change noted again is one."""
        make_private(self._path.parent)
        self._stored.entries[f"{entry.where}\x1f{entry.before}"] = entry
        write_atomic(self._path, msgspec.json.encode(self._stored))

    def record(self, project: Project, change: Change, kind: str, subject: str, body: dict[str, JSON]) -> None:
        """Write the event of the erasure unless an attempt that was killed afterwards has.

        Parameters
        ----------
        project : Project
            The project.
        change : Change
            The open change.
        kind, subject : str
            Of the event.
        body : dict
            What it says beside the entries.
        """
        told = project.ledger.events(subject, [kind])
        if not any(event.body.get("erasure") == self.id for event in told):
            change.record(kind, subject, {"erasure": self.id, **body})

    def close(self) -> None:
        """Delete the journal: the event tells the rest."""
        self._path.unlink(missing_ok=True)
        if self._path.parent.is_dir():
            fsync_folder(self._path.parent)


@contextmanager
def opened(project: Project, name: str) -> Iterator[Journal]:
    """Give the journal of an erasure; one erasure works at a time."""
    with FileLock(project.store / "erasure.lock", clock=project.clocks.real):
        journal = Journal(project.store / FOLDER / f"{name}.json", new_id(project.clocks.business))
        for entry in journal.entries:  # of an attempt that was killed between a tombstone and the object it stands for
            if entry.before and project.blobs.left_of(entry.before) != entry.before:
                project.blobs.erase(entry.before, entry.after or None)
        yield journal
