"""Pipeline runs in processes of their own, so that nothing in the loop waits for a fit."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from undrift.core.files import PRIVATE_FILE, make_private
from undrift.core.process import UNWATCHED
from undrift.project import Project


def start_pending(project: Project, *, at_most: int = 1) -> list[str]:
    """Start a process for each unfinished pipeline run that has none, and return the runs' ids.

    Parameters
    ----------
    project : Project
        The project.
    at_most : int
        So many runs at a time; the others wait for a later pass.

    Notes
    -----
    A child holds a lock on ``run/pipelines/ID.lock`` through a descriptor it inherits, so the
    lock is free exactly when no process runs the pipeline: after a kill the next pass starts
    another child, which goes on from the journal. What it prints goes to ``ID.log``.
    """
    folder = make_private(project.store / "run" / "pipelines")
    pending = project.journal.pending()
    held = {run.id: _take(folder / f"{run.id}.lock") for run in pending}
    running = sum(descriptor is None for descriptor in held.values())
    started: list[str] = []
    for run_id, descriptor in held.items():
        if descriptor is None:
            continue
        if running + len(started) < at_most:
            _spawn(project, folder, run_id, descriptor)
            started.append(run_id)
        os.close(descriptor)
    return started


def _take(path: Path) -> int | None:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _spawn(project: Project, folder: Path, run_id: str, descriptor: int) -> None:
    command = [sys.executable, "-m", "undrift", "pipeline", "resume", run_id, "-C", str(project.root)]
    with (folder / f"{run_id}.log").open("ab") as log:
        subprocess.Popen(  # noqa: S603  (our own program and an id that we made)
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(descriptor,),
            env={**os.environ, UNWATCHED: "1"},
        )
