"""The rules: what follows from a rollout's evidence at this moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from undrift.core.decision import Decision
from undrift.core.json import JSON
from undrift.endpoints.evidence import Arm, Evidence
from undrift.endpoints.rollout import Rollout
from undrift.endpoints.state import Move


@dataclass(frozen=True, slots=True)
class Verdict:
    """A move and the decision behind it."""

    move: Move
    decision: Decision

    @property
    def reason(self) -> str:
        """One sentence for a person."""
        return self.decision.reason


def verdict_on(rollout: Rollout, evidence: Evidence, business_us: int) -> Verdict | None:
    """Return what to do with a rollout, or None while there is nothing to do.

    Parameters
    ----------
    rollout : Rollout
        One that has not ended.
    evidence : Evidence
        Everything that arrived so far.
    business_us : int
        Business time now.

    Notes
    -----
    In this order: a canary shown to be worse goes back, also while a person is waited for. Only
    a running rollout goes forward. An advance needs ``min_requests`` units of the canary in
    this step and errors and slowness that do not look worse by their margins; it widens the
    view and claims nothing. Promotion claims, and needs every margin excluded. When the
    rollout is older than ``max_age_s`` a person is asked.
    """
    rollback = evidence.rollback()
    if rollback.outcome == "fail":
        return Verdict("roll_back", replace(rollback, reason=_what_broke(rollback, evidence)))
    if rollout.state != "running":
        return None
    return _forward(rollout, evidence) or _overdue(rollout, evidence, business_us)


def _forward(rollout: Rollout, evidence: Evidence) -> Verdict | None:
    seen = evidence.canary_units_at.get(rollout.share_bp, 0)
    if seen < rollout.plan.min_requests:
        return None
    promotion = evidence.promotion()
    if rollout.is_last_step:
        return Verdict("promote", promotion) if promotion.outcome == "pass" else None
    worse = evidence.worse_now()
    if worse:
        return None
    step = f"{seen} units of the canary at {rollout.share_bp / 100:g} % and no sign that it is worse"
    return Verdict("advance", replace(promotion, question="the canary may take its next step", reason=step))


def _overdue(rollout: Rollout, evidence: Evidence, business_us: int) -> Verdict | None:
    age_s = (business_us - rollout.started_us) / 1e6
    if age_s < rollout.plan.max_age_s:
        return None
    promotion = evidence.promotion()
    reason = f"no answer after {age_s / 86_400:.1f} days: {promotion.reason}"
    return Verdict("ask", replace(promotion, reason=reason))


def _what_broke(decision: Decision, evidence: Evidence) -> str:
    canary, stable = evidence.arms[True], evidence.arms[False]
    told = {
        "errors": lambda arm: f"{arm.failed} of {arm.units} units failed",
        "floor": lambda arm: f"{arm.failed} of {arm.units} units failed",
        "slow": lambda arm: f"{arm.slow} of {arm.units} units were slow",
        "quality": _mean_loss,
    }
    broken = cast("list[JSON]", decision.evidence["broken"])
    facts = dict.fromkeys(f"canary {told[str(name)](canary)}, stable {told[str(name)](stable)}" for name in broken)
    return f"the canary is worse in {', '.join(map(str, broken))}: {'; '.join(facts)}"


def _mean_loss(arm: Arm) -> str:
    return f"has a mean loss of {arm.loss / arm.labelled if arm.labelled else 0.0:.3f} over {arm.labelled} labels"
