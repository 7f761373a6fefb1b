"""Columns that are not those of the version before."""

from __future__ import annotations

from undrift.core.errors import CheckFailed
from undrift.data.schema import Schema, difference
from undrift.data.versions import DatasetVersion


class SchemaDrift(CheckFailed):
    """A version of a dataset with a frozen suite would have other columns than the one before."""

    code = "schema-drift"


def drift(before: DatasetVersion, schema: Schema | None) -> str:
    """Return in what columns are not those of a version; empty when they are, or when it has none.

    Parameters
    ----------
    before : DatasetVersion
        The version.
    schema : Schema or None
        The columns; None for files that are no table.
    """
    if before.schema is None:
        return ""
    if schema is None:
        return f"{before.ref} is a table, and these files are none, or were not read"
    told = difference(before.schema, schema.types)
    return f"the columns are not those of {before.ref}; {told}" if told else ""


def refused(name: str, told: str) -> SchemaDrift:
    """Return the error about a drift that nobody accepted."""
    return SchemaDrift(
        f"{told}. Nothing was added: {name!r} has a frozen suite",
        cure=f"mend the file; or, if it is meant so: undrift data add FILE --name {name} --new-columns, and then "
        f"undrift data suite {name} --freeze data:{name} --reason WHY",
    )
