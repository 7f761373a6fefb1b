"""What was asked of one model version in a span, what it answered, and what turned out to be true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.clock import to_us
from undrift.core.labels import label_text
from undrift.core.masking import Mask, known_mask
from undrift.monitoring.spans import Span
from undrift.monitoring.watched import Version
from undrift.segments import parquet
from undrift.segments.tables import ROW_PREFIX
from undrift.stats.sketch import UnitKind, Values

Floats: TypeAlias = npt.NDArray[np.float64]

PREDICTION = "__prediction__"
"""Name of the answers in a reference sketch: probability of the positive class, class, or number."""

_ABOUT = pl.coalesce("event_us", "received_us")
_SERVER_ERROR = 500
_OK = 200
_EARLY = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where an endpoint's segments lie, which may be missing yet, and what keys in them are masked with."""

    predictions: Path
    feedback: Path
    mask: Mask | None = None

    @classmethod
    def below(cls, store: Path, endpoint: str) -> Folders:
        """Return the folders of an endpoint in a project's store."""
        segments = store / "segments"
        return cls(segments / "predictions" / endpoint, segments / "feedback" / endpoint, known_mask(store))


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests of one span, ordered by event time; cut it into windows with :meth:`within`.

    Attributes
    ----------
    version : Version
        The version that was asked.
    table : pl.DataFrame
        One row per request with ``about_us``, ``day``, ``unit_key``, ``status``, ``scores``, ``actual``
        (JSON text, null while nobody has said) and the asked values as ``row.<name>``.
    """

    version: Version
    table: pl.DataFrame

    def within(self, span: Span) -> Traffic:
        """Return the requests about a span."""
        low, high = to_us(span.start), to_us(span.end)
        return Traffic(self.version, self.table.filter(pl.col("about_us").is_between(low, high, closed="left")))

    def answered(self) -> Traffic:
        """Return the requests that got an answer."""
        good = (pl.col("status") == _OK) & (pl.col("scores").list.len() > 0)
        return Traffic(self.version, self.table.filter(good))

    @property
    def rows(self) -> int:
        """Requests."""
        return self.table.height

    @property
    def days(self) -> list[str]:
        """UTC day of each request's event time."""
        return self.table["day"].to_list()

    @property
    def failed(self) -> Floats:
        """1 for each request that failed by our own fault, else 0."""
        return (self.table["status"] >= _SERVER_ERROR).cast(pl.Float64).to_numpy()

    def unit(self, kind: UnitKind) -> list[str] | None:
        """Return the unit of each request: its day, its key, or None where rows are units."""
        return None if kind == "row" else self.table["day" if kind == "day" else "unit_key"].to_list()

    def columns(self) -> dict[str, Values]:
        """Return the values that were asked with, by name, and the answers as ``__prediction__``."""
        names = [name for name in self.table.columns if name.startswith(ROW_PREFIX)]
        values = {name.removeprefix(ROW_PREFIX): _values(self.table[name]) for name in names}
        return {**values, PREDICTION: answers(self.version, self.scores())}

    def scores(self) -> Floats:
        """Return what the engine gave, one row per request; for answered requests only."""
        if not self.rows:
            return np.empty((0, max(1, len(self.version.classes))))
        return np.array(self.table["scores"].to_list(), dtype=np.float64).reshape(self.rows, -1)

    def labelled(self) -> Traffic:
        """Return the requests whose label is known and is one that the model could have given."""
        usable = self.table["actual"].is_in(list(self._codes())) if self._is_classifier else _numbers(self.table)
        return Traffic(self.version, self.table.filter(usable))

    def truth(self) -> Floats:
        """Return the labels in the form that metrics take: 0/1, class index, or number; for labelled requests only."""
        if not self._is_classifier:
            return self.table["actual"].cast(pl.Float64).to_numpy()
        codes = self._codes()
        found = np.array([codes[text] for text in self.table["actual"].to_list()], dtype=np.float64)
        return (found == self.version.positive).astype(np.float64) if self.version.task == "binary" else found

    def judged_scores(self) -> Floats:
        """Return the scores in the form that metrics take: probability of the positive class, of each, or number."""
        scores = self.scores()
        if self.version.task == "multiclass":
            return scores
        return scores[:, 0 if self.version.task == "regression" else self.version.positive]

    @property
    def _is_classifier(self) -> bool:
        return self.version.task != "regression"

    def _codes(self) -> Mapping[str, int]:
        """Return the index of the class that each label's text names."""
        classes = {label_text(label): index for index, label in enumerate(self.version.classes)}
        texts = self.table["actual"].drop_nulls().unique().to_list()
        spelt = {text: label_text(msgspec.json.decode(text)) for text in texts}
        return {text: classes[label] for text, label in spelt.items() if label in classes}


def read(folders: Folders, version: Version, span: Span) -> Traffic:
    """Return the traffic of one version about a span, with the labels that have come by now.

    A label for the prediction itself goes before one for its key at its event time, and that
    before one for its key at any time; of several, the newest counts.
    """
    bounds = parquet.Span(to_us(span.start), to_us(span.end))
    asked = parquet.read_predictions(folders.predictions, bounds, version.package, folders.mask)
    mine = (pl.col("version") == version.number) & (pl.col("model") == version.model)
    labels = parquet.read_feedback(folders.feedback, parquet.Span(to_us(span.start - _EARLY)), folders.mask)
    table = _with_labels(asked.filter(mine), labels).with_columns(
        about_us=_ABOUT,
        day=pl.from_epoch(_ABOUT, time_unit="us").dt.date().cast(pl.String),
        unit_key=pl.coalesce("key", "id"),
    )
    return Traffic(version, table.sort("about_us", "id"))


def answers(version: Version, scores: Floats) -> Values:
    """Return answers as one column: probability of the positive class, class, or number.

    The reference sketch takes the same column under the name ``__prediction__``.
    """
    if not len(scores):
        return []
    if version.task == "multiclass":
        return [str(version.classes[index]) for index in scores.argmax(axis=1).tolist()]
    return scores[:, 0 if version.task == "regression" else version.positive]


def _with_labels(asked: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    about = labels.filter(pl.col("prediction_id").is_not_null())
    keyed = labels.filter(pl.col("prediction_id").is_null() & pl.col("key").is_not_null())
    timed = keyed.filter(pl.col("event_us").is_not_null())
    always = keyed.filter(pl.col("event_us").is_null())
    for part, left, right, name in (
        (about, ["id"], ["prediction_id"], "label_id"),
        (timed, ["key", "event_us"], ["key", "event_us"], "label_timed"),
        (always, ["key"], ["key"], "label_always"),
    ):
        newest = part.unique(right, keep="last", maintain_order=True).select(*right, pl.col("actual").alias(name))
        asked = asked.join(newest, left_on=left, right_on=right, how="left")
    return asked.with_columns(actual=pl.coalesce("label_id", "label_timed", "label_always"))


def _numbers(table: pl.DataFrame) -> pl.Series:
    return table["actual"].cast(pl.Float64, strict=False).is_finite().fill_null(value=False)


def _values(series: pl.Series) -> Values:
    return series.to_list() if series.dtype in (pl.String, pl.Boolean) else series.to_numpy()
