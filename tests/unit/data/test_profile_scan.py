"""Profiles of tables that are longer than what is kept of them: what is exact stays exact, the rest keeps its word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.io.plugins import register_io_source

from undrift.core.masking import Mask
from undrift.data.profile import profile, sample, scan
from undrift.data.profile.distinct import KEPT, STANDARD_ERROR, Distinct, evened, hashed

ROWS = 60_000


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    days = pl.Series([date(2020, 1, 1) + timedelta(days=int(n)) for n in np.sort(rng.integers(0, 900, ROWS))])
    return pl.DataFrame(
        {
            "id": np.arange(ROWS),
            "x": np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(10, 3, ROWS)),
            "age": rng.integers(18, 90, ROWS),
            "plan": rng.choice(["Basic", "Pro", "Team"], ROWS, p=[0.6, 0.3, 0.1]),
            "code": [f"{'AB'[n % 2]}-{n:05d}" for n in range(ROWS)],
            "day": days,
            "cost": pl.Series(rng.integers(-500, 9_999, ROWS)).cast(pl.Decimal(10, 2)),
        }
    )


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep so few rows that a test's table is long."""
    monkeypatch.setattr(sample, "MOST_ROWS", 20_000)
    monkeypatch.setattr(sample, "MOST_CELLS", 10**9)
    monkeypatch.setattr(scan, "CHUNK_ROWS", 7_000)


