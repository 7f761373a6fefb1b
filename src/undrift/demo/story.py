"""The demo: a year of flights, told as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from undrift.core.errors import Fault
from undrift.core.json import JSON
from undrift.demo import flights
from undrift.demo.narrator import Narrator
from undrift.demo.scoreboard import Scoreboard, scoreboard
from undrift.demo.stage import BEGIN, DATASET, END, MODEL, Stage
from undrift.ledger.verify import Verification
from undrift.loop import promotion, release
from undrift.loop.notebook import run
from undrift.loop.telling import gate_lines
from undrift.loop.training.home import training_of
from undrift.loop.why import explain
from undrift.models.version import ModelVersion

DELIVERED_ON = (1, 16)
BAD_DELIVERY = datetime(2013, 3, 1, 5, tzinfo=UTC)
WRONG_FROM = datetime(2013, 9, 3, 5, tzinfo=UTC)
LAST_DAY = datetime(2013, 12, 31, 5, tzinfo=UTC)
FAST_COLUMNS = ["carrier", "origin", "hour"]
FORCED_REASON = "three columns in place of fourteen: half the work, and the quarter ends on Friday"


class StoryBroken(Fault):
    """The demo did not end as it should: a defect of this program or of the machine."""

    code = "story-broken"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the story ended.

    Attributes
    ----------
    requests, labels, failed : int
        Requests for predictions, labels sent, and answers that were not 2xx.
    seconds : float
        Real seconds.
    scoreboard : Scoreboard
        Never, always, undrift.
    verification : Verification
        Of the chain of events.
    project : Path
        Where everything lies.
    """

    requests: int
    labels: int
    failed: int
    seconds: float
    scoreboard: Scoreboard
    verification: Verification
    project: Path

    def as_json(self) -> dict[str, JSON]:
        """Return the ending for machines."""
        return {
            "requests": self.requests,
            "labels": self.labels,
            "failed": self.failed,
            "seconds": round(self.seconds, 1),
            "scoreboard": self.scoreboard.as_json(),
            "audit": {"ok": self.verification.ok, "events": self.verification.events},
            "head": self.verification.head.hash,
            "project": str(self.project),
        }


