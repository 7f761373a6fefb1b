"""What a person should know of how the cells of a CSV file were read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from undrift.data.schema import Column
from undrift.data.tabular.csv_types import BLANKS, UNUSUAL_MISSING, is_missing
from undrift.data.tabular.spelt_days import STYLES
from undrift.data.tabular.spelt_numbers import NumberStyle, number_style

_SAMPLE_ROWS = 1000
_MOSTLY = 0.8
_FEW_UNITS = 3
_LONGEST_SHOWN = 40
_CODE = r"^-?0[0-9]"
_DIGITS = r"^[0-9]+$"
_WITH_UNIT = r"^(?:[^\w\s.,+-] ?|[A-Z]{3} )?[+-]?[0-9][0-9.,]* ?[^0-9\s.,]{0,6}$"
_ALL_ALIKE = (
    (
        r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}$",
        "days with years of two digits, kept as text: write the years with four",
    ),
    (
        r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}\b",
        "dates of which some have the day first, others the month: kept as text",
    ),
)
_NUMBER_STYLES = (NumberStyle(), NumberStyle(".", ","), NumberStyle(",", "."), NumberStyle(".", " "))


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a column.

    Attributes
    ----------
    column : str
        Its name; empty when it is about the file.
    text : str
        One sentence; it may show a cell, so it belongs on a screen and in no record.
    """

    column: str
    text: str


def about_spelling(column: Column, *, by_convention: bool, open_reading: bool) -> list[Note]:
    """Return what is to be said of a column that is not written as programs write.

    Parameters
    ----------
    column : Column
        The column.
    by_convention : bool
        Whether its dates have points, which alone says that the day comes first.
    open_reading : bool
        Whether its cells alone would have left two readings.
    """
    if not column.spelt:
        told = "points before three digits are read as fractions: 1.234 is less than two (else: --decimal-comma)"
        return [Note(column.name, told)] if open_reading else []
    style = number_style(column.spelt)
    if style is None:
        order = STYLES[column.spelt].order.replace("-", " ")
        why = ", as dates with points are written; no cell shows it" if by_convention else ""
        return [Note(column.name, f"dates written like {column.spelt}, {order}{why}")]
    told = "percentages, read without the sign; " if style.percent else ""
    why = ", by other columns or what was said; its cells have two readings" if open_reading else ""
    return [Note(column.name, f"{told}numbers written like {column.spelt}{why}")]


def about_missing(texts: pl.Series, column: Column) -> list[Note]:
    """Return which marks that are no usual words for it were read as missing."""
    if column.type == "string":
        return []
    stripped = texts.str.strip_chars(BLANKS)
    marks = stripped.filter(stripped.is_in(UNUSUAL_MISSING)).alias("").value_counts(sort=True)
    return [Note(column.name, f"{mark!r} is read as missing ({count:,} cells)") for mark, count in marks.iter_rows()]


def about_text(texts: pl.Series, place: Callable[[int], str]) -> list[Note]:
    """Return why a column is text that nearly is something else.

    Parameters
    ----------
    texts : polars.Series
        Its cells.
    place : callable
        Tells where a row, from 0, stands.
    """
    stripped = texts.str.strip_chars(BLANKS)
    missing = is_missing(stripped)
    values = stripped.filter(~missing)
    if values.is_empty():
        return [Note(texts.name, "no cell has a value")]
    sample = values.head(_SAMPLE_ROWS)
    if sample.str.contains("[0-9]").mean() < _MOSTLY:  # type: ignore[operator]  # the mean of booleans is a number
        return []
    for pattern, told in _ALL_ALIKE:
        if values.str.contains(pattern).all():
            return [Note(texts.name, told)]
    if sample.str.contains(_DIGITS).mean() > _MOSTLY and values.str.contains(_CODE).any():  # type: ignore[operator]
        return [Note(texts.name, "codes with leading zeros, kept as text")]
    unit = _unit(values)
    told = f"numbers with a unit ({unit}), kept as text: write the numbers alone to use them so"
    return [Note(texts.name, told)] if unit else _mixed(texts, missing, place)


def _unit(values: pl.Series) -> str:
    if not values.str.contains(_WITH_UNIT).all():
        return ""
    units = values.str.replace_all(r"[0-9.,+\s-]", "").unique().sort().to_list()
    return ", ".join(units) if len(units) <= _FEW_UNITS and all(units) else ""


def _mixed(texts: pl.Series, missing: pl.Series, place: Callable[[int], str]) -> list[Note]:
    """Return the cell which alone, or with few others, makes text of a column."""
    stripped = texts.str.strip_chars(BLANKS).set(missing, None)
    sample = stripped.drop_nulls().head(_SAMPLE_ROWS)
    for what, read in _readers():
        if read(sample).is_not_null().mean() < _MOSTLY:  # type: ignore[operator]
            continue
        unread = read(stripped).is_null() & ~missing
        cells = int(unread.sum())
        if not cells:
            return [Note(texts.name, "digits that may be a code, kept as text")] if what == "number" else []
        row = int(unread.arg_true()[0])
        share = 100 * (1 - cells / int((~missing).sum()))
        others = f" and {cells - 1:,} more" if cells > 1 else ""
        return [
            Note(
                texts.name,
                f"kept as text: {texts[row][:_LONGEST_SHOWN]!r} ({place(row)}){others} is not a {what}, "
                f"{share:.4g} % of the cells are",
            )
        ]
    return []


def _readers() -> list[tuple[str, Callable[[pl.Series], pl.Series]]]:
    numbers: list[tuple[str, Callable[[pl.Series], pl.Series]]] = [
        ("number", lambda texts, style=style: style.read(texts, pl.Float64()))  # type: ignore[misc]
        for style in _NUMBER_STYLES
    ]
    return [*numbers, *(("date", lambda texts, style=style: style.read(texts, time=True)) for style in STYLES.values())]
