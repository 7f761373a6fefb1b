"""Where a version's rows came from when they were not delivered as files. Credentials are never part of it.

The first version of a branch, and one that a merge made, name the version of another dataset that they come from; so
the tie between datasets goes wherever the version goes, to remotes, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from undrift.core import canonical
from undrift.core.digest import blake3_bytes, check_digest
from undrift.core.errors import BadInput, Corrupt
from undrift.core.json import JSON
from undrift.core.refs import parse

FORMAT = "undrift.origin/1"
OriginKind: TypeAlias = Literal["database", "objects", "delta", "branch", "merge"]
TIES: tuple[OriginKind, ...] = ("branch", "merge")
"""Kinds whose address is a version of another dataset."""


class BadOrigin(Corrupt):
    """What is kept of a version's origin cannot be read."""

    code = "bad-origin"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows came from.

    Attributes
    ----------
    kind : {"database", "objects", "delta", "branch", "merge"}
        What was read; the last two: a version of another dataset, with which a branch begins or which was merged.
    address : str
        Its address without password, query and fragment; of a version its reference.
    query : str
        Of a database: the statement that was asked.
    table_version : int or None
        Of a Delta table: its version.
    committed_us : int or None
        Of a Delta table: when that version was committed, in microseconds since 1970 UTC.
    log_digest : str
        Of a Delta table: digest of the sorted list of its files at that version.
    etag : str
        Of one object: what the store calls its state.
    version_id : str
        Of a version: its id, which finds it where it has another number.
    """

    kind: OriginKind
    address: str
    query: str = ""
    table_version: int | None = None
    committed_us: int | None = None
    log_digest: str = ""
    etag: str = ""
    version_id: str = ""

    def told(self) -> dict[str, JSON]:
        """Return the origin as events tell it: a query may hold a person's words, so only its digest stands there."""
        told = self.as_json()
        return {**told, "query": blake3_bytes(self.query.encode())} if self.query else told

    def as_json(self) -> dict[str, JSON]:
        """Return the origin; what is empty is left out."""
        every: dict[str, JSON] = {
            "kind": self.kind,
            "address": self.address,
            "query": self.query,
            "table_version": self.table_version,
            "committed_us": self.committed_us,
            "log_digest": self.log_digest,
            "etag": self.etag,
            "version_id": self.version_id,
        }
        return {"format": FORMAT, **{name: value for name, value in every.items() if value not in ("", None)}}

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonical.dumps(self.as_json())

    @classmethod
    def decode(cls, data: bytes | str) -> Origin:
        """Return the origin that a stored text holds.

        Raises
        ------
        BadOrigin
            If it holds none.
        """
        try:
            wire = msgspec.json.decode(data, type=_Wire)
        except msgspec.MsgspecError as error:
            raise BadOrigin(f"this is no origin of a version: {error}", cure=_CURE) from error
        _check_version(wire)
        return cls(
            kind=wire.kind,
            address=wire.address,
            query=wire.query,
            table_version=wire.table_version,
            committed_us=wire.committed_us,
            log_digest=wire.log_digest,
            etag=wire.etag,
            version_id=wire.version_id,
        )


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["undrift.origin/1"]
    kind: OriginKind
    address: str
    query: str = ""
    table_version: int | None = None
    committed_us: int | None = None
    log_digest: str = ""
    etag: str = ""
    version_id: str = ""


def _check_version(wire: _Wire) -> None:
    """Refuse an origin that is to name a version of data and does not, or the other way round."""
    names_one = bool(wire.version_id)
    if names_one or wire.kind in TIES:
        try:
            ref = parse(wire.address)
            check_digest(wire.version_id)
        except BadInput as error:
            raise BadOrigin(f"this is no origin of a version: {error.message}", cure=_CURE) from error
        names_one = ref.kind == "data" and ref.number is not None
    if names_one != (wire.kind in TIES):
        raise BadOrigin(f"an origin of kind {wire.kind!r} does not name what it must", cure=_CURE)


_CURE = "undrift audit verify"
