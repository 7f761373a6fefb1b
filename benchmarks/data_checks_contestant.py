"""One contestant of benchmarks/data_checks.py, in a process of its own: imports, reads, checks, tells.

python data_checks_contestant.py CONTESTANT TABLE.parquet
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COUNTRIES = ["AT", "BE", "BR", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "IT", "NL", "NO", "PL", "SE"]
EMAIL = r"^[a-z0-9.]+@[a-z]+\.[a-z]+$"
STATUS = ["new", "paid", "sent"]
ON_ROWS: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_not_be_null", {"column": "id"}),
    ("expect_column_values_to_be_unique", {"column": "id"}),
    ("expect_column_values_to_be_between", {"column": "amount", "min_value": 0, "max_value": 220}),
    ("expect_column_values_to_be_in_set", {"column": "country", "value_set": COUNTRIES}),
    ("expect_column_values_to_match_regex", {"column": "email", "regex": EMAIL}),
    ("expect_column_values_to_be_between", {"column": "age", "min_value": 18, "max_value": 98}),
    ("expect_column_values_to_not_be_null", {"column": "x2"}),
    ("expect_column_values_to_be_in_set", {"column": "status", "value_set": STATUS, "mostly": 0.5}),
    ("expect_column_value_lengths_to_equal", {"column": "country", "value": 2}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "x5", "column_B": "x4", "or_equal": True}),
]
ON_NUMBERS: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_mean_to_be_between", {"column": "x3", "min_value": 2, "max_value": 4}),
    ("expect_column_stdev_to_be_between", {"column": "x6", "min_value": 6, "max_value": 8}),
    ("expect_column_median_to_be_between", {"column": "x7", "min_value": 6, "max_value": 8}),
    ("expect_column_max_to_be_between", {"column": "x0", "max_value": 10}),
    ("expect_column_unique_value_count_to_be_between", {"column": "country", "max_value": 20}),
    ("expect_table_row_count_to_be_between", {"min_value": 1}),
]
Prepared = tuple[float, Callable[[], list[int]]]


def undrift(path: Path, engine: Any) -> Prepared:
    """Return our seconds of import, and the check."""
    began = time.perf_counter()
    from undrift.data.quality.check import Asked, check
    from undrift.data.quality.suite import Expectation, Suite

    if engine == "duckdb":
        import duckdb  # noqa: F401
    imported = time.perf_counter() - began
    import polars as pl

    suite = Suite("s", tuple(Expectation(kind, kwargs) for kind, kwargs in [*ON_ROWS, *ON_NUMBERS]))
    table = path if engine == "duckdb" else pl.read_parquet(path)
    asked = Asked(row_numbers=False, engine=engine)

    def run() -> list[int]:
        results = check(table, suite, asked).results
        assert all(result.success for result in results[len(ON_ROWS) :])
        return [result.unexpected for result in results[: len(ON_ROWS)]]

    return imported, run


def great_expectations(path: Path) -> Prepared:
    """Return Great Expectations' seconds of import, and the check."""
    began = time.perf_counter()
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    imported = time.perf_counter() - began
    import pandas as pd
    import polars as pl

    # Through numpy: pandas reads Parquet only with pyarrow.
    table = pd.DataFrame({column.name: column.to_numpy() for column in pl.read_parquet(path)})
    table = table.astype(dict.fromkeys(("country", "email", "status"), "str"))
    context = gx.get_context(mode="ephemeral")
    made = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    batch = made.get_batch({"dataframe": table})
    suite = gx.ExpectationSuite(name="s")
    for kind, kwargs in [*ON_ROWS, *ON_NUMBERS]:
        suite.add_expectation(ExpectationConfiguration(type=kind, kwargs=dict(kwargs)).to_domain_obj())

    def run() -> list[int]:
        found = batch.validate(suite, result_format="BASIC").results  # in an order of their own
        by_name = {_name(one.expectation_config.type, one.expectation_config.kwargs): one for one in found}
        assert all(by_name[_name(*one)].success for one in ON_NUMBERS)
        return [int(by_name[_name(*one)].result["unexpected_count"]) for one in ON_ROWS]

    return imported, run


