"""A stage of the demo on which processes are killed at random moments, and what must come of it all the same."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from e2e.chronicle import Chronicle, processes_of
from undrift.core.errors import UndriftError
from undrift.core.json import JSON
from undrift.demo.stage import DATASET, MODEL, Stage
from undrift.demo.traffic import Answered, Traffic
from undrift.loop import hosting
from undrift.project import Project

JUDGE = ("--judge-every", "0.1")
_PATIENCE_S = 180.0
_AGAIN_S = 0.05
_MOST_WORKERS_IN_SUCCESSION = 2
"""A third worker that dies young is laid at the canary's door, and rightly: its supervisor dies before that."""
_MOST_TRAININGS = 4
"""So many trainings are killed in a run; one that dies for ever never ends."""
_WORDS: Mapping[str, Sequence[str]] = {
    "worker": ("undrift.serving",),
    "supervisor": ("undrift", "serve", "--judge-every"),
    "pipeline": ("undrift", "pipeline", "resume"),
}


class StubbornTraffic(Traffic):
    """Callers who ask and tell again until they are answered, and keep what they were answered."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.acknowledged: list[str] = []

    def ask(self, requests: Any) -> list[Answered | None]:  # Any: as in the base class
        """Return an answer for every request."""
        waiting = list(enumerate(requests))
        answers: dict[int, Answered] = {}
        for _ in _tries():
            replies = super().ask(request for _, request in waiting)
            for (place, _), reply in zip(waiting, replies, strict=True):
                if reply is not None:
                    answers[place] = reply
                    self.acknowledged.append(reply.id)
            waiting = [(place, request) for place, request in waiting if place not in answers]
            if not waiting:
                break
        return [answers[place] for place in sorted(answers)]

    def tell(self, labels: Sequence[Mapping[str, JSON]]) -> None:
        """Send labels until all of them were taken."""
        for _ in _tries():
            failed = self.tally.failed
            super().tell(labels)
            if self.tally.failed == failed:
                break


class HardStage(Stage):
    """A stage whose passes of the loop can be killed, and that goes on from a copy of another one.

    Parameters
    ----------
    folder : Path
        A copy of a project that was played to some day.
    asked : list of DataFrame
        The questions of the last days, whose labels are still to come.
    share : float
        Share of flights asked about.
    """

    def __init__(self, folder: Path, asked: list[pl.DataFrame], share: float) -> None:
        self.project = Project.open(folder)
        self.deliveries = folder / "deliveries"
        self._share = share
        self._asked = list(asked)
        self._traffic = None
        self.sample_ids = []
        self.ticks_to_kill: random.Random | None = None
        self.ticks_killed = 0

    def serve(self) -> str:
        """Serve, for callers who do not give up."""
        url = hosting.start(self.project, MODEL, *JUDGE).url
        self._traffic = StubbornTraffic(url)
        return url

    def settle(self) -> None:
        """Let a pass of the loop be killed, some times, before passes are made that are not."""
        if self.ticks_to_kill is not None:
            for _ in range(self.ticks_to_kill.choice((0, 0, 1, 1, 2))):
                self._tick_and_kill(self.ticks_to_kill.uniform(0.2, 2.5))
        super().settle()

    def receive(self, since: datetime) -> None:
        """Take in what the airports deliver today."""
        path = self.deliver(f"{self.now:%Y-%m-%d}", since, self.now)
        self.project.data.admit(path, DATASET, actor=self.project.actor)

    def _tick_and_kill(self, after_s: float) -> None:
        command = [sys.executable, "-m", "undrift", "tick", "-C", str(self.project.root)]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            child.wait(after_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            self.ticks_killed += 1


class Reaper(threading.Thread):
    """Kills processes of a project at random moments, and starts its supervisor again.

    Parameters
    ----------
    folder : Path
        The project; no process of anything else is touched.
    seed : int
        Of the moments and the victims.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(name="reaper")
        self._folder = folder
        self._random = random.Random(seed)
        self._done = threading.Event()
        self.killed: Counter[str] = Counter()
        self.trouble: list[Exception] = []
        self.most_workers = 0
        self._in_succession = 0

    def run(self) -> None:
        """Kill until told to stop."""
        with Project.open(self._folder) as project:
            while not self._done.wait(self._random.uniform(0.1, 2.5)):
                try:
                    self._strike(self._victim())
                    hosting.start(project, MODEL, *JUDGE, timeout_s=_PATIENCE_S)
                    self.most_workers = max(self.most_workers, servers_of(self._folder)["worker"])
                except UndriftError as error:
                    self.trouble.append(error)
                    return

    def stop(self) -> None:
        """Let everybody live."""
        self._done.set()
        self.join()

    def _victim(self) -> str:
        if processes_of(self._folder, _WORDS["pipeline"]) and self.killed["pipeline"] < _MOST_TRAININGS:
            return self._random.choice(("pipeline", "supervisor"))
        if self._in_succession >= _MOST_WORKERS_IN_SUCCESSION:
            return "supervisor"
        return self._random.choice(("worker", "worker", "supervisor"))

    def _strike(self, kind: str) -> None:
        found = processes_of(self._folder, _WORDS[kind])
        if found:
            with suppress(ProcessLookupError):
                kill_and_wait(self._random.choice(found))
                self.killed[kind] += 1
                if kind != "pipeline":
                    self._in_succession = self._in_succession + 1 if kind == "worker" else 0


