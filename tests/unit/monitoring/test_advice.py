"""An incident starts one retraining, and a storm of them no more."""

from datetime import UTC, datetime, timedelta

from undrift.core.ids import IncidentId
from undrift.monitoring.advice import retrain_advice
from undrift.monitoring.incident import Incident, IncidentKind

NOW = datetime(2013, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def incident(
    number: int = 0, kind: IncidentKind = "drift", updated: datetime = NOW, *, closed: bool = False
) -> Incident:
    return Incident(
        id=IncidentId(f"incident{number:018d}"),
        endpoint="delay",
        model_version="model:delay@1",
        kind=kind,
        opened_at=NOW - DAY,
        updated_at=updated,
        closed_at=NOW if closed else None,
        times=1,
        decision={},
    )


def test_a_storm_of_incidents_starts_one_retraining() -> None:
    """100 incidents in one hour, looked at each minute: one training."""
    starts: list[datetime] = []
    for minute in range(60):
        now = NOW + timedelta(minutes=minute)
        storm = [incident(number, updated=now) for number in range(min(100, 5 + 2 * minute))]
        advice = retrain_advice(storm, 500, starts[-1] if starts else None, DAY, now)
        starts += [now] if advice.action == "retrain" else []
    assert starts == [NOW]


def test_without_new_labelled_rows_it_waits() -> None:
    """The same rows would give the same model."""
    assert retrain_advice([incident()], 0, None, DAY, NOW).action == "wait"
    assert retrain_advice([incident()], 1, None, DAY, NOW).action == "retrain"


def test_after_the_cooldown_only_a_rule_broken_again_counts() -> None:
    """An old finding does not start a second training; a newer one does."""
    last = NOW - 2 * DAY
    assert retrain_advice([incident(updated=last)], 9, last, DAY, NOW).action == "wait"
    assert retrain_advice([incident(updated=NOW)], 9, last, DAY, NOW).action == "retrain"


def test_broken_data_are_not_learned_from() -> None:
    """While a quality incident is open, drift waits."""
    advice = retrain_advice([incident(1), incident(2, "quality")], 9, None, DAY, NOW)
    assert (advice.action, advice.incidents) == ("wait", (incident(1).ref,))


def test_errors_silence_and_closed_incidents_are_no_reason() -> None:
    """Training cures none of them."""
    others = [incident(1, "errors"), incident(2, "no-data"), incident(3, "drift", closed=True)]
    assert retrain_advice(others, 9, None, DAY, NOW).action == "nothing"
