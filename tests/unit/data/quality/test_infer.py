"""Suites suggested from a profile, judged on a year of flights of which January is the reference."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import polars as pl
import pytest

from undrift.core.errors import BadInput
from undrift.data.profile import profile
from undrift.data.quality.check import CheckReport, check
from undrift.data.quality.infer import Role, infer_suite
from undrift.data.quality.suite import Suite
from undrift.demo import flights

ROLES: Mapping[str, Role] = {"key": "key", "late": "target"}


@cache
def month(number: int) -> pl.DataFrame:
    return flights.load().filter(pl.col("month") == number)


@cache
def january() -> Suite:
    return infer_suite("flights", profile(month(1)), ROLES)


def of(number: int, **columns: pl.Expr) -> CheckReport:
    return check(month(number).with_columns(**columns), january())


def test_the_reference_passes_its_own_suite() -> None:
    """What was seen is expected."""
    assert of(1).verdict == "pass"


@pytest.mark.parametrize("number", range(2, 13))
def test_a_new_month_passes_but_for_real_faults(number: int) -> None:
    """Time moves on and the seasons turn; the wind of 1,048 mph in February does not pass."""
    found = of(number)
    assert found.stop_reasons == ()
    condemned = {result.expectation.column for result in found.results if result.condemns_rows and result.unexpected}
    missing = {"temp", "dewp", "humid", "wind_speed", "precip", "visib"}  # some hours have no weather
    assert condemned <= missing
    wind = month(number)["wind_speed"].max()
    assert ("wind_speed" in condemned) or wind is None or float(wind) < 200  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [1, 4, 7])
def test_temperature_in_kelvin_is_caught_row_by_row(number: int) -> None:
    """In every season."""
    found = of(number, temp=(pl.col("temp") - 32) * 5 / 9 + 273.15)
    assert len(found.bad_rows) > 0.99 * found.rows
    assert found.stop_reasons


@pytest.mark.parametrize("number", [1, 4, 7])
def test_celsius_in_one_column_breaks_the_law_between_two(number: int) -> None:
    """Dew point is never above temperature: no range of one column could tell."""
    found = of(number, temp=(pl.col("temp") - 32) * 5 / 9)
    assert any("column_A=temp" in reason for reason in found.stop_reasons)


def test_celsius_in_all_columns_is_not_caught() -> None:
    """The stated limit of margins that let the seasons turn."""
    celsius = {name: (pl.col(name) - 32) * 5 / 9 for name in ("temp", "dewp")}
    assert of(1, **celsius).stop_reasons == ()


def test_nothing_of_time_gets_a_range() -> None:
    """Dates, instants, calendar columns and identifiers grow or turn by themselves."""
    ranged = {e.column for e in january().expectations if "be_between" in e.type and e.column}
    assert ranged == {"distance", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"}


def kinds(values: object, name: str = "x", roles: Mapping[str, Role] | None = None) -> dict[str, str]:
    suite = infer_suite("s", profile(pl.DataFrame({name: values})), roles)
    return {e.type.removeprefix("expect_column_"): e.severity for e in suite.expectations if e.column}


def test_identifiers_are_unique_by_name_role_or_look() -> None:
    """Only what is said to be a key fails; numbers without gaps and codes of one length look like keys."""
    assert kinds(range(200), "order_id")["values_to_be_unique"] == "fail"
    assert kinds(range(200), "x", {"x": "key"})["values_to_be_unique"] == "fail"
    assert kinds(np.random.default_rng(0).permutation(200))["values_to_be_unique"] == "warn"
    assert kinds([f"A-{n:04d}" for n in range(200)])["values_to_be_unique"] == "warn"


@pytest.mark.parametrize(
    "values",
    [
        np.arange(200) / 3,
        np.random.default_rng(0).permutation(10**6)[:200],
        [f"said {'ever ' * (n % 7)}{n}" for n in range(200)],
    ],
    ids=["fractions", "whole numbers with gaps", "free text"],
)
def test_what_differs_by_chance_need_not_differ(values: object) -> None:
    """Two customers may have one income, two reviews one text."""
    assert "values_to_be_unique" not in kinds(values)


def test_missing_values_are_expected_as_far_as_they_were_seen() -> None:
    """Half as many again are told, or what five standard errors allow; a target may be missing: labels come later."""
    assert kinds([1, 2] * 50)["values_to_not_be_null"] == "fail"
    some = infer_suite("s", profile(pl.DataFrame({"x": [None] * 200 + [1.0, 2.0] * 900})))
    shares = [(e.severity, e.mostly) for e in some.expectations if e.type.endswith("not_be_null")]
    assert shares == [("warn", 0.85), ("fail", 0.02)]
    few = infer_suite("s", profile(pl.DataFrame({"x": [None, 1.0, 2.0, 3.0]})))
    assert [e.mostly for e in few.expectations if e.type.endswith("not_be_null")] == [0.02]
    assert "values_to_not_be_null" not in kinds([1, 2] * 50, "x", {"x": "target"})


def between(values: object, name: str = "x") -> dict[str, tuple[object, object]]:
    """Return the suggested ranges of rows by severity, those without a share."""
    suite = infer_suite("s", profile(pl.DataFrame({name: values})))
    return {
        e.severity: (e.kwargs.get("min_value"), e.kwargs.get("max_value"))
        for e in suite.expectations
        if e.type == "expect_column_values_to_be_between" and e.mostly == 1
    }


def test_bounds_of_ages_are_those_that_a_person_would_write() -> None:
    """Whole, readable, never below zero; the nearer one warns."""
    ages = [*range(18, 90)] * 5
    assert between(ages, "age") == {"fail": (0, 160), "warn": (None, 125)}
    assert between([float(age) for age in ages], "age") == between(ages, "age")


def test_what_may_be_negative_is_not_cut_at_zero() -> None:
    """A summer's temperatures say nothing of the winter; below zero is told, for nobody saw it."""
    summer = np.random.default_rng(1).normal(20, 5, 1000).clip(1).round(1)
    found = between(summer, "temperature")
    assert found["warn"][0] == 0
    assert found["fail"][0] < 0  # type: ignore[operator]


