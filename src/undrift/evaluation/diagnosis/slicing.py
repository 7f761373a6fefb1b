"""Parts of a table by one column: frequent texts, quarters of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from undrift.evaluation.diagnosis.judged import Ints
from undrift.evaluation.features import frequent

MOST_TEXTS = 12
MOST_VALUES = 10
RARER = "all rarer values"
MISSING = "missing"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slicing:
    """A table cut by one column.

    Attributes
    ----------
    column : str
        Its name.
    names : tuple of str
        What each slice is called: a frequent text, a range with round ends, ``missing``; never a rare cell.
    codes : int64 array
        The slice of each row.
    """

    column: str
    names: tuple[str, ...]
    codes: Ints


def slicings(frame: pl.DataFrame, columns: Sequence[str]) -> Iterator[Slicing]:
    """Yield the table cut by each column; a column that cannot be cut in two is passed over."""
    for name in columns:
        found = _slicing(frame[name])
        if found is not None and len(found.names) > 1:
            yield found


def _slicing(values: pl.Series) -> Slicing | None:
    kind = values.dtype
    if kind in (pl.String, pl.Categorical, pl.Enum, pl.Boolean):
        return _by_text(values.cast(pl.String))
    if kind in (pl.Date, pl.Datetime) or kind.is_numeric():
        few = kind.is_integer() and values.drop_nulls().n_unique() <= MOST_VALUES
        return _by_text(values.cast(pl.String)) if few else _by_quarter(values)
    return None


def _by_text(values: pl.Series) -> Slicing:
    """Return slices of the most frequent texts, and one of all others: no text that few rows share is told."""
    texts = values.alias("text")  # a column may be called "count"
    often, size = frequent(texts), Counter(texts.to_list())
    kept = sorted(sorted(often, key=lambda text: (-size[text], text))[:MOST_TEXTS])
    place = {text: at for at, text in enumerate(kept)}
    named = [place.get(text, len(kept)) if text is not None else len(kept) + 1 for text in values.to_list()]
    return _held(values.name, [*kept, RARER, MISSING], np.asarray(named, dtype=np.int64))


def _by_quarter(values: pl.Series) -> Slicing | None:
    """Return slices by quartiles, rounded to about a hundredth of their distance: what is told is no row's value."""
    numbers = values.to_physical().cast(pl.Float64).fill_nan(None).to_numpy()
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return None
    quartiles = np.quantile(known, (0.25, 0.5, 0.75))
    apart = float(quartiles[2] - quartiles[0]) or float(known.max() - known.min())
    if apart == 0.0:
        return None
    step = 10.0 ** (np.floor(np.log10(apart)) - 1)
    edges = np.unique(np.round(quartiles / step) * step)
    codes = np.where(np.isfinite(numbers), np.searchsorted(edges, np.nan_to_num(numbers), side="left"), len(edges) + 1)
    shown = [_shown(edge, values.dtype) for edge in edges]
    names = [f"up to {shown[0]}", *(f"over {a} up to {b}" for a, b in pairwise(shown))]
    return _held(values.name, [*names, f"over {shown[-1]}", MISSING], codes.astype(np.int64))


def _held(column: str, names: Sequence[str], codes: Ints) -> Slicing:
    """Return a slicing without the slices that no row is in."""
    held, again = np.unique(codes, return_inverse=True)
    return Slicing(column, tuple(names[at] for at in held), again.astype(np.int64))


def _shown(edge: float, kind: pl.DataType) -> str:
    if kind == pl.Date:
        return f"{_EPOCH + timedelta(days=edge):%Y-%m-%d}"
    if isinstance(kind, pl.Datetime):
        per_second = {"ms": 1e3, "us": 1e6, "ns": 1e9}[kind.time_unit]
        return f"{_EPOCH + timedelta(seconds=edge / per_second):%Y-%m-%d %H:%M}"
    return f"{edge + 0.0:.12g}"
