"""What an expectation is compiled to: a rule on rows, numbers of the table, or a fact of its schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from undrift.data.quality.expressions import Aggregate, Expression

Numbers: TypeAlias = Mapping[str, Any]  # Any: aggregates are numbers, cells and lists of these


@dataclass(frozen=True, slots=True)
class RowRule:
    """An expectation on rows.

    Attributes
    ----------
    unexpected : Expression
        True for the rows that break it; never null.
    judged : Expression or None
        True for the rows that are judged; None when all that are concerned are.
    concerned : Expression or None
        True for the rows of the row condition; None when there is none.
    shown : tuple of str
        Columns of which breaking values are shown.
    """

    unexpected: Expression
    judged: Expression | None = None
    concerned: Expression | None = None
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about a whole column or table.

    Attributes
    ----------
    success : bool
        Whether it is as expected.
    observed : object
        The number, names or values found.
    details : mapping
        Further keys of the result, as Great Expectations names them. They may hold cells.
    """

    success: bool
    observed: Any = None  # Any: a number, a cell, a list of these
    details: Mapping[str, Any] = field(default_factory=dict)  # Any: as above


@dataclass(frozen=True, slots=True)
class Measure:
    """An expectation on numbers of the table.

    Attributes
    ----------
    numbers : mapping of str to Aggregate
        What must be computed.
    judge : callable
        Makes a finding of these numbers.
    """

    numbers: Mapping[str, Aggregate]
    judge: Callable[[Numbers], Finding]


Rule: TypeAlias = RowRule | Measure | Finding
