"""Where the demo plays: a project of its own with a simulated clock, a server, callers and deliveries."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from undrift.core.clock import SimulatedClock
from undrift.core.errors import BadInput
from undrift.demo import flights
from undrift.demo.traffic import Traffic
from undrift.endpoints.referee import JudgeFile, judge_path
from undrift.endpoints.state import EndpointState
from undrift.loop import hosting
from undrift.loop.tick import tick
from undrift.project import Project

MODEL = "delay"
DATASET = "flights"
BEGIN = datetime(2013, 2, 1, 5, tzinfo=UTC)
"""Midnight of 1 February in New York."""
END = datetime(2013, 11, 10, 5, tzinfo=UTC)
DAY = timedelta(days=1)
SHARE = 0.05
"""Share of the flights that somebody asks about on an ordinary day; during a rollout it is all of them."""
SETTINGS = """\
[project]
name = "flights"

[clock]
kind = "simulated"
start = 2013-02-01T05:00:00Z

# The scoreboard at the end counts the answers of the whole year.
[privacy]
retention_days = 400

[policy]
promotion = "auto"
reason = "the demo's policy: what passes its gate goes to a canary unasked"

[models.delay]
dataset = "flights"
target = "late"
positive = true
time = "event_time"
label_time = "label_time"
key = "key"
drop = ["day", "month"]
calendar = ["weekday"]
train_days = 60
holdout_days = 14
metric = "auc"
candidates = ["linear", "random_forest", "gradient_boosting"]

[endpoints.delay]
labels = "required"
label_age_hours = 24
error_margin = 0.03
slow_margin = 0.1
slo_ms = 250.0
quality_margin = 0.03

[monitor.delay]
alpha = 0.05
cooldown_hours = 672
"""
_PATIENCE_S = 300.0
_POLL_S = 0.02


class StageStuck(BadInput):
    """Something that the demo waits for does not happen."""

    code = "demo-stuck"


class Stage:
    """The project of the demo and everything outside of it: time, callers, arrivals, deliveries.

    Parameters
    ----------
    folder : Path
        An empty or new folder.
    share : float
        Share of flights that is asked about on an ordinary day.
    """

    def __init__(self, folder: Path, share: float = SHARE) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise BadInput(f"{folder} is not empty", cure="give the demo a new folder, or remove that one")
        self.project = Project.create(folder, SETTINGS)
        self.deliveries = folder / "deliveries"
        self.deliveries.mkdir()
        _commit(folder)
        self._share = share
        self._asked: list[pl.DataFrame] = []
        self._traffic: Traffic | None = None
        self.sample_ids: list[str] = []

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.project.clocks.business.now()

    @property
    def traffic(self) -> Traffic:
        """The callers; there are some once the endpoint is served.

        Raises
        ------
        StageStuck
            If it is not served yet.
        """
        if self._traffic is None:
            raise StageStuck("nobody serves the endpoint yet", cure="serve it first")
        return self._traffic

    @property
    def endpoint(self) -> EndpointState:
        """What the endpoint serves."""
        return self.project.endpoints.get(MODEL)

    def deliver(self, name: str, since: datetime, until: datetime, *, in_kelvin: bool = False) -> Path:
        """Write the flights that arrived in [since, until) to a file, as an airport would send it.

        Parameters
        ----------
        name : str
            Of the file, without its ending.
        since, until : datetime
            The span of arrivals.
        in_kelvin : bool
            With the injected unit error.
        """
        rows = flights.labelled(flights.load(), since, until)
        path = self.deliveries / f"{name}.parquet"
        (flights.in_kelvin(rows) if in_kelvin else rows).write_parquet(path)
        return path

    def serve(self) -> str:
        """Serve the endpoint and return its URL."""
        said = hosting.start(self.project, MODEL, "--judge-every", "0.1")
        self._traffic = Traffic(said.url)
        return said.url

    def play_day(self) -> None:
        """Let a day pass: people ask, flights land, their labels come, the loop makes a pass."""
        start, end = self.now, self.now + DAY
        is_trial = self.endpoint.rollout is not None
        rows = flights.asked(flights.load(), start, end)
        asked = rows if is_trial else flights.sample(rows, self._share)
        answers = self.traffic.ask(flights.requests(asked))
        self.sample_ids = [answer.id for answer in answers if answer] or self.sample_ids
        self._asked.append(asked)
        self._land(start, end)
        if is_trial:
            self.wait_for_judge()
        self.clock.advance_to(end)
        self.settle()

    def settle(self) -> None:
        """Make passes of the loop until nothing is due and no training is under way.

        Raises
        ------
        StageStuck
            If that does not happen within five minutes.
        """
        deadline = self.project.clocks.real.monotonic() + _PATIENCE_S
        while tick(self.project).done or self.project.journal.pending():
            if self.project.clocks.real.monotonic() > deadline:
                raise StageStuck("the loop does not come to rest", cure=f"look into {self.project.store / 'run'}")
            if self.project.journal.pending():
                self.project.clocks.real.sleep(_POLL_S)

    def wait_for_judge(self) -> None:
        """Return once the rollout's judge has taken in all that was answered and told so far, or has ended it.

        Raises
        ------
        StageStuck
            If that does not happen within five minutes.
        """
        real = self.project.clocks.real
        rollout, since_us = self.endpoint.rollout, _now_us(self.project)
        deadline = real.monotonic() + _PATIENCE_S
        while self.endpoint.rollout == rollout and rollout is not None:
            said = self._judge_said()
            if said is not None and said.rollout == rollout and said.through_us >= since_us:
                return
            if real.monotonic() > deadline:
                raise StageStuck("the judge does not come to the end of the log", cure=f"undrift logs {MODEL}")
            real.sleep(_POLL_S)

    @property
    def clock(self) -> SimulatedClock:
        """The clock that the demo steps."""
        clock = self.project.clocks.business
        assert isinstance(clock, SimulatedClock)
        return clock

    def close(self) -> None:
        """Stop callers and server."""
        if self._traffic is not None:
            self._traffic.close()
            hosting.stop(self.project, MODEL)
        self.project.close()

    def _land(self, since: datetime, until: datetime) -> None:
        """Send the labels of asked flights that land in [since, until)."""
        open_questions = pl.concat(self._asked[-3:])
        landed = flights.labelled(open_questions, since, until)
        if landed.height:
            self.traffic.tell(flights.labels(landed))

    def _judge_said(self) -> JudgeFile | None:
        import msgspec

        try:
            return msgspec.json.decode(judge_path(self.project.endpoint_rooms, MODEL).read_bytes(), type=JudgeFile)
        except (OSError, msgspec.DecodeError):
            return None


def _now_us(project: Project) -> int:
    from undrift.core.clock import to_us

    return to_us(project.clocks.real.now())


def _commit(folder: Path) -> None:
    """Put the project's settings under git where there is one, so that a run can say which code it was."""
    if shutil.which("git") is None:
        return
    (folder / ".gitignore").write_text("deliveries/\n")
    identity = ("-c", "user.name=demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false")
    for words in (
        ("init", "--quiet"),
        ("add", "undrift.toml", ".gitignore"),
        (*identity, "commit", "--quiet", "--no-verify", "--message", "the settings of the demo"),
    ):
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)  # noqa: S603, S607
