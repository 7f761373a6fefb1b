"""What a remote keeps of a version besides its manifest: ``undrift.version/1`` in ``docs/formats.md``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from undrift.core import canonical
from undrift.core.clock import from_us, to_us
from undrift.core.digest import BadDigest, blake3_bytes, check_digest, hex_of
from undrift.core.errors import Corrupt, UndriftError
from undrift.core.ids import check_name
from undrift.core.json import JSON
from undrift.data.manifest import Manifest
from undrift.data.origins import Origin
from undrift.data.schema import Schema
from undrift.data.versions import DatasetVersion

FORMAT = "undrift.version/1"
_LARGEST_NUMBER = 99_999_999


class BadRecord(Corrupt):
    """What a remote keeps of a version is not what its name says, or not possible."""

    code = "bad-record"


@dataclass(frozen=True, slots=True)
class Record:
    """A version as a remote knows it.

    Attributes
    ----------
    dataset : str
        Its name.
    number : int
        Its number where it was pushed from.
    version_id : str
        Digest of its manifest.
    parent_id : str or None
        Id of the version before it.
    created_at : datetime
        When it was added.
    schema : Schema or None
        Its frozen schema.
    rows : int or None
        Of the table.
    table_digest : str or None
        Of its rows.
    origin : Origin or None
        Where it came from.
    """

    dataset: str
    number: int
    version_id: str
    parent_id: str | None
    created_at: datetime
    schema: Schema | None
    rows: int | None
    table_digest: str | None
    origin: Origin | None

    @classmethod
    def of(cls, version: DatasetVersion, parent_id: str | None) -> Record:
        """Return the record of a version."""
        return cls(
            dataset=version.name,
            number=version.number,
            version_id=version.version_id,
            parent_id=parent_id,
            created_at=version.created_at,
            schema=version.schema,
            rows=version.rows,
            table_digest=version.table_digest,
            origin=version.origin,
        )

    @property
    def ref(self) -> str:
        """How it is called where it was pushed from."""
        return f"data:{self.dataset}@{self.number}"

    @property
    def birth(self) -> tuple[str, datetime]:
        """What it keeps wherever it goes and whatever number it gets there: its bytes and when they were added."""
        return self.version_id, self.created_at

    @property
    def identity(self) -> tuple[int, str]:
        """Number and id."""
        return self.number, self.version_id

    @property
    def weight(self) -> tuple[bool, bool, str]:
        """Of two records of one version the heavier one tells more."""
        return self.schema is not None, self.table_digest is not None, self.path

    @property
    def path(self) -> str:
        """Where it lies in a remote; its own digest is part of the name."""
        return f"versions/{self.dataset}/{self.number:08d}-{hex_of(blake3_bytes(self.encode()))}.json"

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        schema: JSON = self.schema.as_json() if self.schema else None
        origin: JSON = self.origin.as_json() if self.origin else None
        return canonical.dumps(
            {
                "format": FORMAT,
                "dataset": self.dataset,
                "number": self.number,
                "version_id": self.version_id,
                "parent_id": self.parent_id,
                "created_us": to_us(self.created_at),
                "schema": schema,
                "rows": self.rows,
                "table_digest": self.table_digest,
                "origin": origin,
            }
        )

    def check(self, manifest: Manifest) -> None:
        """Check what it says against the manifest that it names.

        Raises
        ------
        BadRecord
            If it tells rows of a version that has no file.
        """
        if self.rows is not None and (self.rows < 0 or (self.rows and not manifest.parts)):
            raise _bad(self.path, "it tells rows that no file holds")


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["undrift.version/1"]
    dataset: str
    number: int
    version_id: str
    parent_id: str | None
    created_us: int
    schema: dict[str, Any] | None  # Any: JSON, which the schema itself checks
    rows: int | None
    table_digest: str | None
    origin: dict[str, Any] | None  # Any: JSON, which the origin itself checks


def decode(data: bytes, path: str) -> Record:
    """Return the record that lies somewhere in a remote.

    Parameters
    ----------
    data : bytes
        Its bytes.
    path : str
        Where it lies, which must be its own name.

    Raises
    ------
    BadRecord
        If it is none, or another one than its name says.
    """
    try:
        wire = msgspec.json.decode(data, type=_Wire)
        record = Record(
            dataset=check_name(wire.dataset, "dataset"),
            number=wire.number,
            version_id=check_digest(wire.version_id),
            parent_id=_digest(wire.parent_id),
            created_at=from_us(wire.created_us),
            schema=Schema.decode(canonical.dumps(wire.schema)) if wire.schema is not None else None,
            rows=wire.rows,
            table_digest=_digest(wire.table_digest),
            origin=Origin.decode(canonical.dumps(wire.origin)) if wire.origin is not None else None,
        )
    except (msgspec.MsgspecError, UndriftError, BadDigest, OverflowError, ValueError) as error:
        raise _bad(path, str(error).splitlines()[0][:200]) from error
    if not 1 <= record.number <= _LARGEST_NUMBER or record.encode() != data or record.path != path:
        raise _bad(path, "it is another one than its name says")
    return record


def _digest(text: str | None) -> str | None:
    return None if text is None else check_digest(text)


def _bad(path: str, why: str) -> BadRecord:
    return BadRecord(
        f"{path[:200]} in the remote is no record of a version: {why}",
        cure="delete that object and push the version again from a project that holds it",
        object=path,
    )
