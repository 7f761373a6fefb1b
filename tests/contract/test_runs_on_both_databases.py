"""Runs and pipelines keep their promises on SQLite and on Postgres."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
from undrift.tracking.active import begin
from undrift.tracking.runs import Runs
from unit.pipelines import toy

_ADA = Actor("os-user", "ada")


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    if request.param == "postgres":
        return Ledger.open(request.getfixturevalue("postgres_url"))
    return Ledger.open(tmp_path / "ledger.db")


def test_eight_runners_do_each_step_once(ledger: Ledger, tmp_path: Path) -> None:
    """Claims and fences hold on both databases."""
    with ledger.change(_ADA) as change:
        run_id = toy.runner(ledger, tmp_path).journal.submit(change, toy.toy(tmp_path), {}).run_id
    threads = [
        threading.Thread(target=lambda: toy.runner(ledger, tmp_path).run(run_id, patience_s=30)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [toy.times(tmp_path, step) for step in ("first", "second", "third")] == [1, 1, 1]
    assert len(ledger.events(kinds=["pipeline.finished"])) == 1
    assert len(ledger.events(kinds=["toy.done"])) == 1
    ledger.close()


def test_two_triggers_at_once_are_one_run(ledger: Ledger, tmp_path: Path) -> None:
    """A dedupe key holds against processes that submit at the same moment."""
    found: list[str] = []

    def submit() -> None:
        with ledger.change(_ADA) as change:
            runner = toy.runner(ledger, tmp_path)
            found.append(runner.journal.submit(change, toy.toy(tmp_path), {}, "drift:1").run_id)

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    ledger.close()


def test_a_run_keeps_its_facts(ledger: Ledger, tmp_path: Path) -> None:
    """Parameters, metrics and artifacts come back as they were recorded."""
    runs = Runs(ledger, BlobStore(tmp_path / "blobs"), tmp_path, real_clocks())
    with begin(runs, "churn", tmp_path, _ADA, params={"depth": 3}, seed=2**40) as run:
        run.log(loss=0.25)
        run.artifact("note", b"hello")
        run.params(depth=4)
    found = runs.get(run.id)
    assert (found.run.status, found.run.seed, found.facts.declared) == ("finished", 2**40, {"depth": 4})
    assert found.facts.metrics["loss"].value == 0.25
    assert found.facts.artifacts["note"].bytes == 5
    ledger.close()
