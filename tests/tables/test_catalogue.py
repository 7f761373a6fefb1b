"""The tables themselves: each has an expectation and a licence, and is the same on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tables.catalogue import EXPECTED, WRITERS, expectation

LARGEST_REAL_BYTES = 100_000


def test_every_table_has_an_expectation_and_the_other_way_round() -> None:
    """A table nobody expects anything of shows nothing."""
    assert sorted(WRITERS) == sorted(path.stem for path in EXPECTED.glob("*.toml"))


@pytest.mark.parametrize("name", WRITERS)
def test_every_table_says_what_it_shows_and_whose_it_is(name: str) -> None:
    """Generated, or a licence under which it may be kept."""
    found = expectation(name)
    assert found.about
    assert found.licence == "generated" or found.licence.startswith(("CC", "public domain", "published"))


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_is_the_same_whenever_it_is_written(name: str, tmp_path: Path) -> None:
    """A red test can be repeated."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert WRITERS[name](first).read_bytes() == WRITERS[name](second).read_bytes()


def test_real_tables_that_are_kept_are_small() -> None:
    """What is large is generated, or comes with a package."""
    kept = list((Path(__file__).parent / "real").iterdir())
    assert kept
    assert max(path.stat().st_size for path in kept) <= LARGEST_REAL_BYTES
