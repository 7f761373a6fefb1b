"""What a suspicion is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from undrift.core.json import JSON

Kind: TypeAlias = Literal["predicts", "filled", "copies", "derived", "after-event"]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a column may know what is to be predicted.

    Attributes
    ----------
    column : str
        Its name.
    kind : {"predicts", "filled", "copies", "derived", "after-event"}
        What is suspicious of it.
    evidence : str
        One sentence for a person, with the numbers and no cell of the table.
    numbers : mapping
        The same numbers for programs.
    """

    column: str
    kind: Kind
    evidence: str
    numbers: Mapping[str, JSON]

    def as_json(self) -> dict[str, JSON]:
        """Return the suspicion as sheets and cards keep it."""
        return {"column": self.column, "kind": self.kind, "evidence": self.evidence, "numbers": dict(self.numbers)}
