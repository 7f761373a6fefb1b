"""A rollout's plan: its steps, its margins and what it needs to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from undrift.core.json import JSON
from undrift.endpoints.errors import BadPlan
from undrift.endpoints.state import WHOLE_BP
from undrift.stats.sequential.canary import CanaryPlan

Loss: TypeAlias = Literal["brier", "log", "error01", "absolute"]
Labels: TypeAlias = Literal["required", "if-any", "none"]
ClassLabel: TypeAlias = "bool | int | str"
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlan:
    """How a canary is brought in and judged.

    Attributes
    ----------
    steps_bp : tuple of int
        The canary's share of the traffic, step by step, in basis points; the last is 10 000,
        which is promotion.
    alpha : float
        Probability, over the whole life of the rollout, of rolling back a canary that is no
        worse than tolerated, all tests together; and of promoting one that is worse by a
        margin or more.
    error_margin, slow_margin : float
        Promotion needs to exclude that the canary's share of failed or slow answers is larger
        by this much.
    slo_ms : float or None
        An answer slower than this is slow. None: three times the 99th percentile of the
        stable version's first answers in this rollout, and at least 50 ms.
    quality_margin : float
        Promotion on labels needs to exclude that the canary's mean loss is larger by this
        much; losses lie in [0, 1].
    quality_tolerance : float
        The canary is rolled back when its mean loss is shown to be larger by more than this.
    loss : {"brier", "log", "error01", "absolute"}
        ``brier``: half the squared distance between the probabilities and the truth.
        ``log``: minus the log-probability of the truth, cut at 1 % and scaled to [0, 1].
        ``error01``: whether the answer was wrong. ``absolute``: absolute error divided by
        ``scale``, cut at 1.
    classes : tuple
        Class labels in the order of the scores, for ``brier`` and ``log``.
    scale : float
        The absolute error that counts as 1, for ``absolute``.
    labels : {"required", "if-any", "none"}
        Whether promotion needs quality: always, when any label has come, never.
    label_age_s : float
        A label is used when its prediction is at least so old (business time). Where the
        time a label takes depends on the label, set it to the time the slow ones take, so
        that the quick ones do not speak for all.
    label_coverage : float
        Promotion on quality needs labels for at least this share of the units that are old
        enough, in either arm.
    min_requests : int
        Units that the canary must have answered in a step before the next one.
    max_age_s : float
        Business time after which a rollout without an answer asks for a decision.
    """

    steps_bp: tuple[int, ...] = (500, 2500, 10_000)
    alpha: float = 0.05
    error_margin: float = 0.02
    slow_margin: float = 0.05
    slo_ms: float | None = None
    quality_margin: float = 0.05
    quality_tolerance: float = 0.02
    loss: Loss = "error01"
    classes: tuple[ClassLabel, ...] = ()
    scale: float = 1.0
    labels: Labels = "if-any"
    label_age_s: float = 0.0
    label_coverage: float = 0.8
    min_requests: int = 100
    max_age_s: float = 14 * _DAY_S

    def __post_init__(self) -> None:
        for broken, problem in (
            (not _rising_to_whole(self.steps_bp), "steps must rise from above 0 to 10000 basis points"),
            (not 0 < self.alpha < 1, "alpha must lie between 0 and 1"),
            (min(self.error_margin, self.slow_margin, self.quality_margin) <= 0, "margins must be above 0"),
            (max(self.error_margin, self.slow_margin, self.quality_margin) >= 1, "margins must be below 1"),
            (self.loss in ("brier", "log") and len(self.classes) < 2, f"{self.loss} needs the classes"),  # noqa: PLR2004
            (self.scale <= 0, "the scale must be above 0"),
            (not 0 <= self.quality_tolerance < 1, "the quality tolerance must lie between 0 and 1"),
            (self.label_age_s < 0, "the age of a label cannot be below 0"),
            (not 0 <= self.label_coverage <= 1, "the label coverage must lie between 0 and 1"),
            (self.slo_ms is not None and self.slo_ms <= 0, "slo_ms must be above 0"),
            (self.min_requests < 1 or self.max_age_s <= 0, "min_requests and max_age_s must be above 0"),
        ):
            if broken:
                raise BadPlan(f"this rollout plan cannot be followed: {problem}", cure="change the endpoint's settings")

    @property
    def watches_quality(self) -> bool:
        """Whether labels are looked at."""
        return self.labels != "none"

    @property
    def tests(self) -> CanaryPlan:
        """The plan of the sequential tests."""
        return CanaryPlan(
            alpha=self.alpha,
            promotion_alpha=self.alpha,
            error_margin=self.error_margin,
            slow_margin=self.slow_margin,
            quality_margin=self.quality_margin,
            quality_tolerance=self.quality_tolerance,
            needs_quality=self.labels == "required",
        )

    def as_json(self) -> dict[str, JSON]:
        """Return the plan as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RolloutPlan:  # Any: stored JSON
        """Return the plan that was stored."""
        lists = {name: tuple(stored[name]) for name in ("steps_bp", "classes")}
        return cls(**{**stored, **lists})


def _rising_to_whole(steps: tuple[int, ...]) -> bool:
    return bool(steps) and steps[0] > 0 and steps[-1] == WHOLE_BP and list(steps) == sorted(set(steps))
