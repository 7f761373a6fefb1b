"""What somebody says of a table beside its name and its target."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from undrift.core.config import ModelSettings, Task

BUDGET_S = 300.0
"""Seconds that training may take unless somebody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is said of a table; nothing said is inferred, or stays as ``undrift.toml`` has it.

    Attributes
    ----------
    target : str
        The column to predict.
    name : str
        Name of dataset, model and endpoint.
    task : Task
        Kind of prediction.
    positive : str or None
        The positive class, as text.
    time, group, key : str or None
        Columns with the moment of a row, with what belongs together, and with what identifies a row.
    random_split : bool
        Split at random although a row has a time or a group.
    drop, keep, text : tuple of str
        Columns never to learn from, to learn from all the same, and of free text to learn from.
    metric : str or None
        What decides.
    false_positive_cost, false_negative_cost : float or None
        Costs of the two errors.
    budget_s : float or None
        Seconds that training may take.
    full : bool
        It may take as long as it takes.
    """

    target: str
    name: str
    task: Task = "auto"
    positive: str | None = None
    time: str | None = None
    group: str | None = None
    key: str | None = None
    random_split: bool = False
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    metric: str | None = None
    false_positive_cost: float | None = None
    false_negative_cost: float | None = None
    budget_s: float | None = None
    full: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is named."""
        single = (self.target, self.time, self.group, self.key)
        return (*(name for name in single if name is not None), *self.drop, *self.keep, *self.text)

    def over(self, settings: ModelSettings) -> ModelSettings:
        """Return settings with what is said here; a column that is kept is dropped no longer, and the reverse."""
        single: dict[str, object] = {
            "time": self.time,
            "unit": self.group,
            "key": self.key,
            "metric": self.metric,
            "false_positive_cost": self.false_positive_cost,
            "false_negative_cost": self.false_negative_cost,
            "task": None if self.task == "auto" else self.task,
            "budget_s": self.budget_s,
        }
        changed: dict[str, object] = {name: value for name, value in single.items() if value is not None}
        if self.random_split:
            changed |= {"time": None, "label_time": None, "unit": None}
        if self.full:
            changed["budget_s"] = None
        lists = {
            "drop": _with(settings.drop, self.drop, without=self.keep),
            "keep": _with(settings.keep, self.keep, without=self.drop),
            "text": _with(settings.text, self.text, without=self.drop),
        }
        return msgspec.structs.replace(settings, **changed, **lists)


def _with(before: tuple[str, ...], added: tuple[str, ...], *, without: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys((*before, *added)) if name not in without)
