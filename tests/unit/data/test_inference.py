"""What the cells of a whole column decide, and what they leave open."""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl
import pytest

from undrift.data.schema import Column, Schema
from undrift.data.tabular.csv_types import parse
from undrift.data.tabular.inference import Circumstances, infer
from undrift.data.tabular.reading import AmbiguousDates, AmbiguousNumbers, BadReading, Reading
from undrift.data.tabular.text_file import BadTable


def texts(**columns: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def column(*cells: str | None, **said: tuple[str, ...]) -> Column:
    return infer(texts(x=cells), Circumstances(Reading(**said))).columns[0]  # type: ignore[arg-type]


def values(*cells: str | None, **said: tuple[str, ...]) -> list[object]:
    frame, faults = parse(texts(x=cells), Schema((column(*cells, **said),)))
    assert faults == []
    return frame["x"].to_list()


def notes(*cells: str | None) -> str:
    return "\n".join(note.text for note in infer(texts(x=cells)).notes)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (("3,14", "2", "-0,5", "NA"), [3.14, 2.0, -0.5, None]),
        (("1.234,56", "7"), [1234.56, 7.0]),
        (("1,234.50", "7"), [1234.5, 7.0]),
        (("1.234.567", "12"), [1234567, 12]),
        (("1,234,567", "12"), [1234567, 12]),
        (("0,125", "1,234"), [0.125, 1.234]),
        (("1234,567", "1,234"), [1234.567, 1.234]),
        (("1 234", "12"), [1234, 12]),
        (("1\u202f234,5", "1\u00a0234"), [1234.5, 1234.0]),
        (("1'234.50", "-1\u2019000"), [1234.5, -1000.0]),
        (("12.5 %", "3%"), [12.5, 3.0]),
        (("12,5 %", "3\u00a0%"), [12.5, 3.0]),
        (("+1.5", "-2"), [1.5, -2.0]),
        (("+1", "-2", "0"), [1, -2, 0]),
        (("1,5E+3",), [1500.0]),
        (("1,5", "NaN"), [1.5, pytest.approx(float("nan"), nan_ok=True)]),
        (("5", "?", "-", ".", "unknown"), [5, None, None, None, None]),
    ],
)
def test_numbers_are_read_as_their_writers_meant_them(cells: tuple[str, ...], read: list[object]) -> None:
    """Where one cell shows what a comma means, it holds for the column."""
    assert values(*cells) == read


@pytest.mark.parametrize(
    "cells",
    [
        ("12 kg", "5 kg"),
        ("5 €", "7,50 €"),
        ("01,5", "2,5"),
        ("12 %", "5"),
        ("+4917112345", "+4989123"),
        ("552 100 554", "443 061 841"),
        ("1,23,456",),
        ("1.234,5", "1,234.5"),
        ("12,345,678,901,234,567,890", "1"),
        ("(1,234)",),
        ("31/12/2013", "12/31/2013"),
        ("31/02/2013",),
        ("31/12/13",),
        ("31/12/2013", "31/12/2013 07:00"),
        ("1/31/2013 13:00 PM",),
        ("32.12.2013",),
        ("yes", "no"),
        ("ja", "nein"),
    ],
)
def test_what_is_no_plain_number_or_day_stays_text(cells: tuple[str, ...]) -> None:
    """Units, codes and mixtures are not mended; words for yes and no are labels."""
    assert column(*cells) == Column("x", "string")


@pytest.mark.parametrize(
    ("cells", "read", "spelt"),
    [
        (("31/12/2013", "1/2/2013"), date(2013, 2, 1), "31/12/2013"),
        (("12/31/2013", "1/2/2013"), date(2013, 1, 2), "12/31/2013"),
        (("31-12-2013", "01-02-2013"), date(2013, 2, 1), "31-12-2013"),
        (("01.02.2013",), date(2013, 2, 1), "31.12.2013"),
        (("12.31.2013", "01.02.2013"), date(2013, 1, 2), "12.31.2013"),
        (("2013/2/1",), date(2013, 2, 1), "2013/12/31"),
        (("Dec 31, 2013", "February 1, 2013"), date(2013, 2, 1), "Dec 31, 2013"),
        (("31 December 2013", "1 Feb 2013"), date(2013, 2, 1), "31 Dec 2013"),
        (("31-Dec-2013", "01-Feb-2013"), date(2013, 2, 1), "31-Dec-2013"),
        (("31.12.2013 23:59", "1.2.2013 7:05"), datetime(2013, 2, 1, 7, 5), "31.12.2013"),  # noqa: DTZ001
        (("12/31/2013 1:30:05 PM", "2/1/2013 12:00 AM"), datetime(2013, 2, 1), "12/31/2013"),  # noqa: DTZ001
        (("31/12/2013, 12:00 pm", "1/2/2013, 12:00 PM"), datetime(2013, 2, 1, 12), "31/12/2013"),  # noqa: DTZ001
    ],
)
def test_a_column_decides_the_order_of_its_dates(cells: tuple[str, ...], read: date, spelt: str) -> None:
    """One cell whose day is above twelve is enough; points say that the day comes first."""
    assert values(*cells)[-1] == read
    assert column(*cells).spelt == spelt


