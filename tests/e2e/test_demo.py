"""The demo as a test: one run in a process of its own, then everything that its ledger must say."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from e2e.chronicle import Chronicle, Trial, served, undrift
from undrift.core.clock import to_us
from undrift.demo import flights
from undrift.demo.stage import MODEL
from undrift.demo.story import FORCED_REASON
from undrift.evaluation.rows import row_ids
from undrift.ledger.chain import Event
from undrift.loop.training.arrays import get_array
from undrift.loop.training.champion import FIT_ROWS, HOLDOUT_ROWS
from undrift.project import Project
from undrift.segments.parquet import read_predictions

pytestmark = pytest.mark.alone

_TOO_LONG_S = 1800
_WARMEST_F = 130.0
"""No flight of 2013 left at such a temperature; every temperature in kelvin is above it."""
_FIRST = "model:delay@1"


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that was played to its end."""

    code: int
    ending: Mapping[str, Any]
    told: str
    project: Project
    chronicle: Chronicle

    @property
    def wrong(self) -> str:
        """The version that was forced past its gate."""
        return str(self.chronicle.first("endpoint.forced").body["version"])

    @property
    def natural(self) -> list[tuple[Event, Event]]:
        """The retrainings: what triggered them and the versions that they made."""
        return self.chronicle.retrainings()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("demo") / "flights"
    said = undrift("demo", "--json", "--folder", str(folder), timeout_s=_TOO_LONG_S)
    assert said.returncode == 0, said.stderr[-3000:]
    ending = json.loads(said.stdout)
    sys.stdout.write(f"the demo took {ending['seconds']} s for {ending['requests']} requests\n")
    with Project.open(folder) as project:
        yield Played(said.returncode, ending, said.stderr, project, Chronicle(project.ledger.events()))


def test_every_request_was_answered_and_the_chain_of_events_holds(played: Played) -> None:
    """Zero failed, a verified ledger, and the number of requests that the demo says."""
    assert played.code == 0
    assert played.ending["failed"] == 0
    assert played.ending["audit"]["ok"]
    assert played.project.verify(played.ending["head"]).ok
    assert played.chronicle.all("pipeline.failed") == []
    assert read_predictions(played.project.endpoint_rooms.predictions(MODEL)).height == played.ending["requests"]


def test_the_first_version_passes_its_gate_before_it_is_live(played: Played) -> None:
    """Registered with a passed gate, admitted by the policy, live, champion, in this order."""
    story = played.chronicle
    assert story.kinds(_FIRST)[:3] == ["model.registered", "model.admitted", "model.went-live"]
    assert story.gates()[_FIRST] == "pass"
    assert story.first("model.admitted", _FIRST).actor.is_policy
    assert story.first("model.alias-moved", "model:delay@champion").body["to"] == 1


def test_nothing_is_learnt_from_the_batch_in_kelvin(played: Played) -> None:
    """It is refused once, no version of the data holds one of its rows, and the mended one is taken in."""
    story = played.chronicle
    (refused,) = story.all("data.refused")
    (held,) = [event for event in story.all("data.quarantined") if event.body["whole"]]
    assert held.body["held"] == held.body["rows"] == refused.body["bad_rows"] == refused.body["rows"]
    for added in story.all("data.added"):
        assert float(str(played.project.data.read(added.subject)["temp"].max())) < _WARMEST_F, added.subject
    before, after = story.all("data.added")[1], story.first("data.added", after=refused)
    assert after.body["rows"] - before.body["rows"] == refused.body["rows"]


def test_drift_leads_to_one_retraining_that_goes_live_by_canary(played: Played) -> None:
    """Incident, trigger, passed gate, admission by policy, canary, larger share, promotion: each after the other."""
    story, endpoint = played.chronicle, f"endpoint:{MODEL}"
    drifts = {event.subject: event for event in story.all("incident.opened") if event.body["kind"] == "drift"}
    trigger, registered = next(
        (trigger, registered)
        for trigger, registered in played.natural
        if registered.body["gate"] == "pass" and drifts.keys() & set(trigger.body["incidents"])
    )
    opened = next(drifts[ref] for ref in trigger.body["incidents"] if ref in drifts)
    version = registered.subject
    started = next(e for e in story.all("rollout.started", endpoint) if served(e, "canary") == version)
    chain = [
        opened,
        trigger,
        registered,
        story.first("model.admitted", version),
        started,
        story.first("rollout.advanced", endpoint, after=started),
        story.first("model.went-live", version),
        story.first("rollout.promoted", endpoint, after=started),
    ]
    assert all(before.seq < after.seq for before, after in pairwise(chain))
    assert all(event.actor.is_policy for event in chain[3:])
    assert story.kinds(version) == ["model.registered", "model.admitted", "model.went-live", *_retired(story, version)]


def test_a_later_retraining_that_does_not_pass_never_gets_traffic(played: Played) -> None:
    """At least one: nobody approves it, no alias names it, no request is answered by it."""
    story = played.chronicle
    promoted = story.first("rollout.promoted")
    refused = [v for _, v in played.natural if v.body["gate"] != "pass" and v.seq > promoted.seq]
    assert refused
    moved_to = {e.body["to"] for e in story.all("model.alias-moved")}
    answered = set(read_predictions(played.project.endpoint_rooms.predictions(MODEL))["version"].to_list())
    for registered in refused:
        number = int(registered.subject.partition("@")[2])
        assert story.kinds(registered.subject) == ["model.registered"]
        assert number not in moved_to | answered


