"""The forms of a body for ``POST /predict`` and what is answered to it.

::

    {"temp": 3.5, "carrier": "UA"}                                         one row, bare
    {"row": {...}, "key": "UA-17", "event_time": "2013-02-01T09:00:00Z"}    one row
    {"rows": [{...}, {...}], "keys": ["a", null], "event_times": [...]}     many

A body with a member ``row`` or ``rows`` is never taken for a bare row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec

from undrift.core.clock import to_us
from undrift.core.json import JSON
from undrift.models.package import ClassLabel, Manifest
from undrift.serving.http import parse_json
from undrift.serving.predictor import Answered, Asked
from undrift.serving.problem import UNPROCESSABLE, Problem

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
EventTime = Annotated[datetime, msgspec.Meta(tz=True)]

T = TypeVar("T")

_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class _OneRow(msgspec.Struct, forbid_unknown_fields=True):
    row: object
    key: Key | None = None
    event_time: EventTime | None = None


class _ManyRows(msgspec.Struct, forbid_unknown_fields=True):
    rows: list[object]
    keys: list[Key | None] | None = None
    event_times: list[EventTime | None] | None = None


class Prediction(msgspec.Struct, omit_defaults=True):
    """One answer.

    Attributes
    ----------
    id : str
        Prediction id: labels join on it, and ``undrift why`` explains it.
    prediction : bool, int, float or str
        The answer.
    model_version : str
        Reference of the model version that gave it.
    variant : {"stable", "canary"}
        Its part at the endpoint.
    probability : float, optional
        Two classes: the probability of the positive one.
    probabilities : dict of str to float, optional
        Classes without a positive one: the probability of each.
    value : float, optional
        Regression: the number.
    """

    id: str
    prediction: ClassLabel | float
    model_version: str
    variant: str
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None


class Predictions(msgspec.Struct):
    """The whole answer, in the order of the rows; the same for one row as for many."""

    predictions: list[Prediction]


def read_asked(body: bytes) -> Asked:
    """Return the rows of a body.

    Raises
    ------
    Problem
        400 if it is not JSON, 422 if it has none of the forms.
    """
    value = parse_json(body)
    if not isinstance(value, dict):
        raise Problem(UNPROCESSABLE, "not-an-object", "a body is an object", path="$", cure='send {"rows": [...]}')
    if "rows" in value:
        return _many(value)
    if "row" in value:
        one = converted(value, _OneRow)
        return Asked([one.row], [one.key], [event_us(one.event_time, "$.event_time")], ["$.row"])
    return Asked([value], [None], [None], ["$"])


def converted(value: JSON, into: type[T]) -> T:
    """Return a JSON value as a struct.

    Raises
    ------
    Problem
        422 with the path of what does not fit.
    """
    try:
        return msgspec.convert(value, into)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        raise Problem(
            UNPROCESSABLE, "bad-body", message, path=path.rstrip("`") or "$", cure="see the forms of a body in the docs"
        ) from None


def event_us(instant: datetime | None, path: str) -> int | None:
    """Return an event time in microseconds since 1970.

    Raises
    ------
    Problem
        422 if it lies outside the years 1900 to 2199.
    """
    if instant is None:
        return None
    if not _EARLIEST <= instant < _LATEST:
        raise Problem(UNPROCESSABLE, "out-of-range", "an event time lies between 1900 and 2200", path=path)
    return to_us(instant)


def predictions_of(answered: Sequence[Answered]) -> Predictions:
    """Return what is answered to ``POST /predict``."""
    return Predictions([_prediction(one, one.served.loaded.package.manifest) for one in answered])


def label_text(label: ClassLabel) -> str:
    """Return a class label as the name of a JSON member."""
    return label if isinstance(label, str) else msgspec.json.encode(label).decode()


def _many(value: JSON) -> Asked:
    many = converted(value, _ManyRows)
    count = len(many.rows)
    if not count:
        raise Problem(UNPROCESSABLE, "empty", "there are no rows", path="$.rows", cure="send at least one")
    keys = many.keys if many.keys is not None else [None] * count
    times = many.event_times if many.event_times is not None else [None] * count
    for name, found in (("keys", keys), ("event_times", times)):
        if len(found) != count:
            raise Problem(
                UNPROCESSABLE,
                "wrong-length",
                f"{count} rows and {len(found)} {name}",
                path=f"$.{name}",
                cure="one per row",
            )
    events = [event_us(time, f"$.event_times[{place}]") for place, time in enumerate(times)]
    return Asked(many.rows, keys, events, [f"$.rows[{place}]" for place in range(count)])


def _prediction(one: Answered, manifest: Manifest) -> Prediction:
    answer = Prediction(one.id, one.answer, one.served.version, one.served.state.name)
    if manifest.task == "regression":
        answer.value = one.scores[0]
    elif manifest.positive is not None:
        answer.probability = one.scores[manifest.positive]
    else:
        answer.probabilities = dict(zip(map(label_text, manifest.classes), one.scores, strict=True))
    return answer
