"""Sequential evidence: known values, known directions, and states that go on where they stopped."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from undrift.core.errors import BadInput
from undrift.stats.sequential.betting import Unit
from undrift.stats.sequential.bounded import BoundedEProcess
from undrift.stats.sequential.canary import CanaryEvidence, CanaryPlan
from undrift.stats.sequential.counts import CountEProcess, log_count_e
from undrift.stats.sequential.difference import DifferenceSequence
from undrift.stats.sequential.floor import FloorEProcess
from undrift.stats.sequential.ratio import RatioGuard
from undrift.stats.sequential.seen import SeenKeys

UNITS = st.lists(
    st.builds(Unit, is_canary=st.booleans(), share=st.sampled_from([0.05, 0.25, 1.0]), loss=st.floats(0, 1)),
    max_size=50,
)


@pytest.mark.parametrize(("canary", "stable", "theta"), [(0, 0, 0.1), (5, 20, 0.1), (0, 40, 0.05), (12, 3, 0.5)])
def test_the_count_e_value_is_the_integral_that_defines_it(canary: int, stable: int, theta: float) -> None:
    """Mixture of likelihood ratios over Beta(1, (1 - theta)/theta) cut to (theta, 1)."""
    b = (1 - theta) / theta

    def weighed(p: float) -> float:
        return (1 - p) ** (b - 1) * (p / theta) ** canary * ((1 - p) / (1 - theta)) ** stable

    whole = quad(weighed, theta, 1, epsabs=0, epsrel=1e-10)[0] / quad(lambda p: (1 - p) ** (b - 1), theta, 1)[0]
    assert np.exp(log_count_e(canary, stable, theta)) == pytest.approx(whole, rel=1e-6)


def test_the_count_e_value_stays_finite_far_out() -> None:
    """No canary error among a million: a tiny e-value, not a fault, and it falls with each further one."""
    values = [log_count_e(0, stable, 0.05) for stable in (1000, 14_000, 15_000, 1_000_000)]
    assert np.isfinite(values).all()
    assert values == sorted(values, reverse=True)


@given(counts=st.tuples(st.integers(0, 60), st.integers(0, 600)), theta=st.sampled_from([0.05, 0.1, 0.25, 0.5]))
def test_the_next_count_e_value_is_at_most_the_last_on_average(counts: tuple[int, int], theta: float) -> None:
    """A supermartingale step: P(canary) = theta gives equality."""
    canary, stable = counts
    now = log_count_e(canary, stable, theta)
    up, down = log_count_e(canary + 1, stable, theta) - now, log_count_e(canary, stable + 1, theta) - now
    assert theta * np.exp(up) + (1 - theta) * np.exp(down) == pytest.approx(1.0, rel=1e-6)


def test_e_values_of_different_shares_are_multiplied() -> None:
    """Whatever the order in which their events come."""
    process = CountEProcess()
    for share, is_canary in [(0.05, True), (0.25, True), (0.05, False), (0.25, False), (0.25, True)]:
        process.update(is_canary=is_canary, share=share)
    assert process.log_e == pytest.approx(log_count_e(1, 1, 0.05) + log_count_e(2, 1, 0.25))


def test_all_traffic_on_the_canary_gives_no_comparison() -> None:
    """At a share of 1 (or 0) nothing is learnt about a difference."""
    process, quality = CountEProcess(), BoundedEProcess()
    assert process.update(is_canary=True, share=1.0) == 1.0
    assert quality.update(Unit(True, 1.0, 1.0)) == 1.0


def test_a_tolerated_ratio_raises_the_share_under_the_null() -> None:
    """Twice the errors at a fifth of the traffic are a third of all errors."""
    process = CountEProcess(ratio=2.0)
    process.update(is_canary=True, share=0.2)
    assert process.log_e == pytest.approx(log_count_e(1, 0, 1 / 3))


@given(units=UNITS, cut=st.integers(0, 50))
def test_evidence_goes_on_from_its_json(units: list[Unit], cut: int) -> None:
    """Stopped anywhere, written, read and continued: the same state as without a stop."""
    whole, first = CanaryEvidence(), CanaryEvidence()
    for evidence, taken in ((whole, units), (first, units[:cut])):
        feed(evidence, taken, start=0)
    resumed = CanaryEvidence.from_state(json.loads(json.dumps(first.state())))
    feed(resumed, units[cut:], start=cut)
    assert resumed.state() == whole.state()


def feed(evidence: CanaryEvidence, units: list[Unit], start: int) -> None:
    for place, unit in enumerate(units, start):
        arm = {"is_canary": unit.is_canary, "share": unit.share, "key": f"k{place % 20}"}
        evidence.observe(error=unit.loss > 0.5, slow=unit.loss > 0.7, **arm)
        evidence.label(loss=unit.loss, **arm)


@given(share=st.floats(0.01, 0.99), loss=st.floats(0, 1), guess_from=st.lists(st.floats(0, 1), max_size=5))
def test_the_quality_wealth_is_fair_when_the_arms_lose_alike(
    share: float, loss: float, guess_from: list[float]
) -> None:
    """Without tolerance the expectation over the arm is exactly 1, whatever the loss and the past."""
    ends = []
    for is_canary in (True, False):
        process = BoundedEProcess(tolerance=0.0)
        process.guess.value = float(np.mean(guess_from)) if guess_from else 0.25
        ends.append(process.update(Unit(is_canary, share, loss)))
    assert share * ends[0] + (1 - share) * ends[1] == pytest.approx(1.0)


def stream(rng: np.random.Generator, units: int, share: float, losses: tuple[float, float]) -> list[Unit]:
    """Return units whose 0/1 losses have the means (stable, canary)."""
    arms = rng.random(units) < share
    return [Unit(bool(a), share, float(rng.random() < losses[int(a)])) for a in arms]


def test_a_worse_canary_is_found_and_an_equal_one_is_not() -> None:
    """The direction of the quality test."""
    rng = np.random.default_rng(0)
    worse, equal, better = BoundedEProcess(), BoundedEProcess(), BoundedEProcess()
    worse.follow(stream(rng, 3000, 0.1, (0.15, 0.4)))
    equal.follow(stream(rng, 3000, 0.1, (0.15, 0.15)))
    better.follow(stream(rng, 3000, 0.1, (0.4, 0.15)))
    assert worse.rejects(0.01)
    assert not equal.rejects(0.05)
    assert not better.rejects(0.05)


def test_following_units_is_updating_by_each() -> None:
    """One call or many: the same wealth."""
    units = stream(np.random.default_rng(1), 200, 0.2, (0.2, 0.3))
    once, each = BoundedEProcess(), BoundedEProcess()
    path = once.follow(units)
    steps = [np.log(each.update(unit)) for unit in units]
    assert path.tolist() == pytest.approx(steps)
    assert once.state()["largest"] == pytest.approx(each.state()["largest"])


def test_the_sequence_narrows_about_the_difference() -> None:
    """Both ends move inward and keep the true difference of .2 between them."""
    sequence = DifferenceSequence(margin=0.3)
    for unit in stream(np.random.default_rng(2), 8000, 0.25, (0.2, 0.4)):
        sequence.update(unit)
    assert 0.1 < sequence.low < 0.2 < sequence.high < 0.3
    assert sequence.is_within_margin
    assert sequence.estimate == pytest.approx(0.2, abs=0.05)


def test_the_sequence_does_not_depend_on_when_it_is_read() -> None:
    """Reading after each unit changes nothing."""
    units = stream(np.random.default_rng(3), 300, 0.25, (0.1, 0.1))
    read, unread = DifferenceSequence(0.1), DifferenceSequence(0.1)
    for unit in units:
        read.update(unit)
        _ = (read.low, read.high, read.estimate, read.state())
        unread.update(unit)
    assert read.state() == unread.state()


@pytest.mark.parametrize("unit", [Unit(True, 0.1, 1.5), Unit(True, 0.1, -0.1), Unit(True, 1.2, 0.5)])
def test_losses_and_shares_outside_the_unit_interval_are_refused(unit: Unit) -> None:
    """The guarantee holds for bounded losses only."""
    with pytest.raises(BadInput):
        BoundedEProcess().update(unit)
    with pytest.raises(BadInput):
        DifferenceSequence(0.1).update(unit)


def test_the_floor_breaks_when_most_of_fifty_canary_requests_fail() -> None:
    """26 of 50 is enough, in any order; every fifth is not."""
    for failed, broken in ((range(26), True), (range(24, 50), True), (range(0, 50, 5), False)):
        floor = FloorEProcess()
        for place in range(50):
            floor.update(is_canary=True, error=place in failed)
        assert floor.rejects(0.05 * 0.05) == broken


def test_the_floor_holds_while_stable_fails_too() -> None:
    """An outage of both arms is not the canary's."""
    rng = np.random.default_rng(4)
    floor = FloorEProcess()
    for _ in range(2000):
        floor.update(is_canary=bool(rng.random() < 0.05), error=bool(rng.random() < 0.7))
    assert not floor.rejects(0.05)


