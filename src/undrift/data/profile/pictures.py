"""Distributions drawn: histograms, bars of frequent values, shares of what is missing, small and large."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from undrift.data.profile.facts import MOMENTS, ColumnProfile, Histogram
from undrift.data.schema import LogicalType
from undrift.drawing.markup import Html, el, join
from undrift.drawing.svg import ticks
from undrift.drawing.words import compact, count, number, percent

_WIDTH, _HEIGHT, _FLOOR = 440.0, 174.0, 150.0
_SMALL_WIDTH, _SMALL_HEIGHT = 120.0, 22.0
_SHOWN_VALUES = 8
_SMALL_VALUES = 12
_LONGEST_VALUE = 48
_SMALLEST_SHARE = 0.001
_DAY_S, _YEAR_S = 86_400.0, 31_557_600.0
_MOST_TICKS = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STYLE = """\
.pd-hist rect{fill:var(--ud-accent)}
.pd-hist g:hover rect{fill:var(--ink)}
.pd-hist .pd-out rect{fill:var(--ud-warn)}
.pd-small rect{fill:var(--ud-accent);opacity:.85}
svg.pd-small{display:inline-block!important;width:120px!important;height:22px!important;vertical-align:middle}
.pd-bars{width:100%;table-layout:fixed}
.pd-bars th,.pd-bars td{border:0;padding:.14rem .7rem .14rem 0}
.pd-bars th{width:38%;font-weight:400;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.pd-bars td.num{width:8.8rem}
.pd-bar{display:block;height:.72rem;border-radius:1px;background:var(--ud-accent);min-width:1px}
.pd-bars tr.pd-rest .pd-bar{background:var(--rule)}
.pd-gap{display:inline-block;position:relative;width:5rem;height:.55rem;background:var(--rule);vertical-align:middle;
border-radius:1px;overflow:hidden}
.pd-gap.pd-full{background:var(--soft)}
.pd-gap i{position:absolute;inset:0 auto 0 0;background:var(--ud-warn)}
"""


def histogram(column: ColumnProfile) -> Html:
    """Return the histogram of a number or moment; each bar tells its own count when it is pointed at."""
    found = column.histogram
    assert found is not None
    says = f"Histogram of {column.name}: {_said(found, column.type)}"
    axis = join(*_axis(found, column.type))
    return el(
        "svg", el("title", says), join(*_bars(found, column.type)), axis,
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}", role="img", aria_label=says, class_="pd-hist",
    )  # fmt: skip


def beyond(column: ColumnProfile) -> str:
    """Return what a histogram leaves out at its ends, in words; empty when that is nothing."""
    found = column.histogram
    if found is None or not found.below + found.above:
        return ""
    low, high = (told(edge, column.type) for edge in (found.edges[0], found.edges[-1]))
    ends = (
        (found.below, f"below {low}, down to {_plain(column.minimum)}"),
        (found.above, f"above {high}, up to {_plain(column.maximum)}"),
    )
    return f"Not drawn: {'; '.join(f'{number(many)} {where}' for many, where in ends if many)}."


def share_of(many: float, known: float) -> str:
    """Return a share as a percentage; what is not nothing is not told as nothing."""
    share = many / known if known else 0.0
    return f"under {percent(_SMALLEST_SHARE)}" if 0 < share < _SMALLEST_SHARE else percent(share)


def small(column: ColumnProfile) -> Html | None:
    """Return a distribution as a cell of a table holds it; the card says the numbers."""
    if column.histogram is not None:
        counts = list(column.histogram.counts)
    elif column.top and not column.personal and column.distinct <= len(column.top):
        counts = [many for _, many in column.top[:_SMALL_VALUES]]
    else:
        return None
    most, wide = max([*counts, 1]), _SMALL_WIDTH / max(len(counts), 1)
    if column.histogram is None:
        wide = min(wide, 10.0)
    bars = [
        el("rect", x=at * wide, y=_SMALL_HEIGHT - tall, width=max(wide - 0.6, 0.6), height=tall)
        for at, tall in enumerate(_heights(counts, most, _SMALL_HEIGHT))
        if tall
    ]
    return el("svg", bars, viewBox=f"0 0 {_SMALL_WIDTH:g} {_SMALL_HEIGHT:g}", class_="pd-small", aria_hidden="true")


def frequent(column: ColumnProfile, rows: int) -> Html:
    """Return the most frequent values as bars, with what the others make up together."""
    known = (rows - column.missing) * (column.top_rows / rows if rows and column.top_rows else 1.0)
    shown = column.top[:_SHOWN_VALUES]
    most = max([many for _, many in shown], default=1)
    lines = [_line(_cell(value), many, known, most) for value, many in shown]
    rest = round(known) - sum(many for _, many in shown)
    if rest > 0 and column.distinct > len(shown):
        others = count(column.distinct - len(shown), "other value")
        lines.append(_line(el("span", others, class_="quiet"), rest, known, max(most, rest), class_="pd-rest"))
    return el("table", el("tbody", lines), class_="pd-bars", aria_label=f"Most frequent values of {column.name}")


def gap(share: float) -> Html:
    """Return the share of what is missing as a bar."""
    inner = el("i", style=f"width:{max(100 * share, 2.0):.1f}%") if share else None
    return el("span", inner, class_="pd-gap" if share else "pd-gap pd-full", aria_hidden="true")


def told(value: float, kind: LogicalType) -> str:
    """Return a value of a histogram's axis in words: numbers as they are, moments as dates and times."""
    if kind not in MOMENTS:
        return number(value)
    moment = _moment(value)
    return f"{moment:%Y-%m-%d}" if kind == "date" or not value % _DAY_S else f"{moment:%Y-%m-%d %H:%M}"


def _bars(found: Histogram, kind: LogicalType) -> Iterator[Html]:
    wide = _WIDTH / len(found.counts)
    most = max([*found.counts, 1])
    for at, tall in enumerate(_heights(found.counts, most, _FLOOR - 6)):
        if not tall:
            continue
        low, high = found.edges[at], found.edges[at + 1]
        bar = el("rect", x=at * wide, y=_FLOOR - tall, width=max(wide - 1, 0.8), height=tall)
        yield el("g", el("title", f"{_between(low, high, kind)}: {number(found.counts[at])}"), bar)
    for many, x, side in ((found.below, 0.0, "below"), (found.above, _WIDTH - 3, "above")):
        if many:
            text = f"{count(many, 'value')} {side} what is drawn"
            yield el("g", el("title", text), el("rect", x=x, y=6, width=3, height=_FLOOR - 6), class_="pd-out")


def _between(low: float, high: float, kind: LogicalType) -> str:
    """Return a bin in words; one that holds a single whole number or day is called by it."""
    unit = {"int": 1.0, "date": _DAY_S}.get(kind)
    if unit is not None and math.isclose(high - low, unit):
        return told(math.ceil(low / unit) * unit, kind)
    return f"{told(low, kind)} to {told(high, kind)}"


def _heights(counts: tuple[int, ...] | list[int], most: int, room: float) -> list[float]:
    """Return heights of bars: what is not nothing can be seen."""
    return [max(room * many / most, 1.0) if many else 0.0 for many in counts]


def _axis(found: Histogram, kind: LogicalType) -> Iterator[Html]:
    low, high = found.edges[0], found.edges[-1]
    yield el("line", x1=0, x2=_WIDTH, y1=_FLOOR, y2=_FLOOR, class_="ud-axis")
    for value, label in _moment_ticks(low, high) if kind in MOMENTS else _number_ticks(low, high, kind):
        across = _WIDTH * (value - low) / (high - low)
        anchor = "start" if across < 24 else "end" if across > _WIDTH - 24 else "middle"  # noqa: PLR2004 - half a label
        yield el("line", x1=across, x2=across, y1=_FLOOR, y2=_FLOOR + 4, class_="ud-axis")
        yield el("text", label, x=across, y=_FLOOR + 17, text_anchor=anchor, class_="ud-tick")


def _number_ticks(low: float, high: float, kind: LogicalType) -> Iterator[tuple[float, str]]:
    for value in ticks(low, high):
        if kind != "int" or value == int(value):
            yield value, compact(value)


def _moment_ticks(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Give round moments between two ends: years, months, days or hours, at most so many."""
    span = high - low
    if span < 2 * _DAY_S:
        form = "%H:%M" if span < _DAY_S else "%m-%d %H:%M"
        step = next(
            hours * 3600 for hours in (1 / 60, 1 / 6, 0.5, 1, 2, 3, 6, 12) if span / (hours * 3600) <= _MOST_TICKS
        )
        moments = [step * at for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
    elif span < 0.2 * _YEAR_S:
        form = "%Y-%m-%d"
        step = next(days * _DAY_S for days in (1, 2, 5, 7, 14, 28) if span / (days * _DAY_S) <= _MOST_TICKS)
        moments = [step * at for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
    else:
        months = next(
            step
            for step in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000, 24_000)
            if span / _YEAR_S * 12 / step <= _MOST_TICKS
        )
        form = "%Y" if months >= 12 else "%Y-%m"  # noqa: PLR2004 - months of a year
        moments = list(_months(low, high, months))
    for moment in moments:
        yield moment, f"{_moment(moment):{form}}"


def _months(low: float, high: float, step: int) -> Iterator[float]:
    first = _moment(low)
    at = -(-(first.year * 12 + first.month) // step) * step
    while at // 12 <= 9999:  # noqa: PLR2004 - the last year of the calendar
        start = datetime(max(at // 12, 1), at % 12 + 1, 1, tzinfo=UTC)
        seconds = (start - _EPOCH).total_seconds()
        if seconds > high:
            return
        if seconds >= low:
            yield seconds
        at += step


def _moment(seconds: float) -> datetime:
    """Return a moment; beyond the calendar's ends, its end."""
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return datetime(9999 if seconds > 0 else 1, 1, 1, tzinfo=UTC)


def _said(found: Histogram, kind: LogicalType) -> str:
    fullest = max(range(len(found.counts)), key=found.counts.__getitem__)
    edges = list(pairwise(found.edges))[fullest]
    ends = f"{told(found.edges[0], kind)} to {told(found.edges[-1], kind)}"
    return f"{ends}, most values between {told(edges[0], kind)} and {told(edges[1], kind)}."


def _line(name: Html, many: int, known: float, most: int, class_: str | None = None) -> Html:
    bar = el("span", class_="pd-bar", style=f"width:{100 * many / most:.1f}%")
    told_ = (number(many), " ", el("span", share_of(many, known), class_="quiet"))
    return el(
        "tr",
        el("th", name, scope="row"),
        el("td", bar, aria_hidden="true"),
        el("td", told_, class_="num"),
        class_=class_,
    )


def _plain(value: object) -> str:
    return number(value) if isinstance(value, int | float) else str(value).replace("T", " ").removesuffix("+00:00")


def _cell(value: object) -> Html:
    text = str(value)
    if not text.strip():
        return el("span", "(empty)" if not text else f"({count(len(text), 'space')})", class_="quiet")
    cut = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}\N{HORIZONTAL ELLIPSIS}"
    return el("span", cut, title=text[:400])
