"""What an engine is asked: marks on rows and aggregates, to be found in one scan of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from undrift.core.errors import Fault
from undrift.data.quality.expressions import Aggregate, Expression

RowNumbers: TypeAlias = npt.NDArray[np.int64]
# Any: numbers, cells, lists of cells, dictionaries of counts; row numbers are arrays.
Answers: TypeAlias = Mapping[str, Any]


class EngineFailed(Fault):
    """An engine could not run a check."""

    code = "check-engine-failed"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a suite needs to know of a table.

    Attributes
    ----------
    marks : mapping of str to Expression
        Conditions on rows, never null, that aggregates name.
    aggregates : mapping of str to Aggregate
        What is asked, by the name under which it is answered.
    """

    marks: Mapping[str, Expression]
    aggregates: Mapping[str, Aggregate]

    def columns(self) -> set[str]:
        """Return the names of the columns that are read."""
        expressions = [*self.marks.values()]
        for aggregate in self.aggregates.values():
            expressions += [one for one in (aggregate.of, aggregate.where) if one is not None]
        return set().union(*(expression.columns() for expression in expressions))
