from __future__ import annotations

import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
from undrift.tracking.active import ActiveRun, begin
from undrift.tracking.runs import AmbiguousRun, NoSuchRun, RunEnded, Runs

_ADA = Actor("os-user", "ada")


def begun(runs: Runs, root: Path, **more: int) -> ActiveRun:
    return begin(runs, "churn", root, _ADA, seed=7, params={"depth": 3, **more})


def test_a_run_keeps_what_was_logged(runs: Runs, tmp_path: Path) -> None:
    """Parameters, points, last values, artifacts, seed and environment are there afterwards."""
    with begun(runs, tmp_path) as run:
        for step in range(3):
            run.log(loss=1.0 / (step + 1), step=step)
        digest = run.artifact("notes", b"hello")
    found = runs.get(run.id)
    assert found.run.status == "finished"
    assert found.run.seed == 7
    assert found.facts.declared == {"depth": 3}
    assert found.facts.metrics["loss"].value == pytest.approx(1 / 3)
    assert found.facts.artifacts["notes"].digest == digest
    assert [point.step for point in runs.points(run.id, "loss")] == [0, 1, 2]


def test_an_error_marks_the_run_failed_and_keeps_its_points(runs: Runs, tmp_path: Path) -> None:
    """The error is passed on, and its text is in no event."""
    run = begun(runs, tmp_path)
    run.log(loss=1.0)
    with pytest.raises(ValueError, match="secret"), run:
        raise ValueError("secret cell")
    found = runs.get(run.id)
    assert (found.run.status, found.facts.metrics["loss"].value) == ("failed", 1.0)
    assert "secret cell" in found.run.error
    assert not any("secret" in str(event.body) for event in runs.ledger.events())


def test_kill_9_after_an_acknowledged_log_loses_nothing(runs: Runs, tmp_path: Path) -> None:
    """The next look finds every acknowledged point and marks the run crashed."""
    process = subprocess.Popen([sys.executable, __file__, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    assert process.stdout.readline().strip() == "logged 2000"
    process.kill()
    process.wait()
    found = runs.get(run_id)
    assert found.run.status == "crashed"
    assert found.facts.metrics["loss"].value == 1999.0
    assert len(runs.points(run_id)) == 2_000
    assert [event.kind for event in runs.ledger.events(f"run:{run_id}")] == ["run.started", "run.crashed"]


def test_a_run_of_a_living_process_is_running(runs: Runs, tmp_path: Path) -> None:
    """Looking does not hurt a run that is alive."""
    run = begun(runs, tmp_path)
    assert runs.get(run.id).run.status == "running"
    run.finish()


def test_an_ended_run_takes_nothing_more(runs: Runs, tmp_path: Path) -> None:
    """What is finished stays as it is."""
    run = begun(runs, tmp_path)
    run.finish()
    with pytest.raises(RunEnded):
        run.params(depth=4)


def test_the_parameters_are_those_of_the_fitted_model(runs: Runs, tmp_path: Path) -> None:
    """A declared parameter that the estimator does not bear out is a recorded warning."""
    model = Pipeline([("model", RandomForestClassifier(n_estimators=5))])
    with begun(runs, tmp_path, n_estimators=50) as run:
        run.fitted(model)
    facts = runs.get(run.id).facts
    assert facts.fitted["model__n_estimators"] == 5
    assert [warned.code for warned in facts.warnings] == ["untrue-param"]
    assert "n_estimators was declared as 50" in facts.warnings[0].text


def test_an_ambiguous_prefix_lists_the_runs(runs: Runs, tmp_path: Path) -> None:
    """Ids may be shortened as long as one run is meant."""
    first, second = begun(runs, tmp_path), begun(runs, tmp_path)
    same = [a == b for a, b in zip(first.id, second.id, strict=True)]
    common = first.id[: same.index(False)]
    with pytest.raises(AmbiguousRun) as error:
        runs.get(common)
    assert first.ref in str(error.value)
    assert second.ref in str(error.value)
    assert runs.get(first.ref).run.id == first.id
    with pytest.raises(NoSuchRun):
        runs.get("zzz")


def test_the_lock_holds_every_installed_distribution(runs: Runs, tmp_path: Path) -> None:
    """Names and versions come from the installed metadata."""
    lock = runs.capture(tmp_path).lock
    assert f"scikit-learn=={metadata.version('scikit-learn')}" in lock
    assert len(lock.splitlines()) > 30
    assert lock.startswith("# python 3.")


def test_nan_is_kept_as_a_point_and_said(runs: Runs, tmp_path: Path) -> None:
    """Training diverges sometimes; the run says so."""
    with begun(runs, tmp_path) as run:
        run.log(loss=float("nan"))
    facts = runs.get(run.id).facts
    assert [warned.code for warned in facts.warnings] == ["not-finite"]
    assert "loss" not in facts.metrics


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    service = Runs(Ledger.open(folder / "ledger.db"), BlobStore(folder / "blobs"), folder, real_clocks())
    active = begin(service, "churn", folder, _ADA)
    print(active.id, flush=True)  # noqa: T201
    for number in range(2_000):
        active.log(loss=float(number), step=number)
    print("logged 2000", flush=True)  # noqa: T201
    signal.pause()
