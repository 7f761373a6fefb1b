"""What a rollout's records say, taken in one by one in the order in which they arrived.

No clock and no database: the same records give the same evidence, so that a judge that was
killed reads them again and stands where it stood.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from undrift.core.decision import Decision
from undrift.core.json import JSON
from undrift.endpoints.arrivals import Arrival
from undrift.endpoints.losses import WORST, LossOf
from undrift.endpoints.rollout import Rollout
from undrift.segments.endpoint_file import WHOLE
from undrift.segments.records import FeedbackRecord, PredictionRecord
from undrift.stats.sequential.betting import Unit
from undrift.stats.sequential.canary import CanaryEvidence

_SERVER_ERROR = 500
_REFUSED_BY_SCHEMA = 422
_CLIENT_ERROR = 400
_LEAST_SLO_MS = 50.0
_SLO_FACTOR = 3.0
_SLO_UNITS = 200
_SLO_QUANTILE = 0.99


@dataclass(slots=True)
class Arm:
    """Counts of one arm, for people; the tests keep their own."""

    requests: int = 0
    units: int = 0
    failed: int = 0
    slow: int = 0
    old: int = 0
    labelled: int = 0
    loss: float = 0.0

    @property
    def coverage(self) -> float:
        """Share of the units that are old enough for their label and have one."""
        return self.labelled / self.old if self.old else 0.0

    def as_json(self) -> dict[str, JSON]:
        """Return the counts, with the mean loss of the labelled units."""
        return {
            "requests": self.requests,
            "units": self.units,
            "failed": self.failed,
            "slow": self.slow,
            "labelled": self.labelled,
            "label_coverage": self.coverage,
            "mean_loss": self.loss / self.labelled if self.labelled else None,
        }


@dataclass(slots=True)
class _Asked:
    """A unit's first prediction, waiting for its label."""

    is_canary: bool
    share: float
    key: str | None
    event_us: int | None
    answer: tuple[list[float], bool | int | float | str | None] | None
    old: bool = False
    loss: float | None = None
    used: bool = False


@dataclass(slots=True)
class _Slo:
    """The limit of slowness: given, or found from the stable version's first answers."""

    limit_us: float | None
    first: list[int] = field(default_factory=list)

    def is_slow(self, record: PredictionRecord) -> bool | None:
        """Say whether an answer was slow, or None while the limit is being found."""
        if self.limit_us is not None:
            return record.latency_us > self.limit_us
        if record.variant == "stable":
            self.first.append(record.latency_us)
        if len(self.first) >= _SLO_UNITS:
            at = sorted(self.first)[int(_SLO_QUANTILE * len(self.first))]
            self.limit_us = max(_SLO_FACTOR * at, _LEAST_SLO_MS * 1000)
        return None


