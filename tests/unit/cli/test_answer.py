"""Tables and pairs on a terminal and in a pipe."""

from __future__ import annotations

import io
import sys

import pytest

from undrift.cli import answer
from undrift.cli.answer import Bytes, pairs, table

ROWS = [("model:delay@1", 3, "a reason that is longer than the edge of a narrow terminal lets it be")]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make standard output a terminal of 40 columns."""
    monkeypatch.setattr(answer, "_room", lambda: 40)


@pytest.mark.usefixtures("terminal")
def test_the_last_column_is_cut_at_the_edge_of_a_terminal() -> None:
    """One row is one line."""
    lines = table(("version", "n", "what"), ROWS).splitlines()
    assert [len(line) <= 40 for line in lines] == [True, True]
    assert lines[1].endswith("…")


@pytest.mark.usefixtures("terminal")
def test_cells_that_nobody_copies_are_cut_too_the_widest_first() -> None:
    """A number stays whole: half of it is another number."""
    row = ("a column with a long name", "x" * 300, 123456789, "y")
    lines = table(("name", "least", "n", "most"), [row], cut_any=True).splitlines()
    assert [len(line) <= 40 for line in lines] == [True, True]
    assert "123456789" in lines[1]
    assert lines[1].count("…") == 2


def test_a_pipe_gets_all_of_it() -> None:
    """What another program reads is whole."""
    assert ROWS[0][2] in table(("version", "n", "what"), ROWS)


@pytest.mark.usefixtures("terminal")
def test_long_values_go_on_below() -> None:
    """Under their beginning, with nothing lost."""
    told = pairs([("inputs", "alcohol, ash, hue, magnesium, proline, flavanoids, colour")])
    assert all(len(line) <= 40 for line in told.splitlines())
    assert " ".join(told.split()) == "inputs alcohol, ash, hue, magnesium, proline, flavanoids, colour"


def test_what_is_missing_is_a_dash_and_numbers_stand_right() -> None:
    """None and the empty text look the same."""
    assert table(("a", "n"), [("x", 5), (None, 12), ("", 7)]).splitlines() == ["a   n", "x   5", "-  12", "-   7"]


def test_a_strangers_text_moves_no_cursor() -> None:
    """A reason with control characters is shown without them."""
    assert "\x1b" not in table(("reason",), [("\x1b[2Jgone\n",)])


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_long_work_tells_bytes_and_pieces_on_a_terminal(
    stream: io.StringIO, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at its beginning, and a log file gets nothing."""
    monkeypatch.setattr(sys, "stderr", stream)
    with Bytes("rewritten", "packs done") as seen:
        seen(1_000_000, 1)
        assert stream.getvalue() == ""
        seen(60_000_000, 1)
        assert ("61 MB rewritten, 2 packs done" in stream.getvalue()) is shown
        seen(0, 1_000)
        assert ("61 MB rewritten, 1,002 packs done" in stream.getvalue()) is shown


def test_work_without_pieces_tells_bytes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an addition does."""
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    with Bytes("stored") as seen:
        seen(60_000_000)
    assert stream.getvalue().split("\x1b[K")[1] == "60 MB stored\r"
