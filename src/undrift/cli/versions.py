"""How versions, checks and admissions of data are shown, and the option that names a version by time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from undrift.cli.answer import Answer, pairs
from undrift.core.clock import from_us
from undrift.core.instants import BadInstant, parse_instant
from undrift.core.json import JSON

if TYPE_CHECKING:
    from undrift.data.admission import Admission
    from undrift.data.quality.check import CheckReport
    from undrift.data.versions import DatasetVersion

_WORST_FIRST = {"fail": 0, "warn": 1}
_T = TypeVar("_T")


class Instant(click.ParamType[datetime]):
    """An instant on the command line."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # Any: click
        """Return the instant."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_instant(str(value))
        except BadInstant as error:
            self.fail(f"{error.message}; {error.cure}", param, ctx)


def as_of_option(function: Callable[..., _T]) -> Callable[..., _T]:
    """Return a command's function with the option that names the newest version at an instant."""
    return click.option(
        "--as-of", type=Instant(), help="The newest version at this instant, such as 2026-11-01T06:30Z."
    )(function)


def admitted(admission: Admission) -> Answer:
    """Return what became of a batch."""
    report = admission.report
    data: dict[str, JSON] = {
        "outcome": admission.outcome,
        "rows": admission.rows,
        "bad_rows": admission.bad_rows,
        "reasons": list(admission.reasons),
        "version": version_json(admission.version) if admission.version else None,
        "quarantine": str(admission.quarantine.path) if admission.quarantine else None,
    }
    lines = [f"{admission.outcome}: {admission.rows:,} rows, {admission.bad_rows:,} bad"]
    lines += [f"  {reason}" for reason in admission.reasons]
    if report and not admission.reasons:
        lines += [f"  {line}" for line in broken(report)]
    if admission.quarantine:
        lines.append(f"quarantine: {admission.quarantine.path}")
    if admission.version:
        lines.append(version_text(admission.version))
    return Answer(data, "\n".join(lines), 0 if admission.version else 3)


def broken(report: CheckReport) -> list[str]:
    """Return a line for each expectation that does not hold, the worst first."""
    failed = sorted((r for r in report.results if not r.success), key=lambda r: _WORST_FIRST[r.severity])
    return [f"{result.severity}: {result.told()}" for result in failed]


def version_json(version: DatasetVersion) -> dict[str, JSON]:
    """Return a version for machines."""
    return {
        "ref": version.ref,
        "version_id": version.version_id,
        "tags": list(version.tags),
        "rows": version.rows,
        "bytes": version.bytes,
        "files": version.files,
        "table_digest": version.table_digest,
        "created_at": version.created_at.isoformat(),
        "schema": version.schema.as_json() if version.schema else None,
        "origin": version.origin.as_json() if version.origin else None,
    }


def version_text(version: DatasetVersion) -> str:
    """Return a version for a person."""
    shown: list[tuple[str, object]] = [
        ("version", version.ref),
        ("id", version.version_id),
        ("tags", ", ".join(version.tags) or None),
        ("rows", version.rows),
        ("files", version.files),
        ("bytes", version.bytes),
        ("digest", version.table_digest),
    ]
    told = [("written", _written(version)), ("from", _from(version))]
    return pairs([*shown, *((name, text) for name, text in told if text)])


def _written(version: DatasetVersion) -> str:
    """Return how the CSV files are written where that is not how programs do."""
    if version.schema is None:
        return ""
    csv = version.schema.csv
    told = [f"cells divided by {csv.delimiter!r}"] if csv.delimiter else []
    told += [f"in {csv.letters}"] if csv.letters else []
    told += [f"{column.name} like {column.spelt}" for column in version.schema.columns if column.spelt]
    return "; ".join(told)


def _from(version: DatasetVersion) -> str:
    """Return where the rows came from, when not from files of a workspace."""
    origin = version.origin
    if origin is None:
        return ""
    if origin.table_version is not None:
        at = f" of {from_us(origin.committed_us):%Y-%m-%d %H:%M:%S} UTC" if origin.committed_us is not None else ""
        return f"{origin.address}, its version {origin.table_version}{at}"
    return f"{origin.address}: {origin.query}" if origin.query else origin.address
