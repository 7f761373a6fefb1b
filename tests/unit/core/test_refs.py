"""References."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.core.errors import BadInput
from undrift.core.refs import KINDS, BadReference, Ref, parse

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "core" / "references.json").read_text())
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,62}", fullmatch=True)


@pytest.mark.parametrize("row", GOLDEN["read"], ids=lambda row: row["text"])
def test_references_are_read_as_the_golden_file_says(row: dict[str, object]) -> None:
    """The grammar does not change by accident."""
    ref = parse(str(row["text"]))
    assert [ref.kind, ref.name, ref.selector, ref.number, str(ref)] == row["means"]


@pytest.mark.parametrize("text", GOLDEN["refused"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    """With an error of ours that the caller can mend."""
    with pytest.raises(BadInput):
        parse(text)


@given(kind=st.sampled_from(KINDS), name=NAMES, selector=st.one_of(st.just(""), NAMES))
def test_a_reference_that_is_written_is_read_back(kind: str, name: str, selector: str) -> None:
    """Writing and reading agree, also after writing again."""
    ref = parse(f"{kind}:{name}@{selector}" if selector else f"{kind}:{name}")
    assert (parse(str(ref)).number, str(parse(str(ref)))) == (ref.number, str(ref))


def test_a_short_form_needs_a_kind_to_expect() -> None:
    """Nothing is guessed."""
    assert parse("delay@3", "model") == Ref("model", "delay", "3")
    with pytest.raises(BadReference):
        parse("delay@3")
