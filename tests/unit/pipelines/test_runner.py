from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
from undrift.pipelines.errors import PipelineBusy, PipelineCancelled, PipelineFailed
from undrift.pipelines.graph import BadPipeline, Pipeline, Step
from unit.pipelines import toy

_TOY = Path(toy.__file__)
_ADA = Actor("os-user", "ada")


def submit(ledger: Ledger, folder: Path, key: str | None = None) -> str:
    runner = toy.runner(ledger, folder)
    with ledger.change(_ADA) as change:
        return str(runner.journal.submit(change, toy.toy(folder), {"size": 3}, key).run_id)


def kinds(ledger: Ledger) -> list[str]:
    return [event.kind for event in ledger.events() if not event.kind.startswith("ledger.")]


def child(folder: Path, run_id: str, ttl_s: float = 30.0) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(_TOY), str(folder), run_id, str(ttl_s)])


def test_steps_run_in_the_order_of_the_graph_and_each_leaves_an_event(ledger: Ledger, tmp_path: Path) -> None:
    """Order comes from the graph, not from how the steps were written."""
    run = toy.runner(ledger, tmp_path).run(submit(ledger, tmp_path))
    assert run.state == "finished"
    finished = [event.body["step"] for event in ledger.events(kinds=["pipeline.step-finished"])]
    assert finished == ["first", "second", "third"]
    assert kinds(ledger)[:2] == ["pipeline.submitted", "pipeline.started"]
    assert kinds(ledger)[-1] == "pipeline.finished"


def test_two_submissions_with_one_key_are_one_run(ledger: Ledger, tmp_path: Path) -> None:
    """The dedupe key makes a trigger that fires twice one run."""
    assert submit(ledger, tmp_path, "drift:1") == submit(ledger, tmp_path, "drift:1")
    assert kinds(ledger) == ["pipeline.submitted"]


@pytest.mark.parametrize("where", ["die-in-second", "die-in-effect"])
def test_a_run_that_was_killed_goes_on_elsewhere_and_its_effect_happens_once(
    ledger: Ledger, tmp_path: Path, where: str
) -> None:
    """Killed inside a step or inside its transaction: finished steps stay, the effect is there once."""
    run_id = submit(ledger, tmp_path)
    (tmp_path / where).touch()
    assert child(tmp_path, run_id).wait() == -signal.SIGKILL
    assert toy.runner(ledger, tmp_path).run(run_id).state == "finished"
    assert [toy.times(tmp_path, step) for step in ("first", "second", "third")] == [1, 2, 1]
    assert kinds(ledger).count("toy.done") == 1


def test_a_living_process_keeps_its_step(ledger: Ledger, tmp_path: Path) -> None:
    """A second runner does not run a step that another one is running."""
    run_id, process = _waiting_child(ledger, tmp_path, ttl_s=30)
    with pytest.raises(PipelineBusy):
        toy.runner(ledger, tmp_path).run(run_id)
    (tmp_path / "gate").write_text("go")
    assert process.wait() == 0
    assert toy.times(tmp_path, "third") == 1


def test_a_stopped_process_loses_its_step_and_cannot_finish_it(ledger: Ledger, tmp_path: Path) -> None:
    """SIGSTOP past the lease, take-over, SIGCONT: the late result is refused by the fence."""
    run_id, process = _waiting_child(ledger, tmp_path, ttl_s=0.3)
    os.kill(process.pid, signal.SIGSTOP)
    (tmp_path / "wait").unlink()
    assert toy.runner(ledger, tmp_path).run(run_id, patience_s=10).state == "finished"
    before = ledger.head()
    os.kill(process.pid, signal.SIGCONT)
    (tmp_path / "gate").write_text("go")
    assert process.wait() == 0
    assert ledger.head() == before


