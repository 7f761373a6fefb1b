"""What `undrift up` chose because nobody said it: kept beside the settings, so that nobody takes it for an order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from undrift.core.config import ModelSettings
from undrift.core.inferred import Inferred
from undrift.evaluation.scheme import Scheme
from undrift.loop.sheet.asked import Asked

_SINGLE = ("task", "metric", "holdout_days", "candidates", "budget_s")


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a table was read as it was.

    Attributes
    ----------
    settings : mapping of str to str
        Reasons by the key of a setting.
    columns : mapping of str to str
        Reasons of the columns that are dropped.
    scheme : Scheme
        How rows are split, with its reason.
    """

    settings: Mapping[str, str]
    columns: Mapping[str, str]
    scheme: Scheme


def choices(
    asked: Asked, before: ModelSettings | None, settings: ModelSettings, grounds: Grounds
) -> tuple[Inferred, ...]:
    """Return the choices that nobody made: those of before that still stand, and the new ones.

    Parameters
    ----------
    asked : Asked
        What somebody says of the table now.
    before : ModelSettings or None
        What the settings said; a value that is not a default there was somebody's, or is kept as inferred.
    settings : ModelSettings
        What they will say.
    grounds : Grounds
        Why.
    """
    split = split_text(grounds.scheme)
    kept = [one for one in settings.inferred if _stands(one, settings, split) and not _is_asked(one, asked)]
    known = {(one.setting, one.value) for one in kept}
    return (*kept, *(one for one in _new(asked, before, settings, grounds) if (one.setting, one.value) not in known))


def split_text(scheme: Scheme) -> str:
    """Return how rows are split as the text by which a choice is known again."""
    return " ".join(part for part in (scheme.kind, scheme.time, scheme.unit) if part)


def _new(asked: Asked, before: ModelSettings | None, settings: ModelSettings, grounds: Grounds) -> Iterator[Inferred]:
    usual = ModelSettings(dataset="", target="")
    said = before or usual
    for name in _SINGLE:
        value = getattr(settings, name)
        one = Inferred(name, _text(value), grounds.settings.get(name, ""))
        if value != getattr(usual, name) and getattr(said, name) == getattr(usual, name) and not _is_asked(one, asked):
            yield one
    if before is not None:
        return
    split = Inferred("split", split_text(grounds.scheme), grounds.scheme.reason)
    if not _is_asked(split, asked):
        yield split
    for name in settings.drop:
        if name not in asked.drop:
            yield Inferred("drop", name, grounds.columns[name])


def _is_asked(one: Inferred, asked: Asked) -> bool:
    """Say whether somebody says now what was chosen before."""
    match one.setting:
        case "split":
            return bool(asked.time or asked.group or asked.random_split)
        case "drop":
            return one.value in asked.drop
        case "task":
            return asked.task != "auto"
        case "budget_s":
            return asked.budget_s is not None or asked.full
        case "metric":
            return asked.metric is not None
        case _:
            return False


def _stands(one: Inferred, settings: ModelSettings, split: str) -> bool:
    """Say whether the settings still have the value that was chosen."""
    if one.setting == "split":
        return one.value == split
    if one.setting == "drop":
        return one.value in settings.drop
    return one.value == _text(getattr(settings, one.setting, None))


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
