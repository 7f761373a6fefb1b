"""From the texts of a CSV file to a schema: every cell of a column decides.

A column is a number, a day or a moment only when all its cells are. Digits with leading zeros or
beyond 64 bits, numbers with a unit, and words such as yes and no stay text. Where all cells
are numbers, or days, under two readings, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from undrift.data.agreement import is_in_order, is_written_with
from undrift.data.schema import Column, LogicalType, Schema
from undrift.data.tabular.csv_notes import Note, about_missing, about_spelling, about_text
from undrift.data.tabular.csv_types import BLANKS, TOO_MANY_DIGITS, is_missing, plain_type_of
from undrift.data.tabular.reading import NOTHING_SAID, AmbiguousDates, AmbiguousNumbers, Reading
from undrift.data.tabular.spelt_days import STYLES, day_styles_of
from undrift.data.tabular.spelt_numbers import NumberStyle, number_style, styles_of
from undrift.data.tabular.text_file import BadTable

Place = Callable[[int], str]
_SAMPLE_ROWS = 1000
_LONGEST_SHOWN = 60
_MAY_BE_NUMBER = r"^[+-]?(?:(?i:nan|inf|infinity)$|[0-9.,][0-9.,'\u2019 \u00a0\u202fEe+-]*%?$)"
_MAY_BE_DAY = r"^[0-9A-Za-z]{1,9}[/. -][0-9A-Za-z]+"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known beside the cells.

    Attributes
    ----------
    reading : Reading
        What the caller says.
    before : Schema or None
        How the dataset's columns were spelt until now; decides where the cells leave it open.
    delimiter : str
        What divides the cells.
    place : callable
        Tells where a row, from 0, stands.
    quoted : bool
        Whether texts are marked as texts, as in JSON, so that digits in them are no numbers unless
        the caller says so.
    """

    reading: Reading = NOTHING_SAID
    before: Schema | None = None
    delimiter: str = ","
    place: Place = lambda row: f"row {row + 1}"
    quoted: bool = False

    def may_be_number(self, name: str) -> bool:
        """Say whether digits in a column may be numbers."""
        return not self.quoted or name in (*self.reading.decimal_comma, *self.reading.decimal_point)

    def spelt_before(self, name: str) -> str:
        """Return how a column was spelt until now."""
        columns = self.before.columns if self.before else ()
        return next((column.spelt for column in columns if column.name == name), "")


