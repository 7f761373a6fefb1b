"""A rollout as it is stored: who is on trial against whom, by which plan, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from undrift.core.ids import RolloutId
from undrift.core.json import JSON
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.state import RolloutState, VersionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One rollout.

    Attributes
    ----------
    id : RolloutId
        Its id.
    endpoint : str
        Where it takes place.
    baseline, candidate : VersionRef
        The live version and the one on trial.
    plan : RolloutPlan
        How it is judged.
    state : RolloutState
        Whether it runs, waits for a person, or how it ended.
    step : int
        Index into the plan's steps.
    first_generation, step_generation : int
        The endpoint's generations in which the rollout and its present step began.
    since_us : int
        Real time of the start: older segments hold nothing of it.
    started_us : int
        Business time of the start.
    ended_us : int or None
        Business time of the end.
    reason : str
        Why it is in this state.
    decided_by : str
        Who brought it into this state.
    decision : mapping or None
        The last automatic decision with its evidence.
    """

    id: RolloutId
    endpoint: str
    baseline: VersionRef
    candidate: VersionRef
    plan: RolloutPlan
    state: RolloutState
    step: int
    first_generation: int
    step_generation: int
    since_us: int
    started_us: int
    ended_us: int | None = None
    reason: str = ""
    decided_by: str = ""
    decision: Mapping[str, JSON] | None = None

    @property
    def ref(self) -> str:
        """The rollout's reference."""
        return f"rollout:{self.id}"

    @property
    def share_bp(self) -> int:
        """The canary's share in the present step."""
        return self.plan.steps_bp[self.step]

    @property
    def is_last_step(self) -> bool:
        """Whether the next step is promotion."""
        return self.step >= len(self.plan.steps_bp) - 2

    def summary(self) -> dict[str, JSON]:
        """Return what an event keeps of the rollout, enough to fold its state again."""
        return {
            "id": self.id,
            "endpoint": self.endpoint,
            "baseline": self.baseline.ref,
            "candidate": self.candidate.ref,
            "state": self.state,
            "step": self.step,
            "share_bp": self.share_bp,
        }
