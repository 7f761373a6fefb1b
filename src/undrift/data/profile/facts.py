"""What is known of a table and of each of its columns.

NaN counts as missing, and is counted by itself too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, TypeAlias

from undrift.core.json import JSON
from undrift.core.masking import Mask
from undrift.data.schema import LogicalType

FORMAT = "undrift.profile/2"
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
NUMBERS: frozenset[LogicalType] = frozenset({"int", "float64", "decimal"})
MOMENTS: frozenset[LogicalType] = frozenset({"date", "timestamp", "timestamp-utc"})
Order: TypeAlias = Literal["", "constant", "rising", "never falling", "falling", "never rising"]
Measure: TypeAlias = Literal["pearson", "cramers_v", "correlation_ratio"]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often a number or moment lies where.

    Attributes
    ----------
    edges : tuple of float
        Of the bins, ascending; of dates and instants in seconds since 1970, UTC. A value on an edge belongs to the
        bin above it.
    counts : tuple of int
        Values in each bin; one fewer than edges.
    below, above : int
        Values beyond the ends: where a few extremes are far away, bins cover the middle 98 %.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    below: int = 0
    above: int = 0


@dataclass(frozen=True, slots=True)
class TextShape:
    """How the values of a text column are written.

    Attributes
    ----------
    shortest, longest : int
        Lengths in letters, of all values.
    mean : float
        The mean length.
    patterns : tuple of (str, int)
        The ten most frequent shapes, ``A`` for a capital, ``a`` for another letter, ``9`` for a digit, everything else
        as it is; ``a+`` for several where exact lengths would tell nothing.
    classes : tuple of (str, int)
        How many values hold digits, letters, spaces, other marks, letters beyond ASCII; begin or end with a space;
        are numbers; are empty.
    looked_at : int
        Values whose patterns and classes were counted.
    """

    shortest: int
    longest: int
    mean: float
    patterns: tuple[tuple[str, int], ...] = ()
    classes: tuple[tuple[str, int], ...] = ()
    looked_at: int = 0

    def share(self, kind: str) -> float:
        """Return the share of the values that were looked at which are of a class."""
        return dict(self.classes).get(kind, 0) / self.looked_at if self.looked_at else 0.0


@dataclass(frozen=True, slots=True)
class Association:
    """How much one column tells of another.

    Attributes
    ----------
    first, second : str
        The columns.
    measure : {"pearson", "cramers_v", "correlation_ratio"}
        Correlation of two numbers, in [-1, 1]; bias-corrected Cramér's V of two categories, in [0, 1]; the correlation
        ratio of a category and a number, in [0, 1].
    strength : float
        Its value.
    rows : int
        Rows in which both are known.
    """

    first: str
    second: str
    measure: Measure
    strength: float
    rows: int


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What one column is like.

    Attributes
    ----------
    name : str
        The column.
    type : LogicalType
        Its logical type.
    missing : int
        Nulls and NaN.
    nan : int
        NaN alone.
    distinct : int
        Different values, missing ones not counted.
    distinct_error : float
        Relative standard error of ``distinct``; 0 where it was counted exactly.
    minimum, maximum : JSON
        The extremes; dates, instants, decimals and infinities as text, None when there is no value or no order.
    mean, sd : float or None
        Of numbers, None when a value is infinite.
    zeros, negatives : int
        Of numbers, how many are zero, and below it.
    quantiles : tuple of float
        At 1, 5, 25, 50, 75, 95 and 99 %, of finite numbers; else empty.
    levels : tuple of float
        Quantiles at 0, 1/128, ... 1 of numbers and moments (seconds since 1970): the distribution, to compare with;
        not written with the profile.
    top : tuple of (value, count)
        The most frequent values, at most 200, most frequent first; of text, booleans and integers.
    top_rows : int
        Rows in which they were counted: all, or those of the sample.
    order : str
        ``"rising"``, ``"never falling"``, ``"falling"``, ``"never rising"``, ``"constant"``, of numbers and moments in
        the order of the rows; empty when none of them.
    histogram : Histogram or None
        Of numbers and moments.
    text : TextShape or None
        Of text.
    personal : str
        What kind of personal data it is likely to be; empty when none. Then no cell is told: extremes, mean,
        quantiles, distribution, lengths and patterns are left out, and frequent values are masked.
    """

    name: str
    type: LogicalType
    missing: int
    nan: int
    distinct: int
    distinct_error: float = 0.0
    minimum: JSON = None
    maximum: JSON = None
    mean: float | None = None
    sd: float | None = None
    zeros: int = 0
    negatives: int = 0
    quantiles: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    top: tuple[tuple[JSON, int], ...] = ()
    top_rows: int = 0
    order: Order = ""
    histogram: Histogram | None = None
    text: TextShape | None = None
    personal: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return the profile of the column as it is stored."""
        return {
            "name": self.name,
            "type": self.type,
            "missing": self.missing,
            "nan": self.nan,
            "distinct": self.distinct,
            "distinct_error": self.distinct_error,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "mean": self.mean,
            "sd": self.sd,
            "zeros": self.zeros,
            "negatives": self.negatives,
            "quantiles": list(self.quantiles),
            "top": [[value, count] for value, count in self.top],
            "top_rows": self.top_rows,
            "order": self.order,
            "histogram": _plain(self.histogram) if self.histogram else None,
            "text": _plain(self.text) if self.text else None,
            **({"personal": self.personal} if self.personal else {}),
        }

    def concealed(self, kind: str, mask: Mask | None) -> ColumnProfile:
        """Return the profile of the column as it is told when its cells are personal."""
        if mask is None:
            return replace(self, personal=kind)
        return ColumnProfile(
            name=self.name,
            type=self.type,
            missing=self.missing,
            nan=self.nan,
            distinct=self.distinct,
            distinct_error=self.distinct_error,
            top=tuple((mask.text(str(value)), count) for value, count in self.top),
            top_rows=self.top_rows,
            personal=kind,
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """What a table is like.

    Attributes
    ----------
    rows : int
        How many.
    columns : tuple of ColumnProfile
        In the table's order.
    ordered : tuple of (str, str)
        Pairs of numeric columns of which the first was never greater than the second,
        although their ranges overlap: a law rather than an accident (dew point and temperature).
    sampled : int
        Rows behind quantiles, histograms, patterns and associations: all of them up to a million, beyond that a
        random sample of half a million to a million.
    repeated : int
        Rows that are equal to one before them.
    repeated_error : float
        Standard error of ``repeated``, in rows; 0 where it was counted exactly.
    associations : tuple of Association
        Pairs of columns of which one tells of the other, the strongest first.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    ordered: tuple[tuple[str, str], ...] = field(default=())
    sampled: int = 0
    repeated: int = 0
    repeated_error: float = 0.0
    associations: tuple[Association, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether every row is behind every figure."""
        return self.sampled == self.rows

    def column(self, name: str) -> ColumnProfile:
        """Return the profile of a column.

        Raises
        ------
        KeyError
            If the table has no such column.
        """
        return {column.name: column for column in self.columns}[name]

    def concealed(self, personal: Mapping[str, str], mask: Mask | None) -> Profile:
        """Return the profile without the cells of personal columns.

        Parameters
        ----------
        personal : mapping of str to str
            Kind of personal data, by column.
        mask : Mask or None
            Masks frequent values; without one the cells stay and the columns are only marked.
        """
        columns = tuple(
            one.concealed(personal[one.name], mask) if one.name in personal else one for one in self.columns
        )
        return replace(self, columns=columns)

    def as_json(self) -> dict[str, JSON]:
        """Return the profile as it is stored."""
        return {
            "format": FORMAT,
            "rows": self.rows,
            "sampled": self.sampled,
            "repeated": self.repeated,
            "repeated_error": self.repeated_error,
            "columns": [column.as_json() for column in self.columns],
            "ordered": [list(pair) for pair in self.ordered],
            "associations": [_plain(one) for one in self.associations],
        }


def _plain(value: Histogram | TextShape | Association) -> dict[str, JSON]:
    """Return a record as JSON; tuples become lists."""
    return {key: _listed(one) for key, one in asdict(value).items()}


def _listed(value: JSON | tuple[JSON, ...]) -> JSON:
    return [_listed(one) for one in value] if isinstance(value, tuple) else value
