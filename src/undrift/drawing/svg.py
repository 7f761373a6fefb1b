"""Pictures as text: pure functions that return SVG or a table, for the report and for cells of a notebook.

Every picture carries a sentence that says what it shows, which is also what a screen reader says. Give
:data:`STYLE` once per page or cell, and put the pictures into an element of class ``undrift``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from undrift.drawing.markup import Html, el, join
from undrift.drawing.words import NOTHING, alike, compact, number, percent

WIDTH, HEIGHT = 360.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 14.0, 10.0, 40.0
_MOST_TICKS = 6

STYLE = """\
.undrift svg{display:block;width:100%;height:auto;overflow:visible}
.undrift svg text{fill:currentColor;font:11px/1 ui-sans-serif,system-ui,sans-serif}
.undrift .wide{overflow-x:auto}
.undrift .ud-tick{opacity:.78;font-variant-numeric:tabular-nums}
.undrift .ud-grid{stroke:currentColor;stroke-opacity:.13;stroke-width:1}
.undrift .ud-axis{stroke:currentColor;stroke-opacity:.45;stroke-width:1}
.undrift .ud-line{fill:none;stroke:var(--ud-accent,#3f82c9);stroke-width:2;stroke-linejoin:round}
.undrift .ud-other{fill:none;stroke:currentColor;stroke-opacity:.6;stroke-width:1.5;stroke-linejoin:round}
.undrift .ud-guide{fill:none;stroke:currentColor;stroke-opacity:.5;stroke-width:1;stroke-dasharray:3 3}
.undrift .ud-band{fill:var(--ud-accent,#3f82c9);fill-opacity:.16;stroke:none}
.undrift .ud-bar{stroke:var(--ud-accent,#3f82c9);stroke-width:2}
.undrift .ud-dot{fill:var(--ud-accent,#3f82c9);stroke:none}
.undrift .ud-off .ud-bar{stroke:currentColor;stroke-opacity:.55}
.undrift .ud-off .ud-dot{fill:currentColor;fill-opacity:.65}
.undrift .ud-warn .ud-bar{stroke:var(--ud-warn,#c4632b)}
.undrift .ud-warn .ud-dot{fill:var(--ud-warn,#c4632b)}
.undrift svg.ud-strip{height:16px;min-width:88px}
.undrift table.ud-heat td{background:color-mix(in srgb,var(--ud-accent,#3f82c9) calc(var(--ud-share)*42%),transparent)}
.undrift table.ud-heat td{text-align:right;font-variant-numeric:tabular-nums;padding:.35em .6em}
.undrift table.ud-heat td small{display:block;opacity:.8}
.undrift table.ud-heat td.ud-none{opacity:.6}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis.

    Attributes
    ----------
    label : str
        What it measures, with its unit.
    low, high : float
        Its ends, low < high.
    share : bool
        Whether its ticks are percentages of one.
    """

    label: str
    low: float
    high: float
    share: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line, with a band around it where ``low`` and ``high`` are given.

    Attributes
    ----------
    x, y : sequences of float
        The points, in the order in which they are joined.
    low, high : sequences of float
        Ends of the band at each point.
    role : {"main", "other", "guide"}
        Whether it is what the picture is about, something to compare with, or a thin line to steer by.
    """

    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    role: Literal["main", "other", "guide"] = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One point with its interval.

    Attributes
    ----------
    x : float
        Where it stands; not looked at in strips.
    estimate, low, high : float
        The value and the ends of its interval.
    tone : {"", "off", "warn"}
        Plain, quiet, or to be looked at.
    """

    x: float = 0.0
    estimate: float
    low: float
    high: float
    tone: Literal["", "off", "warn"] = ""


def line_chart(series: Sequence[Series], x: Axis, y: Axis, *, says: str, marks: Sequence[Mark] = ()) -> Html:
    """Return lines over a plane, with bands and single points.

    Parameters
    ----------
    series : sequence of Series
        What is drawn, first at the bottom.
    x, y : Axis
        The plane.
    says : str
        One sentence that says what is seen; a screen reader says it.
    marks : sequence of Mark
        Points with intervals on top of the lines.
    """
    plane = _Plane(x, y)
    return _picture(join(plane.frame(), (plane.drawn(one) for one in series), (plane.mark(m) for m in marks)), says)


def reliability(marks: Sequence[Mark], *, says: str, x: Axis | None = None, y: Axis | None = None) -> Html:
    """Return a reliability diagram: what was predicted against what happened, with intervals and the diagonal.

    Parameters
    ----------
    marks : sequence of Mark
        Mean prediction of a bin as ``x``, what happened in it with its interval.
    says : str
        One sentence that says what is seen.
    x, y : Axis, optional
        Both from 0 to 100 % when not given.
    """
    x = x or Axis(label="predicted probability", low=0.0, high=1.0, share=True)
    y = y or Axis(label="share that happened", low=x.low, high=x.high, share=x.share)
    low, high = max(x.low, y.low), min(x.high, y.high)
    return line_chart([Series(x=(low, high), y=(low, high), role="guide")], x, y, says=says, marks=marks)


def strip(mark: Mark, low: float, high: float, *, at: float | None = None) -> Html:
    """Return one interval on a scale, as a cell of a table holds it; the cell beside it says the numbers.

    Parameters
    ----------
    mark : Mark
        The interval.
    low, high : float
        Ends of the scale, the same in all rows of the table.
    at : float, optional
        Where a thin line stands, for instance zero.
    """

    def place(value: float) -> str:
        share = (min(max(value, low), high) - low) / (high - low) if high > low else 0.5
        return f"{3 + 94 * share:.2f}%"

    whisker = el("line", x1=place(mark.low), x2=place(mark.high), y1=8, y2=8, class_="ud-bar")
    guide = None if at is None else el("line", x1=place(at), x2=place(at), y1=0, y2=16, class_="ud-axis")
    dot = el("circle", cx=place(mark.estimate), cy=8, r=3.5, class_="ud-dot")
    inner = el("g", whisker, dot, class_=f"ud-{mark.tone}" if mark.tone else None)
    return el("svg", guide, inner, class_="ud-strip", width="100%", height=16, aria_hidden="true", focusable="false")


def scale(marks: Sequence[Mark], *, include: float | None = None) -> tuple[float, float]:
    """Return the ends of a scale that holds all intervals, and one more value where it is given."""
    values = [end for mark in marks for end in (mark.low, mark.estimate, mark.high)]
    values += [] if include is None else [include]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def interval_table(
    rows: Sequence[tuple[str, Mark]], headings: tuple[str, str], *, caption: str, at: float | None = None
) -> Html:
    """Return a table with one value and its interval a row, in numbers and drawn on one scale.

    Parameters
    ----------
    rows : sequence of (str, Mark)
        Names and intervals.
    headings : tuple of two str
        Of the names and of the values.
    caption : str
        One sentence that says what is seen.
    at : float, optional
        A value that all rows are to be compared with, drawn as a thin line.
    """
    low, high = scale([mark for _, mark in rows], include=at)
    show = alike([end for _, mark in rows for end in (mark.low, mark.estimate, mark.high)])
    body = [
        el(
            "tr",
            el("th", name, scope="row"),
            el("td", show(mark.estimate), class_="num"),
            el("td", ends(mark, show), class_="num ud-ends"),
            el("td", strip(mark, low, high, at=at), class_="ud-drawn"),
        )
        for name, mark in rows
    ]
    head = el(
        "tr",
        el("th", headings[0], scope="col"),
        el("th", headings[1], scope="col", class_="num"),
        el("th", "interval", scope="col", class_="num ud-ends"),
        el("th", "drawn", scope="col", class_="ud-drawn"),
    )
    return captioned(caption, el("thead", head), el("tbody", body), class_="ud-intervals")


def heat_table(counts: Sequence[Sequence[int]], classes: Sequence[str], *, caption: str, answered: str = "") -> Html:
    """Return a confusion table: what happened by row, what was answered by column, shaded by share of the row.

    Parameters
    ----------
    counts : sequence of sequences of int
        ``counts[i][j]``: rows of class i that were answered with class j.
    classes : sequence of str
        Names of both.
    caption : str
        One sentence that says what is seen.
    answered : str
        Heading over the columns.
    """
    head = [
        el("tr", el("td"), el("th", answered or "answered", scope="colgroup", colspan=len(classes))),
        el("tr", el("th", "happened", scope="col"), (el("th", name, scope="col") for name in classes)),
    ]
    body = []
    for name, row in zip(classes, counts, strict=True):
        total = sum(row)
        cells = [_heat_cell(many, many / total if total else 0.0) for many in row]
        body.append(el("tr", el("th", name, scope="row"), cells))
    return captioned(caption, el("thead", head), el("tbody", body), class_="ud-heat")


def captioned(caption: str, *parts: Html, class_: str | None = None) -> Html:
    """Return a table under its sentence; where it is wider than the screen it scrolls, and the sentence does not.

    Parameters
    ----------
    caption : str
        What is seen; also the table's name for a screen reader. Empty for none.
    parts : Html
        Head and body.
    class_ : str, optional
        Of the table.
    """
    shown = el("table", *parts, class_=class_, aria_label=caption or None)
    scrolled = el("div", shown, class_="wide", tabindex="0", role="region", aria_label=caption or "table")
    return el("figure", el("figcaption", caption), scrolled) if caption else scrolled


def ticks(low: float, high: float, most: int = _MOST_TICKS) -> list[float]:
    """Return round numbers between two ends, at most so many.

    >>> ticks(0.0, 1.0), ticks(-3.0, 47.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 10.0, 20.0, 30.0, 40.0])
    """
    if not high > low:
        return [low]
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1.0, 2.0, 2.5, 5.0, 10.0) if power * one >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def _heat_cell(many: int, share: float) -> Html:
    if not many:
        return el("td", 0, class_="ud-none", style="--ud-share:0")
    return el("td", number(many), el("small", percent(share, 0)), style=f"--ud-share:{share:.3f}")


def ends(mark: Mark, show: Callable[[float], str] = number) -> str:
    """Return the ends of an interval in words; a dash where it has none."""
    return f"{show(mark.low)} to {show(mark.high)}" if mark.low < mark.high else NOTHING


def _picture(inner: Html, says: str) -> Html:
    return el("svg", inner, viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img", aria_label=says)


@dataclass(frozen=True, slots=True)
class _Plane:
    """Places of values in the picture."""

    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point lies; what is outside lies on the edge."""
        across = min(max((x - self.x.low) / (self.x.high - self.x.low), 0.0), 1.0)
        up = min(max((y - self.y.low) / (self.y.high - self.y.low), 0.0), 1.0)
        return _LEFT + across * (WIDTH - _LEFT - _RIGHT), HEIGHT - _BOTTOM - up * (HEIGHT - _TOP - _BOTTOM)

    def frame(self) -> Html:
        """Return grid, ticks and labels."""
        return join(self._across(), self._up(), self._labels())

    def _across(self) -> Iterator[Html]:
        _, floor = self.at(self.x.low, self.y.low)
        yield el("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=floor, y2=floor, class_="ud-axis")
        for value in ticks(self.x.low, self.x.high):
            left, _ = self.at(value, self.y.low)
            yield el("line", x1=left, x2=left, y1=floor, y2=floor + 4, class_="ud-axis")
            yield el("text", _tick(value, self.x), x=left, y=floor + 15, text_anchor="middle", class_="ud-tick")

    def _up(self) -> Iterator[Html]:
        for value in ticks(self.y.low, self.y.high):
            _, top = self.at(self.x.low, value)
            yield el("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=top, y2=top, class_="ud-grid")
            yield el("text", _tick(value, self.y), x=_LEFT - 6, y=top + 4, text_anchor="end", class_="ud-tick")

    def _labels(self) -> Iterator[Html]:
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        yield el("text", self.x.label, x=middle, y=HEIGHT - 6, text_anchor="middle")
        up = (_TOP + HEIGHT - _BOTTOM) / 2
        turned = f"rotate(-90 9 {up:g})"
        yield el("text", self.y.label, x=9, y=up, text_anchor="middle", transform=turned)

    def drawn(self, series: Series) -> Html:
        """Return a line and its band."""
        points = [self.at(x, y) for x, y in zip(series.x, series.y, strict=True)]
        kind = {"main": "ud-line", "other": "ud-other", "guide": "ud-guide"}[series.role]
        band = None
        if len(series.low) and len(series.high):
            upper = [self.at(x, y) for x, y in zip(series.x, series.high, strict=True)]
            lower = [self.at(x, y) for x, y in zip(series.x, series.low, strict=True)]
            band = el("polygon", points=_joined([*upper, *reversed(lower)]), class_="ud-band")
        return join(band, el("polyline", points=_joined(_thinned(points)), class_=kind))

    def mark(self, mark: Mark) -> Html:
        """Return a point with its interval."""
        (left, low), (_, high) = self.at(mark.x, mark.low), self.at(mark.x, mark.high)
        _, middle = self.at(mark.x, mark.estimate)
        whisker = el("line", x1=left, x2=left, y1=low, y2=high, class_="ud-bar")
        dot = el("circle", cx=left, cy=middle, r=3.5, class_="ud-dot")
        return el("g", whisker, dot, class_=f"ud-{mark.tone}" if mark.tone else None)


def _tick(value: float, axis: Axis) -> str:
    return percent(value, 0 if axis.high - axis.low > 0.05 else 2) if axis.share else compact(value)  # noqa: PLR2004


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points without those that fall on the one before."""
    kept = points[:1]
    kept += [after for before, after in pairwise(points) if _joined([before]) != _joined([after])]
    return kept
