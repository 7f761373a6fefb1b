"""Which columns a model learns from, and how each kind is prepared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, assert_never, get_args

import numpy.typing as npt
import polars as pl

from undrift.core.json import JSON
from undrift.evaluation.errors import BadColumn, TooLittleData
from undrift.evaluation.gaps import tells_of
from undrift.evaluation.target import Task

FeatureKind: TypeAlias = Literal["number", "bool", "category", "date", "datetime", "text"]

MOST_CATEGORIES = 50
MOST_ENCODED = 200
"""So many columns all categories together are encoded in, or two by column where there are more columns."""
FREQUENT = 20
FREQUENT_IN_SMALL = 10
SMALL_ROWS = 1000
MOST_MISSING = 0.5
WORD_PLACES = 256
"""So many places all texts together are hashed into, or 32 by column where there are more columns."""
_FEWEST_PLACES = 32
_UNIQUE_SHARE = 0.5
_FEWEST_UNIQUE = 50
_LARGEST_INT = 2**63 - 1
_LARGEST_FLOAT = 3.0e38
_IDENTIFIER = re.compile(r"(^|[_\W])(id|key|uuid|guid|index|row|nr|no)$", re.IGNORECASE)
_CAMEL = re.compile(r"[a-z](Id|ID|Key|Uuid|UUID)$")


@dataclass(frozen=True, slots=True)
class Feature:
    """One column that a model learns from.

    Attributes
    ----------
    name : str
        Its name.
    kind : {"number", "bool", "category", "date", "datetime", "text"}
        How it is prepared.
    integer : bool
        Whether a number is whole.
    nullable : bool
        Whether the rows learnt from hold nulls in it.
    missing_share : float
        Share of these rows in which it is missing.
    tells_missing : bool
        Whether the model is also told where it is missing, because that tells of the target.
    """

    name: str
    kind: FeatureKind
    integer: bool
    nullable: bool
    missing_share: float = 0.0
    tells_missing: bool = False


@dataclass(frozen=True, slots=True)
class Features:
    """The columns of a model, and those left out with the reason."""

    used: tuple[Feature, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The columns' names, in the table's order."""
        return [feature.name for feature in self.used]

    def of_kind(self, *kinds: FeatureKind) -> list[str]:
        """Return the names of the columns of some kinds."""
        return [feature.name for feature in self.used if feature.kind in kinds]

    def as_json(self) -> dict[str, JSON]:
        """Return names by kind and what was dropped why."""
        found: dict[str, JSON] = {kind: list(self.of_kind(kind)) for kind in get_args(FeatureKind)}
        return {**found, "dropped": dict(self.dropped)}


TARGET = "the target"
"""Why a target is no feature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the settings say of columns, and what is learnt.

    Attributes
    ----------
    reserved : mapping of str to str
        Columns that are never features, with the reason ("the target", "dropped by the settings").
    wanted : sequence of str
        Only these, when not empty; one that cannot be a feature is then an error.
    text : sequence of str
        Columns of free text.
    keep : sequence of str
        Columns to learn from whatever speaks against it.
    codes : array or None
        The rows' labels as metrics take them, to see whether what is missing tells of them.
    task : str
        What the codes are.
    """

    reserved: Mapping[str, str]
    wanted: Sequence[str] = ()
    text: Sequence[str] = ()
    keep: Sequence[str] = ()
    codes: npt.NDArray[Any] | None = None  # Any: class codes or numbers
    task: Task = "binary"


def choose_features(frame: pl.DataFrame, choice: Choice) -> Features:
    """Return the columns to learn from, decided on the rows to learn from alone.

    Parameters
    ----------
    frame : DataFrame
        The rows to learn from.
    choice : Choice
        What is asked for.

    Raises
    ------
    BadColumn
        If a column that the settings ask for is missing or cannot be a feature.
    TooLittleData
        If no column is left.
    """
    for name in (*choice.wanted, *choice.text, *choice.keep):
        if name not in frame.columns:
            raise BadColumn(f"there is no feature column {name!r}", cure=f"columns are {', '.join(frame.columns)}")
    dropped = {name: reason for name, reason in choice.reserved.items() if name in frame.columns}
    used = []
    for name in frame.columns:
        if name in dropped:
            continue
        if choice.wanted and name not in choice.wanted and name not in choice.keep:
            dropped[name] = "not among the features of the settings"
            continue
        found = _feature(frame[name], choice)
        if isinstance(found, Feature):
            used.append(found)
        else:
            dropped[name] = found
    if not used:
        # That the target is no feature goes without saying.
        reasons = "; ".join(f"{name}: {reason}" for name, reason in dropped.items() if reason != TARGET)
        raise TooLittleData(
            f"no column is left to learn from ({reasons})",
            cure="add columns, or name them under features or keep",
            dropped=dropped,
        )
    return Features(tuple(used), dropped)


def _feature(values: pl.Series, choice: Choice) -> Feature | str:
    """Return the feature a column is, or why it is none."""
    name, is_kept = values.name, values.name in choice.keep
    kind = _kind(values, choice)
    if kind is None:
        problem = f"columns of type {values.dtype.base_type()} are not learnt from"
        if is_kept or name in choice.wanted:
            raise BadColumn(f"{name!r} cannot be a feature: {problem}", cure="derive numbers or texts from it first")
        return problem
    gaps = missing(values)
    share = int(gaps.sum()) / max(1, len(gaps))
    tells = share > 0 and choice.codes is not None and tells_of(gaps.to_numpy(), choice.codes, choice.task)
    if not is_kept:
        problem = _against(values.filter(~gaps), kind, (len(values), share, tells))
        if problem:
            return problem
    elif kind == "category" and not frequent(values):
        kind = "text"
    is_whole = values.dtype.is_integer() and not (values.dtype == pl.UInt64 and (values.max() or 0) > _LARGEST_INT)  # type: ignore[operator]  # a number
    return Feature(name, kind, is_whole, share > 0, round(share, 6), tells)