def test_dates_with_two_readings_ask_and_show_both() -> None:
    """Nothing is guessed; the cure names the options."""
    with pytest.raises(AmbiguousDates, match=r"'03/04/2013' \(row 3\) is 3 April 2013 or 4 March 2013") as caught:
        column(None, "05/05/2013", "03/04/2013")
    assert caught.value.exit_code == 4
    assert caught.value.cure == "say which: --day-first x   or   --month-first x"
    assert values("03/04/2013", day_first=("x",)) == [date(2013, 4, 3)]
    assert values("03/04/2013", month_first=("x",)) == [date(2013, 3, 4)]
    assert values("03.04.2013", month_first=("x",)) == [date(2013, 3, 4)]


def test_dates_whose_day_and_month_agree_ask_for_the_sake_of_later_ones() -> None:
    """They are the same under both orders, the next file's are not."""
    with pytest.raises(AmbiguousDates, match="same number"):
        column("05/05/2013", "06/06/2013")


def test_numbers_with_two_readings_ask_and_show_both() -> None:
    """1,234 alone may be one thousand or one."""
    with pytest.raises(AmbiguousNumbers, match=r"'1,234' \(row 2\) is 1234 or 1.234") as caught:
        column("12", "1,234")
    assert caught.value.exit_code == 4
    assert caught.value.cure == "say which: --decimal-point x   or   --decimal-comma x"
    assert values("1,234", decimal_comma=("x",)) == [1.234]
    assert values("1,234", decimal_point=("x",)) == [1234]
    assert values("1.234", decimal_comma=("x",)) == [1234]


def test_other_columns_decide_what_a_comma_means() -> None:
    """A file is written on one machine; where its columns contradict each other, it asks."""
    comma = infer(texts(x=("1,234",), y=("3,14",))).columns
    assert [(one.type, one.spelt) for one in comma] == [("float64", "1.234,5"), ("float64", "1.234,5")]
    assert infer(texts(x=("1.234",), y=("3,14",))).columns[0].type == "int"
    assert infer(texts(x=("1,234",), y=("2.5",))).columns[0].type == "int"
    with pytest.raises(AmbiguousNumbers):
        infer(texts(x=("1,234",), y=("3,14",), z=("2.5",)))


def test_points_between_three_digits_are_fractions_unless_semicolons_divide_the_cells() -> None:
    """Programs write 1.234 with commas between cells; Excel may mean 1234 where it writes semicolons."""
    assert column("1.234", "5.678") == Column("x", "float64")
    with pytest.raises(AmbiguousNumbers):
        infer(texts(x=("1.234",)), Circumstances(delimiter=";"))
    assert infer(texts(x=("1.234", "0.5")), Circumstances(delimiter=";")).columns == (Column("x", "float64"),)


def test_the_version_before_decides_what_cells_leave_open() -> None:
    """A month in which no day is above twelve is read like the month before."""
    before = Schema((Column("x", "date", spelt="12/31/2013"),))
    found = infer(texts(x=("03/04/2013",)), Circumstances(before=before)).columns
    assert found == before.columns


@pytest.mark.parametrize(
    ("cells", "said", "told"),
    [
        (("31/12/2013",), "month_first", "row 1.* not a date with the month first"),
        (("05/05/2013", "12/31/2013"), "day_first", "row 2.* not a date with the day first"),
        (("1,5", "1,234.5"), "decimal_comma", "row 2.* decimal comma"),
        (("1.5",), "decimal_comma", "row 1.* decimal comma"),
        (("1", "abc"), "decimal_point", "row 2.* decimal point"),
    ],
)
def test_a_cell_that_contradicts_what_was_said_is_refused(cells: tuple[str, ...], said: str, told: str) -> None:
    """With its place."""
    with pytest.raises(BadTable, match=told):
        column(*cells, **{said: ("x",)})


@pytest.mark.parametrize("cells", [("2013-12-31",), ("2013/12/31",), ("Dec 31, 2013",)])
def test_what_is_said_of_an_order_does_no_harm_to_dates_without_one(cells: tuple[str, ...]) -> None:
    """Settings hold for later files, too, which may be written better."""
    assert column(*cells, day_first=("x",)) == column(*cells, month_first=("x",)) == column(*cells)


def test_text_that_was_asked_for_stays_text() -> None:
    """Whatever it looks like."""
    assert column("1", "2", as_text=("x",)) == Column("x", "string")
    assert values("1", "NA", as_text=("x",)) == ["1", "NA"]


def test_a_column_that_is_not_there_is_told() -> None:
    """A slip in a name is no silent nothing."""
    with pytest.raises(BadReading, match="no column 'y'"):
        column("1", as_text=("y",))


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("1", "2", "3", "4", "5", "6", "7", "8", "x9"), r"'x9' \(row 9\) is not a number, 88.89 %"),
        (("2013/1/1",) * 9 + ("soon",), r"'soon' \(row 10\) is not a date"),
        (("007", "8", "9"), "leading zeros"),
        (("5 kg", "7 kg"), r"unit \(kg\)"),
        (("552 100 554", "443 061 841"), "may be a code"),
        (("$5", "$7.50"), r"unit \(\$\)"),
        (("31/12/13",), "two digits"),
        (("31/12/2013", "12/31/2013"), "others the month"),
        (("3.5 %", "4 %"), "percentages, read without the sign"),
        (("5", "?"), r"'\?' is read as missing \(1 cells\)"),
        (("01.02.2013",), "no cell shows it"),
        (("1.234", "5.678"), "read as fractions"),
        ((None, None), "no cell has a value"),
    ],
)
def test_what_a_person_should_know_is_noted(cells: tuple[str | None, ...], told: str) -> None:
    """Which cell makes text of a column, what was left alone and what was taken for granted."""
    assert re.search(told, notes(*cells))