def test_a_key_counts_once() -> None:
    """A thousand failing requests of one key are one event."""
    evidence = CanaryEvidence()
    for _ in range(1000):
        evidence.observe(is_canary=True, share=0.05, error=True, slow=True, key="one")
        evidence.label(is_canary=True, share=0.05, loss=1.0, key="one")
    assert evidence.errors.counts == {0.05: (1, 0)}
    assert evidence.rollback().outcome == "cannot_tell"
    assert evidence.requests == {"canary": 1000, "stable": 0}


def test_requests_without_a_key_are_units() -> None:
    """A failing canary is rolled back, and the decision names errors."""
    evidence = CanaryEvidence()
    for place in range(400):
        evidence.observe(is_canary=place % 20 == 0, share=0.05, error=place % 20 == 0, slow=False)
    decision = evidence.rollback()
    assert decision.outcome == "fail"
    assert "errors" in decision.evidence["broken"]
    json.dumps(decision.as_json())


def test_a_canary_with_nothing_wrong_is_promoted_once_it_is_known_to_be_within_the_margins() -> None:
    """Not before: at first it cannot be told."""
    evidence = CanaryEvidence(CanaryPlan(needs_quality=False))
    assert evidence.promotion().outcome == "cannot_tell"
    rng = np.random.default_rng(5)
    for _ in range(8000):
        evidence.observe(is_canary=bool(rng.random() < 0.1), share=0.1, error=False, slow=bool(rng.random() < 0.01))
    assert evidence.promotion().outcome == "pass"
    assert evidence.rollback().outcome == "cannot_tell"