class Story:
    """Plays the demo.

    Parameters
    ----------
    stage : Stage
        Where.
    narrator : Narrator
        Who tells it.
    until : datetime
        The last day; tests play a part of the year.
    """

    def __init__(self, stage: Stage, narrator: Narrator, until: datetime = END) -> None:
        self._stage = stage
        self._tell = narrator
        self._until = until
        self._told = 0
        self._delivered = BEGIN
        self._mended: Path | None = None
        self._wrong: ModelVersion | None = None

    def play(self) -> Ending:
        """Play the whole story and return how it ended.

        Raises
        ------
        StoryBroken
            If an answer failed or the chain of events does not hold.
        """
        self._introduce()
        self._january()
        self._tell.heading("The year: people ask an hour before departure, flights land, their labels come back")
        while self._goes_on():
            self._stage.play_day()
            self._receive()
            self._tempt()
            self._follow()
        return self._end()

    def _goes_on(self) -> bool:
        """Say whether another day is played: a canary that is under way on the last day is played to its end."""
        is_trial = self._stage.endpoint.rollout is not None
        return self._stage.now < self._until or (is_trial and self._stage.now < LAST_DAY)

    def _introduce(self) -> None:
        months = flights.excluded()
        self._tell.heading("undrift demo: will a flight out of New York arrive more than 15 minutes late?")
        left_out = (
            f"{sum(m.cancelled for m in months):,} cancelled, {sum(m.diverted for m in months):,} diverted, "
            f"{sum(m.unobserved for m in months):,} without a weather report"
        )
        for line in (
            f"Real data: all {flights.load().height:,} flights of 2013 that arrived and whose weather was observed,",
            "joined with the weather known an hour before scheduled departure.",
            f"Left out, and counted: {left_out}.",
            "Real server, real requests, real training, real decisions. The clock is simulated: a day passes in",
            "a fraction of a second. The drift is nature's own: winter turns into summer.",
            "Injected are two things only: one delivery with temperatures in kelvin, and one model that is fast",
            'and wrong. Promotion is automatic by this demo\'s policy; promotion = "ask" asks a person.',
        ):
            self._tell.plain(f"  {line}")

    def _january(self) -> None:
        project = self._stage.project
        self._tell.heading("January: a first model")
        start = flights.load()[flights.LABEL_TIME].min()
        assert isinstance(start, datetime)
        path = self._stage.deliver("2013-01", start, BEGIN)
        version = project.data.add(path, DATASET, actor=project.actor)
        self._tell.say(f"{version.ref}: {version.rows:,} flights that have landed", self._stage.now)
        self._tell.by_hand(f"undrift data add {path.name} --name {DATASET}")
        suite = project.data.suggest_suite(version.ref)
        project.data.freeze_suite(DATASET, suite, actor=project.actor)
        report = project.data.check(version.ref, actor=project.actor)
        self._tell.say(f"checks: {report.verdict}, {len(suite.expectations)} expectations frozen", self._stage.now)
        self._tell.by_hand(f"undrift data check {DATASET} --freeze")
        self._tell.say("training: three candidates in cross-validation over whole days", self._stage.now)
        result = training_of(project).train(MODEL, actor=project.actor)
        self._follow()
        for line in gate_lines(result.gate_report):
            self._tell.say(f"  {line}")
        self._release_first(result.model_version)
        url = self._stage.serve()
        self._follow()
        self._tell.say(f"{result.model_version.ref} is live at {url}", self._stage.now, "green")
        self._tell.by_hand(f"undrift serve {MODEL}")

    def _release_first(self, version: ModelVersion) -> None:
        project = self._stage.project
        reason = project.settings.policy.reason
        with project.ledger.change(promotion.POLICY) as change:
            project.registry.admit(change, version.ref, reason)
            release.deploy_in(
                project, change, release.Request(version=version.ref, endpoint=MODEL, reason="the first version")
            )
        project.publisher.render(MODEL)

    def _receive(self) -> None:
        """Take in what the airports deliver twice a month; one delivery comes in the wrong unit, and is sent again."""
        now = self._stage.now
        if self._mended is not None:
            self._admit(self._mended, "the same delivery again, in degrees Fahrenheit")
            self._mended = None
        if now.day in DELIVERED_ON:
            is_bad = now == BAD_DELIVERY
            name = f"{now:%Y-%m-%d}"
            if is_bad:
                self._mended = self._stage.deliver(name, self._delivered, now)
                bad = self._stage.deliver(f"{name}-kelvin", self._delivered, now, in_kelvin=True)
                self._admit(bad, "a delivery with temperatures in kelvin (injected)")
            else:
                self._admit(self._stage.deliver(name, self._delivered, now), "")
            self._delivered = now
            self._stage.settle()

    def _admit(self, path: Path, what: str) -> None:
        project = self._stage.project
        admission = project.data.admit(path, DATASET, actor=project.actor)
        if not what:
            return
        self._tell.say(f"{what}: {admission.rows:,} rows, {admission.bad_rows:,} bad", self._stage.now)
        self._tell.by_hand(f"undrift data add {path.name} --name {DATASET} --append")
        if admission.quarantine is not None:
            for reason in admission.reasons[:2]:
                self._tell.say(f"  {reason}")
            self._tell.say(f"  kept with the reasons in {admission.quarantine.path.name}; no training on it")

    def _tempt(self) -> None:
        """Once, in September: somebody brings a fast model whose labels are upside down, and forces it."""
        stage = self._stage
        if self._wrong is not None or stage.now < WRONG_FROM or stage.endpoint.rollout is not None:
            return
        self._tell.heading("September: a fast model, fitted on the wrong column (injected), is forced past its gate")
        version = self._wrong = self._fast_and_wrong()
        self._follow()
        request = release.Request(version=version.ref, endpoint=MODEL, reason=FORCED_REASON, force=True)
        release.deploy(stage.project, request, stage.project.actor)
        self._tell.say(f"{version.ref} forced: {FORCED_REASON!r}", stage.now, "yellow")
        self._tell.by_hand(f"undrift deploy {version.ref} --force --reason TEXT")

    def _fast_and_wrong(self) -> ModelVersion:
        """Return a registered model that takes 'on time' for 'late'."""
        stage = self._stage
        known = flights.load().filter(
            (pl.col(flights.LABEL_TIME) < stage.now) & (pl.col(flights.EVENT_TIME) >= datetime(2013, 7, 1, tzinfo=UTC))
        )
        fitted_on = known.filter(pl.col(flights.EVENT_TIME) < datetime(2013, 8, 15, tzinfo=UTC))
        model = Pipeline(
            [
                ("columns", ColumnTransformer([("text", OneHotEncoder(handle_unknown="ignore"), FAST_COLUMNS)])),
                ("model", LogisticRegression(max_iter=1000)),
            ]
        )
        with run(MODEL, params={"columns": len(FAST_COLUMNS)}, project=stage.project.root) as recorded:
            rows = fitted_on.select(flights.FEATURES)  # it is asked with all of them and looks at three
            model.fit(rows, ~fitted_on[flights.TARGET].to_numpy())
            return recorded.log_model(model, name=MODEL, example=rows, positive=True, fitted_on=fitted_on)

    def _follow(self) -> None:
        """Tell what the ledger has recorded since the last time."""
        for event in self._stage.project.ledger.events(after=self._told):
            self._told = event.seq
            self._tell.event(event)

    def _end(self) -> Ending:
        stage, project = self._stage, self._stage.project
        tally = stage.traffic.tally
        self._tell.heading("The scoreboard: AUC of the thirty days after each month's beginning, intervals over days")
        board = scoreboard(project)
        for line in board.lines():
            self._tell.plain(f"  {line}")
        identifier = stage.sample_ids[0]
        self._tell.heading(f"undrift why {identifier}")
        for heading, told in explain(project, identifier).parts:
            for number, line in enumerate(told):
                self._tell.plain(f"  {heading if not number else '':<10}{line}")
        self._tell.heading("undrift audit verify")
        verified = project.verify()
        self._tell.plain(f"  {verified.events:,} events, head {verified.head.hash}")
        for finding in verified.findings:
            self._tell.plain(f"  {finding.problem}: {finding.message}")
        days = (stage.now - BEGIN).days
        self._tell.heading(
            f"{days} days in {self._tell.seconds:.0f} s: {tally.requests:,} requests, {tally.failed} failed, "
            f"{tally.labels:,} labels"
        )
        if tally.failed or not verified.ok:
            raise StoryBroken("the demo did not end as it should", cure=f"look into {project.root}")
        return Ending(tally.requests, tally.labels, tally.failed, self._tell.seconds, board, verified, project.root)