def _name(kind: str, kwargs: dict[str, Any]) -> tuple[str, str]:
    return kind, str(kwargs.get("column"))


def pandera(path: Path) -> Prepared:
    """Return pandera's seconds of import, and the check."""
    began = time.perf_counter()
    import pandera.polars as pa
    import polars as pl

    imported = time.perf_counter() - began
    table = pl.read_parquet(path)

    def number(expression: Callable[[pl.Expr], pl.Expr], low: float | None, high: float | None) -> pa.Check:
        def holds(data: Any) -> pl.LazyFrame:
            value = expression(pl.col(data.key))
            return data.lazyframe.select((value >= low if low is not None else True) & (value <= high))

        return pa.Check(holds)

    gap_free = {"nullable": True}
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(int, unique=True),
            "amount": pa.Column(float, pa.Check.in_range(0, 220), **gap_free),
            "country": pa.Column(
                str,
                [pa.Check.isin(COUNTRIES), pa.Check.str_length(2, 2), number(lambda one: one.n_unique(), None, 20)],
                **gap_free,
            ),
            "email": pa.Column(str, pa.Check.str_matches(EMAIL), **gap_free),
            "age": pa.Column(int, pa.Check.in_range(18, 98), **gap_free),
            "x2": pa.Column(float),
            "status": pa.Column(str, pa.Check.isin(STATUS), **gap_free),
            "x3": pa.Column(float, number(lambda one: one.mean(), 2, 4), **gap_free),
            "x6": pa.Column(float, number(lambda one: one.std(), 6, 8), **gap_free),
            "x7": pa.Column(float, number(lambda one: one.median(), 6, 8), **gap_free),
            "x0": pa.Column(float, number(lambda one: one.max(), None, 10), **gap_free),
        },
        checks=[
            pa.Check(lambda data: data.lazyframe.select(pl.col("x5") >= pl.col("x4"))),
            pa.Check(lambda data: data.lazyframe.select(pl.len() >= 1)),
        ],
    )

    def run() -> list[int]:
        try:
            schema.validate(table, lazy=True)
        except pa.errors.SchemaErrors as error:
            return _of_pandera(error.failure_cases)
        return [0] * len(ON_ROWS)

    return imported, run


def _of_pandera(cases: Any) -> list[int]:
    """Return how many rows break each check, in our order."""
    import polars as pl

    def count(column: str, word: str) -> int:
        return cases.filter((pl.col("column") == column) & pl.col("check").str.contains(word)).height

    named = [("id", "nullable"), ("id", "unique"), ("amount", "range"), ("country", "isin"), ("email", "match")]
    named += [("age", "range"), ("x2", "null"), ("status", "isin"), ("country", "length"), ("", "lambda")]
    return [count(column, word) for column, word in named]


def peak_mb() -> float:
    """Return the most memory of this process; getrusage would also count what its parent had when it forked."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this benchmark runs on Linux")


def main() -> None:
    """Run and print one line of JSON."""
    who, path = sys.argv[1], Path(sys.argv[2])
    makers: dict[str, Callable[[], Prepared]] = {
        "undrift-polars": lambda: undrift(path, "polars"),
        "undrift-duckdb": lambda: undrift(path, "duckdb"),
        "great-expectations": lambda: great_expectations(path),
        "pandera-polars": lambda: pandera(path),
    }
    imported, run = makers[who]()
    began = time.perf_counter()
    faults = run()
    validated = time.perf_counter() - began
    print(json.dumps({"import_s": imported, "validate_s": validated, "peak_mb": peak_mb(), "faults": faults}))


if __name__ == "__main__":
    main()
