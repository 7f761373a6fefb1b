"""What lies between two versions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from undrift.data.diff import BadKey, Diff, FileDiff, RowDiff, _rows
from undrift.data.schema import SchemaDiff
from undrift.data.service import Data
from undrift.data.versions import NotATable
from undrift.ledger.actor import Actor


def compare(data: Data, before: str, after: str, **asked: object) -> Diff:
    return data.keeping.diff(data.get(before), data.get(after), **asked)  # type: ignore[arg-type]  # by name


def add(data: Data, ada: Actor, folder: Path, **files: str) -> None:
    """Add a folder of files as the newest version of `t`."""
    made = folder / f"in-{len(list(folder.iterdir()))}"
    made.mkdir()
    for name, text in files.items():
        (made / f"{name}.csv").write_text(text)
    data.add(made, "t", actor=ada)


def test_files_are_added_removed_changed_and_moved(data: Data, ada: Actor, tmp_path: Path) -> None:
    """A moved file has the same bytes at another path."""
    add(data, ada, tmp_path, a="x\n1\n", b="x\n2\n", c="x\n3\n", d="x\n4\n")
    add(data, ada, tmp_path, a="x\n1\n", b="x\n9\n", e="x\n3\n", f="x\n5\n")
    assert compare(data, "t@1", "t@2").files == FileDiff(("f.csv",), ("d.csv",), ("b.csv",), (("c.csv", "e.csv"),), 1)


def test_columns_are_added_removed_and_retyped(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Rows are then compared in the columns that both have with one type."""
    add(data, ada, tmp_path, a="x,y,z\n1,2,a\n")
    add(data, ada, tmp_path, a="x,y,w\n1,two,b\n")
    found = compare(data, "t@1", "t@2", has_rows=True)
    assert found.schema == SchemaDiff(("w",), ("z",), (("y", "int", "string"),))
    assert found.rows == RowDiff(0, 0, None, {}, ("x",))


def test_rows_are_compared_by_key(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Added, removed, changed, and in which columns; null is a value."""
    add(data, ada, tmp_path, a="id,v,w\n1,a,1\n2,b,2\n3,c,\n4,d,4\n")
    add(data, ada, tmp_path, a="id,v,w\n5,e,5\n4,d,4\n2,B,3\n3,c,7\n")
    found = compare(data, "t@1", "t@2", key=["id"])
    assert found.rows == RowDiff(1, 1, 2, {"v": 1, "w": 2}, ("id", "v", "w"))
    assert found.as_json()["rows"] == {
        "added": 1, "removed": 1, "changed": 2, "by_column": {"v": 1, "w": 2}, "compared": ["id", "v", "w"],
    }  # fmt: skip


def test_files_that_both_have_are_not_read(data: Data, ada: Actor, tmp_path: Path, monkeypatch) -> None:  # noqa: ANN001
    """Appending a day to a year is a look at the day."""
    add(data, ada, tmp_path, a="x\n1\n1\n", b="x\n2\n")
    add(data, ada, tmp_path, a="x\n1\n1\n", b="x\n2\n", c="x\n1\n7\n")
    from undrift.data import parts

    read, seen = parts.read_part, []
    monkeypatch.setattr(
        parts, "read_part", lambda blobs, part, schema: seen.append(part.path) or read(blobs, part, schema)
    )
    assert compare(data, "t@1", "t@2", has_rows=True).rows == RowDiff(2, 0, None, {}, ("x",))
    assert seen == ["c.csv"]


@pytest.mark.parametrize("key", [["none"], ["x"]])
def test_a_key_that_names_no_row_or_several_is_refused(data: Data, ada: Actor, tmp_path: Path, key: list[str]) -> None:
    """Else the counts would be wrong."""
    add(data, ada, tmp_path, a="x\n1\n1\n")
    add(data, ada, tmp_path, a="x\n1\n2\n")
    with pytest.raises(BadKey):
        compare(data, "t@1", "t@2", key=key)


def test_files_that_are_no_tables_have_no_rows(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Their files are compared all the same."""
    (tmp_path / "a.bin").write_bytes(b"1")
    data.add(tmp_path / "a.bin", "files", actor=ada)
    assert compare(data, "files", "files").schema is None
    with pytest.raises(NotATable):
        compare(data, "files", "files", has_rows=True)


cells = st.one_of(st.none(), st.integers(0, 2), st.just(float("nan")))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=st.lists(st.tuples(cells, cells), max_size=12), new=st.lists(st.tuples(cells, cells), max_size=12))
def test_rows_without_a_key_are_a_multiset(old: list[tuple[object, ...]], new: list[tuple[object, ...]]) -> None:
    """Equal to counting them one by one; null, NaN and duplicates included."""
    schema = {"a": pl.Float64, "b": pl.Float64}
    frames = tuple(pl.DataFrame(rows, schema=schema, orient="row", strict=False) for rows in (old, new))
    was, now = (Counter(map(str, frame.rows())) for frame in frames)
    found = _rows((frames[0], frames[1]), ("a", "b"), ())
    assert (found.added, found.removed) == ((now - was).total(), (was - now).total())


def test_other_digits_of_a_decimal_and_another_order_are_told(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Both change what a reader of the table gets."""
    before = pl.DataFrame({"price": ["1.50"], "n": [1]}, schema={"price": pl.Decimal(18, 2), "n": pl.Int64})
    for at, frame in enumerate([before, before.select("n", "price"), before.cast({"price": pl.Decimal(18, 4)})]):
        frame.write_parquet(tmp_path / f"{at}.parquet")
        data.add(tmp_path / f"{at}.parquet", f"t{at}", actor=ada)
    one, two, three = (data.get(f"t{at}") for at in range(3))
    assert data.keeping.diff(one, two).schema == SchemaDiff(is_reordered=True)
    assert data.keeping.diff(one, three).schema == SchemaDiff((), (), (("price", "decimal(2)", "decimal(4)"),))
