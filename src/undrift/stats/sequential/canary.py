"""Everything a canary's judge knows, and what it may conclude from it at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from undrift.core.decision import Decision
from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.stats.sequential.betting import Unit
from undrift.stats.sequential.bounded import TOLERANCE, BoundedEProcess
from undrift.stats.sequential.counts import CountEProcess
from undrift.stats.sequential.difference import DifferenceSequence
from undrift.stats.sequential.floor import FloorEProcess
from undrift.stats.sequential.seen import SeenKeys

TESTS = ("errors", "slow", "quality", "floor")
DEFAULT_SPLIT: Mapping[str, float] = {"errors": 0.4, "slow": 0.15, "quality": 0.4, "floor": 0.05}
QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class CanaryPlan:
    """What is tolerated and how the error probability is split.

    Attributes
    ----------
    alpha : float
        Probability of ever rolling back a canary that is no worse than tolerated, over the whole rollout.
    split : mapping
        Shares of alpha for ``errors``, ``slow``, ``quality`` and ``floor``; they add up to at most 1.
    error_ratio, slow_ratio : float
        Tolerated ratio of the canary's rate to that of stable.
    quality_tolerance : float
        Tolerated difference of mean losses.
    error_margin, slow_margin, quality_margin : float
        Differences that must be excluded before promotion.
    promotion_alpha : float
        Probability of ever promoting a canary that is worse by a margin (in any one of the three respects).
    needs_quality : bool
        Whether promotion waits for labels.
    """

    alpha: float = 0.05
    split: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_SPLIT))
    error_ratio: float = 1.0
    slow_ratio: float = 1.25
    quality_tolerance: float = TOLERANCE
    error_margin: float = 0.02
    slow_margin: float = 0.05
    quality_margin: float = 0.05
    promotion_alpha: float = 0.05
    needs_quality: bool = True

    def __post_init__(self) -> None:
        if sorted(self.split) != sorted(TESTS) or sum(self.split.values()) > 1.0 + 1e-9:
            raise BadInput(f"alpha is split over {', '.join(TESTS)}, with shares that add up to at most 1")


@dataclass(slots=True)
class CanaryEvidence:
    """The evidence of one rollout, taken in as it arrives.

    Rolling back: four e-processes, each at its share of alpha (union bound: they may see the same unit at different
    times, so that an average of e-values would not be valid). Promoting: all differences must lie below their margins
    (intersection-union: each at the full `promotion_alpha`).

    Each key counts once: its first request for the differences and the floor, its first error, its first slow answer,
    its first label. Requests without a key are units by themselves.
    """

    plan: CanaryPlan = field(default_factory=CanaryPlan)
    requests: dict[str, int] = field(default_factory=lambda: {"canary": 0, "stable": 0})
    errors: CountEProcess = field(init=False)
    slow: CountEProcess = field(init=False)
    quality: BoundedEProcess = field(init=False)
    floor: FloorEProcess = field(default_factory=FloorEProcess)
    differences: dict[str, DifferenceSequence] = field(init=False)
    seen: dict[str, SeenKeys] = field(
        default_factory=lambda: {name: SeenKeys() for name in ("units", "errors", "slow", QUALITY)}
    )

    def __post_init__(self) -> None:
        plan = self.plan
        self.errors, self.slow = CountEProcess(plan.error_ratio), CountEProcess(plan.slow_ratio)
        self.quality = BoundedEProcess(plan.quality_tolerance)
        margins = {"errors": plan.error_margin, "slow": plan.slow_margin, QUALITY: plan.quality_margin}
        self.differences = {name: DifferenceSequence(m, plan.promotion_alpha) for name, m in margins.items()}

    def observe(self, *, is_canary: bool, share: float, error: bool, slow: bool, key: str | None = None) -> None:
        """Take one answered request.

        Parameters
        ----------
        is_canary : bool
            Its arm.
        share : float
            The canary's share when it was assigned.
        error : bool
            The answer was a failure of ours (5xx), not of the caller.
        slow : bool
            The answer took longer than the objective.
        key : str, optional
            The caller's key by which it was routed.
        """
        self.requests["canary" if is_canary else "stable"] += 1
        if error and self.seen["errors"].is_new(key):
            self.errors.update(is_canary=is_canary, share=share)
        if slow and self.seen["slow"].is_new(key):
            self.slow.update(is_canary=is_canary, share=share)
        if self.seen["units"].is_new(key):
            self.floor.update(is_canary=is_canary, error=error)
            self.differences["errors"].update(Unit(is_canary, share, float(error)))
            self.differences["slow"].update(Unit(is_canary, share, float(slow)))

    def label(self, *, is_canary: bool, share: float, loss: float, key: str | None = None) -> None:
        """Take one label that has arrived.

        Parameters
        ----------
        is_canary, share, key
            Of the prediction.
        loss : float
            Of the prediction given the label, in [0, 1]; for classes the Brier score.
        """
        if self.seen[QUALITY].is_new(key):
            unit = Unit(is_canary, share, loss)
            self.quality.update(unit)
            self.differences[QUALITY].update(unit)

    def rollback(self) -> Decision:
        """Return whether the canary is no worse than tolerated: ``fail`` says roll back."""
        broken = [name for name in TESTS if self._test(name).rejects(self.plan.alpha * self.plan.split[name])]
        evidence: dict[str, JSON] = {name: self._test_json(name) for name in TESTS}
        reason = (
            f"the canary is worse than tolerated in {', '.join(broken)}" if broken else "no test has found it worse"
        )
        return Decision(
            "the canary is no worse than tolerated", "fail" if broken else "cannot_tell",
            "e-processes, alpha split", self.plan.alpha, self._units(), "key", {**evidence, "broken": broken}, reason,
        )  # fmt: skip

    def promotion(self) -> Decision:
        """Return whether the canary is known to be worse by less than the margins: ``pass`` says advance."""
        asked = [name for name in self.differences if name != QUALITY or self.plan.needs_quality]
        open_ = [name for name in asked if not self.differences[name].is_within_margin]
        worse = [name for name in asked if self.differences[name].low >= self.differences[name].margin]
        evidence: dict[str, JSON] = {name: _difference_json(self.differences[name]) for name in asked}
        outcome = "fail" if worse else "cannot_tell" if open_ else "pass"
        reason = f"not yet known to be within the margin: {', '.join(open_)}" if open_ else "within every margin"
        return Decision(
            "the canary is within the margins", outcome, "confidence sequences by betting",  # type: ignore[arg-type]
            self.plan.promotion_alpha, self._units(), "key", evidence, reason,
        )  # fmt: skip

    def _test(self, name: str) -> CountEProcess | BoundedEProcess | FloorEProcess:
        tests: dict[str, CountEProcess | BoundedEProcess | FloorEProcess] = {
            "errors": self.errors, "slow": self.slow, QUALITY: self.quality, "floor": self.floor,
        }  # fmt: skip
        return tests[name]

    def _test_json(self, name: str) -> dict[str, JSON]:
        test, alpha = self._test(name), self.plan.alpha * self.plan.split[name]
        return {"log_e": test.log_e, "largest_log_e": test.largest, "needed": float(-np.log(alpha)), "alpha": alpha}

    def _units(self) -> int:
        return self.differences["errors"].canary_units

    def state(self) -> dict[str, JSON]:
        """Return everything needed to go on, as JSON."""
        plan: dict[str, JSON] = asdict(self.plan)
        return {
            "plan": plan,
            "requests": dict(self.requests),
            "tests": {name: self._test(name).state() for name in TESTS},
            "differences": {name: sequence.state() for name, sequence in self.differences.items()},
            "seen": {name: keys.state() for name, keys in self.seen.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CanaryEvidence:  # Any: freshly parsed JSON
        """Return the evidence that :meth:`state` described."""
        evidence = cls(CanaryPlan(**state["plan"]), dict(state["requests"]))
        tests = state["tests"]
        evidence.errors = CountEProcess.from_state(tests["errors"])
        evidence.slow = CountEProcess.from_state(tests["slow"])
        evidence.quality = BoundedEProcess.from_state(tests[QUALITY])
        evidence.floor = FloorEProcess.from_state(tests["floor"])
        evidence.differences = {n: DifferenceSequence.from_state(s) for n, s in state["differences"].items()}
        evidence.seen = {name: SeenKeys.from_state(text) for name, text in state["seen"].items()}
        return evidence


def _difference_json(sequence: DifferenceSequence) -> dict[str, JSON]:
    return {
        "estimate": sequence.estimate, "low": sequence.low, "high": sequence.high, "margin": sequence.margin,
        "units": sequence.units, "canary_units": sequence.canary_units,
    }  # fmt: skip