def test_values_that_pile_up_at_an_end_end_there() -> None:
    """A scale from 1 to 5; a measured percentage; but not the rarest count of few."""
    rng = np.random.default_rng(1)
    assert between(rng.integers(1, 6, 1000))["warn"] == (1, 5)
    assert between(rng.normal(85, 15, 1000).clip(0, 100).round(1))["warn"][1] == 100
    assert between(rng.poisson(1.0, 1000))["fail"][1] >= 10  # type: ignore[operator]


def test_a_heavy_tail_gets_a_factor_and_its_bulk_is_held() -> None:
    """A single amount may be far out; half of them may not move by a factor of three."""
    amounts = np.random.default_rng(1).lognormal(3, 1, 1000)
    suite = infer_suite("s", profile(pl.DataFrame({"x": amounts})))
    assert check(pl.DataFrame({"x": [*amounts, 10 * amounts.max()]}), suite).verdict == "pass"
    assert check(pl.DataFrame({"x": amounts * 10}), suite).stop_reasons
    assert check(pl.DataFrame({"x": amounts / 10}), suite).stop_reasons


def test_flags_are_zero_and_one() -> None:
    """Where both are frequent; where 1 is as rare as a count may be, 2 is no fault."""
    assert kinds([0, 1] * 100)["values_to_be_in_set"] == "fail"
    assert "values_to_be_in_set" not in kinds([0] * 295 + [1] * 5)


def test_codes_of_one_length_keep_it() -> None:
    """A postcode that lost its leading zero is told."""
    codes = [f"{n % 150:05d}" for n in range(400)]
    suite = infer_suite("s", profile(pl.DataFrame({"shop": codes})))
    assert check(pl.DataFrame({"shop": [code.lstrip("0") for code in codes]}), suite).verdict == "warn"


def test_an_amount_below_zero_is_a_fault() -> None:
    """Where the reference has none and the column is a measure: an amount, an age."""
    values = np.exp(np.random.default_rng(1).normal(size=1000))
    amounts = infer_suite("s", profile(pl.DataFrame({"amount": values})))
    assert check(pl.DataFrame({"amount": [-0.01] * 10}), amounts).stop_reasons
    ages = infer_suite("s", profile(pl.DataFrame({"age": list(range(18, 90)) * 5})))
    assert check(pl.DataFrame({"age": [*range(20, 90), -5]}), ages).bad_rows.tolist() == [70]


def test_the_reason_tells_what_was_seen_and_no_extreme() -> None:
    """It is kept with the suite; cells are not."""
    amounts = np.random.default_rng(1).lognormal(3, 1, 1000)
    suite = infer_suite("s", profile(pl.DataFrame({"amount": amounts})))
    reasons = [e.meta["because"] for e in suite.expectations if e.column and "between" in e.type]
    q25, q75 = np.quantile(amounts, [0.25, 0.75])
    assert all(f"half of the values lie between {q25:.4g} and {q75:.4g}" in reason for reason in reasons)
    assert f"{amounts.max():.4g}" not in str(suite.as_json())


def test_unknown_categories_warn_and_many_of_them_fail() -> None:
    """One new shop is news, a tenth of the rows from new shops is another table."""
    suite = infer_suite("s", profile(pl.DataFrame({"shop": ["a", "b"] * 100})))
    assert check(pl.DataFrame({"shop": ["a"] * 99 + ["new"]}), suite).verdict == "warn"
    assert check(pl.DataFrame({"shop": ["a"] * 80 + ["new"] * 20}), suite).stop_reasons


def test_infinite_constant_and_empty_columns_get_no_range() -> None:
    """No margin can be computed from them."""
    frame = pl.DataFrame({"inf": [1.0, float("inf")], "one": [3.0, 3.0], "none": [None, float("nan")]})
    suite = infer_suite("s", profile(frame))
    assert not [e for e in suite.expectations if e.type.endswith("be_between") and e.column]
    assert check(frame, suite).verdict == "pass"


def test_a_role_for_a_column_that_is_not_there_is_refused() -> None:
    """A slip of the pen would switch a check off."""
    with pytest.raises(BadInput, match="wind"):
        infer_suite("s", profile(pl.DataFrame({"x": [1]})), {"wind": "key"})
