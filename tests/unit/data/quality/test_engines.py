"""Engines answer alike, from one scan."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.io.plugins import register_io_source

from undrift.data.quality import duckdb_engine, engines
from undrift.data.quality.check import Asked, CheckReport, check, plan_of, prepare
from undrift.data.quality.engines import EngineName
from undrift.data.quality.plan import EngineFailed
from undrift.data.quality.signatures import SIGNATURES
from undrift.data.quality.suite import Expectation, Suite, expect

DAYS = [date(2013, 1, 1) + timedelta(days=n) for n in (0, 3, 1, 1)]
TYPED = pl.DataFrame(
    {
        "day": [*DAYS, None],
        "at": [*(datetime(2013, 1, 1, 12, n, tzinfo=UTC) for n in (0, 3, 1, 1)), None],
        "naive": [*(datetime(2013, 1, 1, 12, n) for n in (0, 3, 1, 1)), None],  # noqa: DTZ001
        "price": [Decimal("1.50"), Decimal("-2.25"), None, Decimal("1.50"), Decimal("7.00")],
        "small": pl.Series([1, 2, 2, None, 5], dtype=pl.Int16),
        "single": pl.Series([1.5, float("nan"), -2.0, None, 9.0], dtype=pl.Float32),
        "kind": pl.Series(["a", "b", None, "a", "ü"], dtype=pl.Categorical),
        "yes": [True, False, None, True, True],
        'it\'s "odd"': ["x", "y", "x", None, "z"],
        "file_row_number": [5, 4, 3, 2, 1],
        "empty": pl.Series([None] * 5, dtype=pl.String),
    }
)
BETWEEN = "expect_column_values_to_be_between"


def every() -> Iterator[Expectation]:
    for name in TYPED.columns:
        for kind in ("values_to_not_be_null", "values_to_be_unique", "values_to_be_increasing"):
            yield expect(f"expect_column_{kind}", column=name)
        yield expect("expect_column_unique_value_count_to_be_between", column=name, max_value=2)
        yield expect("expect_column_distinct_values_to_be_in_set", column=name, value_set=[1, "a", "x", True])
        yield expect("expect_column_most_common_value_to_be_in_set", column=name, value_set=["a"])
    yield expect(BETWEEN, column="day", min_value="2013-01-02")
    yield expect(BETWEEN, column="at", max_value="2013-01-01T14:01:00+02:00")
    yield expect(BETWEEN, column="naive", min_value="2013-01-01T12:01:00", strict_min=True)
    yield expect(BETWEEN, column="price", min_value=-2.25, max_value=1.5, strict_min=True)
    yield expect(BETWEEN, column="small", min_value=1.5)
    yield expect(BETWEEN, column="kind", min_value="b", max_value="c")
    yield expect("expect_column_min_to_be_between", column="kind", min_value="b")
    yield expect("expect_column_pair_values_to_be_equal", column_A="kind", column_B='it\'s "odd"')
    yield expect("expect_column_distinct_values_to_equal_set", column="kind", value_set=["a", "b", "ü"])
    yield expect(BETWEEN, column="single", min_value=-2, max_value=1.5, row_condition="yes or day > '2013-01-01'")
    yield expect("expect_column_values_to_be_in_set", column="at", value_set=["2013-01-01T12:03:00+00:00", 3])
    yield expect("expect_column_values_to_be_in_set", column="price", value_set=[1.5, 7])
    yield expect("expect_column_values_to_match_regex", column="kind", regex="[a-z]")
    yield expect("expect_column_value_lengths_to_equal", column='it\'s "odd"', value=1)
    for kind in ("min", "max", "mean", "median", "stdev", "sum"):
        yield expect(f"expect_column_{kind}_to_be_between", column="price", min_value=0)
        yield expect(f"expect_column_{kind}_to_be_between", column="single", max_value=3)
    for name in ("day", "at", "naive"):
        yield expect("expect_column_max_to_be_between", column=name, max_value="2013-01-01T12:03:00+00:00")
    yield expect("expect_column_value_z_scores_to_be_less_than", column="price", threshold=1, double_sided=True)
    yield expect("expect_column_values_to_not_be_outliers", column="small")
    yield expect("expect_column_values_to_not_be_outliers", column="single", method="std", multiplier=0.5)
    yield expect("expect_compound_columns_to_be_unique", column_list=["yes", "kind"])
    yield expect("expect_multicolumn_sum_to_equal", column_list=["price", "small"], sum_total=2.5)
    yield expect("expect_column_pair_values_to_be_equal", column_A="at", column_B="naive")


def told(report: CheckReport) -> list[Any]:
    return [
        (
            result.expectation.type,
            result.expectation.column,
            result.success,
            result.considered,
            result.unexpected,
            result.rows.tolist(),
            result.examples,
            result.problem,
            pytest.approx(result.observed) if isinstance(result.observed, float) else result.observed,
            dict(result.details),
        )
        for result in report.results
    ]


def test_engines_agree_on_every_type() -> None:
    """Days, moments, instants, decimals, narrow numbers, categories, names that need quotes."""
    suite = Suite("s", tuple(every()))
    ours, theirs = (check(TYPED, suite, Asked(engine=engine)) for engine in ("polars", "duckdb"))
    assert [entry for entry in zip(told(ours), told(theirs), strict=True) if entry[0] != entry[1]] == []
    assert (ours.bad_rows.tolist(), ours.bad_count) == (theirs.bad_rows.tolist(), theirs.bad_count)
    assert sum(not result.problem for result in ours.results) > 70


_ROW = st.tuples(st.none() | st.integers(-3, 3), st.none() | st.sampled_from("ab"), st.none() | st.floats(-2, 2))


@given(
    st.lists(_ROW, max_size=12),
    st.sampled_from(["", "n > 0", "t == 'a'", "x.isnull() or n != 1"]),
)
@settings(max_examples=40, deadline=None)
def test_engines_agree_on_any_table(rows: list[tuple[Any, ...]], condition: str) -> None:
    """Nulls, repetitions, order, no rows at all."""
    table = pl.DataFrame(rows, schema={"n": pl.Int64, "t": pl.String, "x": pl.Float64}, orient="row")
    where = {"row_condition": condition, "condition_parser": "pandas"} if condition else {}
    suite = Suite(
        "s",
        (
            expect("expect_column_values_to_be_unique", column="n", **where),
            expect("expect_column_values_to_be_increasing", column="n", **where),
            expect("expect_column_values_to_be_decreasing", column="x", strictly=True, **where),
            expect("expect_compound_columns_to_be_unique", column_list=["n", "t"], **where),
            expect("expect_column_value_z_scores_to_be_less_than", column="n", threshold=1, double_sided=True, **where),
            expect("expect_column_values_to_not_be_outliers", column="n", multiplier=0.5, **where),
            expect("expect_column_distinct_values_to_equal_set", column="t", value_set=["a"], **where),
            expect("expect_column_mean_to_be_between", column="x", min_value=0, **where),
        ),
    )
    ours, theirs = (told(check(table, suite, Asked(engine=engine))) for engine in ("polars", "duckdb"))
    assert ours == theirs


ENGINES: tuple[EngineName, ...] = ("polars", "duckdb")


def test_one_suite_is_one_scan_of_polars() -> None:
    """However many expectations, with conditions, windows and lists of rows: the source is read once."""
    scans = []

    def source(*_: object) -> Iterator[pl.DataFrame]:
        scans.append(1)
        yield TYPED

    suite = Suite("s", tuple(every()))
    report = check(register_io_source(source, schema=TYPED.schema), suite)
    assert (len(scans), report.rows) == (1, TYPED.height)


def test_one_suite_is_one_scan_of_duckdb_and_one_of_each_key(tmp_path: Path) -> None:
    """Its one query reads rows in one place; values that must differ are grouped from their own columns alone."""
    path = tmp_path / "table.parquet"
    TYPED.write_parquet(path)
    suite = Suite("s", tuple(every()))
    prepared = [prepare(expectation, TYPED.schema, {}) for expectation in suite.expectations]
    query = duckdb_engine.query_of(path, plan_of(prepared, Asked()), TYPED.schema)
    assert query.predicates == []
    with duckdb.connect() as connection:
        rows = connection.execute(f"EXPLAIN (FORMAT json) {query.text}", query.values).fetchall()
    widest, *keys = sorted(map(len, _scans(json.loads(rows[0][1]))), reverse=True)
    assert widest > len(TYPED.columns) / 2
    assert 1 <= len(keys) <= len(query.groups)
    assert max(keys) <= 3  # a key of three columns, and its condition


def _scans(node: Any) -> list[list[str]]:
    """Return which columns each part of a plan reads."""
    if isinstance(node, list):
        return [one for child in node for one in _scans(child)]
    own = []
    if "PARQUET" in str(node.get("name", "")).upper():
        read = node["extra_info"]["Projections"]
        own = [[read] if isinstance(read, str) else list(read)]
    return own + _scans(node.get("children", []))


@pytest.mark.parametrize("where", [None, "flag"])
def test_repeated_keys_of_missing_values_are_found_by_both_engines(where: str | None) -> None:
    """Missing values are equal to each other in a key of several columns; rows outside of a condition do not count."""
    table = pl.DataFrame(
        {
            "a": [1, 1, None, None, 2, 2, None],
            "b": ["x", "x", None, None, None, None, "x"],
            "flag": [True, False, True, True, True, True, True],
        }
    )
    condition = {"row_condition": f"{where} == True", "condition_parser": "pandas"} if where else {}
    kind, names = "expect_compound_columns_to_be_unique", ["a", "b"]
    suite = Suite("s", (expect(kind, column_list=[*names], ignore_row_if="never", **condition),))
    found = {engine: check(table, suite, Asked(engine=engine)).results[0].rows.tolist() for engine in ENGINES}
    assert found["polars"] == found["duckdb"] == ([2, 3, 4, 5] if where else [0, 1, 2, 3, 4, 5])


def test_a_file_is_checked_where_it_lies(tmp_path: Path) -> None:
    """By either engine."""
    path = tmp_path / "table.parquet"
    TYPED.write_parquet(path)
    suite = Suite("s", tuple(every()))
    assert told(check(path, suite)) == told(check(path, suite, Asked(engine="duckdb"))) == told(check(TYPED, suite))


def test_a_file_beyond_a_share_of_the_memory_goes_to_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself; a small one stays with polars."""
    path, suite = tmp_path / "table.parquet", Suite("s", (expect("expect_table_row_count_to_equal", value=5),))
    TYPED.write_parquet(path)
    used = []

    def run(*asked: Any) -> Any:
        used.append(asked[2])
        return real(*asked)

    real = duckdb_engine.run
    monkeypatch.setattr(duckdb_engine, "run", run)
    assert check(path, suite).verdict == "pass"
    assert used == []
    monkeypatch.setattr(engines, "_UNPACKED", 10**12)
    assert check(path, suite).verdict == "pass"
    assert used[0] > 2**20


