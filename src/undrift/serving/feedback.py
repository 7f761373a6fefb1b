"""``POST /feedback``: what turned out to be true.

::

    {"prediction_id": "01...", "actual": true}
    {"key": "UA-17", "actual": true, "event_time": "2013-02-01T09:00:00Z"}
    {"labels": [{...}, {...}]}

The same content sent again has the same id and counts once. A later, different label for the
same thing takes the place of the earlier one for those who join it; both stay in the log.
"""

from __future__ import annotations

import math
from typing import Annotated

import msgspec

from undrift.core.clock import Clock, to_us
from undrift.core.ids import BadName, time_us_of
from undrift.core.masking import Mask
from undrift.models.package import Manifest
from undrift.segments.records import FeedbackRecord, Label, Labelled
from undrift.serving.bodies import EventTime, Key, converted, event_us
from undrift.serving.http import parse_json
from undrift.serving.predictor import too_many_rows
from undrift.serving.problem import UNPROCESSABLE, Problem


class _Label(msgspec.Struct, forbid_unknown_fields=True):
    actual: bool | int | float | Annotated[str, msgspec.Meta(max_length=1024)]
    prediction_id: str | None = None
    key: Key | None = None
    event_time: EventTime | None = None


class _Labels(msgspec.Struct, forbid_unknown_fields=True):
    labels: Annotated[list[_Label], msgspec.Meta(min_length=1)]


def read_feedback(
    body: bytes, manifest: Manifest, clock: Clock, most: int, mask: Mask | None = None
) -> list[FeedbackRecord]:
    """Return the labels of a body.

    Parameters
    ----------
    body : bytes
        JSON in one of the forms above.
    manifest : Manifest
        Says what can be true: one of its classes, or a number.
    clock : Clock
        Real time.
    most : int
        Most labels of one request.
    mask : Mask, optional
        What keys are masked with; the log of predictions holds them masked too.

    Raises
    ------
    Problem
        400 if it is not JSON, 413 if it holds too many, 422 if anything in it does not fit.
    """
    value = parse_json(body)
    many = isinstance(value, dict) and "labels" in value
    labels = converted(value, _Labels).labels if many else [converted(value, _Label)]
    if len(labels) > most:
        raise too_many_rows(most)
    now_us = to_us(clock.now())
    checked = [
        _checked_label(label, manifest, f"$.labels[{place}]" if many else "$") for place, label in enumerate(labels)
    ]
    return [one.record(now_us, mask) for one in checked]


def _checked_label(label: _Label, manifest: Manifest, path: str) -> Labelled:
    if (label.prediction_id is None) == (label.key is None):
        raise Problem(UNPROCESSABLE, "bad-body", "a label names a prediction_id or a key, one of them", path=path)
    if label.prediction_id is not None:
        _check_id(label.prediction_id, f"{path}.prediction_id")
    actual = _checked(label.actual, manifest, f"{path}.actual")
    return Labelled(label.prediction_id, label.key, actual, event_us(label.event_time, f"{path}.event_time"))


def _check_id(text: str, path: str) -> None:
    try:
        time_us_of(text)
    except BadName:
        raise Problem(
            UNPROCESSABLE, "bad-id", "this is not a prediction id", path=path, cure="use an answer's id"
        ) from None


def _checked(actual: Label, manifest: Manifest, path: str) -> Label:
    """Return the label in the type of the model's answers."""
    if manifest.task == "regression":
        if isinstance(actual, bool | str) or not _is_double(actual):
            raise Problem(UNPROCESSABLE, "wrong-type", "this model answers with a number", path=path)
        return float(actual)
    if not any(type(actual) is type(known) and actual == known for known in manifest.classes):
        raise Problem(
            UNPROCESSABLE, "unknown-class", "this is none of the model's classes", path=path, cure=_known(manifest)
        )
    return actual


def _is_double(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond any double
        return False


def _known(manifest: Manifest) -> str:
    shown = ", ".join(msgspec.json.encode(label).decode() for label in manifest.classes[:10])
    return f"send one of {shown}"
