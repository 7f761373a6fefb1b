"""All tables by name, and what is expected of each."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from tables import broken, customers, known, leaks, operations, prices, spellings

EXPECTED = Path(__file__).parent / "expected"
FAMILIES: tuple[ModuleType, ...] = (customers, operations, prices, spellings, leaks, broken, known)
Writer = Callable[[Path], Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an experienced colleague expects of a table; see ``expected/README.md``.

    Attributes
    ----------
    about, licence : str
        What it shows, and whose it is.
    target : str
        What is to be predicted.
    exit : int
        Exit code of ``undrift up TABLE --target TARGET --plan --json``.
    up : int or None
        Exit code without ``--plan``; the same unless said.
    words : list of str
        Further words of the command.
    error : str
        Code of the error, where there is one.
    says : list of str
        Texts that the message or the cure must hold.
    sheet : mapping
        Facts of the sheet.
    features : list of str
        Columns that a model learns from.
    columns : mapping
        The others: column to role, or to ``"role: word of the reason"``.
    types, personal, suspicions : mapping
        Column to type, kind of personal data, and kind of suspicion.
    """

    about: str
    licence: str
    target: str
    exit: int
    up: int | None = None
    words: list[str] = field(default_factory=list)
    error: str = ""
    says: list[str] = field(default_factory=list)
    sheet: Mapping[str, Any] = field(default_factory=dict)  # Any: TOML values
    features: list[str] = field(default_factory=list)
    columns: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)
    suspicions: Mapping[str, str] = field(default_factory=dict)

    @property
    def up_exit(self) -> int:
        """Exit code of ``undrift up`` without ``--plan``."""
        return self.exit if self.up is None else self.up


def _writers() -> dict[str, Writer]:
    return {
        name: found
        for family in FAMILIES
        for name, found in vars(family).items()
        if not name.startswith("_") and getattr(found, "__module__", "") == family.__name__
    }


WRITERS: Mapping[str, Writer] = _writers()


def expectation(name: str) -> Expectation:
    """Return what is expected of a table."""
    return Expectation(**tomllib.loads((EXPECTED / f"{name}.toml").read_text(encoding="utf-8")))