def test_counts_need_no_row_numbers() -> None:
    """Nor examples: what is not asked for is not gathered."""
    suite = Suite("s", (expect("expect_column_values_to_not_be_null", column="small"),))
    for engine in ("polars", "duckdb"):
        report = check(TYPED, suite, Asked(row_numbers=False, examples=0, engine=engine))  # type: ignore[arg-type]
        assert (report.bad_count, report.bad_rows.tolist(), report.results[0].unexpected) == (1, [], 1)
        assert report.results[0].examples == ()


_CHECK = """
import sys
from pathlib import Path
from undrift.data.quality.check import Asked, check
from undrift.data.quality.suite import Suite, expect
suite = Suite("s", (
    expect("expect_column_values_to_be_unique", column="id"),
    expect("expect_column_values_to_be_between", column="x", min_value=-9, max_value=9),
    expect("expect_column_mean_to_be_between", column="y", min_value=-1, max_value=1),
))
report = check(Path(sys.argv[1]), suite, Asked(row_numbers=False, engine="duckdb", memory_limit=150 * 2**20))
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(report.verdict, report.rows, int(peak.split()[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of one process is told by Linux")
def test_a_table_larger_than_the_limit_is_checked_within_it(tmp_path: Path) -> None:
    """640 MB of values with 150 MB: DuckDB writes to disk what does not fit; Python and its libraries come on top."""
    path, rows = tmp_path / "large.parquet", 20_000_000
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=rows) for name in ("x", "y", "z")}
    pl.DataFrame({"id": np.arange(rows), **columns}).write_parquet(path, row_group_size=200_000)
    assert path.stat().st_size > 450 * 2**20
    done = subprocess.run([sys.executable, "-c", _CHECK, str(path)], capture_output=True, text=True, check=True)
    verdict, checked, used_mb = done.stdout.split()  # and no progress bar between
    assert (verdict, int(checked)) == ("pass", rows)
    assert int(used_mb) < 400


def test_every_expectation_that_is_not_refused_has_a_rule() -> None:
    """The list of names and the rules are one."""
    from undrift.data.quality.compiling import RULED

    assert {name for name, one in SIGNATURES.items() if one.family != "refused"} == RULED


def test_what_an_engine_cannot_do_is_an_error_of_ours() -> None:
    """Without the words of the library, which may quote a cell."""
    table = pl.DataFrame({"a": pl.Series([{"x": 1}, {"x": 2}]), "b": pl.Series([[1], [1]])})
    broken = table.lazy().with_columns(c=pl.lit("secret").str.to_integer())
    suite = Suite("s", (expect("expect_column_values_to_be_between", column="c", min_value=1),))
    with pytest.raises(EngineFailed) as caught:
        check(broken, suite)
    assert "secret" not in str(caught.value)
    nested = Suite("s", tuple(expect("expect_column_values_to_be_unique", column=name) for name in ("a", "b")))
    assert [result.unexpected for result in check(table, nested).results] == [0, 2]
