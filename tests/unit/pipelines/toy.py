"""A pipeline which counts in files how often its steps ran, and dies where it is told to."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from undrift.core.clock import real_clocks
from undrift.ledger.ledger import Change, Ledger
from undrift.pipelines.graph import Outputs, Pipeline, Step, StepContext, StepResult
from undrift.pipelines.runner import Runner


def first(context: StepContext, folder: Path) -> StepResult:
    _count(folder, "first")
    return StepResult({"number": 20})


def second(context: StepContext, folder: Path) -> StepResult:
    _count(folder, "second")
    number = context.inputs["first"]["number"]
    assert isinstance(number, int)

    def effect(change: Change) -> Outputs:
        change.record("toy.done", "pipeline:toy", {"number": number})
        if (folder / "die-in-effect").exists():
            _die(folder / "die-in-effect")
        return {"noted": True}

    if (folder / "die-in-second").exists():
        _die(folder / "die-in-second")
    return StepResult({"number": number + 1}, effect)


def third(context: StepContext, folder: Path) -> StepResult:
    _count(folder, "third")
    if (folder / "wait").exists():
        (folder / "waiting").touch()
        with (folder / "gate").open() as gate:  # a FIFO: opens when the test opens its end
            gate.read()
    if (folder / "fail").exists():
        raise ValueError("told to fail")
    return StepResult({"number": context.inputs["second"]["number"]})


def toy(folder: Path, *, retries: int = 0, cache: bool = False) -> Pipeline[Path]:
    return Pipeline(
        "toy",
        (
            Step("third", third, after=("second",), retries=retries),
            Step("first", first, cache=cache, params=("size",)),
            Step("second", second, after=("first",)),
        ),
        folder,
    )


def times(folder: Path, step: str) -> int:
    path = folder / step
    return path.stat().st_size if path.exists() else 0


def runner(ledger: Ledger, folder: Path, *, retries: int = 0, cache: bool = False, ttl_s: float = 30.0) -> Runner:
    return Runner(ledger, real_clocks(), (toy(folder, retries=retries, cache=cache),), ttl_s=ttl_s)


def _count(folder: Path, step: str) -> None:
    with (folder / step).open("ab") as file:
        file.write(b".")


def _die(order: Path) -> None:
    order.unlink()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    here = Path(sys.argv[1])
    runner(Ledger.open(here / "ledger.db"), here, ttl_s=float(sys.argv[3])).run(sys.argv[2], patience_s=5)
