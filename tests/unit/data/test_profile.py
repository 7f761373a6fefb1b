"""Profiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.io.plugins import register_io_source

from undrift.core import canonical
from undrift.data.profile import profile

GOLDEN = Path(__file__).parents[2] / "golden/data/profile.json"
TABLE = pl.DataFrame(
    {
        "n": [1, 2, 2, None],
        "x": [1.0, float("nan"), None, 3.0],
        "s": ["b", "a", "b", None],
        "b": [True, None, False, True],
        "d": [date(2013, 1, n) for n in (1, 2, 3, 4)],
        "raw": [b"x", None, b"x", b""],
    }
)


def test_a_profile_counts_what_is_there() -> None:
    """NaN is missing, and counted by itself too."""
    found = profile(TABLE)
    x, n, s = found.column("x"), found.column("n"), found.column("s")
    assert (x.missing, x.nan, x.distinct, x.minimum, x.maximum, x.mean) == (2, 1, 2, 1.0, 3.0, 2.0)
    assert (n.missing, n.distinct, n.top) == (1, 2, ((2, 2), (1, 1)))
    assert (s.minimum, s.maximum, s.top) == ("a", "b", (("b", 2), ("a", 1)))
    assert found.column("d").maximum == "2013-01-04"
    assert found.column("raw").distinct == 2
    assert found.rows == 4


def test_a_profile_is_one_scan() -> None:
    """The table is read once."""
    scans = []

    def source(*_: object) -> Iterator[pl.DataFrame]:
        scans.append(1)
        yield TABLE

    assert profile(register_io_source(source, schema=TABLE.schema)) == profile(TABLE)
    assert len(scans) == 1


def test_quantiles_are_those_of_numpy() -> None:
    """Linear between neighbours."""
    values = np.random.default_rng(1).normal(size=501)
    found = profile(pl.DataFrame({"x": values})).column("x")
    assert found.quantiles == pytest.approx(np.quantile(values, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]))
    assert found.sd == pytest.approx(values.std(ddof=1))


def test_a_law_between_two_columns_is_found_and_an_accident_is_not() -> None:
    """One never exceeds the other although they overlap."""
    random = np.random.default_rng(1)
    temp = random.normal(size=1000)
    frame = pl.DataFrame({"temp": temp, "dewp": temp - random.exponential(size=1000), "far": temp + 100})
    assert profile(frame).ordered == (("dewp", "temp"),)
    assert profile(frame[:100]).ordered == ()


@pytest.mark.parametrize("frame", [TABLE.clear(), TABLE, pl.DataFrame({"x": [1.0, float("inf")], "y": [2**62, 1]})])
def test_a_profile_can_be_written(frame: pl.DataFrame) -> None:
    """Also of nothing, and of infinities."""
    if frame.columns != ["x", "y"]:
        assert canonical.dumps(profile(frame).as_json())
    assert profile(frame).rows == frame.height


def test_a_profile_has_the_form_of_the_golden_file() -> None:
    """Other programs read it."""
    assert profile(TABLE).as_json() == json.loads(GOLDEN.read_text())