def kill_and_wait(pid: int) -> None:
    """Kill a process and return when it has ended: until then it still looks alive, and nobody takes its place.

    Raises
    ------
    ProcessLookupError
        If there is no such process.
    """
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        ended, _, _ = select.select([handle], [], [], _PATIENCE_S)
        assert ended, f"process {pid} outlives SIGKILL"
    finally:
        os.close(handle)


def fleet_of(folder: Path) -> dict[str, int]:
    """Return how many processes of each kind work for a project, once a worker killed last has its successor."""
    for _ in _tries():
        if servers_of(folder)["worker"]:
            break
    return servers_of(folder)


@contextmanager
def reaping(stage: HardStage, seed: int | None) -> Iterator[Reaper | None]:
    """Kill processes of a stage while the block runs; with no seed nobody dies."""
    if seed is None:
        yield None
        return
    reaper = Reaper(stage.project.root, seed)
    stage.ticks_to_kill = random.Random(seed + 1)
    reaper.start()
    try:
        yield reaper
    finally:
        reaper.stop()
        stage.ticks_to_kill = None


def copied(project: Path, into: Path) -> Path:
    """Return a copy of a project that nobody serves."""
    shutil.copytree(project, into)
    return into


def end_state(project: Project) -> dict[str, Any]:
    """Return all that must not depend on who was killed when."""
    story = Chronicle(project.ledger.events())
    state = project.endpoints.get(MODEL)
    return {
        "versions": [(v.ref, v.state, v.gate_outcome) for v in project.registry.versions(MODEL)],
        "aliases": dict(project.registry.aliases(MODEL)),
        "live": (state.stable.ref, state.canary, state.rollout, state.share_bp),
        "rollouts": [(t.candidate, t.end.kind if t.end else "running") for t in story.trials()],
        "incidents": sorted((str(e.body["kind"]), str(e.body["model"])) for e in story.all("incident.opened")),
        "open": len(project.monitor.incidents.all(MODEL, only_open=True)),
        "retrainings": [v.subject for _, v in story.retrainings()],
        "pending": len(project.journal.pending()),
        "failed": len(story.all("pipeline.failed")),
        "data": project.data.get(DATASET).ref,
    }


def servers_of(folder: Path) -> dict[str, int]:
    """Return how many processes of each kind work for a project."""
    return {kind: len(processes_of(folder, words)) for kind, words in _WORDS.items()}


def _tries() -> Iterator[None]:
    pause = threading.Event()
    for _ in range(int(_PATIENCE_S / _AGAIN_S)):
        yield
        pause.wait(_AGAIN_S)
    raise TimeoutError("nobody answers")
