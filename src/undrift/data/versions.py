"""What a version of a dataset is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from undrift.core.errors import BadInput, Conflict, NotFound
from undrift.core.ids import check_name
from undrift.core.refs import Ref
from undrift.data.origins import Origin
from undrift.data.schema import Schema

_NUMBER = re.compile(r"v?[0-9]+\Z")
SHORTEST_ID_PREFIX = 6


class DatasetNotFound(NotFound):
    """No dataset, or no version of it, answers to this reference."""

    code = "dataset-not-found"


class TagTaken(BadInput):
    """The tag already names another version; tags never move."""

    code = "tag-taken"


class NotATable(BadInput):
    """The version holds files that are not a table."""

    code = "not-a-table"


class AmbiguousVersion(BadInput):
    """A prefix of an id fits several versions."""

    code = "ambiguous-version"


class BytesGone(NotFound):
    """The bytes of a version were let go of; its record stays."""

    code = "bytes-gone"


class AddConflict(Conflict):
    """Other writers added versions faster than this one could."""

    code = "add-conflict"


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One immutable version of a dataset.

    Attributes
    ----------
    name : str
        Name of the dataset.
    number : int
        Number within the dataset, from 1 without gaps.
    version_id : str
        Digest of the manifest's exact bytes.
    tags : tuple of str
        Names given to this version, sorted.
    rows : int or None
        Rows of the table; None for files that are not a table, and until a schema is frozen.
    bytes : int
        Size of all files.
    files : int
        How many files.
    schema : Schema or None
        The frozen schema, None as for ``rows``.
    parent : int or None
        Number of the version before it, None for the first.
    created_at : datetime
        Business time of the addition, UTC.
    table_digest : str or None
        Digest of the rows, None until the version was checked.
    origin : Origin or None
        Where the rows came from, when not from files of a workspace.
    is_gone : bool
        Whether its bytes were let go of, so that it cannot be read here.
    """

    name: str
    number: int
    version_id: str
    tags: tuple[str, ...]
    rows: int | None
    bytes: int
    files: int
    schema: Schema | None
    parent: int | None
    created_at: datetime
    table_digest: str | None
    origin: Origin | None = None
    is_gone: bool = False

    @property
    def ref(self) -> str:
        """The reference, for instance ``data:flights@3``."""
        return str(Ref("data", self.name, str(self.number)))

    @property
    def is_table(self) -> bool:
        """Whether a schema is known, so that rows can be read."""
        return self.schema is not None


def check_tag(tag: str) -> str:
    """Return a tag which follows the grammar.

    Raises
    ------
    BadName
        If it does not.
    BadInput
        If it looks like a version number.
    """
    check_name(tag, "tag")
    if _NUMBER.match(tag):
        raise BadInput(f"the tag {tag!r} looks like a version number", cure="begin it with another letter")
    return tag
