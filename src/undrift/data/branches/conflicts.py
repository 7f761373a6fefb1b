"""What two sides changed in different ways, so that somebody must say which counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from undrift.core.json import JSON

Side: TypeAlias = Literal["ours", "theirs"]
MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Conflict:
    """One file, column, row or cell that both sides changed in different ways.

    Attributes
    ----------
    what : {"file", "column", "row", "cell"}
        What it is.
    why : str
        What each side did.
    path : str
        Of a file: its path.
    column : str
        Of a column or a cell: the column.
    key : dict of str to str or None
        Of a row or a cell: what names the row; masked where the column is personal.
    base, ours, theirs : str or None
        Of a cell: what it held and holds; masked where the column is personal.
    """

    what: Literal["file", "column", "row", "cell"]
    why: str
    path: str = ""
    column: str = ""
    key: dict[str, str | None] = field(default_factory=dict)
    base: str | None = None
    ours: str | None = None
    theirs: str | None = None

    def told(self) -> str:
        """Return it on one line; what a terminal would obey in names and cells is taken out."""
        where = ", ".join(f"{name}={_shown(cell)}" for name, cell in self.key.items())
        if self.what == "cell":
            told = f"{where}: {self.column} is {_shown(self.ours)} here and {_shown(self.theirs)} there"
        else:
            told = f"{self.what} {where or self.path or self.column}: {self.why}"
        return "".join(letter if letter.isprintable() else " " for letter in told)

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines; what does not belong to its kind is left out."""
        told: dict[str, JSON] = {"what": self.what, "why": self.why}
        if self.path:
            told["path"] = self.path
        if self.column:
            told["column"] = self.column
        if self.key:
            told["key"] = dict(self.key)
        return {**told, "base": self.base, "ours": self.ours, "theirs": self.theirs} if self.what == "cell" else told


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All conflicts of a merge: how many there are, and the first of them.

    Attributes
    ----------
    total : int
        How many.
    told : tuple of Conflict
        At most 100.
    """

    total: int = 0
    told: tuple[Conflict, ...] = ()

    @classmethod
    def of(cls, every: Iterable[Conflict]) -> Conflicts:
        """Return some conflicts that are all there are."""
        found = tuple(every)
        return cls(len(found), found[:MOST_TOLD])

    def __add__(self, others: Conflicts) -> Conflicts:
        """Return these and others."""
        return Conflicts(self.total + others.total, (*self.told, *others.told)[:MOST_TOLD])

    def as_json(self) -> dict[str, JSON]:
        """Return them for machines."""
        return {"total": self.total, "told": [one.as_json() for one in self.told]}


NO_CONFLICTS = Conflicts()


def _shown(cell: str | None) -> str:
    return "missing" if cell is None else cell
