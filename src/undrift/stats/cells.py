"""The cells of one column: bins or categories, how they are chosen and how rows fall into them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from undrift.core.errors import BadInput

Values: TypeAlias = npt.NDArray[Any] | Sequence[Any]  # Any: a column holds whatever its type says
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

OTHER = "__other__"
FINE_BINS = 256
COARSE_BINS = 16
MOST_CATEGORIES = 200
ROWS_PER_BIN = 10
RARE = 20
Z_SCALE = 1 << 20
Z_LIMIT = 1000.0
NUMERIC_TYPES = frozenset({"float", "int", "date", "datetime"})
CATEGORY_TYPES = frozenset({"string", "bool"})


class SketchMismatch(BadInput):
    """Columns, types or units do not fit the sketch."""

    code = "sketch-mismatch"


@dataclass(frozen=True, slots=True)
class ColumnSketch:
    """One column of the reference.

    Attributes
    ----------
    name, type : str
        The column and its logical type.
    edges : tuple of float
        Interior edges of a numeric column, increasing; bin k holds ``edges[k-1] < x <= edges[k]``; the first and the
        last bin are open. Empty for categories.
    categories : tuple of str
        Names of a categorical column's cells; the last one is ``"__other__"`` and takes rare and unknown values.
    coarse : tuple of int
        For each fine cell the coarse cell that holds it.
    counts : tuple of int
        Rows in each fine cell, the last entry counts missing values.
    unit_counts : tuple of tuple of int
        For each unit the rows in each coarse cell, the last entry counts missing values. Empty when rows are units.
    mean, sd : float
        Of a numeric column's finite values; 0 and 0 for categories.
    """

    name: str
    type: str
    edges: tuple[float, ...]
    categories: tuple[str, ...]
    coarse: tuple[int, ...]
    counts: tuple[int, ...]
    unit_counts: tuple[tuple[int, ...], ...]
    mean: float
    sd: float

    @property
    def is_numeric(self) -> bool:
        """Whether the cells are ordered bins."""
        return not self.categories

    @property
    def cells(self) -> int:
        """Number of fine cells, missing apart."""
        return len(self.coarse)

    @property
    def coarse_cells(self) -> int:
        """Number of coarse cells, missing apart."""
        return self.coarse[-1] + 1 if self.is_numeric else max(self.coarse) + 1


def fit_column(name: str, column_type: str, values: Values, *, pooled: bool = False) -> ColumnSketch:
    """Return the cells of a column, without counts.

    Parameters
    ----------
    name, column_type : str
        The column and its type.
    values : array or list
        Its values.
    pooled : bool
        One cell for all values: nothing of a personal column is to be told.

    Raises
    ------
    SketchMismatch
        If the type is unknown or a value does not fit it.
    """
    if column_type not in NUMERIC_TYPES | CATEGORY_TYPES:
        raise SketchMismatch(f"column {name!r} has the type {column_type!r}, which no sketch knows", column=name)
    if column_type in CATEGORY_TYPES:
        return _fit_categories(name, column_type, () if pooled else values)
    numbers = _numbers(column_type, values, name)
    finite = np.sort(numbers[np.isfinite(numbers)])
    edges = _edges(finite[:0] if pooled else finite)
    counts = np.bincount(np.searchsorted(edges, finite, side="left"), minlength=len(edges) + 1)
    mean, sd = (float(finite.mean()), float(finite.std())) if finite.size else (0.0, 0.0)
    coarse = tuple(_coarse_of(counts).tolist())
    return ColumnSketch(name, column_type, tuple(edges.tolist()), (), coarse, (), (), mean, sd)


def column_from_json(item: Mapping[str, Any]) -> ColumnSketch:  # Any: freshly parsed JSON
    """Return the column that a sketch wrote."""
    return ColumnSketch(
        item["name"], item["type"], tuple(item["edges"]), tuple(item["categories"]), tuple(item["coarse"]),
        tuple(item["counts"]), tuple(tuple(row) for row in item["unit_counts"]), item["mean"], item["sd"],
    )  # fmt: skip


def cells_of(column: ColumnSketch, values: Values) -> Ints:
    """Return each row's fine cell; the number of cells for a missing value."""
    if column.is_numeric:
        numbers = _numbers(column.type, values, column.name)
        cells = np.searchsorted(np.array(column.edges), numbers, side="left")
        return np.where(np.isnan(numbers), column.cells, cells).astype(np.int64)
    place = {name: index for index, name in enumerate(column.categories)}
    rest = len(column.categories) - 1
    texts, codes = _coded(values)
    cell_of = [column.cells if text is None else place.get(text, rest) for text in texts]
    return np.array(cell_of, dtype=np.int64)[codes]


def count_by_unit(column: ColumnSketch, cells: Ints, codes: Ints, units: int) -> Ints:
    """Return units x (coarse cells + missing): rows of each unit in each coarse cell.

    Parameters
    ----------
    column : ColumnSketch
        Defines the cells.
    cells : (n,) array of int
        Each row's fine cell, from :func:`cells_of`.
    codes : (n,) array of int
        Each row's unit, 0..units-1.
    units : int
        Number of units.
    """
    width = column.coarse_cells + 1
    coarse = np.array([*column.coarse, column.coarse_cells], dtype=np.int64)[cells]
    return np.bincount(codes * width + coarse, minlength=units * width).reshape(units, width)