def test_the_wrong_model_is_forced_with_a_reason_and_rolled_back_by_policy(played: Played) -> None:
    """Its gate did not pass, its canary is taken out by the rollout's judge, the champion stays."""
    story, trial = played.chronicle, _trial_of(played.wrong, played.chronicle)
    forced = story.first("endpoint.forced")
    assert story.gates()[played.wrong] != "pass"
    assert forced.body["reason"] == FORCED_REASON
    assert not forced.actor.is_policy
    assert trial.end is not None
    assert forced.seq < trial.started.seq < trial.end.seq
    assert (trial.end.kind, str(trial.end.actor)) == ("rollout.rolled-back", "policy:rollout")
    assert trial.end.body["decision"]["outcome"] == "fail"
    assert served(trial.started, "stable") == served(trial.end, "stable")
    assert "model.went-live" not in story.kinds(played.wrong)
    assert not [e for e in story.all("model.alias-moved") if forced.seq < e.seq <= trial.end.seq]


def test_every_rollout_has_ended_and_never_were_two_versions_live(played: Played) -> None:
    """Folded event by event; at the end the endpoint, the registry and the alias name one version."""
    story, project = played.chronicle, played.project
    assert all(trial.end is not None for trial in story.trials())
    assert story.most_live_at_once() == 1
    state = project.endpoints.get(MODEL)
    live = [version.number for version in project.registry.versions(MODEL) if version.state == "live"]
    assert live == [state.stable.number] == [project.registry.aliases(MODEL)["champion"]]
    assert (state.canary, state.rollout) == (None, None)


def test_no_row_of_a_training_or_a_gate_is_later_than_its_decision(played: Played) -> None:
    """Every row learnt from or judged on: asked about and landed before the moment of the decision."""
    table = flights.load()
    ids = row_ids(table, flights.KEY)
    seen = 0
    for registered in played.chronicle.all("model.registered"):
        kept = played.project.runs.get(str(registered.body["run"])).facts.artifacts
        for rows in (FIT_ROWS, HOLDOUT_ROWS):
            if registered.subject == played.wrong:
                continue
            used = table.filter(pl.Series(np.isin(ids, get_array(played.project.blobs, kept[rows].digest))))
            seen += used.height
            assert used.height > 0
            assert used[flights.LABEL_TIME].max() < registered.at, (registered.subject, rows)
            assert used[flights.EVENT_TIME].max() < registered.at
    assert seen > 0


def test_each_gate_judges_on_rows_newer_than_those_learnt_from(played: Played) -> None:
    """The spans in the reports, both arms, the version that was logged by hand included."""
    for registered in played.chronicle.all("model.registered"):
        report = registered.body["report"]
        holdout, learnt = report["holdout"]["span"], report["challenger"]["fit_span"]
        reference = report["reference"]["fit_span"]
        assert learnt["last"] < holdout["first"]
        assert reference is None or reference["last"] < holdout["first"]
        assert to_us(datetime.fromisoformat(holdout["last"])) < to_us(registered.at)


def test_why_explains_a_real_prediction(played: Played) -> None:
    """Answer, threshold, version, both arms, who promoted it, run, code, data version and period."""
    promoted = played.chronicle.first("rollout.promoted")
    version = served(promoted, "stable")
    log = read_predictions(played.project.endpoint_rooms.predictions(MODEL))
    chosen = log.filter((pl.col("version") == int(version.partition("@")[2])) & (pl.col("variant") == "stable"))
    said = undrift("why", str(chosen["id"][0]), "-C", str(played.project.root))
    assert said.returncode == 0, said.stderr
    registered = played.chronicle.first("model.registered", version)
    expected = [
        "answered", "threshold", version, "challenger", "reference", "rollout.promoted by policy rollout",
        str(registered.body["run"]), "code", str(registered.body["data"]), "2013-",
    ]  # fmt: skip
    assert [word for word in expected if word not in said.stdout] == []


def test_why_does_not_blame_the_live_version_for_a_canary_beside_it(played: Played) -> None:
    """The last answer was given after a forced rollout of another version: what is told is its own promotion."""
    log = read_predictions(played.project.endpoint_rooms.predictions(MODEL)).sort("received_us")
    said = undrift("why", str(log["id"][-1]), "-C", str(played.project.root))
    assert "rollout.promoted by policy rollout" in said.stdout
    assert FORCED_REASON not in said.stdout


def test_the_demo_says_what_is_injected_and_how_it_is_done_by_hand(played: Played) -> None:
    """Without colour it is plain text."""
    for words in ("Injected are two things only", "by hand: undrift", "ROLLED BACK", "scoreboard", "0 failed"):
        assert words in played.told
    assert "\x1b[" not in played.told


def _retired(story: Chronicle, version: str) -> list[str]:
    return ["model.retired"] if story.all("model.retired", version) else []


def _trial_of(version: str, story: Chronicle) -> Trial:
    return next(trial for trial in story.trials() if trial.candidate == version)
