"""Days and moments as people write them: ``31/12/2013``, ``Dec 31, 2013 1:30 PM``.

A style is stored as the example of itself, the last day of 2013, so that a schema can be read without a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

Order: TypeAlias = Literal["day-first", "month-first", "year-first"]
_TIME = (
    r"(?:(?:,? |T)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<part>[0-9]{1,6}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))\.?"
)
_DAY, _YEAR, _NUMBER = r"(?P<day>[0-9]{1,2})", r"(?P<year>[0-9]{4})", r"(?P<month>[0-9]{1,2})"
_NOON = 12


@dataclass(frozen=True, slots=True)
class DayStyle:
    """How the days of a column are written.

    Attributes
    ----------
    example : str
        The last day of 2013.
    order : {"day-first", "month-first", "year-first"}
        What comes first.
    pattern : str
        Regular expression with the groups ``year``, ``month``, ``day`` and those of a time.
    other : str
        Example of the style that the same text may be in, too; empty when there is none.
    """

    example: str
    order: Order
    pattern: str
    other: str = ""

    def read(self, texts: pl.Series, *, time: bool) -> pl.Series:
        """Return dates, or with ``time`` naive moments (a day is its midnight); null where a text is none."""
        parts = texts.str.extract_groups(f"^{self.pattern}{_TIME}$").struct.unnest()
        clock, part = _clock(), pl.col("part")
        month = pl.col("month").str.to_lowercase().str.slice(0, 3).replace(_MONTH_NUMBERS).str.zfill(2)
        day = pl.concat_str(pl.col("year"), pl.lit("-"), month, pl.lit("-"), pl.col("day").str.zfill(2))
        if not time:
            only = pl.when(pl.col("hour").is_null()).then(day)
            return parts.select(only.str.to_date("%Y-%m-%d", strict=False).alias(texts.name)).to_series()
        fraction = pl.when(part.is_null()).then(pl.lit("0")).otherwise(part)
        moment = pl.concat_str(day, pl.lit("T"), clock, pl.lit("."), fraction)
        read = moment.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
        return parts.select(read.alias(texts.name)).to_series()

    def fits(self, texts: pl.Series, *, time: bool) -> bool:
        """Say whether all texts are days, or with ``time`` moments of a day, in this style."""
        if time and not texts.str.contains(r"[0-9]:[0-9]{2}").all():
            return False
        return (
            bool(texts.str.contains(f"^{self.pattern}{_TIME}$").all()) and not self.read(texts, time=time).has_nulls()
        )


def _clock() -> pl.Expr:
    """Return hours, minutes and seconds as text; null where an hour and a half of the day do not go together."""
    hour, half = pl.col("hour").cast(pl.Int64), pl.col("half").str.to_lowercase()
    twelve = (
        pl.when(half.is_null())
        .then(hour)
        .when(hour.is_between(1, _NOON))
        .then(hour % _NOON + pl.when(half == "p").then(_NOON).otherwise(0))
    )
    hours = pl.when(hour.is_null()).then(pl.lit("00")).otherwise(twelve.cast(pl.String).str.zfill(2))
    minutes, seconds = (
        pl.when(pl.col(name).is_null()).then(pl.lit("00")).otherwise(pl.col(name)) for name in ("minute", "second")
    )
    return pl.concat_str(hours, pl.lit(":"), minutes, pl.lit(":"), seconds)


def _divided(mark: str, escaped: str) -> tuple[DayStyle, ...]:
    day_first, month_first = f"31{mark}12{mark}2013", f"12{mark}31{mark}2013"
    return (
        DayStyle(day_first, "day-first", escaped.join((_DAY, _NUMBER, _YEAR)), month_first),
        DayStyle(month_first, "month-first", escaped.join((_NUMBER, _DAY, _YEAR)), day_first),
        DayStyle(f"2013{mark}12{mark}31", "year-first", escaped.join((_YEAR, _NUMBER, _DAY))),
    )


_MONTH_NUMBERS = {name: f"{number:02}" for number, name in enumerate(_MONTHS, 1)}
STYLES: Mapping[str, DayStyle] = {
    style.example: style
    for style in (
        *_divided("/", "/"),
        *_divided(".", r"\."),
        *_divided("-", "-"),
        DayStyle("Dec 31, 2013", "month-first", rf"{_MONTH} {_DAY}(?:st|nd|rd|th)?,? {_YEAR}"),
        DayStyle("31 Dec 2013", "day-first", rf"{_DAY}(?:st|nd|rd|th)?\.? {_MONTH},? {_YEAR}"),
        DayStyle("31-Dec-2013", "day-first", rf"{_DAY}-{_MONTH}-{_YEAR}"),
    )
}


def day_styles_of(texts: pl.Series, *, time: bool) -> tuple[DayStyle, ...]:
    """Return the styles in which all cells of a column are days (or moments): none, one, or two orders.

    Parameters
    ----------
    texts : polars.Series
        The cells, stripped, none of them missing.
    time : bool
        Whether moments are looked for.
    """
    return tuple(style for style in STYLES.values() if style.fits(texts, time=time))
