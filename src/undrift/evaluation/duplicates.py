"""Rows that hold the same: how many there are, and which must stay together.

A table that was joined or exported twice holds rows two and three times, often under new keys.
Learnt from and judged on, such a row makes any model look good. So rows that are equal in all
columns a model may learn from are one unit, whatever their key, and with another label too: a
model that remembers the row gives a wrong answer for the other label, and that is no evidence
about new rows either.

Where columns are so coarse that equal rows are to be expected (sex, class and port of two
thousand passengers), equal rows are different people: keeping them together would leave a dozen
units and judge a model only on combinations it has never seen. There every row is its own unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from undrift.core.json import JSON
from undrift.evaluation.rows import Ids, Units

_MANY_COPIES = 20
"""Nobody exports a table so many times: rows that recur more often are equal by chance."""
_FEW_DISTINCT = 0.5
_CHANCE = 0.05
_ABSENT = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """How many rows hold the same as another.

    Attributes
    ----------
    rows : int
        Rows of the table.
    distinct : int
        Different rows among them.
    by_chance : bool
        Whether the columns are so coarse that equal rows are to be expected; they are then not
        kept together.
    """

    rows: int
    distinct: int
    by_chance: bool = False

    @property
    def copies(self) -> int:
        """How many rows are a repetition of another."""
        return self.rows - self.distinct

    @property
    def share(self) -> float:
        """Share of the rows that are a repetition of another."""
        return self.copies / self.rows if self.rows else 0.0

    def as_json(self) -> dict[str, JSON]:
        """Return the counts."""
        return {"rows": self.rows, "distinct": self.distinct, "share": self.share, "by_chance": self.by_chance}


def duplicates(frame: pl.DataFrame, columns: Sequence[str]) -> Duplicates:
    """Return how many rows are equal in some columns; give those that a model may learn from."""
    found = contents(frame, columns)
    return Duplicates(len(frame), len(np.unique(found)), by_chance=_by_chance(frame, columns, found))


def row_units(frame: pl.DataFrame, columns: Sequence[str], ids: Ids) -> tuple[Units, Ids]:
    """Return the unit of each row where rows are the units, and ids that suit it.

    Rows are one unit when they are equal in the columns or have one id.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    columns : sequence of str
        Those a model may learn from, and the time; never the target or the key.
    ids : uint64 array
        Of the rows. Where equal rows are equal by chance, the second and later of one id get
        ids of their own, which depend on how many came before: a table that grows keeps them.
    """
    found = contents(frame, columns)
    if not _by_chance(frame, columns, found):
        return _joined(found, ids).view(np.int64), ids
    apart = _told_apart(ids)
    return apart.view(np.int64), apart


def contents(frame: pl.DataFrame, columns: Sequence[str]) -> Ids:
    """Return a 64-bit hash of what each row holds in some columns, the same in any version of the table."""
    name = blake2b("\x1f".join(columns).encode(), digest_size=8).digest()
    found = np.full(len(frame), np.frombuffer(name, dtype="<u8")[0], dtype=np.uint64)
    for column in columns:
        found = mixed(found * np.uint64(0xD6E8FEB86659FD93) + mixed(_cells(frame[column])))
    return found


def mixed(codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return codes through splitmix64's finaliser: one bit more or less turns half of the bits."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        codes = (codes ^ (codes >> np.uint64(shift))) * np.uint64(factor)
    return codes ^ (codes >> np.uint64(31))


def _cells(values: pl.Series) -> npt.NDArray[np.uint64]:
    """Return each cell as a number that differs where the cells differ."""
    missing = values.is_null().to_numpy()
    if values.dtype.is_float():
        # Adding zero makes one of the two zeros.
        numbers = values.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0
        bits = numbers.view(np.uint64)
    elif values.dtype.is_integer() or values.dtype == pl.Boolean:
        wide = values.cast(pl.UInt64 if values.dtype == pl.UInt64 else pl.Int64)
        bits = wide.fill_null(0).to_numpy().astype(np.uint64)
    elif values.dtype.is_temporal():
        bits = values.to_physical().cast(pl.Int64).fill_null(0).to_numpy().astype(np.uint64)
    else:
        bits = _texts(values)
    return np.where(missing, _ABSENT, bits)


def _texts(values: pl.Series) -> npt.NDArray[np.uint64]:
    if values.dtype not in (pl.String, pl.Categorical, pl.Enum):
        values = pl.Series([repr(cell) for cell in values.to_list()], dtype=pl.String)
    texts = values.cast(pl.String).fill_null("")
    known = texts.unique()
    hashed = [int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") for text in known.to_list()]
    return texts.replace_strict(known, pl.Series(hashed, dtype=pl.UInt64), return_dtype=pl.UInt64).to_numpy()


def _by_chance(frame: pl.DataFrame, columns: Sequence[str], found: Ids) -> bool:
    """Return whether equal rows are to be expected of columns so coarse.

    The chance that two rows are equal is estimated as if columns were independent, from the
    different rows alone: copies must not speak for themselves. Columns that go together make
    the true chance larger, hence the second look at how often a row recurs.
    """
    _, first, counts = np.unique(found, return_index=True, return_counts=True)
    if len(first) >= _FEW_DISTINCT * len(found):
        return False
    if np.median(counts) >= _MANY_COPIES:
        return True
    different = frame[first]
    chance = 1.0
    for column in columns:
        chance *= _collision(different[column])
    return len(found) * chance >= _CHANCE


def _collision(values: pl.Series) -> float:
    """Return the chance that two rows agree in a column; fractions that hardly recur never agree by chance."""
    counts = values.alias("").value_counts()["count"].to_numpy()
    fraction = values.dtype.is_float() and not bool((values.drop_nulls() % 1 == 0).all())
    if fraction and len(counts) >= _FEW_DISTINCT * len(values):
        return 0.0
    return float(((counts / len(values)) ** 2).sum())


def _told_apart(ids: Ids) -> Ids:
    """Return ids of which the second and later equal ones are other ids."""
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    fresh = np.r_[True, ranked[1:] != ranked[:-1]] if len(ids) else np.empty(0, dtype=bool)
    start = np.maximum.accumulate(np.where(fresh, np.arange(len(ids)), 0))
    place = np.empty(len(ids), dtype=np.uint64)
    place[order] = (np.arange(len(ids)) - start).astype(np.uint64)
    return np.where(place == 0, ids, mixed(ids + place * _ABSENT))


def _joined(contents_: Ids, ids: Ids) -> Ids:
    """Return one code for all rows that are linked by content or by id: the smallest content of them."""
    order = np.argsort(ids, kind="stable")
    again = ids[order][1:] == ids[order][:-1]
    if not (again & (contents_[order][1:] != contents_[order][:-1])).any():
        return contents_  # no id stands for two contents: nothing to link, however long the table
    first, second = (np.unique(codes, return_inverse=True)[1] for codes in (contents_, ids))
    offset = first.max() + 1
    size = int(offset + second.max() + 1)
    links = coo_array((np.ones(len(ids), dtype=bool), (first, second + offset)), shape=(size, size))
    component = connected_components(links, directed=False)[1][first]
    smallest = np.full(component.max() + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, component, contents_)
    return smallest[component]
