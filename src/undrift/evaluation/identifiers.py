"""Which columns name a row, and which name somebody who has several rows."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

import polars as pl

from undrift.core.json import JSON

FEWEST_GROUPS = 32
"""A quarter of so many groups is eight, the fewest that an interval can be over."""
FEWEST_PERSONS = 5
_FEWEST_REPEATED = 0.01
_MOST_ROWS_OF_A_CODE = 5.0
_FEWEST_ROWS = 20
_PATTERN_SHARE = 0.95
_MOST_WORDS = 1.5

_ID_WORDS = frozenset(
    {"id", "ids", "uid", "uuid", "guid", "key", "pk", "nr", "no", "number", "ref", "reference", "hash"}
)
_COUNTING = frozenset({"of", "num", "count", "total", "sum", "n"})
_NAMING = frozenset({"name", "full", "index", "row", "record", "unnamed", "line"})
_PERSONS = (
    "household", "family", "patient", "subject", "participant", "person", "customer", "client", "user", "member",
    "subscriber", "borrower", "applicant", "employee", "student", "player", "driver", "visitor", "donor",
)  # fmt: skip
_THINGS = (
    "account", "card", "loan", "policy", "contract", "device", "machine", "vehicle", "engine", "sensor", "merchant",
    "store", "shop", "hospital", "clinic", "school", "company", "site", "session", "trip", "order",
)  # fmt: skip
_CODE = r"^[0-9A-Za-z][0-9A-Za-z_\-]{3,}$"


@dataclass(frozen=True, slots=True)
class Group:
    """A column whose equal values belong together.

    Attributes
    ----------
    column : str
        Its name.
    groups : int
        How many different values it has.
    rows_each : float
        How many rows a value has on average.
    rank : int
        The smaller, the likelier it is what rows depend on: persons first, then things, then codes.
    """

    column: str
    groups: int
    rows_each: float
    rank: int


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The columns that identify.

    Attributes
    ----------
    keys : tuple of str
        Columns that name each row once, the likeliest key first: of no use as features.
    groups : tuple of Group
        Columns whose values come back, the likeliest unit first.
    """

    keys: tuple[str, ...] = ()
    groups: tuple[Group, ...] = field(default=())

    def as_json(self) -> dict[str, JSON]:
        """Return names and counts."""
        groups: list[JSON] = [
            {"column": one.column, "groups": one.groups, "rows_each": one.rows_each} for one in self.groups
        ]
        return {"keys": list(self.keys), "groups": groups}


def identifiers(frame: pl.DataFrame, *, skip: Collection[str] = ()) -> Identifiers:
    """Return the columns that identify a row, or somebody who has several.

    Parameters
    ----------
    frame : DataFrame
        The table.
    skip : collection of str
        Columns that are known to be something else: the target, the time.

    Notes
    -----
    A name alone is not enough, and values alone only where they cannot be anything else: whole
    numbers that number the rows, texts that are all different and of one word, codes that come
    back a few times each. Categories, counts and measurements are none of these.
    """
    if len(frame) < _FEWEST_ROWS:
        return Identifiers()
    keys: list[tuple[int, str]] = []
    groups: list[Group] = []
    for name in frame.columns:
        values = frame[name]
        if name in skip or not _can_identify(values):
            continue
        distinct = values.n_unique()
        rank = _key_rank(values) if distinct == len(values) and not values.null_count() else None
        if rank is not None:
            keys.append((rank, name))
        elif (found := _group(values, distinct)) is not None:
            groups.append(found)
    ordered = sorted(groups, key=lambda one: (one.rank, -one.groups))
    return Identifiers(tuple(name for _, name in sorted(keys, key=lambda one: one[0])), tuple(ordered))


def words_of(name: str) -> list[str]:
    """Return the words of a column's name, in lower case: of ``customerId`` as of ``customer_id``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word for word in re.split(r"[\W_]+", spaced.lower()) if word]


def _can_identify(values: pl.Series) -> bool:
    return values.dtype.is_integer() or values.dtype in (pl.String, pl.Categorical, pl.Enum)


def _key_rank(values: pl.Series) -> int | None:
    """Return how likely a column of all different cells is a key (0 is likeliest), None where it is not one."""
    words = set(words_of(values.name))
    if words & _ID_WORDS and not words & _COUNTING:
        return 0
    if values.dtype.is_integer():
        whole = values.to_numpy()
        numbered = int(whole.max()) - int(whole.min()) + 1 == len(whole)
        return 1 if numbered else None
    spaces = values.cast(pl.String).str.strip_chars().str.count_matches(r"\s+").mean()
    one_word = isinstance(spaces, float) and spaces + 1 <= _MOST_WORDS
    return 2 if one_word or words & _NAMING else None


def _group(values: pl.Series, distinct: int) -> Group | None:
    filled = len(values) - values.null_count()
    different = distinct - int(values.null_count() > 0)
    if not different or filled - different < _FEWEST_REPEATED * filled:
        return None
    rank, fewest = _group_rank(values, different)
    if rank is None or different < fewest:
        return None
    return Group(values.name, different, filled / different, rank)


def _group_rank(values: pl.Series, different: int) -> tuple[int | None, int]:
    """Return how likely equal values belong together, and how many there must be of them."""
    words = words_of(values.name)
    identifying, rest = set(words) & _ID_WORDS, [word for word in words if word not in _ID_WORDS | {"name", "the"}]
    singular = {word.removesuffix("s") for word in rest}
    several = values.dtype.is_numeric() and not identifying and any(word.endswith("s") for word in rest)
    if set(words) & _COUNTING or several:  # numbers called "employees" say how many there are
        return None, 0
    for rank, (entities, fewest) in enumerate(((_PERSONS, FEWEST_PERSONS), (_THINGS, FEWEST_GROUPS))):
        if singular and singular <= set(entities):
            # "customer" alone may be a count or a kind of customer: then there must be many of them.
            return rank, fewest if identifying else FEWEST_GROUPS
    if identifying:
        return len((_PERSONS, _THINGS)), FEWEST_GROUPS if rest else FEWEST_PERSONS
    return (3, FEWEST_GROUPS) if _is_code(values, different) else (None, 0)


def _is_code(values: pl.Series, different: int) -> bool:
    """Return whether texts are codes that come back a few times each."""
    if values.dtype.is_integer() or len(values) > _MOST_ROWS_OF_A_CODE * different:
        return False
    texts = values.drop_nulls().cast(pl.String).unique()
    lengths = texts.str.len_chars()
    matching = (texts.str.contains(_CODE) & texts.str.contains(r"\d")).mean()
    same_length = lengths.alias("").value_counts()["count"].max()
    assert isinstance(matching, float)
    assert isinstance(same_length, int)
    return matching >= _PATTERN_SHARE and same_length >= _PATTERN_SHARE * len(texts)
