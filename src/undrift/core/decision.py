"""What an automatic decision is made of, and what the ledger keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from undrift.core.json import JSON

Outcome: TypeAlias = Literal["pass", "fail", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with its evidence.

    Attributes
    ----------
    question : str
        What was asked, for instance ``"challenger is not worse than champion"``.
    outcome : {"pass", "fail", "cannot_tell"}
        The answer.
    method : str
        The statistical method, by its name in the literature.
    alpha : float
        The stated probability of a wrong alarm, in (0, 1).
    n : int
        Number of independent units behind the answer.
    unit : str
        What one unit is: ``"row"``, ``"key"`` or ``"day"``.
    evidence : mapping
        The numbers the answer rests on.
    reason : str
        One sentence for a person.
    """

    question: str
    outcome: Outcome
    method: str
    alpha: float
    n: int
    unit: str
    evidence: Mapping[str, JSON] = field(default_factory=dict)
    reason: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return the decision as it is kept in an event."""
        return {
            "question": self.question,
            "outcome": self.outcome,
            "method": self.method,
            "alpha": self.alpha,
            "n": self.n,
            "unit": self.unit,
            "evidence": dict(self.evidence),
            "reason": self.reason,
        }
