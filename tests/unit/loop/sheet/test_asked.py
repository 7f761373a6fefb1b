"""What somebody says of a table goes before what was inferred."""

from __future__ import annotations

from undrift.core.config import ModelSettings
from undrift.loop.sheet.asked import Asked

SETTINGS = ModelSettings(
    dataset="c", target="y", time="at", unit="shop", drop=("id", "mail"), keep=("odd",), budget_s=300
)


def asked(**said: object) -> ModelSettings:
    return Asked(target="y", name="c", **said).over(SETTINGS)  # type: ignore[arg-type]  # options by name


def test_nothing_said_changes_nothing() -> None:
    """The settings stand."""
    assert asked() == SETTINGS


def test_a_column_that_is_kept_is_dropped_no_longer() -> None:
    """And the reverse; what was said last counts."""
    assert asked(keep=("mail",)).drop == ("id",)
    assert asked(drop=("odd",)).keep == ()


def test_a_random_split_forgets_time_and_groups() -> None:
    """Both would split otherwise."""
    found = asked(random_split=True)
    assert (found.time, found.unit) == (None, None)


def test_full_takes_the_budget_away() -> None:
    """As long as it takes."""
    assert asked(full=True).budget_s is None
    assert asked(budget_s=60.0).budget_s == 60.0
