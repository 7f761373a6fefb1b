"""Which columns a model learns from, and how each kind is prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import polars as pl

from undrift.core.json import JSON
from undrift.evaluation.errors import BadColumn, TooLittleData

FeatureKind: TypeAlias = Literal["number", "bool", "category"]

MOST_CATEGORIES = 50
FREQUENT = 20
FREQUENT_IN_SMALL = 10
SMALL_ROWS = 1000
_UNIQUE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Feature:
    """One column that a model learns from.

    Attributes
    ----------
    name : str
        Its name.
    kind : {"number", "bool", "category"}
        How it is prepared.
    integer : bool
        Whether a number is whole.
    nullable : bool
        Whether the rows learnt from hold nulls in it.
    """

    name: str
    kind: FeatureKind
    integer: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class Features:
    """The columns of a model, and those left out with the reason."""

    used: tuple[Feature, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The columns' names, in the table's order."""
        return [feature.name for feature in self.used]

    def of_kind(self, kind: FeatureKind) -> list[str]:
        """Return the names of the columns of one kind."""
        return [feature.name for feature in self.used if feature.kind == kind]

    def as_json(self) -> dict[str, JSON]:
        """Return names by kind and what was dropped why."""
        return {
            "number": self.of_kind("number"),
            "bool": self.of_kind("bool"),
            "category": self.of_kind("category"),
            "dropped": dict(self.dropped),
        }


def choose_features(frame: pl.DataFrame, *, reserved: Mapping[str, str], wanted: Sequence[str] = ()) -> Features:
    """Return the columns to learn from, decided on the rows to learn from alone.

    Parameters
    ----------
    frame : DataFrame
        The rows to learn from.
    reserved : mapping of str to str
        Columns that are never features, with the reason ("the target", "dropped by the settings").
    wanted : sequence of str
        Only these, when not empty; one that cannot be a feature is then an error.

    Raises
    ------
    BadColumn
        If a wanted column is missing or cannot be a feature.
    TooLittleData
        If no column is left.
    """
    for name in wanted:
        if name not in frame.columns:
            raise BadColumn(f"there is no feature column {name!r}", cure=f"columns are {', '.join(frame.columns)}")
    dropped = {name: reason for name, reason in reserved.items() if name in frame.columns}
    used = []
    for name in frame.columns:
        if name in dropped:
            continue
        if wanted and name not in wanted:
            dropped[name] = "not among the features of the settings"
            continue
        found = _feature(frame[name])
        if isinstance(found, Feature):
            used.append(found)
        elif name in wanted and frame[name].dtype.is_temporal():
            raise BadColumn(f"{name!r} cannot be a feature: {found}", cure="derive numbers from it first")
        else:
            dropped[name] = found
    if not used:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in dropped.items())
        raise TooLittleData(
            f"no column is left to learn from ({reasons})",
            cure="add columns, or name them under features",
            dropped=dropped,
        )
    return Features(tuple(used), dropped)


def _feature(values: pl.Series) -> Feature | str:
    """Return the feature a column is, or why it is none."""
    if values.drop_nulls().n_unique() <= 1:
        return "constant in the rows learnt from"
    nullable = values.null_count() > 0
    if values.dtype == pl.Boolean:
        return Feature(values.name, "bool", integer=False, nullable=nullable)
    if values.dtype.is_numeric():
        return Feature(values.name, "number", values.dtype.is_integer(), nullable)
    if values.dtype in (pl.String, pl.Categorical, pl.Enum):
        return _category(values, nullable=nullable)
    return f"columns of type {values.dtype.base_type()} are not learnt from"


def _category(values: pl.Series, *, nullable: bool) -> Feature | str:
    distinct = values.n_unique()
    if distinct > _UNIQUE_SHARE * len(values) and distinct > MOST_CATEGORIES:
        return "almost every row has its own text: an identifier or free text"
    if not frequent(values):
        return f"no text occurs in at least {_fewest(len(values))} rows"
    return Feature(values.name, "category", integer=False, nullable=nullable)


def frequent(values: pl.Series) -> list[str]:
    """Return the texts that are categories of their own: frequent ones, at most 50, sorted.

    All others, and nulls, are prepared alike. So no rare text of a row gets into a model.
    """
    counts = values.drop_nulls().cast(pl.String).value_counts()
    kept = counts.filter(pl.col("count") >= _fewest(len(values)))
    top = kept.sort(["count", values.name], descending=[True, False]).head(MOST_CATEGORIES)
    return sorted(top[values.name].to_list())


def _fewest(rows: int) -> int:
    return FREQUENT if rows >= SMALL_ROWS else FREQUENT_IN_SMALL


def fed(frame: pl.DataFrame, features: Features) -> pl.DataFrame:
    """Return the columns of a model as it is fed with them, when fitted and when serving."""
    types: dict[str, Any] = {"bool": pl.Boolean, "category": pl.String}  # Any: polars' types are classes
    return frame.select(
        pl.col(feature.name).cast(types.get(feature.kind, pl.Int64 if feature.integer else pl.Float64))
        for feature in features.used
    )
