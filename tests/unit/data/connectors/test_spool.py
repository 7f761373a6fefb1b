"""Batches whose types are known only at the end."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from undrift.data.connectors.spool import MixedColumn, spooled


def test_types_widen_over_batches_as_far_as_no_value_changes(tmp_path: Path) -> None:
    """Nothing, then whole numbers, then fractions; decimals to the longest scale."""
    decimal = pl.Series(["1.5"]).cast(pl.Decimal(38, 1))
    finer = pl.Series(["1.25"]).cast(pl.Decimal(38, 2))
    batches = [
        pl.DataFrame({"a": [None], "b": decimal, "c": [None]}),
        pl.DataFrame({"a": [2**53], "b": finer, "c": ["x"]}),
        pl.DataFrame({"a": [0.5], "b": decimal, "c": ["y"]}),
    ]
    spool = spooled(batches, ["a", "b", "c"], tmp_path)
    assert [(column.type, column.scale) for column in spool.schema.columns] == [
        ("float64", 0),
        ("decimal", 2),
        ("string", 0),
    ]
    assert pl.concat(spool.batches(spool.schema))["a"].to_list() == [None, 2.0**53, 0.5]


@pytest.mark.parametrize("pair", [([2**53 + 1], [0.5]), ([1], ["one"]), ([True], [1])])
def test_kinds_that_do_not_go_together_are_refused(tmp_path: Path, pair: tuple[list[object], list[object]]) -> None:
    """Also when a million rows lie between them."""
    with pytest.raises(MixedColumn, match="'a'"):
        spooled([pl.DataFrame({"a": cells}) for cells in pair], ["a"], tmp_path)
