"""Where a version's rows came from when they were not delivered as files. Credentials are never part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from undrift.core import canonical
from undrift.core.digest import blake3_bytes
from undrift.core.errors import Corrupt
from undrift.core.json import JSON

FORMAT = "undrift.origin/1"
OriginKind: TypeAlias = Literal["database", "objects", "delta"]


class BadOrigin(Corrupt):
    """What is kept of a version's origin cannot be read."""

    code = "bad-origin"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows came from.

    Attributes
    ----------
    kind : {"database", "objects", "delta"}
        What was read.
    address : str
        Its address without password, query and fragment.
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
    """

    kind: OriginKind
    address: str
    query: str = ""
    table_version: int | None = None
    committed_us: int | None = None
    log_digest: str = ""
    etag: str = ""

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
            raise BadOrigin(f"this is no origin of a version: {error}", cure="undrift audit verify") from error
        return cls(
            wire.kind, wire.address, wire.query, wire.table_version, wire.committed_us, wire.log_digest, wire.etag
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
