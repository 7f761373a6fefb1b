"""How a table stands against a suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from undrift.core.errors import CheckFailed
from undrift.core.json import JSON
from undrift.data.quality.plan import RowNumbers
from undrift.data.quality.suite import Expectation
from undrift.data.schema import renamed

Verdict: TypeAlias = Literal["pass", "warn", "fail"]
_OF_A_CELL = frozenset(
    {
        *(f"expect_column_{what}_to_be_between" for what in ("min", "max", "median", "sum", "quantile_values")),
        "expect_column_most_common_value_to_be_in_set",
    }
)
_MOST_TOLD = 10
"""So many broken expectations are told where a report is shown as text."""
_NONE: RowNumbers = np.empty(0, dtype=np.int64)


class ChecksFailed(CheckFailed):
    """A table breaks what is expected of it."""

    code = "checks-failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one expectation came out.

    Attributes
    ----------
    expectation : Expectation
        What was expected.
    success : bool
        Whether it holds.
    considered, unexpected : int
        Rows judged, and those of them which break it; 0 for whole-table expectations.
    observed : object
        The number or names found, for whole-table expectations; it may be a cell.
    problem, cure : str
        Why it could not be judged, and what to do; empty when it was.
    rows : ndarray of int
        Numbers of the breaking rows, ascending; empty when they were not asked for.
    examples : tuple
        The first breaking values: of a pair as a tuple, of several columns by name. They are cells:
        shown to the user, never recorded.
    concerned : int
        Rows for which the row condition holds.
    on_rows : bool
        Whether it is an expectation on rows.
    details : mapping
        Further keys of the result, as Great Expectations names them. They may hold cells.
    """

    expectation: Expectation
    success: bool
    considered: int = 0
    unexpected: int = 0
    observed: Any = None  # Any: a number, a cell, a list of these
    problem: str = ""
    cure: str = ""
    rows: RowNumbers = field(default_factory=lambda: _NONE)
    examples: tuple[object, ...] = ()
    concerned: int = 0
    on_rows: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)  # Any: as above

    def __repr__(self) -> str:
        """Return the outcome on one line, without any cell."""
        return f"<CheckResult {'holds: ' + self.expectation.describe() if self.success else 'broken: ' + self.told()}>"

    @property
    def unexpected_percent(self) -> float:
        """Percentage of the judged rows that break the expectation."""
        return 100.0 * self.unexpected / self.considered if self.considered else 0.0

    @property
    def severity(self) -> str:
        """``fail`` or ``warn``."""
        return self.expectation.severity

    @property
    def condemns_rows(self) -> bool:
        """Whether the breaking rows are bad rows, rather than the table a bad table."""
        return self.severity == "fail" and self.considered > 0 and self.expectation.mostly == 1 and not self.problem

    def told(self) -> str:
        """Return the result on one line, without any cell."""
        told = self.expectation.describe()
        if self.problem:
            return f"{told}: {self.problem}"
        if self.considered:
            return f"{told}: {self.unexpected} of {self.considered} rows break it"
        if "unexpected_count" in self.details or "missing_count" in self.details:
            counts = [(self.details.get("unexpected_count"), "unknown"), (self.details.get("missing_count"), "missing")]
            return f"{told}: " + ", ".join(f"{count} values are {what}" for count, what in counts if count)
        if (mismatched := dict(self.details.get("details") or {}).get("mismatched")) is not None:
            return f"{told}: {_mismatch(mismatched)}"
        if self.expectation.type in _OF_A_CELL:
            return f"{told}: it is not"
        return f"{told}: found {self.observed}"

    def as_json(self) -> dict[str, JSON]:
        """Return the result without any cell."""
        plain: dict[str, JSON] = {
            "type": self.expectation.type,
            "column": self.expectation.column,
            "severity": self.severity,
            "success": self.success,
            "considered": self.considered,
            "unexpected": self.unexpected,
            "unexpected_percent": round(self.unexpected_percent, 6),
        }
        if self.problem:
            plain["problem"] = self.problem
        return plain