def _kind(values: pl.Series, choice: Choice) -> FeatureKind | None:
    dtype = values.dtype
    if dtype == pl.Boolean:
        return "bool"
    if dtype.is_numeric():
        return "number"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text" if values.name in choice.text else "category"
    if dtype == pl.Date:
        return "date"
    return "datetime" if dtype == pl.Datetime else None


def _against(present: pl.Series, kind: FeatureKind, facts: tuple[int, float, bool]) -> str:
    """Return what speaks against learning from a column, "" when nothing does."""
    rows, share, tells = facts
    distinct = present.n_unique()
    if not len(present):
        return "empty in the rows learnt from"
    if share > MOST_MISSING and not tells:
        return f"missing in {share:.0%} of the rows learnt from, and that does not tell of the target"
    if distinct <= 1 and not tells:
        return "constant in the rows learnt from"
    if kind == "number" and _is_identifier(present, distinct):
        return "a number of its own in every row: an identifier"
    return _against_category(present, rows, distinct) if kind == "category" and not tells else ""


def _against_category(present: pl.Series, rows: int, distinct: int) -> str:
    if distinct > _UNIQUE_SHARE * len(present) and distinct > MOST_CATEGORIES:
        return "almost every row has its own text: an identifier or free text"
    return "" if frequent(present, rows=rows) else f"no text occurs in at least {_fewest(rows)} rows"


def _is_identifier(present: pl.Series, distinct: int) -> bool:
    """Say whether whole numbers that are all different are numbers of rows: by their name, or without gaps."""
    if not present.dtype.is_integer() or distinct < len(present) or distinct < _FEWEST_UNIQUE:
        return False
    span = int(present.max()) - int(present.min())  # type: ignore[arg-type]  # whole numbers, and there are some
    return span < 2 * distinct or bool(_IDENTIFIER.search(present.name) or _CAMEL.search(present.name))


def missing(values: pl.Series) -> pl.Series:
    """Return where a column is missing: null, or not a finite number that a model can take."""
    gaps = values.is_null()
    if values.dtype.is_float():
        return gaps | ~values.is_between(-_LARGEST_FLOAT, _LARGEST_FLOAT).fill_null(value=False) | values.is_nan()
    return gaps


def frequent(values: pl.Series, most: int = MOST_CATEGORIES, rows: int | None = None) -> list[str]:
    """Return the texts that are categories of their own: frequent ones, at most 50, sorted.

    All others, and nulls, are prepared alike. So no rare text of a row gets into a model.

    Parameters
    ----------
    values : Series
        The column.
    most : int
        How many at most.
    rows : int, optional
        Rows that count for what is frequent; those of the column by default.
    """
    counts = values.drop_nulls().cast(pl.String).alias("text").value_counts()  # the column may be called "count"
    kept = counts.filter(pl.col("count") >= _fewest(len(values) if rows is None else rows))
    top = kept.sort(["count", "text"], descending=[True, False]).head(most)
    return sorted(top["text"].to_list())


def encoded_widths(distinct: Sequence[int], most: int = MOST_ENCODED) -> list[int]:
    """Return how many categories of each column are encoded, so that the whole stays bounded.

    Columns with few keep all of theirs; the others share what is left equally.

    Parameters
    ----------
    distinct : sequence of int
        Frequent categories by column.
    most : int
        Of all columns together; where that is less than two by column, two by column.
    """
    widths = [0] * len(distinct)
    left, waiting = max(most, 2 * len(distinct)), sorted(range(len(distinct)), key=lambda index: distinct[index])
    while waiting:
        index = waiting.pop(0)
        widths[index] = min(distinct[index], left // (len(waiting) + 1))
        left -= widths[index]
    return widths


def word_places(columns: int) -> int:
    """Return into how many places each of some columns of text is hashed."""
    return max(_FEWEST_PLACES, WORD_PLACES // max(1, columns))


def _fewest(rows: int) -> int:
    return FREQUENT if rows >= SMALL_ROWS else FREQUENT_IN_SMALL


def fed(frame: pl.DataFrame, features: Features) -> pl.DataFrame:
    """Return the columns of a model as it is fed with them, when fitted and when serving.

    What is no finite number that a model can take is missing; instants are UTC.
    """
    return frame.select(_fed(frame.schema[feature.name], feature) for feature in features.used)


def _fed(dtype: pl.DataType, feature: Feature) -> pl.Expr:
    column = pl.col(feature.name)
    match feature.kind:
        case "bool":
            return column.cast(pl.Boolean)
        case "category" | "text":
            return column.cast(pl.String)
        case "date":
            return _within_years(column)
        case "datetime":
            if getattr(dtype, "time_zone", None):
                column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            return _within_years(column.cast(pl.Datetime("us")))
        case "number":
            if feature.integer:
                return column.cast(pl.Int64)
            number = column.cast(pl.Float64)
            return pl.when(number.is_between(-_LARGEST_FLOAT, _LARGEST_FLOAT)).then(number).alias(feature.name)
        case _:
            assert_never(feature.kind)


def _within_years(column: pl.Expr) -> pl.Expr:
    """Return dates of the years 1 to 9999, which is what a request can hold."""
    return pl.when(column.dt.year().is_between(1, 9999)).then(column)
