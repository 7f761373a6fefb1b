"""What a model's training data looked like, in a few kilobytes and without any user's cell.

A :class:`ReferenceSketch` travels inside the model's package. Windows of later predictions are counted into the same
bins (:class:`WindowCounts`), so that counts from two processes add up to exactly the counts of the whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from undrift.core.errors import BadInput

UnitKind: TypeAlias = Literal["row", "key", "day"]
Values: TypeAlias = npt.NDArray[Any] | Sequence[Any]  # Any: a column holds whatever its type says
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

FORMAT = "undrift.sketch/1"
OTHER = "__other__"
FINE_BINS = 256
COARSE_BINS = 16
MOST_UNITS = 128
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


@dataclass(frozen=True, slots=True)
class ReferenceSketch:
    """The distribution of a model's training data, by column and by unit of independence.

    Attributes
    ----------
    columns : mapping of str to ColumnSketch
        In the order of fitting.
    rows : int
        Rows behind the sketch.
    unit : {"row", "key", "day"}
        What may be treated as independent. Days keep their order, since neighbouring days resemble each other; keys
        fall into at most 128 groups by hash.
    """

    columns: Mapping[str, ColumnSketch]
    rows: int
    unit: UnitKind

    @classmethod
    def fit(
        cls,
        columns: Mapping[str, Values],
        types: Mapping[str, str],
        unit: Values | None = None,
        *,
        unit_kind: UnitKind | None = None,
    ) -> ReferenceSketch:
        """Return the sketch of a table.

        Parameters
        ----------
        columns : mapping of str to array or list
            Values by column, all of one length; None and NaN are missing.
        types : mapping of str to str
            ``"float"``, ``"int"``, ``"date"``, ``"datetime"``, ``"string"`` or ``"bool"`` for every column.
        unit : array or list, optional
            The unit of each row (its day, its key); None when rows are independent.
        unit_kind : {"row", "key", "day"}, optional
            Default ``"day"`` when `unit` is given, else ``"row"``.

        Returns
        -------
        ReferenceSketch

        Raises
        ------
        SketchMismatch
            If lengths differ, a column has no type, or a value does not fit its type.
        """
        kind: UnitKind = unit_kind or ("row" if unit is None else "day")
        rows = _common_length(columns, unit)
        labels, codes = _unit_codes(unit, kind, rows)
        group = _consecutive_groups(len(labels))[codes] if kind == "day" else codes
        groups = int(group.max()) + 1 if rows and kind != "row" else 0
        fitted = {name: _fit_column(name, _type_of(types, name), values) for name, values in columns.items()}
        filled = {
            name: _with_counts(column, _cells_of(column, columns[name]), group, groups)
            for name, column in fitted.items()
        }
        return cls(filled, rows, kind)

    @property
    def units(self) -> int:
        """Number of units with rows; the number of rows when rows are units."""
        if self.unit == "row":
            return self.rows
        first = next(iter(self.columns.values()), None)
        return 0 if first is None else sum(1 for unit in first.unit_counts if any(unit))

    def to_json(self) -> bytes:
        """Return the sketch as UTF-8 JSON with sorted keys."""
        body = {
            "format": FORMAT,
            "rows": self.rows,
            "unit": self.unit,
            "columns": [
                {
                    "name": c.name, "type": c.type, "edges": c.edges, "categories": c.categories, "coarse": c.coarse,
                    "counts": c.counts, "unit_counts": c.unit_counts, "mean": c.mean, "sd": c.sd,
                }
                for c in self.columns.values()
            ],
        }  # fmt: skip
        return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    @classmethod
    def from_json(cls, data: bytes | str) -> ReferenceSketch:
        """Return the sketch that :meth:`to_json` wrote.

        Raises
        ------
        SketchMismatch
            If the text is of another format.
        """
        body = json.loads(data)
        if body.get("format") != FORMAT:
            raise SketchMismatch(f"this is not a sketch of format {FORMAT}", cure="package the model again")
        columns = [_column_from_json(item) for item in body["columns"]]
        return cls({column.name: column for column in columns}, body["rows"], body["unit"])


@dataclass(slots=True)
class WindowCounts:
    """Rows counted into a sketch's cells; two of them add up exactly.

    Attributes
    ----------
    rows : int
        Rows counted.
    fine : dict of str to int64 array
        Rows per fine cell, the last entry counts missing values.
    by_unit : dict of unit label to (dict of str to int64 array)
        Rows per coarse cell, the last entry counts missing values. Empty when rows are units.
    shift : dict of str to (int, int)
        Sum of standardised values in units of 2**-20 (limited to 1,000 sd each) and number of values: integers, so
        that sums do not depend on order.
    """

    unit: UnitKind
    rows: int = 0
    fine: dict[str, Ints] = field(default_factory=dict)
    by_unit: dict[int | str, dict[str, Ints]] = field(default_factory=dict)
    shift: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def collect(
        cls, sketch: ReferenceSketch, columns: Mapping[str, Values], unit: Values | None = None
    ) -> WindowCounts:
        """Return the counts of a table in the cells of a sketch.

        Parameters
        ----------
        sketch : ReferenceSketch
            Defines the cells and the kind of unit.
        columns : mapping of str to array or list
            Must hold every column of the sketch; others are ignored.
        unit : array or list, optional
            The unit of each row; needed unless the sketch's unit is the row.

        Returns
        -------
        WindowCounts

        Raises
        ------
        SketchMismatch
            If a column or the unit is missing, or lengths differ.
        """
        absent = [name for name in sketch.columns if name not in columns]
        if absent or (unit is None and sketch.unit != "row"):
            what = f"column {absent[0]!r}" if absent else f"the {sketch.unit} of each row"
            raise SketchMismatch(f"the window has not {what}, which the sketch knows", missing=absent)
        held = {name: columns[name] for name in sketch.columns}
        rows = _common_length(held, unit)
        labels, codes = _unit_codes(unit, sketch.unit, rows)
        window = cls(sketch.unit, rows, by_unit={label: {} for label in labels})
        for name, column in sketch.columns.items():
            window._count(column, held[name], labels, codes)
        return window

    def _count(self, column: ColumnSketch, values: Values, labels: Sequence[int | str], codes: Ints) -> None:
        cells = _cells_of(column, values)
        self.fine[column.name] = np.bincount(cells, minlength=column.cells + 1)
        if labels:
            per_unit = _count_by_unit(column, cells, codes, len(labels))
            for label, row in zip(labels, per_unit, strict=True):
                self.by_unit[label][column.name] = row
        if column.is_numeric:
            self.shift[column.name] = _standardised_sum(column, values)

    def merge(self, other: WindowCounts) -> WindowCounts:
        """Return the counts of both windows together; neither is changed.

        Raises
        ------
        SketchMismatch
            If they count by different units.
        """
        if self.unit != other.unit:
            raise SketchMismatch(f"windows by {self.unit} and by {other.unit} cannot be added")
        total = WindowCounts(self.unit, self.rows + other.rows)
        total.fine = _added(self.fine, other.fine)
        for label in self.by_unit.keys() | other.by_unit.keys():
            total.by_unit[label] = _added(self.by_unit.get(label, {}), other.by_unit.get(label, {}))
        for name in self.shift.keys() | other.shift.keys():
            a, b = self.shift.get(name, (0, 0)), other.shift.get(name, (0, 0))
            total.shift[name] = (a[0] + b[0], a[1] + b[1])
        return total

    @property
    def units(self) -> int:
        """Number of units with rows; the number of rows when rows are units."""
        return self.rows if self.unit == "row" else len(self.by_unit)

    def labels_in_order(self) -> list[int | str]:
        """Return the labels of the units, days in the order of time."""
        return sorted(self.by_unit, key=lambda label: (isinstance(label, str), label))

    def unit_table(self, name: str) -> Ints:
        """Return units x (coarse cells + missing) of one column, days in the order of time."""
        return np.array([self.by_unit[label][name] for label in self.labels_in_order()], dtype=np.int64)

    def mean_shift(self, name: str) -> float | None:
        """Return the mean of a numeric column less the reference's mean, in sd of the reference; None if unknown."""
        total, known = self.shift.get(name, (0, 0))
        return total / Z_SCALE / known if known else None

    def to_json(self) -> bytes:
        """Return the counts as UTF-8 JSON with sorted keys."""
        body = {
            "unit": self.unit,
            "rows": self.rows,
            "fine": {name: counts.tolist() for name, counts in self.fine.items()},
            "labels": self.labels_in_order(),
            "by_unit": {name: self.unit_table(name).tolist() for name in self.fine} if self.by_unit else {},
            "shift": self.shift,
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes | str) -> WindowCounts:
        """Return the counts that :meth:`to_json` wrote."""
        body = json.loads(data)
        window = cls(body["unit"], body["rows"])
        window.fine = {name: np.array(counts, dtype=np.int64) for name, counts in body["fine"].items()}
        for index, label in enumerate(body["labels"]):
            window.by_unit[label] = {n: np.array(t[index], dtype=np.int64) for n, t in body["by_unit"].items()}
        window.shift = {name: (pair[0], pair[1]) for name, pair in body["shift"].items()}
        return window