def _mismatch(found: Any) -> str:  # Any: as Great Expectations writes it, by name for a set, by place for a list
    if isinstance(found, Mapping):
        missing, unexpected = found.get("missing", []), found.get("unexpected", [])
        told = [("missing", missing), ("unexpected", unexpected)]
        told.append(("perhaps renamed", [f"{old} -> {new}" for old, new in renamed(missing, unexpected)]))
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in told if names)
    first = found[0]
    place, expected, there = (first[name] for name in ("Expected Column Position", "Expected", "Found"))
    others = f", and {len(found) - 1} more places differ" if len(found) > 1 else ""
    return f"column {place + 1} is {there or 'missing'} and should be {expected or 'the end'}{others}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How a table stands against a suite.

    Attributes
    ----------
    suite_digest : str
        Which suite.
    rows : int
        Rows of the table.
    results : tuple of CheckResult
        In the order of the suite.
    bad_rows : ndarray of int
        Numbers of the rows that break a fail-level row expectation, ascending; empty when they were not asked for.
    bad_row_limit : float
        The largest share of bad rows with which the rest may go on.
    bad_count : int
        How many bad rows there are.
    not_recorded : str
        Why the ledger knows nothing of the check of a version; empty where it does.
    """

    suite_digest: str
    rows: int
    results: tuple[CheckResult, ...]
    bad_rows: RowNumbers
    bad_row_limit: float
    bad_count: int
    not_recorded: str = ""

    def __repr__(self) -> str:
        """Return the verdict on one line and each broken expectation on another, without any cell."""
        bad = f", {self.bad_count:,} bad rows" if self.bad_count else ""
        head = f"{self.verdict}: {self.rows:,} rows, {len(self.broken)} of {len(self.results)} expectations broken{bad}"
        lines = [f"  {one.severity}: {one.told()}" for one in self.broken[:_MOST_TOLD]]
        more = [f"  and {len(self.broken) - _MOST_TOLD} more in .broken"] if len(self.broken) > _MOST_TOLD else []
        return "\n".join([f"<CheckReport {head}>", *lines, *more])

    @property
    def verdict(self) -> Verdict:
        """``fail`` when any fail-level expectation is broken, ``warn`` when only warn-level ones are, else ``pass``."""
        broken = {result.severity for result in self.results if not result.success}
        if "fail" in broken or self.bad_count:
            return "fail"
        return "warn" if broken else "pass"

    @property
    def bad_share(self) -> float:
        """Share of bad rows, in [0, 1]."""
        return self.bad_count / self.rows if self.rows else 0.0

    @property
    def table_failures(self) -> tuple[str, ...]:
        """What is wrong with the table as a whole, at the level of fail."""
        return tuple(
            result.told()
            for result in self.results
            if not result.success and result.severity == "fail" and not result.condemns_rows
        )

    @property
    def stop_reasons(self) -> tuple[str, ...]:
        """Why no part of the table may go on; empty when the rows that are not bad may."""
        if self.bad_share <= self.bad_row_limit:
            return self.table_failures
        share = f"{self.bad_count} of {self.rows} rows are bad ({100 * self.bad_share:.1f} %)"
        return (f"{share}, the limit is {100 * self.bad_row_limit:g} %", *self.table_failures)

    @property
    def broken(self) -> tuple[CheckResult, ...]:
        """The results that are no success."""
        return tuple(result for result in self.results if not result.success)

    def raise_if_failed(self) -> None:
        """Do nothing unless the verdict is ``fail``.

        Raises
        ------
        ChecksFailed
            If it is; the broken expectations are told, without cells.
        """
        if self.verdict == "fail":
            told = [result.told() for result in self.broken if result.severity == "fail"]
            raise ChecksFailed("; ".join(told), cure="mend the table, or say anew what is expected")

    def reasons(self) -> dict[int, list[str]]:
        """Return, for each bad row, what is wrong with it."""
        told: dict[int, list[str]] = {int(row): [] for row in self.bad_rows}
        for result in self.results:
            if result.condemns_rows:
                reason = result.expectation.describe()
                for row in result.rows.tolist():
                    told[row].append(reason)
        return told

    def as_json(self) -> dict[str, JSON]:
        """Return the report without any cell."""
        return {
            "format": "undrift.check-report/1",
            "suite": self.suite_digest,
            "verdict": self.verdict,
            "rows": self.rows,
            "bad_rows": self.bad_count,
            "bad_row_limit": self.bad_row_limit,
            "stopped_by": list(self.stop_reasons),
            "results": [result.as_json() for result in self.results],
        }
