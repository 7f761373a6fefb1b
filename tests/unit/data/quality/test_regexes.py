"""Regular expressions of Python, found by other engines."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.data.quality.regexes import like, portable
from undrift.data.quality.suite import BadSuite

_PIECES = st.sampled_from(
    [
        *[
            "a",
            "b",
            ".",
            r"\d",
            r"\w",
            r"\W",
            r"\s",
            r"\S",
            "[ab]",
            "[^a]",
            r"[\d_]",
            r"[a\]]",
            "[]a]",
            "(a|b)",
            "(?:ab)",
        ],
        *[
            "^",
            "$",
            r"\A",
            r"\Z",
            "a*",
            "b+",
            ".?",
            "a{2}",
            "a{1,2}",
            "{",
            "}",
            r"\.",
            r"\\",
            "-",
            r"\-",
            "~",
            "&",
            "#",
        ],
        *[" ", "é", r"\b", "(?=a)", r"\n", "[a-c]", "|"],
    ]
)
_TEXTS = st.text(alphabet="abc1٣_ \n.é~&#-]{}\x85\x1c", max_size=6)


@given(st.lists(_PIECES, min_size=1, max_size=5).map("".join), st.lists(_TEXTS, min_size=1, max_size=8))
@settings(max_examples=600, deadline=None)
def test_a_portable_pattern_finds_what_python_finds(pattern: str, texts: list[str]) -> None:
    """In Rust's regex; what cannot be said there is left to Python."""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return
    shared = portable(pattern)
    if shared is not None:
        found = pl.Series(texts, dtype=pl.String).str.contains(shared).to_list()
        assert found == [compiled.search(text) is not None for text in texts], shared


@pytest.mark.parametrize("pattern", ["^[A-Z]{2}[0-9]+$", r"^\d{4}-\d\d$", r"[^@\s]+@[^@\s]+\.[a-z]+", "a|b", r"\w+"])
def test_ordinary_patterns_are_portable(pattern: str) -> None:
    """They run in the engine."""
    assert portable(pattern) is not None


@pytest.mark.parametrize("pattern", [r"(?=a)", r"(a)\1", r"(?i)a", "é", "a{,3}", "a{2000}", "(?P<x>a)"])
def test_what_engines_do_not_share_is_left_to_python(pattern: str) -> None:
    """Looking around, references, flags, letters beyond ASCII."""
    assert portable(pattern) is None


LIKE = [
    ("a%", "abc", True),
    ("a%", "ba", False),
    ("_b", "ab", True),
    ("_b", "b", False),
    ("a!%", "a%", True),
    ("a!%", "ab", False),
    ("a.c", "abc", False),
    ("%", "x\ny", True),
]


@pytest.mark.parametrize(("pattern", "text", "holds"), LIKE)
def test_like_patterns_are_those_of_sql(pattern: str, text: str, holds: bool) -> None:
    """Per cent for any text, underscore for one character."""
    assert (re.search(like(pattern, "!"), text) is not None) is holds


def test_an_escape_is_one_character_that_escapes_something() -> None:
    """As in SQL."""
    for pattern, escape in [("a", "!!"), ("a", ""), ("a!", "!")]:
        with pytest.raises(BadSuite):
            like(pattern, escape)