def with_counts(column: ColumnSketch, cells: Ints, group: Ints, groups: int) -> ColumnSketch:
    """Return the column with the counts of these rows.

    Parameters
    ----------
    column : ColumnSketch
        Defines the cells.
    cells : (n,) array of int
        Each row's fine cell, from :func:`cells_of`.
    group : (n,) array of int
        Each row's unit, 0..groups-1.
    groups : int
        Number of units; 0 when rows are units.
    """
    fine = np.bincount(cells, minlength=column.cells + 1)
    by_unit = count_by_unit(column, cells, group, groups).tolist() if groups else []
    return ColumnSketch(
        column.name, column.type, column.edges, column.categories, column.coarse,
        tuple(fine.tolist()), tuple(tuple(row) for row in by_unit), column.mean, column.sd,
    )  # fmt: skip


def standardised_sum(column: ColumnSketch, values: Values) -> tuple[int, int]:
    """Return the sum of standardised values in units of 2**-20, and their number."""
    numbers = _numbers(column.type, values, column.name)
    known = numbers[~np.isnan(numbers)]
    z = np.clip((known - column.mean) / (column.sd or 1.0), -Z_LIMIT, Z_LIMIT)
    return int(np.rint(z * Z_SCALE).astype(np.int64).sum()), int(known.size)


def plain(values: Values) -> Sequence[object]:
    """Return plain Python values."""
    return cast(Sequence[object], values.tolist()) if isinstance(values, np.ndarray) else values


def _numbers(column_type: str, values: Values, name: str) -> Floats:
    """Return floats with NaN for missing; dates as seconds since 1970."""
    array = np.asarray(values)
    try:
        if array.dtype.kind == "M":
            seconds = array.astype("datetime64[us]").astype(np.float64) / 1e6
            return np.where(np.isnat(array), np.nan, seconds)
        if array.dtype.kind in "biuf":
            return array.astype(np.float64)
        if column_type in {"date", "datetime"}:
            return _numbers("datetime", np.array([_instant(v) for v in array], dtype="datetime64[us]"), name)
        return np.array([np.nan if v is None else float(cast(float, v)) for v in plain(array)], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SketchMismatch(f"column {name!r} holds a value that is not of type {column_type}", column=name) from error


def _instant(value: object) -> object:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def _coded(values: Values) -> tuple[list[str | None], Ints]:
    """Return the distinct values as category names (None for missing, NaN too) and each row's index into them."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "Ub":
        distinct, codes = np.unique(values, return_inverse=True)
        return [_text(value) for value in distinct.tolist()], codes.astype(np.int64)
    place: dict[object, int] = {}
    listed = np.array([place.setdefault(value, len(place)) for value in plain(values)], dtype=np.int64)
    return [_text(value) for value in place], listed


def _text(value: object) -> str | None:
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return None
    return ("true" if value else "false") if isinstance(value, bool | np.bool_) else str(value)


def _edges(finite: Floats) -> Floats:
    """Return interior edges: quantiles, or the distinct values when few, each with ten rows or more on either side.

    A lowest or highest value that ten rows share (no rain, a full scale) is an edge too, with nothing beyond it, so
    that a window that goes beyond is seen. A value that fewer rows share is no edge: the middle between it and the
    next one parts the same rows, and is nobody's.
    """
    if not finite.size:
        return finite
    distinct, counts = np.unique(finite, return_counts=True)
    below = np.cumsum(counts)
    inner = (below >= ROWS_PER_BIN) & (finite.size - below >= ROWS_PER_BIN)
    if len(distinct) > FINE_BINS // 4:
        bins = min(FINE_BINS, finite.size // ROWS_PER_BIN)
        places = (np.arange(1, bins) * finite.size) // max(bins, 1) - 1
        inner &= np.isin(distinct, finite[places])
    chosen = np.flatnonzero(inner)
    here, there = distinct[chosen], distinct[chosen + 1]
    middle = here / 2 + there / 2
    parts = (counts[chosen] < ROWS_PER_BIN) & (here < middle) & (middle < there)
    lowest = [np.nextafter(distinct[0], -np.inf)] if counts[0] >= ROWS_PER_BIN else []
    highest = [distinct[-1]] if counts[-1] >= ROWS_PER_BIN else []
    return np.array([*lowest, *np.where(parts, middle, here), *highest], dtype=np.float64)


def _coarse_of(counts: Ints) -> Ints:
    """Return for each fine bin the coarse bin that its middle falls into; empty ends stay apart."""
    middle = (np.cumsum(counts) - counts / 2) / max(int(counts.sum()), 1)
    raw = np.minimum((middle * COARSE_BINS).astype(np.int64), COARSE_BINS - 1)
    if counts[0] == 0:
        raw[0] = -1
    if counts[-1] == 0:
        raw[-1] = COARSE_BINS
    return np.unique(raw, return_inverse=True)[1].astype(np.int64)


def _fit_categories(name: str, column_type: str, values: Values) -> ColumnSketch:
    texts, codes = _coded(values)
    found: dict[str, int] = {}
    for text, count in zip(texts, np.bincount(codes, minlength=len(texts)).tolist(), strict=True):
        if text is not None:
            found[text] = found.get(text, 0) + count
    frequent = sorted((v for v, n in found.items() if n >= RARE and v != OTHER), key=lambda v: (-found[v], v))
    named = (*frequent[:MOST_CATEGORIES], OTHER)
    last = min(len(named), COARSE_BINS) - 1
    coarse = tuple(min(index, last) for index in range(len(named)))
    return ColumnSketch(name, column_type, (), named, coarse, (), (), 0.0, 0.0)
