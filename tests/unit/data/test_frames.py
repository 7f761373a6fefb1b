"""Tables in memory."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from undrift.core.errors import BadInput
from undrift.data.service import Data
from undrift.data.tabular.frames import as_frame, as_table, write_table
from undrift.ledger.actor import Actor

CSV = "n,x,s,ok,day,at\n1,1.5,a,true,2013-12-31,2013-12-31T06:00Z\n,,,,,\n3,-0.25,,false,2014-01-01,2014-01-01T00:00Z\n"
DAYS = [date(2013, 12, 31), None, date(2014, 1, 1)]
MOMENTS = [datetime(2013, 12, 31, 6, tzinfo=UTC), None, datetime(2014, 1, 1, tzinfo=UTC)]
COLUMNS: dict[str, list[Any]] = {
    "n": [1, None, 3],
    "x": [1.5, None, -0.25],
    "s": ["a", None, None],
    "ok": [True, None, False],
    "day": DAYS,
    "at": MOMENTS,
}
ROWS = [{name: values[row] for name, values in COLUMNS.items() if values[row] is not None} for row in range(3)]


def nullable() -> pd.DataFrame:
    zoned = pd.Series(pd.to_datetime(COLUMNS["at"], utc=True)).dt.tz_convert("Europe/Zurich")
    return pd.DataFrame(
        {
            "n": pd.array(COLUMNS["n"], dtype="Int64"),
            "x": COLUMNS["x"],
            "s": pd.Categorical(COLUMNS["s"]),
            "ok": pd.array(COLUMNS["ok"], dtype="boolean"),
            "day": COLUMNS["day"],
            "at": zoned,
        }
    )


FORMS = {
    "polars": pl.DataFrame(COLUMNS),
    "lazy": pl.LazyFrame(COLUMNS),
    "arrow": pa.table(COLUMNS),
    "batch": pa.record_batch(COLUMNS),
    "dicts": ROWS,
    "pandas": nullable(),
    "pandas of arrow": pa.table(COLUMNS).to_pandas(types_mapper=pd.ArrowDtype),
    "pandas by object": pd.DataFrame(COLUMNS, dtype=object),
    "pandas with named index": nullable().set_index("n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_have_the_digest_of_csv(data: Data, ada: Actor, tmp_path: Path, form: str) -> None:
    """Whatever held them."""
    (tmp_path / "t.csv").write_text(CSV)
    data.add(tmp_path / "t.csv", "csv", actor=ada)
    data.add(write_table(FORMS[form], tmp_path), "frame", actor=ada)
    assert data.table_digest("frame", actor=ada) == data.table_digest("csv", actor=ada)


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (pd.Series([1.0, np.nan]), [1.0, None]),
        (pd.Series(["x", None]), ["x", None]),
        (pd.Series(["x", pd.NA], dtype="string"), ["x", None]),
        (pd.Series([1, 2], dtype="uint8"), [1, 2]),
        (pd.Series([1.5, None], dtype="Float64"), [1.5, None]),
        (pd.Series(pd.Categorical([3, None, 3])), [3, None, 3]),
        (pd.Series(pd.to_datetime(["2013-12-31 06:00", None])), [datetime(2013, 12, 31, 6), None]),  # noqa: DTZ001
        (pd.Series([Decimal("1.50"), None]), [Decimal("1.50"), None]),
        (pd.Series([True, None], dtype=object), [True, None]),
        (pd.Series([np.int64(3), 4], dtype=object), [3, 4]),
    ],
)
def test_a_pandas_column_keeps_its_values(values: pd.Series, read: list[Any]) -> None:
    """NaN, NA, NaT and None are missing."""
    assert as_table(pd.DataFrame({"x": values}))["x"].to_list() == read


def test_an_index_that_counts_rows_is_left_out_and_a_named_one_kept() -> None:
    """What was filtered or sorted has such an index, too."""
    frame = pd.DataFrame({"id": ["a", "b"], "x": [1, 2]})
    assert as_frame(frame.iloc[[1]]).rows() == [("b", 2)]
    assert as_frame(frame.set_index("id")).rows() == [("a", 1), ("b", 2)]
    assert as_frame(frame.set_index(["id", "x"]).assign(y=0)).columns == ["id", "x", "y"]
    assert as_frame(frame.set_index("id"), keep_index=False).columns == ["x"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (pd.DataFrame({"x": [1]}, index=["a"]), "index has no name"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "'x'"),
        (pd.DataFrame({"x": [1]}, index=pd.Index([7], name="x")), "'x'"),
        (pd.DataFrame({("a", "b"): [1]}), "several levels"),
        (pd.DataFrame({"x": [1, "a"]}), "row 2, column 'x': 'a' is of another kind"),
        (pd.DataFrame({"x": [[1]]}), "row 1, column 'x': the value is nested"),
        (pd.DataFrame({"x": pd.to_timedelta([1])}), "'x' is of type timedelta"),
        (pd.DataFrame({"x": pd.period_range("2013-01", periods=1, freq="M")}), "'x' is of type period"),
        (pd.DataFrame({"x": pd.to_datetime(["2013-01-01 00:00:00.000000001"])}), "'x' holds moments finer"),
        (pd.DataFrame({"x": pd.array([2**63], dtype="uint64")}), "'x' holds numbers beyond 64 bits"),
        (pd.DataFrame({"x": []}), "no rows"),
        (pd.Series([1]), "no column names"),
        (np.array([[1]]), "no column names"),
        (pa.table([[1], [2]], names=["x", "x"]), "more than once"),
        ([{"x": 1}, {"x": "a"}], "row 2, column 'x'"),
        ([{"x": {"y": 1}}], "nested"),
        ([{1: 1}], "1 is no name"),
        ([{"x": datetime(2013, 1, 1)}, {"x": datetime(2013, 1, 1, tzinfo=UTC)}], "row 2.* has a time zone"),  # noqa: DTZ001
        (pl.DataFrame({"x": [[1]]}), "'x' is of type List"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_column(tmp_path: Path, table: object, told: str) -> None:
    """And nothing is written."""
    with pytest.raises(BadInput, match=told) as caught:
        write_table(table, tmp_path)
    assert caught.value.cure
    assert list(tmp_path.iterdir()) == []


def test_neither_pandas_nor_arrow_is_imported_for_a_list_of_rows() -> None:
    """They are the caller's."""
    code = (
        "import sys; from undrift.data.tabular.frames import as_table; as_table([{'x': 1}]); "
        "print(sorted({'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_moments_of_pandas_are_exact_in_every_unit() -> None:
    """Seconds, milli-, micro- and nanoseconds."""
    moment = np.datetime64("2013-12-31T06:00:01")
    for unit in ("s", "ms", "us", "ns"):
        frame = pd.DataFrame({"x": pd.Series([moment]).astype(f"datetime64[{unit}]")})
        assert as_table(frame)["x"].to_list() == [moment.item()]
