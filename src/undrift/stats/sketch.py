"""What a model's training data looked like, in a few kilobytes and without any user's cell.

A :class:`ReferenceSketch` travels inside the model's package. Windows of later predictions are counted into the same
bins (:class:`WindowCounts`), so that counts from two processes add up to exactly the counts of the whole.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from undrift.stats.cells import (
    OTHER,
    Z_SCALE,
    ColumnSketch,
    Ints,
    SketchMismatch,
    Values,
    cells_of,
    column_from_json,
    count_by_unit,
    fit_column,
    plain,
    standardised_sum,
    with_counts,
)

__all__ = ["OTHER", "ColumnSketch", "ReferenceSketch", "SketchMismatch", "UnitKind", "Values", "WindowCounts"]

UnitKind: TypeAlias = Literal["row", "key", "day"]

FORMAT = "undrift.sketch/1"
MOST_UNITS = 128


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
        pooled: Collection[str] = (),
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
        pooled : collection of str
            Personal columns: all their values fall into one cell, so that no value of theirs is told.

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
        fitted = {
            name: fit_column(name, types.get(name, ""), values, pooled=name in pooled)
            for name, values in columns.items()
        }
        filled = {
            name: with_counts(column, cells_of(column, columns[name]), group, groups) for name, column in fitted.items()
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
        columns = [column_from_json(item) for item in body["columns"]]
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
        cells = cells_of(column, values)
        self.fine[column.name] = np.bincount(cells, minlength=column.cells + 1)
        if labels:
            per_unit = count_by_unit(column, cells, codes, len(labels))
            for label, row in zip(labels, per_unit, strict=True):
                self.by_unit[label][column.name] = row
        if column.is_numeric:
            self.shift[column.name] = standardised_sum(column, values)

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


def _common_length(columns: Mapping[str, Values], unit: Values | None) -> int:
    lengths = {len(values) for values in columns.values()} | ({len(unit)} if unit is not None else set())
    if len(lengths) > 1:
        raise SketchMismatch(f"columns and units have different lengths: {sorted(lengths)}")
    return lengths.pop() if lengths else 0


def _unit_codes(unit: Values | None, kind: UnitKind, rows: int) -> tuple[list[int | str], Ints]:
    """Return the labels of the units in order and each row's index into them."""
    if kind == "row" or unit is None:
        return [], np.zeros(rows, dtype=np.int64)
    values, codes = _distinct(plain(unit))
    if kind == "key":
        buckets = np.array([_bucket(value) for value in values], dtype=np.int64)
        held, inverse = np.unique(buckets, return_inverse=True)
        return [int(b) for b in held], inverse[codes].astype(np.int64)
    return values, codes


def _distinct(units: Sequence[object]) -> tuple[list[int | str], Ints]:
    label_of = {value: _unit_label(value) for value in set(units)}
    order = sorted(set(label_of.values()), key=lambda label: (isinstance(label, str), label))
    place = {label: index for index, label in enumerate(order)}
    code_of = {value: place[label] for value, label in label_of.items()}
    return order, np.array([code_of[value] for value in units], dtype=np.int64)


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


def _added(a: Mapping[str, Ints], b: Mapping[str, Ints]) -> dict[str, Ints]:
    names = [*a, *(name for name in b if name not in a)]
    return {n: a[n] + b[n] if n in a and n in b else (a[n] if n in a else b[n]).copy() for n in names}
