"""The judge of rollouts on simulated rollouts: how often it is wrong, and what it finds.

The canary is rolled back, wrongly, in at most alpha of rollouts in which it is no worse than
stable. With 1,000 rollouts and alpha = .05 the 99.9 % binomial bound is 73, and with 100 it is 13.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from undrift.core.ids import RolloutId
from undrift.endpoints.arrivals import Arrival
from undrift.endpoints.evidence import Evidence
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.rollout import Rollout
from undrift.endpoints.state import VersionRef
from undrift.segments.records import FeedbackRecord, PredictionRecord

pytestmark = pytest.mark.slow

ROLLOUTS = 1_000
BOUND = 73
FEW = 100
BOUND_OF_FEW = 13  # the same bound for 100 rollouts
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
STABLE = VersionRef("delay", 1, "b3:" + "1" * 64, "pass")
CANARY = VersionRef("delay", 2, "b3:" + "2" * 64, "pass")
PLAN = RolloutPlan(loss="brier", classes=(0, 1), labels="required")


@dataclass
class World:
    """One simulated rollout: units come one by one, labels when they are known.

    Attributes
    ----------
    dice : random.Random
        Its chance.
    share_bp : int
        The canary's share.
    units : int
        How many units ask.
    """

    dice: random.Random
    share_bp: int = 2500
    units: int = 400
    days: int = 8

    def records(self, unit: Callable[[World, int, float], Unit]) -> list[Arrival]:
        """Return predictions and labels in the order of their arrival."""
        arrivals: list[tuple[int, int, Arrival]] = []
        effects = [self.dice.gauss(0, 1) for _ in range(self.days)]
        for number in range(self.units):
            at = DAY_US + number * (self.days * DAY_US // self.units)
            is_canary = self.dice.randrange(10_000) < self.share_bp
            made = unit(self, number, effects[number * self.days // self.units])
            arrivals.extend(self._of(number, at, is_canary, made))
        return [record for _, _, record in sorted(arrivals, key=lambda item: item[:2])]

    def _of(self, number: int, at: int, is_canary: bool, made: Unit) -> Iterator[tuple[int, int, Arrival]]:
        version = CANARY if is_canary else STABLE
        p = made.canary_p if is_canary else made.stable_p
        for repeat in range(made.requests):
            yield at + repeat, number, PredictionRecord(
                id=f"{number}-{repeat}", received_us=at + repeat, event_us=at, key=f"key-{number}", endpoint="delay",
                variant="canary" if is_canary else "stable", model="delay", version=version.number,
                package=version.package_digest, generation=2, share_bp=self.share_bp, row=None, scores=[1 - p, p],
                prediction=int(p > 0.5), status=500 if made.fails else 200, latency_us=made.latency_us,
            )  # fmt: skip
        late = at + made.label_after_us
        yield late, number, FeedbackRecord(f"l{number}", None, f"key-{number}", made.actual, None, late)


@dataclass
class Unit:
    """What one unit would see of either version."""

    stable_p: float
    canary_p: float
    actual: int
    fails: bool = False
    latency_us: int = 900
    requests: int = 1
    label_after_us: int = HOUR_US


def rollout_by(plan: RolloutPlan) -> Rollout:
    """Return a rollout that follows a plan."""
    return Rollout(
        id=RolloutId("r"),
        endpoint="delay",
        baseline=STABLE,
        candidate=CANARY,
        plan=plan,
        state="running",
        step=0,
        first_generation=2,
        step_generation=2,
        since_us=0,
        started_us=0,
    )


def taken_out(
    unit: Callable[[World, int, float], Unit],
    plan: RolloutPlan = PLAN,
    rollouts: int = ROLLOUTS,
    **world: int,
) -> int:
    """Return how many rollouts ended with the canary taken out."""
    taken = 0
    for seed in range(rollouts):
        evidence = Evidence(rollout_by(plan))
        evidence.take(World(random.Random(seed), **world).records(unit))
        taken += evidence.rollback().outcome == "fail"
    return taken


def bad_day(world: World, number: int, effect: float) -> Unit:
    """Return a unit whose errors, slowness and label follow the day; bad news comes late, callers repeat themselves."""
    dice = world.dice
    late = dice.random() < 0.25 + 0.1 * max(effect, -1)
    p = min(max(0.3 + 0.2 * effect * dice.random(), 0.01), 0.99)
    return Unit(
        stable_p=p,
        canary_p=p,
        actual=int(late),
        fails=dice.random() < (0.2 if effect > 1 else 0.01),
        latency_us=int(40_000 * dice.expovariate(1.0) * (2 if effect > 1 else 1)),
        requests=dice.choice((1, 1, 1, 5)),
        label_after_us=DAY_US if late else HOUR_US,
    )


def equal_on_average(world: World, number: int, effect: float) -> Unit:
    """Return a unit on which the canary is worse where labels are quick, better where they are slow: equal in all."""
    late = world.dice.random() < 0.5
    stable, canary = (0.45**0.5, 0.25**0.5) if late else (0.25**0.5, 0.45**0.5)
    return Unit(
        stable_p=1 - stable if late else stable,
        canary_p=1 - canary if late else canary,
        actual=int(late),
        label_after_us=2 * DAY_US if late else HOUR_US,
    )


def worse(world: World, number: int, effect: float) -> Unit:
    """Return a unit on which the canary is confident and often wrong."""
    late = int(world.dice.random() < 0.25)
    return Unit(stable_p=0.25, canary_p=0.75, actual=late)


def test_a_canary_that_is_the_same_is_rarely_taken_out() -> None:
    """Bad days, callers who repeat themselves, labels that come later when they are bad news."""
    assert taken_out(bad_day) <= BOUND


def test_quick_labels_do_not_take_out_a_canary_that_is_as_good_on_the_whole() -> None:
    """With a label age of two days quick and slow labels are used side by side; without one it goes wrong."""
    aged = RolloutPlan(loss="brier", classes=(0, 1), labels="required", label_age_s=2 * 86_400.0)
    assert taken_out(equal_on_average, aged, FEW, units=800, days=4) <= BOUND_OF_FEW
    assert taken_out(equal_on_average, PLAN, FEW, units=800, days=4) > BOUND_OF_FEW


def test_a_wrong_canary_is_found() -> None:
    """A difference of .25 in the Brier score within 400 labelled units at 25 %: power of at least 99 %."""
    assert taken_out(worse, rollouts=200) >= 198