def test_chunks_make_no_difference(table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean and sd apart, which add up in another order."""
    whole = profile(table)
    monkeypatch.setattr(scan, "CHUNK_ROWS", 7_000)
    parts = profile(table)
    for one, other in zip(whole.columns, parts.columns, strict=True):
        assert replace(one, mean=None, sd=None) == replace(other, mean=None, sd=None)
        if one.mean is not None:
            assert (one.mean, one.sd) == pytest.approx((other.mean, other.sd), rel=1e-12)


@pytest.mark.usefixtures("short")
def test_a_long_table_is_read_once_and_counted_exactly(table: pl.DataFrame) -> None:
    """Counts, extremes, mean, sd, lengths, frequent values, order."""
    scans = []

    def source(*_: object) -> Iterator[pl.DataFrame]:
        scans.append(1)
        yield from table.iter_slices(5_000)

    found = profile(register_io_source(source, schema=table.schema))
    assert len(scans) == 1
    assert (found.rows, found.is_exact) == (ROWS, False)
    assert 10_000 <= found.sampled <= 20_000
    age, x, plan = found.column("age"), found.column("x"), found.column("plan")
    assert (age.minimum, age.maximum, age.distinct, age.distinct_error) == (18, 89, 72, 0.0)
    assert age.top == tuple(table["age"].value_counts(name="n").sort(["n", "age"], descending=[True, False]).rows())
    known = table["x"].drop_nans().to_numpy()
    assert (x.nan, x.missing) == (ROWS - len(known), ROWS - len(known))
    assert (x.mean, x.sd) == pytest.approx((known.mean(), known.std(ddof=1)))
    assert dict(plan.top) == dict(table["plan"].value_counts().iter_rows())
    assert (found.column("id").order, found.column("day").order, age.order) == ("rising", "never falling", "")
    assert found.column("code").text is not None
    assert found.column("code").text.longest == 7


@pytest.mark.usefixtures("short")
def test_what_is_estimated_is_near_and_says_how_near(table: pl.DataFrame) -> None:
    """Different values within three standard errors, quantiles within a point of rank, repeated rows likewise."""
    found = profile(pl.concat([table, table[:12_000]]))
    identity = found.column("id")
    assert identity.distinct_error == STANDARD_ERROR
    assert identity.distinct == pytest.approx(ROWS, rel=3 * STANDARD_ERROR)
    ranks = [(table["x"].drop_nans() <= level).mean() for level in found.column("x").quantiles]
    assert ranks == pytest.approx([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99], abs=0.015)
    assert found.repeated == pytest.approx(12_000, abs=3 * found.repeated_error)


@pytest.mark.usefixtures("short")
def test_a_long_table_has_one_profile(table: pl.DataFrame) -> None:
    """The sample is the same each time."""
    assert profile(table) == profile(table.lazy())


def test_different_values_are_counted_with_the_stated_error() -> None:
    """Of 40 columns of a million different values the errors scatter as 1/sqrt(k - 2) says."""
    errors = []
    for seed in range(40):
        counted = Distinct()
        for start in range(0, 1_000_000, 250_000):
            values = pl.DataFrame({"v": pl.int_range(start, start + 250_000, eager=True) * 40 + seed})
            counted.add(values.select(hashed(pl.col("v")))["v"])
        errors.append(counted.count()[0] / 1_000_000 - 1)
    assert np.std(errors) < 1.4 * STANDARD_ERROR
    assert abs(np.mean(errors)) < 4 * STANDARD_ERROR / np.sqrt(len(errors))


N = 300_000
_IDS = pl.int_range(N, eager=True)
_FEW = "plan " + (_IDS % 3).cast(pl.String)
_REALS = _IDS.cast(pl.Float64) / 7
ROWS_OF: dict[str, list[pl.Series]] = {
    "whole numbers": [_IDS],
    "reals": [_REALS],
    "a text": ["customer " + _IDS.cast(pl.String)],
    "days and moments": [(_IDS % 20_000).cast(pl.Int32).cast(pl.Date), (_IDS * 60_000_000).cast(pl.Datetime("us"))],
    "missing": [_FEW, pl.select(pl.when(_IDS % 2 == 0).then(_IDS)).to_series(), -_IDS],
    "a real and a text of few values": [_REALS, _FEW],
    "a text, a day, a real, a text of few values": [
        "k" + _IDS.cast(pl.String), (_IDS % 999).cast(pl.Int32).cast(pl.Date), _REALS, _FEW,
    ],
    "texts": ["k" + _IDS.cast(pl.String), _FEW, "a name of many letters " + (_IDS % 50).cast(pl.String)],
    "a category behind a number": [_IDS, _FEW.cast(pl.Categorical)],
}  # fmt: skip


@pytest.mark.parametrize("columns", ROWS_OF.values(), ids=ROWS_OF)
def test_rows_of_any_kind_of_columns_are_spread_evenly_and_counted_with_the_stated_error(
    columns: list[pl.Series],
) -> None:
    """The estimate takes hashes for uniform numbers: what polars gives for some tables is not."""
    table = pl.DataFrame([column.alias(str(at)) for at, column in enumerate(columns)])
    hashes = evened(table.hash_rows())
    bins = np.bincount((hashes.to_numpy() >> np.uint64(58)).astype(int), minlength=64)
    assert ((bins - N / 64) ** 2).sum() / (N / 64) < 116  # 63 degrees of freedom: above it by chance once in 20,000
    counted = Distinct()
    for start in range(0, N, 50_000):
        counted.add(evened(table[start : start + 50_000].hash_rows(), counted.below))
    assert counted.count() == (pytest.approx(N, rel=3.5 * STANDARD_ERROR), STANDARD_ERROR)


@pytest.mark.usefixtures("short")
def test_rows_that_are_all_different_are_not_said_to_repeat() -> None:
    """A table whose last column is a text of few values."""
    found = profile(pl.DataFrame({"x": _REALS, "plan": _FEW}))
    assert found.repeated <= 3.5 * found.repeated_error


def test_few_different_values_are_counted_exactly_however_often_they_come() -> None:
    """As many as are kept."""
    counted = Distinct()
    for _ in range(20):
        counted.add(pl.DataFrame({"v": range(KEPT - 1)}).select(hashed(pl.col("v")))["v"])
    assert counted.count() == (KEPT - 1, 0.0)


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ([1, 2, 3], "rising"),
        ([1, None, 1, 3], "never falling"),
        ([3.0, 2.0, float("nan"), 1.0], "falling"),
        ([3, 3, 1], "never rising"),
        ([2, 2], "constant"),
        ([1, 2, 1], ""),
        ([1], ""),
        ([], ""),
    ],
)
def test_order_is_that_of_the_rows(values: list[float], order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also across chunks."""
    table = pl.DataFrame({"v": pl.Series(values, dtype=pl.Float64)})
    assert profile(table).column("v").order == order
    monkeypatch.setattr(scan, "CHUNK_ROWS", 1)
    assert profile(table).column("v").order == order


def test_bins_of_whole_numbers_are_whole_and_hold_everything(table: pl.DataFrame) -> None:
    """No comb where a bin holds now two numbers, now three."""
    for name in ("age", "id", "cost", "x", "day"):
        found = profile(table).column(name).histogram
        assert found is not None
        assert sum(found.counts) + found.below + found.above == ROWS - profile(table).column(name).missing
        assert len(found.counts) <= 90
        assert np.allclose(np.diff(found.edges), np.diff(found.edges)[0])
    steps = np.diff(profile(table).column("age").histogram.edges)  # type: ignore[union-attr]
    assert set(steps) == {2.0}


def test_a_few_extremes_do_not_flatten_the_picture() -> None:
    """Bins cover the middle, what is beyond is counted."""
    found = profile(pl.DataFrame({"v": [*np.random.default_rng(1).normal(size=1000), 1e6]})).column("v").histogram
    assert found is not None
    assert (found.above > 0, found.edges[-1] < 10) == (True, True)


def test_texts_are_told_by_their_shape(table: pl.DataFrame) -> None:
    """Patterns, classes, lengths."""
    found = profile(table).column("code").text
    assert found is not None
    assert found.patterns == (("A-99999", ROWS),)
    assert (found.share("digits"), found.share("letters"), found.share("spaces")) == (1.0, 1.0, 0.0)
    names = profile(pl.DataFrame({"v": ["José Núñez", "Ann Lee", "李 明", " x"]})).column("v").text
    assert names is not None
    assert dict(names.classes) | {"space at an end": 1, "letters beyond ASCII": 2} == dict(names.classes)


def test_columns_that_tell_of_one_another_are_found_and_noise_is_not(table: pl.DataFrame) -> None:
    """Numbers by Pearson, categories by Cramér's V, a category and a number by the correlation ratio."""
    rng = np.random.default_rng(2)
    tied = table.with_columns(
        twice=pl.col("x") * -2 + pl.Series(rng.normal(size=ROWS)),
        tier=pl.col("plan").replace({"Pro": "Paid", "Team": "Paid"}),
        fee=pl.col("plan").replace_strict({"Basic": 0.0, "Pro": 9.0, "Team": 30.0}) + pl.Series(rng.normal(size=ROWS)),
    )
    found = {(one.first, one.second): one for one in profile(tied).associations}
    assert found["x", "twice"].strength == pytest.approx(-0.986, abs=0.005)
    assert (found["plan", "tier"].measure, found["plan", "fee"].measure) == ("cramers_v", "correlation_ratio")
    assert found["plan", "tier"].strength > 0.95
    assert found["plan", "fee"].strength > 0.95
    assert not {("x", "age"), ("plan", "x"), ("plan", "age")} & set(found)


def test_what_is_personal_is_not_told_in_any_way(table: pl.DataFrame) -> None:
    """Neither extremes, distribution, lengths, patterns, counts of zeros, nor order."""
    found = profile(table).concealed({"code": "stated", "age": "stated"}, Mask(bytes(32)))
    for column in (found.column("code"), found.column("age")):
        assert column.top[0][0].startswith("masked:")  # type: ignore[union-attr]
        bare = replace(column, top=(), top_rows=0, personal="")
        assert bare == type(column)(column.name, column.type, 0, 0, column.distinct)
