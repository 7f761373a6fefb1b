"""Rows on which two engines are compared: training's own, on split values, and made-up hard ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never

import numpy as np

from undrift.models.engines.plan import Floats
from undrift.models.signature import Columns, InputColumn, Value

_INT64 = 2**63
_STRANGE_TEXTS = ("", "\x00", "undrift has never seen this", "É é ß ", "None", "nan", "a a A b_1 -- 42")
_STRANGE_FLOATS = (0.0, -0.0, 5e-324, -1e-300, 0.1 + 0.2, 1e6, -1e6, 16_777_217.0)
_EXTREME_FLOATS = (1e300, -1e300, 3.5e38, -3.5e38, 1.7976931348623157e308)
_STRANGE_INTS = (0, -1, 2**31, -(2**31) - 1, 2**24 + 1)
_STRANGE_DATES = (date(1, 1, 1), date(1969, 12, 31), date(2000, 2, 29), date(9999, 12, 31))
_STRANGE_INSTANTS = (
    datetime(1, 1, 1),  # noqa: DTZ001 - instants inside a row are UTC without saying so, here and below
    datetime(1969, 12, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
    datetime(2000, 2, 29, 12, 0, 0, 1),  # noqa: DTZ001
    datetime(9999, 12, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
)
_EXTREME_INTS = (2**62, -(2**63), 2**63 - 1, 2**53 + 1)


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes rows out of rows of training.

    Parameters
    ----------
    inputs : sequence of InputColumn
        The columns.
    base : Columns
        Rows to start from, at least one.
    rng : numpy.random.Generator
        Chooses.
    """

    inputs: Sequence[InputColumn]
    base: Columns
    rng: np.random.Generator

    def evenly(self, most: int) -> Columns:
        """Return at most so many of the base rows, spread over all of them."""
        size = self._size()
        chosen = np.unique(np.linspace(0, size - 1, min(most, size)).astype(int)).tolist()
        return {name: [values[index] for index in chosen] for name, values in self.base.items()}

    def at_splits(self, splits: Mapping[str, Floats], rows: int) -> Columns:
        """Return rows whose numbers lie on split values and up to two units in the last place beside.

        The units are those of float64 and of float32, because forests see float32.
        """
        made = self._sampled(rows)
        for column in self.inputs:
            if column.name in splits and column.type in ("float", "int"):
                values = self._beside(splits[column.name], rows)
                keep = self.rng.random(rows) < 0.3  # noqa: PLR2004 - some columns stay as training had them
                made[column.name] = [
                    old if kept else _typed(column, value)
                    for old, kept, value in zip(made[column.name], keep, values.tolist(), strict=True)
                ]
        return made

    def strange(self, rows: int, *, extreme: bool = False) -> Columns:
        """Return rows with nulls, unknown categories and odd numbers in about a third of their cells."""
        made = self._sampled(rows)
        for column in self.inputs:
            changed = self.rng.random(rows) < 0.3  # noqa: PLR2004 - most cells stay plausible
            made[column.name] = [
                self._odd(column, extreme=extreme) if odd else old
                for old, odd in zip(made[column.name], changed, strict=True)
            ]
        return made

    def _size(self) -> int:
        return len(next(iter(self.base.values())))

    def _sampled(self, rows: int) -> Columns:
        """Return base rows drawn with replacement."""
        chosen = self.rng.integers(self._size(), size=rows).tolist()
        return {name: [values[index] for index in chosen] for name, values in self.base.items()}

    def _beside(self, values: Floats, rows: int) -> Floats:
        picked = self.rng.choice(values, rows)
        steps = self.rng.integers(-2, 3, rows)
        with np.errstate(over="ignore"):
            narrow = picked.astype(np.float32)
            beside32 = np.nextafter(narrow, np.where(steps < 0, -np.inf, np.inf).astype(np.float32))
        fine = picked + steps * np.spacing(np.abs(picked)) * np.sign(np.where(picked == 0, 1, picked))
        coarse = np.where(steps == 0, narrow, beside32).astype(np.float64)
        mixed: Floats = np.where(self.rng.random(rows) < 0.5, fine, coarse)  # noqa: PLR2004 - half and half
        return np.where(np.isfinite(mixed), mixed, picked)

    def _odd(self, column: InputColumn, *, extreme: bool) -> Value:
        if column.nullable and self.rng.random() < 0.4:  # noqa: PLR2004 - enough of nulls and of the rest
            return None
        match column.type:
            case "float":
                choices: Sequence[Value] = _EXTREME_FLOATS if extreme else _STRANGE_FLOATS
            case "int":
                choices = _EXTREME_INTS if extreme else _STRANGE_INTS
            case "bool":
                choices = (True, False)
            case "string":
                choices = _STRANGE_TEXTS
            case "date":
                choices = _STRANGE_DATES
            case "datetime":
                choices = _STRANGE_INSTANTS
            case _:
                assert_never(column.type)
        return choices[int(self.rng.integers(len(choices)))]


def one_row(columns: Columns, index: int) -> Columns:
    """Return one row of some columns."""
    return {name: [values[index]] for name, values in columns.items()}


def number_of_rows(columns: Columns) -> int:
    """Return how many rows some columns hold."""
    return len(next(iter(columns.values())))


def _typed(column: InputColumn, value: float) -> Value:
    if column.type == "float":
        return value
    return int(min(max(round(value), -_INT64), _INT64 - 1))
