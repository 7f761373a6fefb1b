"""What is remembered of each version, so that later ones can be compared with it: counts and distributions, no rows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from undrift.core import canonical
from undrift.core.clock import to_us
from undrift.core.digest import blake3_bytes
from undrift.data.profile.facts import MOMENTS, ColumnProfile, Profile

FORMAT = "undrift.measurement/1"
MOST_CATEGORIES = 50
Kind: TypeAlias = Literal["batch", "table"]


class MeasuredColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column of a version.

    Attributes
    ----------
    type : str
        Its logical type.
    missing : int
        Nulls and NaN.
    levels : tuple of float
        Quantiles at 0, 1/128, ... 1 of numbers and moments (seconds since 1970).
    values : dict of str to int
        How often each value of a text or boolean with at most 50 different ones occurs.
    """

    type: str
    missing: int = 0
    levels: tuple[float, ...] = ()
    values: dict[str, int] = {}


class Measurement(msgspec.Struct, frozen=True):
    """One version, as far as later ones are compared with it.

    Attributes
    ----------
    number : int
        Of the version.
    kind : {"batch", "table"}
        Whether the rows were put behind others and are measured alone, or took their place.
    at : datetime
        Business time of the addition.
    rows : int
        How many rows it brought.
    columns : dict of str to MeasuredColumn
        By name. Of a personal column only how much is missing.
    """

    number: int
    kind: Kind
    at: datetime
    rows: int
    columns: dict[str, MeasuredColumn]

    def encode(self) -> bytes:
        """Return the bytes that are stored: canonical JSON, without number and time, which are columns of their own."""
        body = {"format": FORMAT, "kind": self.kind, "rows": self.rows, "columns": msgspec.to_builtins(self.columns)}
        return canonical.dumps(body)

    @property
    def digest(self) -> str:
        """Digest of those bytes."""
        return blake3_bytes(self.encode())

    @classmethod
    def decode(cls, data: bytes | str, number: int, at: datetime) -> Measurement:
        """Return the measurement that was stored."""
        body = msgspec.json.decode(data, type=_Body)
        return cls(number, body.kind, at, body.rows, body.columns)

    def ages_h(self) -> dict[str, float]:
        """Return how old the newest moment of each column of moments was when the version was added, in hours."""
        at_s = to_us(self.at) / 1e6
        return {
            name: (at_s - column.levels[-1]) / 3600
            for name, column in self.columns.items()
            if column.type in MOMENTS and column.levels
        }


class _Body(msgspec.Struct, frozen=True):
    kind: Kind
    rows: int
    columns: dict[str, MeasuredColumn]
    format: Literal["undrift.measurement/1"] = "undrift.measurement/1"


def measure(profile: Profile, number: int, kind: Kind, at: datetime, personal: Collection[str] = ()) -> Measurement:
    """Return what is remembered of a profile.

    Parameters
    ----------
    profile : Profile
        Of the rows that the version brought.
    number : int
        Of the version.
    kind : {"batch", "table"}
        How it is compared.
    at : datetime
        Business time of the addition.
    personal : collection of str
        Columns of which no cell may be remembered.
    """
    columns = {
        column.name: _without_cells(column) if column.personal or column.name in personal else _column(column)
        for column in profile.columns
    }
    return Measurement(number, kind, at, profile.rows, columns)


def _without_cells(column: ColumnProfile) -> MeasuredColumn:
    return MeasuredColumn(column.type, column.missing)


def _column(column: ColumnProfile) -> MeasuredColumn:
    few = column.type in {"string", "bool"} and column.distinct <= MOST_CATEGORIES
    values = {str(value): many for value, many in column.top} if few else {}
    return MeasuredColumn(column.type, column.missing, column.levels, values)