class Evidence:
    """The evidence of one rollout. Not safe for threads.

    Only answers that were dealt by chance count: those of the two versions on trial, of this
    rollout's generations, that the caller did not pin to a version. One unit is a key, or a
    prediction without one; the tests take its first answer, its first error, its first slow
    answer and the label of its first prediction. An error is an answer of 500 and above, or
    rows that the version's schema refuses: a canary which does not take the rows that stable
    takes has failed its callers. Requests that nobody could have answered are left out.

    Parameters
    ----------
    rollout : Rollout
        The rollout; its plan and its first generation are used.
    """

    def __init__(self, rollout: Rollout) -> None:
        self._rollout = rollout
        self._plan = rollout.plan
        self._loss = LossOf(rollout.plan)
        self._slo = _Slo(self._plan.slo_ms * 1000 if self._plan.slo_ms is not None else None)
        self._tests = CanaryEvidence(self._plan.tests)
        self._arm_of = {
            ("stable", rollout.baseline.package_digest): False,
            ("canary", rollout.candidate.package_digest): True,
        }
        self._by_id: dict[str, _Asked] = {}
        self._by_key: dict[str, _Asked] = {}
        self._ageing: list[tuple[int, int, _Asked]] = []
        self._order = count()
        self._age_us = int(self._plan.label_age_s * 1e6)
        self._latest_us = 0
        self.arms = {True: Arm(), False: Arm()}
        self.canary_units_at: dict[int, int] = {}
        self.labels = {"used": 0, "waiting": 0, "repeated": 0, "unusable": 0, "unmatched": 0}

    def take(self, arrivals: Iterable[Arrival]) -> None:
        """Take in records in the order of their arrival."""
        for record in arrivals:
            if isinstance(record, PredictionRecord):
                self._answered(record)
            elif self._plan.watches_quality:
                self._labelled(record)

    @property
    def has_labels(self) -> bool:
        """Whether any label of a unit of this rollout has come."""
        return self.labels["used"] + self.labels["waiting"] > 0

    @property
    def is_covered(self) -> bool:
        """Whether enough units of either arm that are old enough have their label."""
        return all(arm.coverage >= self._plan.label_coverage for arm in self.arms.values())

    def rollback(self) -> Decision:
        """Return whether the canary is no worse than tolerated; ``fail`` says take it out."""
        return self._with_counts(self._tests.rollback())

    def promotion(self) -> Decision:
        """Return whether the canary is known to be worse by less than every margin that is asked for."""
        asks = self._plan.labels == "required" or (self._plan.labels == "if-any" and self.has_labels)
        self._tests.plan = replace(self._tests.plan, needs_quality=asks)
        decision = self._tests.promotion()
        if asks and decision.outcome == "pass" and not self.is_covered:
            lack = f"fewer than {self._plan.label_coverage:.0%} of the units that are old enough have a label"
            decision = replace(decision, outcome="cannot_tell", reason=lack)
        return self._with_counts(decision)

    def worse_now(self) -> list[str]:
        """Return in what the canary looks worse by a margin at this moment, with no claim about chance."""
        sequences = self._tests.differences
        return [name for name in ("errors", "slow") if sequences[name].estimate > sequences[name].margin]

    def summary(self) -> dict[str, JSON]:
        """Return the counts behind a decision."""
        return {
            "canary": self.arms[True].as_json(),
            "stable": self.arms[False].as_json(),
            "slo_ms": self._slo.limit_us / 1000 if self._slo.limit_us is not None else None,
            "labels": dict(self.labels),
        }

    def _answered(self, record: PredictionRecord) -> None:
        is_canary = self._arm_of.get((record.variant, record.package))
        if is_canary is None or not record.share_bp or not self._counts(record):
            return
        tests, share, key = self._tests, record.share_bp / WHOLE, record.key
        failed = record.status >= _CLIENT_ERROR
        slow = self._slo.is_slow(record)
        arm = self.arms[is_canary]
        arm.requests += 1
        if failed and tests.seen["errors"].is_new(key):
            arm.failed += 1
            tests.errors.update(is_canary=is_canary, share=share)
        if slow and tests.seen["slow"].is_new(key):
            arm.slow += 1
            tests.slow.update(is_canary=is_canary, share=share)
        if tests.seen["units"].is_new(key):
            arm.units += 1
            if is_canary and not failed:
                self.canary_units_at[record.share_bp] = self.canary_units_at.get(record.share_bp, 0) + 1
            tests.floor.update(is_canary=is_canary, error=failed)
            self._compare("errors", Unit(is_canary, share, float(failed)))
            if slow is not None:
                self._compare("slow", Unit(is_canary, share, float(slow)))
            if self._plan.watches_quality:
                self._await_label(record, _asked(record, is_canary=is_canary, failed=failed))
        self._let_age(record)

    def _counts(self, record: PredictionRecord) -> bool:
        blameless = _CLIENT_ERROR <= record.status < _SERVER_ERROR and record.status != _REFUSED_BY_SCHEMA
        return record.generation >= self._rollout.first_generation and not blameless

    def _compare(self, name: str, unit: Unit) -> None:
        """Add a unit to a difference, unless the margin is excluded: that holds for all times together."""
        sequence = self._tests.differences[name]
        if not sequence.is_within_margin:
            sequence.update(unit)

    def _await_label(self, record: PredictionRecord, asked: _Asked) -> None:
        self._by_id[record.id] = asked
        if record.key is not None:
            self._by_key[record.key] = asked
        heapq.heappush(self._ageing, (_moment(record) + self._age_us, next(self._order), asked))

    def _let_age(self, record: PredictionRecord) -> None:
        """Advance business time to this record's and use the labels that have become old enough."""
        self._latest_us = max(self._latest_us, _moment(record))
        while self._ageing and self._ageing[0][0] <= self._latest_us:
            asked = heapq.heappop(self._ageing)[2]
            asked.old = True
            self.arms[asked.is_canary].old += 1
            if asked.loss is not None:
                self.labels["waiting"] -= 1
                self._use(asked, asked.loss)

    def _labelled(self, label: FeedbackRecord) -> None:
        asked = self._asked_of(label)
        if asked is None:
            self.labels["unmatched"] += 1
            return
        if asked.used or asked.loss is not None:
            self.labels["repeated"] += 1
            return
        # A failed answer is as wrong as can be: failing on hard rows must not look like quality.
        loss = WORST if asked.answer is None else self._loss(*asked.answer, label.actual)
        if loss is None:
            self.labels["unusable"] += 1
        elif asked.old:
            self._use(asked, loss)
        else:
            asked.loss = loss
            self.labels["waiting"] += 1

    def _asked_of(self, label: FeedbackRecord) -> _Asked | None:
        if label.prediction_id is not None:
            return self._by_id.get(label.prediction_id)
        asked = self._by_key.get(label.key or "")
        if asked is not None and label.event_us is not None and label.event_us != asked.event_us:
            return None
        return asked

    def _use(self, asked: _Asked, loss: float) -> None:
        asked.used, asked.answer = True, None
        arm = self.arms[asked.is_canary]
        arm.labelled += 1
        arm.loss += loss
        self.labels["used"] += 1
        self._tests.label(is_canary=asked.is_canary, share=asked.share, loss=loss, key=asked.key)

    def _with_counts(self, decision: Decision) -> Decision:
        units = "key" if self._by_key or not self._by_id else "prediction"
        return replace(decision, unit=units, evidence={**decision.evidence, "seen": self.summary()})


def _asked(record: PredictionRecord, *, is_canary: bool, failed: bool) -> _Asked:
    answer = None if failed else (record.scores, record.prediction)
    return _Asked(is_canary, (record.share_bp or 0) / WHOLE, record.key, record.event_us, answer)


def _moment(record: PredictionRecord) -> int:
    """Return the business time of a prediction: its event, or its arrival where the event is yet to come."""
    return record.received_us if record.event_us is None else min(record.event_us, record.received_us)