@dataclass(frozen=True, slots=True)
class Inferred:
    """What texts mean.

    Attributes
    ----------
    columns : tuple of Column
        The schema's columns.
    notes : tuple of Note
        What a person should know; a note may show a cell.
    """

    columns: tuple[Column, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the cells of a column can be: one thing, or one of two."""

    texts: pl.Series
    options: tuple[Column, ...]
    tells: str = ""
    by_convention: bool = False
    numbers: bool = False

    @property
    def name(self) -> str:
        return self.texts.name


def infer(texts: pl.DataFrame, given: Circumstances | None = None) -> Inferred:
    """Return the narrowest columns that every cell fits.

    Parameters
    ----------
    texts : polars.DataFrame
        All cells as text, null where missing.
    given : Circumstances, optional
        What is known beside them.

    Raises
    ------
    AmbiguousDates, AmbiguousNumbers
        If the cells of a column have two readings, and nothing decides.
    BadTable
        If a cell contradicts what the caller says of its column.
    BadReading
        If the caller speaks of a column that is not there.
    """
    given = given or Circumstances()
    given.reading.check_columns(texts.columns)
    findings = [_find(column, given) for column in texts]
    told = {finding.tells for finding in findings} - {""}
    decided = [_decide(finding, told, given) for finding in findings]
    _refuse_ambiguous(findings, decided, given)
    columns = tuple(column for column in decided if column is not None)  # all of them: the others were refused
    notes: list[Note] = []
    for finding, column in zip(findings, columns, strict=True):
        _refuse_contradiction(finding, column, given)
        notes += about_missing(finding.texts, column)
        if column.type == "string":
            notes += (
                [] if column.name in given.reading.as_text or given.quoted else about_text(finding.texts, given.place)
            )
        else:
            notes += about_spelling(column, by_convention=finding.by_convention, open_reading=len(finding.options) > 1)
    return Inferred(columns, tuple(notes))


def _find(texts: pl.Series, given: Circumstances) -> _Finding:
    name = texts.name
    text = _Finding(texts, (Column(name, "string"),))
    stripped = texts.str.strip_chars(BLANKS)
    values = stripped.filter(~is_missing(stripped))
    if name in given.reading.as_text or values.is_empty():
        return text
    plain = plain_type_of(values)
    if plain in ("date", "timestamp", "timestamp-utc"):
        return _Finding(texts, (Column(name, plain),))
    if not given.may_be_number(name):
        return _day(texts, values) or text
    if plain == "float64":
        return _float(texts, values)
    if plain is not None:
        return _Finding(texts, (Column(name, plain),))
    return _styled(texts, values) or _day(texts, values) or text


def _float(texts: pl.Series, values: pl.Series) -> _Finding:
    """Return a number as programs write it, unless all its points may be thousands separators."""
    plain = Column(texts.name, "float64")
    grouped = NumberStyle(",", ".")
    if not values.str.contains(".", literal=True).any():
        return _Finding(texts, (plain,), numbers=True)
    if not grouped.fits(values.head(_SAMPLE_ROWS)) or not grouped.fits(values):
        return _Finding(texts, (plain,), tells=".", numbers=True)
    return _Finding(texts, (plain, Column(texts.name, "int", spelt=grouped.example)), numbers=True)


def _styled(texts: pl.Series, values: pl.Series) -> _Finding | None:
    if not values.head(_SAMPLE_ROWS).str.contains(_MAY_BE_NUMBER).all():
        return None
    found = styles_of(values)
    options = [_column(texts.name, values, style) for style in found.styles]
    if not options or None in options:
        return None
    return _Finding(texts, tuple(one for one in options if one), tells=found.tells, numbers=True)


def _column(name: str, values: pl.Series, style: NumberStyle) -> Column | None:
    whole = style.read(values, pl.Int64())
    if not whole.has_nulls() and not style.percent:
        return Column(name, "int", spelt=style.example)
    numbers = style.read(values, pl.Float64())
    digits = values.str.replace_all(r"[^0-9.,+-]", "")
    digits = digits.str.replace_all(style.thousands, "", literal=True) if style.thousands else digits
    too_long = digits.str.contains(TOO_MANY_DIGITS).any()
    return None if numbers.has_nulls() or too_long else Column(name, "float64", spelt=style.example)


def _day(texts: pl.Series, values: pl.Series) -> _Finding | None:
    sample = values.head(_SAMPLE_ROWS)
    if not sample.str.contains(_MAY_BE_DAY).all():
        return None
    for time in (False, True):
        styles = [style for style in day_styles_of(sample, time=time) if style.fits(values, time=time)]
        if styles:
            by_convention = len(styles) > 1 and "." in styles[0].example
            kept = styles[:1] if by_convention else styles
            kind: LogicalType = "timestamp" if time else "date"
            options = tuple(Column(texts.name, kind, spelt=style.example) for style in kept)
            return _Finding(texts, options, by_convention=by_convention)
    return None


def _decide(finding: _Finding, told: set[str], given: Circumstances) -> Column | None:
    """Return the one option that something decides for, None when nothing does."""
    first, *others = finding.options
    if not others and not finding.by_convention:
        return first
    said = _said(finding, given.reading)
    if said is not None:
        return said
    if not others:
        return first
    before = given.spelt_before(finding.name)
    for option in finding.options:
        if before and option.spelt == before:
            return option
    return _decide_number(finding, told, given) if finding.numbers else None


def _decide_number(finding: _Finding, told: set[str], given: Circumstances) -> Column | None:
    by_point = {_point(option): option for option in finding.options}
    if len(told) == 1:
        return by_point[next(iter(told))]
    plain = finding.options[0]
    # Points are what programs write before fractions; a semicolon is what Excel writes where commas are.
    return plain if not plain.spelt and given.delimiter != ";" else None


def _said(finding: _Finding, reading: Reading) -> Column | None:
    """Return the option that the caller's words choose; None when they choose none of them."""
    name = finding.name
    if finding.numbers:
        wanted = "," if name in reading.decimal_comma else "." if name in reading.decimal_point else ""
        return next((option for option in finding.options if wanted and _point(option) == wanted), None)
    if not finding.by_convention and len(finding.options) < 2:  # noqa: PLR2004
        return finding.options[0]
    order = "day-first" if name in reading.day_first else "month-first" if name in reading.month_first else ""
    options = finding.options
    if finding.by_convention:
        first = options[0]
        options = (first, Column(name, first.type, spelt=STYLES[first.spelt].other))
    return next((option for option in options if option.spelt and STYLES[option.spelt].order == order), None)


def _point(column: Column) -> str:
    style = number_style(column.spelt)
    return style.point if style else ""


def _refuse_ambiguous(findings: Sequence[_Finding], decided: Sequence[Column | None], given: Circumstances) -> None:
    left = [finding for finding, column in zip(findings, decided, strict=True) if column is None]
    if not left:
        return
    first = left[0]
    alike = [finding.name for finding in left if finding.numbers == first.numbers]
    row, readings = _both_readings(first)
    error, flags = (
        (AmbiguousNumbers, ("--decimal-point", "--decimal-comma"))
        if first.numbers
        else (AmbiguousDates, ("--day-first", "--month-first"))
    )
    cell = first.texts[row].strip(BLANKS)
    both = f"{cell!r} ({given.place(row)}) is {readings[0]} or {readings[1]}"
    told = f"{both}, and every other cell can be read both ways, too"
    if readings[0] == readings[1]:
        told = "in every cell day and month are the same number, so nothing tells which comes first in later ones"
    others = f" (the same holds for {', '.join(repr(name) for name in alike[1:])})" if alike[1:] else ""
    words = [" ".join(f"{flag} {_quoted(name)}" for name in alike) for flag in flags]
    raise error(
        f"column {first.name!r}: {told}{others}",
        cure=f"say which: {words[0]}   or   {words[1]}",
        columns=alike,
        readings=list(readings),
    )


def _both_readings(finding: _Finding) -> tuple[int, tuple[str, str]]:
    """Return the first row whose two readings differ, and both in the order of the options."""
    texts = finding.texts.str.strip_chars(BLANKS)
    texts = texts.set(is_missing(texts), None)
    first, second = (_values(texts, option, numbers=finding.numbers) for option in finding.options)
    differ = (first != second).fill_null(value=False).arg_true()
    row = int(differ[0]) if len(differ) else int(texts.is_not_null().arg_true()[0])
    shown = tuple(_shown(values[row]) for values in (first, second))
    return row, (shown[0], shown[1])


def _values(texts: pl.Series, option: Column, *, numbers: bool) -> pl.Series:
    if numbers:
        style = number_style(option.spelt)
        return (style or NumberStyle()).read(texts, pl.Float64())
    return STYLES[option.spelt].read(texts, time=option.type == "timestamp")


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    day = f"{value:%d %B %Y}".lstrip("0")
    return f"{day}, {value:%H:%M}" if hasattr(value, "hour") else day


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def _refuse_contradiction(finding: _Finding, column: Column, given: Circumstances) -> None:
    """Refuse a cell that is not what the caller says of its column."""
    name, reading = finding.name, given.reading
    for said, point in ((reading.decimal_comma, ","), (reading.decimal_point, ".")):
        if name in said and not is_written_with(point, column):
            style = NumberStyle(point, "." if point == "," else ",")
            what = f"a number with a decimal {'comma' if point == ',' else 'point'}"
            _refuse_first(finding, [partial(style.read, dtype=pl.Float64())], what, given)
    for said, order in ((reading.day_first, "day-first"), (reading.month_first, "month-first")):
        if name in said and not is_in_order(order, column):
            readers = [partial(style.read, time=True) for style in STYLES.values() if style.order == order]
            _refuse_first(finding, readers, f"a date with the {order.partition('-')[0]} first", given)


def _refuse_first(
    finding: _Finding, readers: Sequence[Callable[[pl.Series], pl.Series]], what: str, given: Circumstances
) -> None:
    """Refuse the first cell that the best of some readers does not read."""
    texts = finding.texts
    stripped = texts.str.strip_chars(BLANKS)
    values = min((read(stripped) for read in readers), key=lambda one: one.null_count())
    unread = (values.is_null() & ~is_missing(stripped)).arg_true()
    row = int(unread[0]) if len(unread) else int((~is_missing(stripped)).arg_true()[0])
    raise BadTable(
        f"{given.place(row)}, column {finding.name!r}: {texts[row][:_LONGEST_SHOWN]!r} is not {what}, as was said",
        cure="mend the cell, or take back what was said of the column",
    )
