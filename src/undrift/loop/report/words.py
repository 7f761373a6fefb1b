"""Numbers as a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
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

    >>> percent(0.2471), percent(1.0)
    ('24.7 %', '100 %')
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    text = f"{100 * share:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %".replace("-", _MINUS)


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
