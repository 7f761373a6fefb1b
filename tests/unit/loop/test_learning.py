"""What a retraining waits for, and labelled answers that become rows to learn from."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from undrift.core.clock import to_us
from undrift.core.config import ModelSettings
from undrift.core.decision import Decision
from undrift.core.ids import IdSource
from undrift.data.schema import freeze
from undrift.endpoints.state import EndpointState
from undrift.loop.labels import add_labels, keys_in
from undrift.loop.learning import Keys, NotLearnable, _as_rows, learn_from_answers
from undrift.loop.needed import needed_for, waits_for
from undrift.loop.retraining import incidents_of, new_labelled_rows
from undrift.loop.status import status
from undrift.loop.tick import tick
from undrift.models.registry import Evidence
from undrift.monitoring.incident import Finding
from undrift.segments.records import ColumnsRecord, PredictionRecord, encode
from undrift.segments.writer import SegmentWriter

from .conftest import ADA, Registered

KEYS = ("UA-1", "UA-2", "UA-3", "UA-3", None)


class Asked:
    """An endpoint that drifts and was asked five times, four times with a key, twice with the same one."""

    def __init__(self, registered: Registered, table: str = "x,late,flight\n0.5,1,AA-1\n-0.5,0,AA-2\n") -> None:
        self.project = registered.project
        self.state: EndpointState = registered.deployed(registered.approved())
        self._log()
        (self.project.root / "flights.csv").write_text(table)
        self.project.data.add(self.project.root / "flights.csv", "flights", actor=ADA)
        self._trained()
        decision = Decision("has x drifted?", "fail", "a test", 0.01, 28, "day", reason="x moved by 0.4")
        with self.project.ledger.change(ADA) as change:
            moved = incidents_of(self.project).apply(
                change, "delay", self.state.stable.ref, [Finding("drift", decision)]
            )
        self.incident = moved[0]

    def labels(self, text: str) -> Path:
        """Add labels by flight, and return their file."""
        path = self.project.root / "labels.csv"
        path.write_text(text)
        add_labels(self.project, "delay", path, on="flight")
        return path

    def _log(self) -> None:
        mask = self.project.endpoint_rooms.mask()
        ids = IdSource(self.project.clocks.real)
        now_us, served = to_us(self.project.clocks.real.now()), self.state.stable
        records: list[bytes] = [encode(ColumnsRecord(served.package_digest, ["x"], ["float"]))]
        for number, key in enumerate(KEYS):
            masked = mask.text(key) if key and mask else key
            record = PredictionRecord(
                id=ids.next(), received_us=now_us, event_us=None, key=masked, endpoint="delay", variant="stable",
                model="delay", version=served.number, package=served.package_digest, generation=1, share_bp=10_000,
                row=[float(number)], scores=[0.2, 0.8], prediction=1, status=200, latency_us=800,
            )  # fmt: skip
            records.append(encode(record))
        folder = self.project.endpoint_rooms.predictions("delay")
        with closing(SegmentWriter(folder, owner="a-test", clocks=self.project.clocks)) as log:
            log.extend(records)

    def _trained(self) -> None:
        """Let the newest version of the model be one that has learnt from all there is."""
        version = self.state.stable
        with self.project.ledger.change(ADA) as change:
            self.project.registry.register(
                change, "delay", version.package_digest, "run:x", Evidence(gate=None, data="data:flights@1")
            )


def _keys(asked: Asked, path: Path) -> Keys:
    return Keys("flight", keys_in(asked.project, path, "flight"))


@pytest.fixture
def asked(registered: Registered) -> Asked:
    """Give an endpoint that drifts."""
    return Asked(registered)


def test_an_incident_says_in_numbers_what_it_waits_for(asked: Asked) -> None:
    """How many answers, how many with a key, how many labelled; and the commands that bring more."""
    asked.labels("flight,late\nUA-1,1\nUA-9,0\n")
    found = waits_for(asked.project, asked.incident)
    assert found is not None
    assert (found.new_rows, found.answered, found.keyed, found.labelled) == (0, 5, 4, 1)
    assert "undrift label add FILE --on KEY --learn --endpoint delay (labels of answers)" in found.commands
    assert "5 answers in 28 days: 4 asked with a key, 1 labelled" in "\n".join(status(asked.project).endpoints[0].next)


def test_labels_alone_start_nothing_and_rows_of_them_do(asked: Asked) -> None:
    """Drift never retrains without new labelled rows; labelled answers become such rows once somebody says so."""
    path = asked.labels("flight,late\nUA-1,1\nUA-2,0\n")
    assert not [line for line in tick(asked.project).done if "triggered" in line]
    learnt = learn_from_answers(asked.project, asked.state, ADA, _keys(asked, path))
    assert (learnt.data, learnt.rows, learnt.left_out) == ("data:flights@2", 2, 0)
    rows = asked.project.data.read("data:flights@2").sort("flight").rows()
    assert rows == [(0.5, 1, "AA-1"), (-0.5, 0, "AA-2"), (0.0, 1, "UA-1"), (1.0, 0, "UA-2")]
    assert new_labelled_rows(asked.project, "delay") == 2
    assert needed_for(asked.project, asked.state) is None


def test_an_answer_is_learnt_once(asked: Asked) -> None:
    """The same labels again, and more of them: only what is new is appended, and a key that was asked twice once."""
    path = asked.labels("flight,late\nUA-1,1\n")
    for text, rows, known in (("flight,late\nUA-1,1\n", 1, 0), ("flight,late\nUA-1,1\nUA-3,0\n", 1, 1)):
        asked.labels(text)
        learnt = learn_from_answers(asked.project, asked.state, ADA, _keys(asked, path))
        assert (learnt.rows, learnt.known) == (rows, known)
    assert asked.project.data.get("flights").rows == 4


def test_rows_that_the_checks_refuse_are_not_appended(registered: Registered) -> None:
    """A column that no request carries must be there: the cure is whole rows."""
    asked = Asked(registered, "x,late,flight,gate\n" + "".join(f"{n},{n % 2},AA-{n},G{n % 3}\n" for n in range(40)))
    project = asked.project
    project.data.freeze_suite("flights", project.data.suggest_suite("flights"), actor=ADA)
    asked.labels("flight,late\nUA-1,1\n")
    with pytest.raises(NotLearnable, match="answers carry no flight, gate") as refused:
        learn_from_answers(project, asked.state, ADA)
    assert "--append" in refused.value.cure
    assert project.data.get("flights").number == 1


def test_no_key_stands_in_the_ledger(asked: Asked) -> None:
    """The dataset holds what the caller delivers; the event names answers by id, in a blob."""
    path = asked.labels("flight,late\nUA-1,1\n")
    learn_from_answers(asked.project, asked.state, ADA, _keys(asked, path))
    assert not [event for event in asked.project.ledger.events() if "UA-1" in str(event.body)]


@pytest.mark.parametrize(("truth", "whole"), [("12.0", True), ("12.5", False)])
def test_a_number_is_learnt_exactly_or_not_at_all(truth: str, whole: bool) -> None:
    """A dataset of whole numbers takes 12.0 and refuses 12.5; the day of the request is the row's day."""
    schema = freeze(pl.Schema({"day": pl.Date, "x": pl.Float64, "sold": pl.Int64}))
    moment = to_us(datetime(2026, 3, 1, 9, tzinfo=UTC))
    table = pl.DataFrame({"actual": [truth], "about_us": [moment], "key": ["a"], "row.x": [0.5]})
    settings = ModelSettings(dataset="sales", target="sold", time="day")
    if not whole:
        with pytest.raises(NotLearnable):
            _as_rows(table, schema, settings, None, {})
        return
    assert _as_rows(table, schema, settings, None, {}).rows() == [(date(2026, 3, 1), 0.5, 12)]