def _type_of(types: Mapping[str, str], name: str) -> str:
    kind = types.get(name, "")
    if kind not in NUMERIC_TYPES | CATEGORY_TYPES:
        raise SketchMismatch(f"column {name!r} has the type {kind!r}, which no sketch knows", column=name)
    return kind


def _common_length(columns: Mapping[str, Values], unit: Values | None) -> int:
    lengths = {len(values) for values in columns.values()} | ({len(unit)} if unit is not None else set())
    if len(lengths) > 1:
        raise SketchMismatch(f"columns and units have different lengths: {sorted(lengths)}")
    return lengths.pop() if lengths else 0


def _unit_codes(unit: Values | None, kind: UnitKind, rows: int) -> tuple[list[int | str], Ints]:
    """Return the labels of the units in order and each row's index into them."""
    if kind == "row" or unit is None:
        return [], np.zeros(rows, dtype=np.int64)
    values, codes = _distinct([_unit_label(value) for value in _plain(unit)])
    if kind == "key":
        buckets = np.array([_bucket(value) for value in values], dtype=np.int64)
        held, inverse = np.unique(buckets, return_inverse=True)
        return [int(b) for b in held], inverse[codes].astype(np.int64)
    return values, codes


def _distinct(labels: list[int | str]) -> tuple[list[int | str], Ints]:
    order = sorted(set(labels), key=lambda label: (isinstance(label, str), label))
    place = {label: index for index, label in enumerate(order)}
    return order, np.array([place[label] for label in labels], dtype=np.int64)


