"""Pictures of the report: well-formed, escaped, in their places."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from undrift.drawing.markup import Html, el, join
from undrift.drawing.svg import (
    HEIGHT,
    WIDTH,
    Axis,
    Mark,
    Series,
    heat_table,
    interval_table,
    line_chart,
    reliability,
    strip,
    ticks,
)
from undrift.drawing.words import interval, number, percent

HOSTILE = '<script>alert("x")</script>&\x00'
UNIT = Axis(label="share", low=0.0, high=1.0, share=True)


def _pictures() -> dict[str, Html]:
    mark = Mark(x=0.5, estimate=0.4, low=0.3, high=0.6)
    return {
        "line": line_chart([Series(x=(0, 1), y=(0, 1), low=(0, 0.5), high=(0.2, 1))], UNIT, UNIT, says=HOSTILE),
        "reliability": reliability([mark], says=HOSTILE, x=Axis(label=HOSTILE, low=0.0, high=1.0)),
        "intervals": interval_table([(HOSTILE, mark)], (HOSTILE, HOSTILE), caption=HOSTILE, at=0.0),
        "heat": heat_table([[3, 1], [0, 0]], (HOSTILE, "b"), caption=HOSTILE, answered=HOSTILE),
    }


@pytest.mark.parametrize("name", _pictures())
def test_a_picture_is_well_formed_whatever_it_is_given(name: str) -> None:
    """Names that are markup stay text."""
    tree = ET.fromstring(f"<p>{_pictures()[name]}</p>")
    assert "script" not in {one.tag for one in tree.iter()}
    assert '<script>alert("x")</script>&\N{REPLACEMENT CHARACTER}' in [*tree.itertext(), *_labels(tree)]


def _labels(tree: ET.Element) -> list[str]:
    return [one.get("aria-label", "") for one in tree.iter()]


def test_a_picture_says_what_it_shows() -> None:
    """A screen reader reads the sentence."""
    svg = ET.fromstring(line_chart([], UNIT, UNIT, says="it rises"))
    assert (svg.get("role"), svg.get("aria-label")) == ("img", "it rises")


def test_nothing_is_drawn_outside_the_picture() -> None:
    """A point outside the axes lies on their edge."""
    drawn = line_chart([Series(x=(-5, 9), y=(-3, 7))], UNIT, UNIT, says="all over")
    found = re.search(r'points="([^"]+)" class="ud-line"', drawn)
    assert found is not None
    points = [tuple(map(float, pair.split(","))) for pair in found[1].split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


def test_a_strip_puts_the_estimate_between_its_ends() -> None:
    """On one scale for all rows."""
    drawn = strip(Mark(estimate=5.0, low=0.0, high=10.0), 0.0, 10.0, at=0.0)
    assert 'cx="50.00%"' in drawn
    assert 'x1="3.00%" x2="97.00%"' in drawn


def test_text_is_escaped_and_markup_is_not_escaped_twice() -> None:
    """Plain text is foreign, Html is ours."""
    assert join(el("b", "<"), "&") == "<b>&lt;</b>&amp;"
    assert el("a", None, [el("i", 1)], title='"', class_=None) == '<a title="&quot;"><i>1</i></a>'


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 47.0), (1e-7, 3e-7), (2.0, 2.0), (0.0, 1e9)])
def test_ticks_are_few_and_inside(low: float, high: float) -> None:
    """Round numbers, at most six."""
    found = ticks(low, high)
    assert 1 <= len(found) <= 6
    assert all(low - 1e-9 * abs(low) <= at <= high + 1e-9 * abs(high) for at in found)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.71349, "0.713"),
        (-1234567.0, "\N{MINUS SIGN}1,234,567"),
        (None, "\N{EN DASH}"),
        (1.5e-7, "1.50e\N{MINUS SIGN}07"),
    ],
)
def test_numbers_are_written_for_readers(value: float | None, shown: str) -> None:
    """Three digits that count, thousands apart."""
    assert number(value) == shown


def test_an_interval_without_a_level_is_only_its_estimate() -> None:
    """Too few units give no interval, and no ends are pretended."""
    assert interval({"estimate": 0.5, "low": 0.5, "high": 0.5, "level": 0.0}) == "0.500"
    assert percent(0.5) == "50\N{NO-BREAK SPACE}%"
