"""What an inference sheet says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from undrift.core.config import ModelSettings
from undrift.core.json import JSON

FORMAT = "undrift.sheet/1"
Role: TypeAlias = Literal["target", "feature", "time", "key", "group", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLine:
    """One column of the table.

    Attributes
    ----------
    name : str
        Its name.
    type : str
        ``float``, ``int``, ``bool``, ``string``, ``date``, ``datetime`` or ``bytes``: how rows are asked with it.
    role : Role
        What it is for.
    kind : str
        How a feature is prepared; empty for the others.
    handling : str
        The same in words.
    reason : str
        Why it has its role.
    personal : str
        Kind of personal data; empty when it does not look like any.
    """

    name: str
    type: str
    role: Role
    kind: str = ""
    handling: str = ""
    reason: str = ""
    personal: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return the line for machines."""
        return {
            "name": self.name,
            "type": self.type,
            "role": self.role,
            "kind": self.kind or None,
            "handling": self.handling,
            "reason": self.reason,
            "personal": self.personal or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The parts of a sheet that are told rather than obeyed; each is JSON already.

    Attributes
    ----------
    table : mapping
        Name, rows, columns, and how the file was read.
    target : mapping
        Column, task, classes, positive class, rows without a label, reason.
    metric, threshold, scheme : mapping
        What decides, from where on a yes is answered, and how rows are split; each with its reason.
    duplicates : mapping
        How many rows repeat another.
    estimate : mapping
        Seconds, memory and disk that training will take, and whether a sample is learnt from.
    """

    table: Mapping[str, JSON]
    target: Mapping[str, JSON]
    metric: Mapping[str, JSON]
    threshold: Mapping[str, JSON]
    scheme: Mapping[str, JSON]
    duplicates: Mapping[str, JSON]
    estimate: Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What was inferred of a table, and the settings that say it.

    Attributes
    ----------
    facts : Facts
        What is told.
    columns : tuple of ColumnLine
        In the table's order.
    suspicions : tuple of mapping
        Columns that may know what is to be predicted, with the evidence; none that was kept or dropped.
    warnings : tuple of str
        What does not stop anything and should be known.
    settings : ModelSettings
        What training obeys, and what ``undrift.toml`` will say.
    reasons : mapping of str to str
        Why a setting has its value: the comments behind the keys.
    """

    facts: Facts
    columns: tuple[ColumnLine, ...]
    suspicions: tuple[Mapping[str, JSON], ...]
    warnings: tuple[str, ...]
    settings: ModelSettings
    reasons: Mapping[str, str] = field(default_factory=dict)

    def of_role(self, *roles: Role) -> list[ColumnLine]:
        """Return the columns of some roles."""
        return [column for column in self.columns if column.role in roles]

    def as_json(self) -> dict[str, JSON]:
        """Return the sheet for machines."""
        facts = self.facts
        return {
            "format": FORMAT,
            "table": dict(facts.table),
            "target": dict(facts.target),
            "metric": dict(facts.metric),
            "threshold": dict(facts.threshold),
            "scheme": dict(facts.scheme),
            "columns": [column.as_json() for column in self.columns],
            "duplicates": dict(facts.duplicates),
            "estimate": dict(facts.estimate),
            "suspicions": [dict(one) for one in self.suspicions],
            "warnings": list(self.warnings),
            "settings": {key: _plain(value) for key, value in said(self.settings).items() if key != "inferred"},
        }


def said(settings: ModelSettings) -> dict[str, object]:
    """Return the keys of a model's settings that are not the defaults."""
    usual = ModelSettings(dataset="", target="")
    return {
        name: getattr(settings, name)
        for name in settings.__struct_fields__
        if getattr(settings, name) != getattr(usual, name)
    }


def _plain(value: object) -> JSON:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    assert value is None or isinstance(value, str | int | float | bool)
    return value
