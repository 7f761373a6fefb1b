"""A suggested suite as YAML: what is reviewed is what is frozen."""

from __future__ import annotations

import json

import polars as pl
import yaml
from hypothesis import given
from hypothesis import strategies as st

from undrift.core.masking import Mask
from undrift.data.profile import profile
from undrift.data.quality.infer import infer_suite
from undrift.data.quality.suite import Suite, expect
from undrift.data.quality.suite_yaml import write_yaml

TABLE = pl.DataFrame({"age": list(range(18, 90)) * 5, "no": ["yes", "null", "007"] * 120, "mail": ["a@b.org"] * 360})
_NAMES = st.text(min_size=1, max_size=20)


def _loaded(text: str) -> Suite:
    return Suite.decode(json.dumps(yaml.safe_load(text)))


def test_the_written_suite_is_the_suggested_one() -> None:
    """Comments tell what was seen, and change nothing."""
    found = profile(TABLE)
    suite = infer_suite("people", found)
    text = write_yaml(suite, found, "data:people@1")
    assert text.startswith("# Suggested by data:people@1, 360 rows.")
    assert "# age: int, 72 different values, 18 to 89, median 53.5" in text
    assert "half between 35.75 and 71.25, nine of ten between 21 and 86" in text
    assert "because: half of the values lie between 35.75 and 71.25; beyond this a value is hardly true" in text
    assert {one.describe() for one in _loaded(text).expectations} == {one.describe() for one in suite.expectations}
    assert (_loaded(text).meta, _loaded(text).bad_row_limit) == (suite.meta, suite.bad_row_limit)


@given(
    name=_NAMES,
    column=_NAMES,
    values=st.lists(_NAMES, max_size=5),
    low=st.floats(allow_nan=False, allow_infinity=False, width=32),
)
def test_any_name_and_value_comes_back_as_it_was(name: str, column: str, values: list[str], low: float) -> None:
    """Also those that look like numbers, dates, booleans, comments, or hold line breaks."""
    suite = Suite(
        name,
        (
            expect("expect_column_values_to_be_in_set", "warn", name, column=column, value_set=[*values]),
            expect("expect_column_values_to_be_between", column=column, min_value=low),
        ),
    )
    assert _loaded(write_yaml(suite)).encode() == suite.encode()


def test_no_cell_of_a_personal_column_is_written() -> None:
    """The comment above it says why."""
    found = profile(TABLE).concealed({"mail": "e-mail"}, Mask(bytes(32)))
    text = write_yaml(infer_suite("people", found), found)
    assert "a@b.org" not in text
    assert "personal (e-mail): its cells are not told" in text