def test_eight_runners_of_one_run_do_each_step_once(ledger: Ledger, tmp_path: Path) -> None:
    """Many processes or threads may come at once; one wins each step."""
    run_id = submit(ledger, tmp_path)
    threads = [
        threading.Thread(target=lambda: toy.runner(ledger, tmp_path).run(run_id, patience_s=20)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [toy.times(tmp_path, step) for step in ("first", "second", "third")] == [1, 1, 1]
    assert kinds(ledger).count("pipeline.started") == kinds(ledger).count("pipeline.finished") == 1


def test_a_step_is_tried_again_as_often_as_it_says(ledger: Ledger, tmp_path: Path) -> None:
    """One retry means two tries, then the run has failed, with the step's own error."""
    (tmp_path / "fail").touch()
    run_id = submit(ledger, tmp_path)
    with pytest.raises(ValueError, match="told to fail"):
        toy.runner(ledger, tmp_path, retries=1).run(run_id)
    assert toy.times(tmp_path, "third") == 2
    with pytest.raises(PipelineFailed):
        toy.runner(ledger, tmp_path).run(run_id)


def test_a_failed_run_resumes_at_the_failed_step(ledger: Ledger, tmp_path: Path) -> None:
    """Resuming does not run what was finished."""
    (tmp_path / "fail").touch()
    run_id = submit(ledger, tmp_path)
    with pytest.raises(ValueError, match="told to fail"):
        toy.runner(ledger, tmp_path).run(run_id)
    (tmp_path / "fail").unlink()
    assert toy.runner(ledger, tmp_path).resume(run_id, _ADA).state == "finished"
    assert [toy.times(tmp_path, step) for step in ("first", "second", "third")] == [1, 1, 2]


def test_a_cancelled_run_stops_and_its_running_step_commits_nothing(ledger: Ledger, tmp_path: Path) -> None:
    """Cancelling takes the step away from the process that runs it."""
    run_id, process = _waiting_child(ledger, tmp_path, ttl_s=30)
    with ledger.change(_ADA) as change:
        assert toy.runner(ledger, tmp_path).cancel(change, run_id, "not needed")
    (tmp_path / "gate").write_text("go")
    assert process.wait() == 1
    with pytest.raises(PipelineCancelled):
        toy.runner(ledger, tmp_path).run(run_id)
    assert kinds(ledger)[-1] == "pipeline.cancelled"


def test_a_cached_step_is_reused_by_the_next_run_and_says_why(ledger: Ledger, tmp_path: Path) -> None:
    """Same code, parameters, inputs and libraries: the step does not run again."""
    first, second = submit(ledger, tmp_path), submit(ledger, tmp_path)
    runner = toy.runner(ledger, tmp_path, cache=True)
    runner.run(first)
    assert runner.explain(second)["first"].startswith(f"reused from run {first}")
    runner.run(second)
    assert toy.times(tmp_path, "first") == 1
    assert runner.journal.steps(second)["first"].reused_from == first


def test_another_parameter_is_a_miss_that_names_it(ledger: Ledger, tmp_path: Path) -> None:
    """The explanation names the part of the key that changed."""
    runner = toy.runner(ledger, tmp_path, cache=True)
    runner.run(submit(ledger, tmp_path))
    with ledger.change(_ADA) as change:
        other = runner.journal.submit(change, toy.toy(tmp_path), {"size": 4}).run_id
    assert runner.explain(other)["first"] == "runs: params changed (size)"


def test_a_circle_is_refused_before_anything_runs() -> None:
    """The graph is known, and checked, before it runs."""
    with pytest.raises(BadPipeline, match="circle"):
        Pipeline("p", (Step("a", toy.first, after=("b",)), Step("b", toy.first, after=("a",))), Path())


def _waiting_child(ledger: Ledger, folder: Path, ttl_s: float) -> tuple[str, subprocess.Popen[bytes]]:
    """Return a run whose third step is being run by a child that waits for the gate."""
    (folder / "wait").touch()
    os.mkfifo(folder / "gate")
    run_id = submit(ledger, folder)
    process = child(folder, run_id, ttl_s)
    while not (folder / "waiting").exists():
        assert process.poll() is None
        threading.Event().wait(0.01)
    return run_id, process