def _unit_label(value: object) -> int | str:
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return int(value) if isinstance(value, int | np.integer) else str(value)


def _bucket(key: int | str) -> int:
    return int.from_bytes(hashlib.blake2b(str(key).encode(), digest_size=8).digest(), "big") % MOST_UNITS


def _consecutive_groups(units: int) -> Ints:
    """Return the group of each unit: itself, or one of at most 128 runs of neighbours of nearly equal length."""
    groups = min(units, MOST_UNITS)
    return (np.arange(units) * groups) // max(units, 1)


def _plain(values: Values) -> Sequence[object]:
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
        return np.array([np.nan if v is None else float(cast(float, v)) for v in _plain(array)], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SketchMismatch(f"column {name!r} holds a value that is not of type {column_type}", column=name) from error


def _instant(value: object) -> object:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def _texts(values: Values) -> list[str | None]:
    """Return category names; None for missing, so NaN in an object column is missing too."""
    return [None if v is None or v != v else _text(v) for v in _plain(values)]  # noqa: PLR0124 - NaN is not itself


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool | np.bool_) else str(value)


def _fit_column(name: str, column_type: str, values: Values) -> ColumnSketch:
    if column_type in CATEGORY_TYPES:
        return _fit_categories(name, column_type, _texts(values))
    numbers = _numbers(column_type, values, name)
    finite = np.sort(numbers[np.isfinite(numbers)])
    edges = _edges(finite)
    counts = np.bincount(np.searchsorted(edges, finite, side="left"), minlength=len(edges) + 1)
    mean, sd = (float(finite.mean()), float(finite.std())) if finite.size else (0.0, 0.0)
    coarse = tuple(_coarse_of(counts).tolist())
    return ColumnSketch(name, column_type, tuple(edges.tolist()), (), coarse, (), (), mean, sd)


