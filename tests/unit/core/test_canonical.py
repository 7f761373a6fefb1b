"""Canonical JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.core.canonical import LARGEST_EXACT_INTEGER, NotCanonical, dumps, loads, text

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_EXACT_INTEGER, LARGEST_EXACT_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=8,
)


def test_the_example_of_the_standard() -> None:
    """RFC 8785, section 3.2.2 and 3.2.3."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert text(value) == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@given(VALUES)
def test_a_value_is_read_back(value: object) -> None:
    """Nothing is lost (1.0 is the number 1)."""
    assert loads(dumps(value)) == value  # type: ignore[arg-type]  # drawn as JSON


@given(VALUES)
def test_what_was_read_is_written_the_same(value: object) -> None:
    """A digest of what was read is the digest of what was written."""
    written = dumps(value)  # type: ignore[arg-type]  # drawn as JSON
    assert dumps(loads(written)) == written


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers(0, 9)))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    """One value, one text."""
    assert dumps(value) == dumps(dict(reversed(value.items())))


@given(VALUES)
def test_any_json_reader_understands_it(value: object) -> None:
    """It is plain JSON."""
    json.loads(dumps(value))  # type: ignore[arg-type]  # drawn as JSON


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, -(2**53), {1: 2}, object(), {"a": b"bytes"}, {"a": {1, 2}}, "\ud800"]
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    """With an error of ours."""
    with pytest.raises(NotCanonical):
        dumps(value)  # type: ignore[arg-type]  # wrong on purpose


def test_mappings_and_tuples_are_objects_and_lists() -> None:
    """Frozen values need no conversion."""
    assert dumps({"a": (1, 2)}) == b'{"a":[1,2]}'
