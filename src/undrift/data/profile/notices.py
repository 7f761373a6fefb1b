"""What somebody who is about to use a table should know first, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from undrift.core.json import JSON
from undrift.data.profile.facts import NUMBERS, ColumnProfile, Profile
from undrift.drawing.words import count, number, percent

_MOSTLY = 0.5
_SOME = 0.05
_NEARLY_ALL = 0.95
_SAME = 0.95
_FEWEST = 30
_MIXED = (0.05, 0.95)
_MANY_CATEGORIES = 50
_SKEWED = 1.0
_FAR = 20.0


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know.

    Attributes
    ----------
    kind : str
        ``"empty"``, ``"repeated-rows"``, ``"constant"``, ``"mostly-missing"``, ``"mixed"``, ``"infinite"``, ``"same"``,
        ``"spaces"``, ``"far-extremes"``, ``"imbalanced"``, ``"mostly-zero"``, ``"many-values"``, ``"skewed"``,
        ``"missing"`` or ``"unique"``, in the order of gravity.
    columns : tuple of str
        Which are concerned; empty for the table.
    text : str
        In words and counts; of the columns whose cells may be told, also extremes.
    """

    kind: str
    columns: tuple[str, ...]
    text: str

    def as_json(self) -> dict[str, JSON]:
        """Return the notice as it is stored."""
        return {**asdict(self), "columns": list(self.columns)}


def notices(profile: Profile) -> list[Notice]:
    """Return what is worth knowing of a table, the gravest first."""
    found = [*_of_table(profile), *_of_pairs(profile)]
    for column in profile.columns:
        found += _of_column(column, profile.rows)
    missing = {column.name: column.missing for column in profile.columns}

    def gravest(one: Notice) -> tuple[int, int]:
        """Sort by kind, and those that tell of missing values by how many are."""
        return _GRAVITY.index(one.kind), -missing[one.columns[0]] if "missing" in one.kind else 0

    return sorted(found, key=gravest)


_YES_AND_NO = 2
_GRAVITY = (
    "empty", "repeated-rows", "constant", "mostly-missing", "mixed", "infinite", "same", "spaces", "far-extremes",
    "imbalanced", "mostly-zero", "many-values", "skewed", "missing", "unique",
)  # fmt: skip


def _of_table(profile: Profile) -> Iterator[Notice]:
    if not profile.rows:
        yield Notice("empty", (), "the table has no rows")
    repeated = profile.repeated
    if repeated and repeated > 3 * profile.repeated_error:
        about = "about " if profile.repeated_error else ""
        told = f"{about}{count(repeated, 'row')} ({percent(repeated / profile.rows)}) repeat a row before them"
        yield Notice("repeated-rows", (), told)


def _of_pairs(profile: Profile) -> Iterator[Notice]:
    for one in profile.associations:
        if abs(one.strength) < _SAME or one.rows < _FEWEST:
            continue
        how = {"pearson": "correlation", "cramers_v": "Cramér's V", "correlation_ratio": "correlation ratio"}
        told = f"they tell the same: {how[one.measure]} {one.strength:.2f}".replace("-", "\N{MINUS SIGN}")
        yield Notice("same", (one.first, one.second), told)


def _of_column(column: ColumnProfile, rows: int) -> Iterator[Notice]:
    known = rows - column.missing
    name = (column.name,)
    if not rows:
        return
    if not known:
        yield Notice("empty", name, "it has no value at all")
        return
    if column.distinct == 1 and known > 1:
        yield Notice("constant", name, "all its values are the same")
    share = column.missing / rows
    if share >= _MOSTLY:
        yield Notice("mostly-missing", name, f"{percent(share)} of its values are missing")
    elif share >= _SOME:
        yield Notice("missing", name, f"{percent(share)} of its values are missing")
    if column.distinct > 1 and known >= _FEWEST:
        yield from _of_numbers(column, known) if column.type in NUMBERS else _of_words(column, known)
        if column.distinct == known and not column.distinct_error and column.type in {"int", "string"}:
            yield Notice("unique", name, "no value occurs twice: it names rows rather than telling of them")


def _of_numbers(column: ColumnProfile, known: int) -> Iterator[Notice]:
    name = (column.name,)
    if "inf" in (found := {str(column.minimum).lstrip("-"), str(column.maximum).lstrip("-")}) and found:
        yield Notice("infinite", name, "it holds infinite values")
    if column.distinct <= _YES_AND_NO:
        return  # 0 and 1 for no and yes: zeros and tails tell nothing
    if column.zeros / known >= _MOSTLY:
        yield Notice("mostly-zero", name, f"{percent(column.zeros / known)} of its values are zero")
    if not column.quantiles or not column.sd or column.mean is None:
        return
    low, _, _, middle, _, _, high = column.quantiles
    ends = [end for end in (column.minimum, column.maximum) if isinstance(end, int | float)]
    if high > low and any(end < low - _FAR * (high - low) or end > high + _FAR * (high - low) for end in ends):
        told = f"its extremes ({' and '.join(map(number, ends))}) lie far beyond 98 % of its values"
        yield Notice("far-extremes", name, f"{told} ({number(low)} to {number(high)})")
    skew = 3 * (column.mean - middle) / column.sd
    if abs(skew) >= _SKEWED:
        side = "right" if skew > 0 else "left"
        yield Notice(
            "skewed", name, f"it has a long tail to the {side}: mean {number(column.mean)}, median {number(middle)}"
        )


def _of_words(column: ColumnProfile, known: int) -> Iterator[Notice]:
    name = (column.name,)
    if column.text is not None:
        low, high = _MIXED
        if low <= column.text.share("numbers") <= high:
            yield Notice("mixed", name, f"{percent(column.text.share('numbers'))} of its texts are numbers")
        if (spaced := column.text.share("space at an end")) > 0:
            yield Notice("spaces", name, f"{percent(spaced)} of its texts begin or end with a space")
    if column.top and column.top_rows and column.top[0][1] / known >= _NEARLY_ALL and column.distinct > 1:
        yield Notice("imbalanced", name, f"one value is {percent(column.top[0][1] / known)} of all")
    if column.type == "string" and _MANY_CATEGORIES < column.distinct < known and 2 * column.distinct > known:
        about = "about " if column.distinct_error else ""
        yield Notice(
            "many-values", name, f"{about}{count(column.distinct, 'different value')} in {count(known, 'row')}"
        )