def test_promotion_waits_for_labels_when_quality_is_asked_for() -> None:
    """Errors alone do not promote."""
    evidence = CanaryEvidence()
    for place in range(8000):
        evidence.observe(is_canary=place % 10 == 0, share=0.1, error=False, slow=False)
    assert evidence.promotion().outcome == "cannot_tell"


def test_alpha_is_split_and_not_spent_twice() -> None:
    """Shares beyond 1, or for unknown tests, are refused."""
    with pytest.raises(BadInput):
        CanaryPlan(split={"errors": 0.9, "slow": 0.1, "quality": 0.1, "floor": 0.1})
    with pytest.raises(BadInput):
        CanaryPlan(split={"errors": 1.0})


@pytest.mark.parametrize(("true_share", "alarm"), [(0.05, False), (0.08, True), (0.02, True)])
def test_a_router_that_splits_wrongly_is_noticed(true_share: float, alarm: bool) -> None:
    """Both directions, and only then."""
    rng, guard = np.random.default_rng(6), RatioGuard(share=0.05)
    for _ in range(100):
        canary = int(rng.binomial(50, true_share))
        guard.update(canary=canary, stable=50 - canary)
    assert guard.rejects() == alarm
    assert RatioGuard.from_state(json.loads(json.dumps(guard.state()))) == guard


def test_a_guard_needs_two_arms() -> None:
    """At a share of 0 or 1 there is no ratio."""
    with pytest.raises(BadInput):
        RatioGuard(share=1.0)


@given(keys=st.lists(st.text(max_size=5)))
def test_seen_keys_survive_their_text(keys: list[str]) -> None:
    """The digests read back are those written."""
    seen = SeenKeys()
    for key in keys:
        seen.is_new(key)
    assert SeenKeys.from_state(seen.state()).held == seen.held
    assert all(not seen.is_new(key) for key in keys)
