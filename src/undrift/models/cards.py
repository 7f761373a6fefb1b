"""Model cards: what a model is for, on what it was made and what it must not be used for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from undrift.models.package import Manifest

NOT_STATED = "*not stated*"
FIELDS: Mapping[str, str] = {"owner": "owner", "intended_use": "intended use", "excluded_use": "excluded use"}
"""What only people can state, by its key in ``undrift.toml``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMetric:
    """One metric with its interval; ``low`` and ``high`` are None when there is none."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    method: str = ""
    units: int | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What people and the training run know about a model; empty means not stated.

    Attributes
    ----------
    intended_use, excluded_use, owner : str
        In words.
    limits : sequence of str
        Of what was judged and of what is watched, one sentence each.
    exclusions : sequence of str
        Rows or cases left out of training, with counts where known.
    period : str
        Which time the training data cover.
    rows : int, optional
        Rows of training.
    threshold_basis : str
        What the threshold rests on.
    calibration : str
        What was found of the probabilities, and done.
    kept : mapping of str to str
        Columns that the settings keep, whatever spoke against them, with what did.
    metrics : sequence of CardMetric
        On data that the model has not seen.
    gate : mapping, optional
        The gate's decision as JSON: outcome, method, alpha, n, unit, reason.
    """

    intended_use: str = ""
    excluded_use: str = ""
    owner: str = ""
    limits: Sequence[str] = ()
    exclusions: Sequence[str] = ()
    period: str = ""
    rows: int | None = None
    threshold_basis: str = ""
    calibration: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)
    metrics: Sequence[CardMetric] = ()
    gate: Mapping[str, Any] | None = field(default=None)  # Any: JSON of a decision

    def not_stated(self) -> list[str]:
        """Return the names of the fields that only people can state and that nobody has."""
        return [name for key, name in FIELDS.items() if not str(getattr(self, key)).strip()]


def missing_line(names: Sequence[str], model: str) -> str:
    """Return the sentence that says which fields nobody has stated and where to state them; empty for none.

    >>> missing_line(["owner"], "churn")
    '1 field is not stated: owner. Set it under [models.churn] in undrift.toml.'
    """
    if not names:
        return ""
    one = len(names) == 1
    return (
        f"{len(names)} {'field is' if one else 'fields are'} not stated: {', '.join(names)}. "
        f"Set {'it' if one else 'them'} under [models.{model}] in undrift.toml."
    )


def render(manifest: Manifest, facts: CardFacts) -> str:
    """Return a model's card as Markdown.

    Parameters
    ----------
    manifest : Manifest
        What the package holds.
    facts : CardFacts
        What is known beside it.
    """
    sections = (
        ("Intended use", [_stated(facts.intended_use)]),
        ("Excluded use", [_stated(facts.excluded_use)]),
        ("Owner", [_stated(facts.owner)]),
        ("Answer", list(_answer(manifest, facts))),
        ("Training data", list(_data(manifest, facts))),
        ("Metrics", list(_metrics(facts.metrics))),
        ("Gate", list(_gate(facts.gate))),
        ("Inputs", list(_inputs(manifest))),
        ("Left out", [f"- {_line(item)}" for item in facts.exclusions] or [NOT_STATED]),
        ("Overrides", list(_kept(facts.kept))),
        ("Limits", [f"- {_line(item)}" for item in facts.limits] or [NOT_STATED]),
        ("Made by", list(_origin(manifest))),
    )
    parts = [f"# {manifest.name}"]
    if facts.not_stated():
        parts.append(f"> {_line(missing_line(facts.not_stated(), manifest.name))}")
    parts.extend(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections)
    return "\n\n".join(parts) + "\n"


def _answer(manifest: Manifest, facts: CardFacts) -> Iterator[str]:
    if manifest.task == "regression":
        yield "A number."
        return
    yield "One of: " + ", ".join(f"`{_line(str(label))}`" for label in manifest.classes) + "."
    if manifest.positive is not None:
        threshold = 0.5 if manifest.threshold is None else manifest.threshold
        label = _line(str(manifest.classes[manifest.positive]))
        yield f"`{label}` is answered when its probability is at least {threshold:g}."
        yield f"The threshold's basis: {_stated(facts.threshold_basis)}."
    yield f"Calibration: {_stated(facts.calibration)}."


def _kept(kept: Mapping[str, str]) -> Iterator[str]:
    if not kept:
        yield "None at training. Versions that were forced past their gate are listed by `undrift model show`."
    for name, evidence in kept.items():
        yield f"- {_code(name)} is kept by the settings: {_stated(evidence)}"


def _data(manifest: Manifest, facts: CardFacts) -> Iterator[str]:
    yield f"- Version: {_code(manifest.data)}"
    yield f"- Period: {_stated(facts.period)}"
    yield f"- Rows: {f'{facts.rows:,}' if facts.rows is not None else NOT_STATED}"


def _metrics(metrics: Sequence[CardMetric]) -> Iterator[str]:
    if not metrics:
        yield NOT_STATED
        return
    yield "| metric | value | interval | method | units |"
    yield "|---|---|---|---|---|"
    for metric in metrics:
        interval = NOT_STATED
        if metric.low is not None and metric.high is not None:
            interval = f"{metric.low:.4g} to {metric.high:.4g}"
        units = f"{metric.units} {metric.unit}".strip() if metric.units is not None else NOT_STATED
        yield f"| {_line(metric.name)} | {metric.value:.4g} | {interval} | {_stated(metric.method)} | {units} |"


def _gate(gate: Mapping[str, Any] | None) -> Iterator[str]:
    if gate is None:
        yield NOT_STATED
        return
    yield f"- Outcome: **{_line(str(gate.get('outcome', 'not stated')))}**"
    for key, title in (("question", "Question"), ("method", "Method"), ("alpha", "Alpha"), ("reason", "Reason")):
        if gate.get(key) not in (None, ""):
            yield f"- {title}: {_line(str(gate[key]))}"
    if gate.get("n") is not None:
        yield f"- Evidence: {gate['n']} x {_line(str(gate.get('unit', '')))}"


def _inputs(manifest: Manifest) -> Iterator[str]:
    yield "| column | type | null allowed | role |"
    yield "|---|---|---|---|"
    for column in manifest.inputs:
        yield f"| {_line(column.name)} | {column.type} | {'yes' if column.nullable else 'no'} | {column.role} |"


def _origin(manifest: Manifest) -> Iterator[str]:
    yield f"- Run: {_code(manifest.run)}"
    yield f"- Code: {_code(manifest.code)}"
    yield f"- At: {manifest.created_at}"
    yield f"- Python {manifest.python}; " + ", ".join(f"{n} {v}" for n, v in sorted(manifest.versions.items()))


def _stated(text: str) -> str:
    return _line(text) if text.strip() else NOT_STATED


def _code(text: str) -> str:
    return f"`{_line(text)}`" if text.strip() else NOT_STATED


def _line(text: str) -> str:
    """Return text that cannot break out of its place in the page."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
