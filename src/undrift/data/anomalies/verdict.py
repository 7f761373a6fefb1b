"""What is said of one metric of a new version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from undrift.core.json import JSON

Outcome: TypeAlias = Literal["normal", "anomaly", "not enough history"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One metric judged.

    Attributes
    ----------
    metric : str
        Its name: ``rows``, ``hours since the last version``, ``age of COLUMN in hours``, ``missing COLUMN``,
        ``distribution COLUMN``, ``new values COLUMN``, ``schema``, or one that was fed from outside.
    outcome : {"normal", "anomaly", "not enough history"}
        The verdict.
    value : float or None
        What was measured; None for a schema.
    low, high : float or None
        The expected interval, both ends in it; None where an end is open, or nothing can be expected yet.
    method : str
        How the interval came about.
    n : int
        Past points behind it.
    detail : str
        What a person may see and no event holds: names of new categories, columns that came or went.
    """

    metric: str
    outcome: Outcome
    value: float | None
    low: float | None
    high: float | None
    method: str
    n: int
    detail: str = ""

    @property
    def is_anomaly(self) -> bool:
        """Whether it is out of the ordinary."""
        return self.outcome == "anomaly"

    def as_json(self, *, detail: bool = True) -> dict[str, JSON]:
        """Return the verdict for machines; an event gets it without its detail."""
        found: dict[str, JSON] = {
            "metric": self.metric,
            "outcome": self.outcome,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "method": self.method,
            "n": self.n,
        }
        return {**found, "detail": self.detail} if detail and self.detail else found

    def told(self) -> str:
        """Return one line for a person."""
        if self.outcome == "not enough history":
            return f"{self.metric}: {_number(self.value)}; not enough history ({self.n} past points; {self.method})"
        if self.value is None:
            return f"{self.metric}: {self.detail or ('not as before' if self.is_anomaly else 'as before')}"
        expected = f"expected {_interval(self.low, self.high)}, {self.method}, {self.n} past points"
        return f"{self.metric}: {_number(self.value)}, {expected}" + (f" ({self.detail})" if self.detail else "")


def _interval(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {_number(high)}"
    if high is None:
        return f"at least {_number(low)}"
    return f"{_number(low)} to {_number(high)}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - thousands
