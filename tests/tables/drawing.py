"""How the generated tables are drawn: outcomes with noise, holes, and numbers that look like a business's."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Floats: TypeAlias = npt.NDArray[np.float64]
Rng: TypeAlias = np.random.Generator


def rng_of(name: str) -> Rng:
    """Return the random numbers of a table: always the same ones."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def pick(rng: Rng, rows: int, weights: dict[str, float]) -> npt.NDArray[np.str_]:
    """Return texts drawn with these weights."""
    shares = np.array(list(weights.values()), dtype=float)
    return rng.choice(np.array(list(weights)), size=rows, p=shares / shares.sum())


def weighed(texts: Sequence[Any], values: dict[str, float]) -> Floats:  # Any: texts of numpy or of a list
    """Return for each text its number; 0 for one that has none."""
    return np.array([values.get(str(text), 0.0) for text in texts])


def outcome(rng: Rng, signal: Floats, share: float) -> npt.NDArray[np.bool_]:
    """Return what came true: drawn with log odds ``signal`` plus the constant that makes ``share`` of them true."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(np.mean(_chance(signal + middle))) < share else (low, middle)
    return np.asarray(rng.random(len(signal)) < _chance(signal + low))


def yes_no(values: npt.NDArray[np.bool_], yes: str = "Yes", no: str = "No") -> list[str]:
    """Return booleans as two words."""
    return [yes if value else no for value in values]


def holes(rng: Rng, values: Sequence[Any] | npt.NDArray[Any], share: float) -> list[Any]:  # Any: cells of any type
    """Return the cells with this share of them missing."""
    missing = rng.random(len(values)) < share
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return [None if gone else value for gone, value in zip(missing, plain, strict=True)]


def codes(rng: Rng, rows: int, pattern: str) -> list[str]:
    """Return different codes: ``#`` is a digit, ``?`` a capital letter."""
    found: dict[str, None] = {}
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    while len(found) < rows:
        code = "".join(
            str(rng.integers(10)) if sign == "#" else letters[rng.integers(len(letters))] if sign == "?" else sign
            for sign in pattern
        )
        found[code] = None
    return list(found)


def days(rng: Rng, rows: int, first: date, last: date) -> list[date]:
    """Return days between two, both included, in no order."""
    span = (last - first).days
    return [first + timedelta(days=int(offset)) for offset in rng.integers(0, span + 1, rows)]


def csv(folder: Path, name: str, columns: dict[str, Any], **how: Any) -> Path:  # Any: polars decides
    """Write a CSV file and return its path; ``how`` goes to polars."""
    path = folder / f"{name}.csv"
    pl.DataFrame(columns, strict=False).write_csv(path, **how)
    return path


def euro(values: Sequence[float | None] | Floats, digits: int = 2, *, thousands: bool = True) -> list[str | None]:
    """Return numbers as they are written from Lisbon to Warsaw: ``1.234,56``."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    swap = str.maketrans(",.", ".,")
    form = f",.{digits}f" if thousands else f".{digits}f"
    return [None if value is None else format(value, form).translate(swap) for value in plain]


def _chance(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