def _edges(finite: Floats) -> Floats:
    """Return interior edges with at least ten rows on either side: quantiles, or the distinct values when few."""
    if finite.size < 2 * ROWS_PER_BIN:
        return np.unique(finite[finite.size // 2 : finite.size // 2 + 1])
    distinct = np.unique(finite)
    if len(distinct) <= FINE_BINS // 4:
        below = np.searchsorted(finite, distinct, side="right")
        return distinct[(below >= ROWS_PER_BIN) & (finite.size - below >= ROWS_PER_BIN)]
    bins = min(FINE_BINS, finite.size // ROWS_PER_BIN)
    places = (np.arange(1, bins) * finite.size) // bins - 1
    return np.unique(finite[places])


def _coarse_of(counts: Ints) -> Ints:
    """Return for each fine bin the coarse bin, about equally full, that its middle falls into."""
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)
    raw = np.minimum((middle * COARSE_BINS).astype(np.int64), COARSE_BINS - 1)
    return np.unique(raw, return_inverse=True)[1].astype(np.int64)


def _fit_categories(name: str, column_type: str, texts: Iterable[str | None]) -> ColumnSketch:
    found: dict[str, int] = {}
    for value in texts:
        if value is not None:
            found[value] = found.get(value, 0) + 1
    frequent = sorted((v for v, n in found.items() if n >= RARE and v != OTHER), key=lambda v: (-found[v], v))
    named = (*frequent[:MOST_CATEGORIES], OTHER)
    last = min(len(named), COARSE_BINS) - 1
    coarse = tuple(min(index, last) for index in range(len(named)))
    return ColumnSketch(name, column_type, (), named, coarse, (), (), 0.0, 0.0)


def _cells_of(column: ColumnSketch, values: Values) -> Ints:
    """Return each row's fine cell; the number of cells for a missing value."""
    if column.is_numeric:
        numbers = _numbers(column.type, values, column.name)
        cells = np.searchsorted(np.array(column.edges), numbers, side="left")
        return np.where(np.isnan(numbers), column.cells, cells).astype(np.int64)
    place = {name: index for index, name in enumerate(column.categories)}
    rest = len(column.categories) - 1
    cells_list = [column.cells if text is None else place.get(text, rest) for text in _texts(values)]
    return np.array(cells_list, dtype=np.int64)


def _count_by_unit(column: ColumnSketch, cells: Ints, codes: Ints, units: int) -> Ints:
    width = column.coarse_cells + 1
    coarse = np.array([*column.coarse, column.coarse_cells], dtype=np.int64)[cells]
    return np.bincount(codes * width + coarse, minlength=units * width).reshape(units, width)


def _with_counts(column: ColumnSketch, cells: Ints, group: Ints, groups: int) -> ColumnSketch:
    fine = np.bincount(cells, minlength=column.cells + 1)
    by_unit = _count_by_unit(column, cells, group, groups).tolist() if groups else []
    return ColumnSketch(
        column.name, column.type, column.edges, column.categories, column.coarse,
        tuple(fine.tolist()), tuple(tuple(row) for row in by_unit), column.mean, column.sd,
    )  # fmt: skip


def _standardised_sum(column: ColumnSketch, values: Values) -> tuple[int, int]:
    numbers = _numbers(column.type, values, column.name)
    known = numbers[~np.isnan(numbers)]
    z = np.clip((known - column.mean) / (column.sd or 1.0), -Z_LIMIT, Z_LIMIT)
    return int(np.rint(z * Z_SCALE).astype(np.int64).sum()), int(known.size)


def _added(a: Mapping[str, Ints], b: Mapping[str, Ints]) -> dict[str, Ints]:
    names = [*a, *(name for name in b if name not in a)]
    return {n: a[n] + b[n] if n in a and n in b else (a[n] if n in a else b[n]).copy() for n in names}


def _column_from_json(item: Mapping[str, Any]) -> ColumnSketch:  # Any: freshly parsed JSON
    return ColumnSketch(
        item["name"], item["type"], tuple(item["edges"]), tuple(item["categories"]), tuple(item["coarse"]),
        tuple(item["counts"]), tuple(tuple(row) for row in item["unit_counts"]), item["mean"], item["sd"],
    )  # fmt: skip
