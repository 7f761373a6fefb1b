"""What is printed of an error that nobody expected."""

from __future__ import annotations

import pytest

from undrift.cli.fault import as_fault
from undrift.core.process import UNWATCHED

CELL = "could not convert string to float: 'ada@example.org'"


def test_a_librarys_words_are_printed_where_somebody_looks() -> None:
    """On a terminal the first line helps."""
    assert CELL in as_fault(ValueError(CELL)).message


def test_a_librarys_words_do_not_get_into_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may quote a cell of somebody's row: the kind of error and the way to see it are told."""
    monkeypatch.setenv(UNWATCHED, "1")
    fault = as_fault(ValueError(CELL))
    assert "ada" not in f"{fault}{fault.fields}"
    assert "ValueError" in fault.message
