"""Watched folders: a file that lies still there becomes data, unasked and once.

A pass only looks. A file is taken when two passes in a row saw the same size and time of change, so a
file that is still being written is left alone; a writer that uses a temporary name is not even seen
before it renames the file. May be killed at any point: the next pass goes on, and the same bytes are
never added twice.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from undrift.core.config import DatasetSettings
from undrift.core.digest import blake3_file
from undrift.core.errors import BadInput, UndriftError
from undrift.core.files import FileLock
from undrift.core.json import JSON
from undrift.data.arrivals import Arrival, State, arrivals_of, forget_arrival, was_taken, write_arrival
from undrift.data.tabular.reading import Reading
from undrift.ledger.actor import Actor
from undrift.loop import settings_file
from undrift.project import Project

RECEIVER = Actor("service", "receiver")
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", ".lock", "~")


class BadFolder(BadInput):
    """A folder cannot be watched."""

    code = "bad-folder"


@dataclass(frozen=True, slots=True)
class Folder:
    """A watched folder, as it stands.

    Attributes
    ----------
    dataset : str
        What its files become.
    path : str
        As the settings name it.
    problem : str
        Why it cannot be looked at; empty when it can.
    taken : int
        How many files became data.
    waiting : int
        How many were seen once.
    failed : tuple of Arrival
        Those that could not be taken; they are tried again when they change.
    """

    dataset: str
    path: str
    problem: str
    taken: int
    waiting: int
    failed: tuple[Arrival, ...]

    def as_json(self) -> dict[str, JSON]:
        """Return this for machines."""
        failed: list[JSON] = [{"file": one.path, "code": one.told} for one in self.failed]
        return {
            "dataset": self.dataset,
            "folder": self.path,
            "problem": self.problem or None,
            "taken": self.taken,
            "waiting": self.waiting,
            "failed": failed,
        }


def watch(project: Project, dataset: str, folder: str | None) -> bool:
    """Write into the settings which folder is watched for a dataset, and say whether that is new.

    Parameters
    ----------
    project : Project
        The project.
    dataset : str
        Need not exist: its first file makes it.
    folder : str or None
        Relative to the project, or absolute; None watches none any more.

    Raises
    ------
    BadFolder
        If there is no such folder, or it is the project's own store.
    """
    if folder is not None:
        place = (project.root / folder).resolve()
        if not place.is_dir():
            raise BadFolder(f"there is no folder {folder}", cure=f"mkdir -p {folder}")
        if place in (project.root, project.store) or project.store in place.parents:
            raise BadFolder(f"{folder} holds what undrift itself writes", cure="watch a folder of its own")
    return settings_file.edit(
        project,
        lambda document: settings_file.put(
            settings_file.table(document, "datasets", dataset),
            {"watch": folder},
            {"watch": "new files become new versions at the next pass"},
        ),
    )


def take_arrivals(project: Project) -> list[str]:
    """Take what lies still in the watched folders, and tell what was done, one line for each file.

    Parameters
    ----------
    project : Project
        The project.

    Notes
    -----
    One process looks at a time; another one that comes meanwhile leaves it to that one.
    """
    watched = {name: one for name, one in project.settings.datasets.items() if one.watch}
    if not watched:
        return []
    lock = FileLock(project.store / "arrivals.lock")
    if not lock.try_acquire():
        return []
    try:
        return [line for name, settings in watched.items() for line in _look(project, name, settings)]
    finally:
        lock.release()


def folders(project: Project) -> list[Folder]:
    """Return how the watched folders stand; it only reads."""
    found = []
    for name, settings in project.settings.datasets.items():
        if not settings.watch:
            continue
        with project.ledger.read() as connection:
            known = arrivals_of(connection, name)
        states = [one.state for one in known]
        failed = tuple(one for one in known if one.state == "failed")
        is_there = (project.root / settings.watch).is_dir()
        problem = "" if is_there else "there is no such folder"
        taken = sum(state in ("added", "admitted", "refused") for state in states)
        found.append(Folder(name, settings.watch, problem, taken, states.count("seen"), failed))
    return found


def _look(project: Project, dataset: str, settings: DatasetSettings) -> list[str]:
    folder = project.root / (settings.watch or "")
    with project.ledger.read() as connection:
        known = {one.path: one for one in arrivals_of(connection, dataset)}
    there = {one.path: one for one in _files(project, dataset, folder)}
    with project.ledger.bookkeeping() as connection:
        for path, seen in there.items():
            if path not in known or known[path].look != seen.look:
                write_arrival(connection, seen)
        for path, gone in known.items():
            if path not in there and gone.state == "seen":
                forget_arrival(connection, gone)
    still = [seen for path, seen in there.items() if path in known and known[path].look == seen.look]
    due = [seen for seen in still if known[seen.path].state == "seen"]
    told = (_take(project, seen, folder / seen.path, settings) for seen in sorted(due, key=_by_time))
    return [line for line in told if line]


def _by_time(one: Arrival) -> tuple[int, str]:
    return one.mtime_ns, one.path


def _files(project: Project, dataset: str, folder: Path) -> Iterator[Arrival]:
    """Give the plain files below a folder whose names are those of finished files; links are not followed."""
    now = project.clocks.business.now()
    for parent, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in names:
            if name.startswith(".") or name.lower().endswith(_UNFINISHED):
                continue
            try:
                found = Path(parent, name).lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(found.st_mode) and found.st_size:
                path = Path(parent, name).relative_to(folder).as_posix()
                yield Arrival(dataset, path, found.st_size, found.st_mtime_ns, "seen", None, "", now)


def _take(project: Project, seen: Arrival, file: Path, settings: DatasetSettings) -> str:
    """Make a file data, write down what became of it, and tell it in a line."""
    try:
        digest = blake3_file(file)
        after = file.stat()
    except OSError:
        return ""  # gone or locked meanwhile: the next pass looks again
    if (after.st_size, after.st_mtime_ns) != seen.look:
        return ""
    with project.ledger.read() as connection:
        is_known = was_taken(connection, seen.dataset, digest)
    state, told = _KNOWN if is_known else _added(project, seen.dataset, file, Reading.of(settings))
    arrival = replace(seen, state=state, digest=digest, told=told)
    body: dict[str, JSON] = {"file": arrival.path, "batch": digest, "outcome": state}
    with project.ledger.change(RECEIVER) as change:
        write_arrival(change.connection, replace(arrival, at=change.at))
        change.record("data.arrived", f"data:{seen.dataset}", {**body, **({"told": told} if told else {})})
    shown = f"{settings.watch}: {arrival.path}"
    if state == "failed":
        again = f"undrift data add {Path(settings.watch or '') / arrival.path} --name {seen.dataset} --append"
        return f"{shown} could not be taken ({told}): {again}"
    return f"{shown} {_WORDS[state]}{f' {told}' if told else ''}"


_KNOWN: tuple[State, str] = ("known", "")
_WORDS: dict[State, str] = {
    "added": "added as",
    "admitted": "admitted as",
    "refused": "refused by the suite, kept in quarantine",
    "known": "holds what came before: nothing to add",
}


def _added(project: Project, dataset: str, file: Path, reading: Reading) -> tuple[State, str]:
    try:
        if project.data.suite(dataset) is not None:
            admission = project.data.admit(file, dataset, actor=RECEIVER, reading=reading)
            return admission.outcome, admission.version.ref if admission.version else ""
        return "added", project.data.add(file, dataset, actor=RECEIVER, append=True, reading=reading).ref
    except UndriftError as error:
        return "failed", error.code
