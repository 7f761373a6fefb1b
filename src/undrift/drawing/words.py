"""Numbers as a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_SPACE = "\N{NO-BREAK SPACE}"
_MANY = 10_000
_TINY = 1e-4
Stored = Mapping[str, Any]  # Any: JSON read back


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with so many significant digits, thousands apart, a true minus sign; a dash for None.

    >>> number(0.71349), number(1234567.0), number(12)
    ('0.713', '1,234,567', '12')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004 - beyond it a float has no units digit
        text = f"{int(value):,}"
    elif abs(value) >= _MANY:
        text = f"{value:,.0f}"
    elif abs(value) < _TINY:
        text = f"{value:.{digits - 1}e}"
    else:
        places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        text = f"{value:,.{places}f}"
    return text.replace("-", _MINUS)


def alike(values: Iterable[float | None], digits: int = 3) -> Callable[[float | None], str]:
    """Return what writes a column of numbers with the same number of decimals: enough for the largest of them.

    >>> show = alike([0.127, 0.0431, -0.0002])
    >>> show(0.0431), show(0.127)
    ('0.043', '0.127')
    """
    known = [abs(value) for value in values if value is not None and math.isfinite(value)]
    largest = max(known, default=0.0)
    if not largest or largest < _TINY or all(value == int(value) for value in known):
        return lambda value: number(value, digits)
    places = max(0, digits - 1 - math.floor(math.log10(largest)))

    def show(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return NOTHING
        return f"{round(value, places) + 0.0:,.{places}f}".replace("-", _MINUS)

    return show


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage.

    >>> percent(0.2471).split()
    ['24.7', '%']
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    return f"{_short(f'{100 * share + 0.0:.{digits}f}')}{_SPACE}%".replace("-", _MINUS)


def share_interval(found: Stored | None) -> str:
    """Return an interval of a share as percentages: ``93.5 % (81.9 to 97.8)``."""
    if not found:
        return NOTHING
    if not bounded(found):
        return percent(found["estimate"])
    return f"{percent(found['estimate'])} ({points(found['low'])} to {points(found['high'])})"


def compact(value: float) -> str:
    """Return a number for a tick of an axis, in thousands or millions where it is large.

    >>> compact(1250000.0), compact(50000.0), compact(0.2), compact(4.61169e18)
    ('1.25M', '50k', '0.200', '4.61e18')
    """
    if abs(value) >= 1e15:  # noqa: PLR2004 - beyond it letters are known to few
        return f"{value:.3g}".replace("e+", "e").replace("-", _MINUS)
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= max(size, _MANY):
            return f"{value / size:g}{letter}".replace("-", _MINUS)
    return number(value)


def points(share: float) -> str:
    """Return a difference of shares in percentage points, without its unit.

    >>> points(0.0312)
    '3.1'
    """
    return _short(f"{100 * share:.1f}").replace("-", _MINUS)


def stated(value: float) -> str:
    """Return a number that somebody chose as they wrote it.

    >>> stated(0.05), stated(12.0)
    ('0.05', '12')
    """
    return f"{value:g}".replace("-", _MINUS)


def _short(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval(found: Stored | None, digits: int = 3) -> str:
    """Return an interval as ``0.713 (0.698 to 0.729)``; the estimate alone where there is no interval.

    >>> interval({"estimate": 0.713, "low": 0.698, "high": 0.729, "level": 0.95})
    '0.713 (0.698 to 0.729)'
    """
    if not found:
        return NOTHING
    if not bounded(found):
        return number(found["estimate"], digits)
    return f"{number(found['estimate'], digits)} ({number(found['low'], digits)} to {number(found['high'], digits)})"


def bounded(found: Stored | None) -> bool:
    """Say whether a stored interval has ends that mean something."""
    return bool(found) and found.get("low") is not None and bool(found.get("level", 1.0))  # type: ignore[union-attr]


def count(many: int, thing: str, plural: str = "") -> str:
    """Return a count with its noun.

    >>> count(1, "row"), count(1200, "row"), count(2, "category", "categories")
    ('1 row', '1,200 rows', '2 categories')
    """
    return f"{number(many)} {thing if many == 1 else plural or thing + 's'}"


def listed(items: list[str], last: str = "and") -> str:
    """Return items as a sentence lists them.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
