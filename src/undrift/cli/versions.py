"""How versions, checks and admissions of data are shown, and the option that names a version by time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import click

from undrift.cli.answer import Answer, pairs
from undrift.core.clock import from_us
from undrift.core.errors import UndriftError
from undrift.core.instants import BadInstant, parse_instant
from undrift.core.json import JSON

if TYPE_CHECKING:
    from undrift.data.admission import Admission
    from undrift.data.anomalies.judgement import Judgement
    from undrift.data.quality.check import CheckReport
    from undrift.data.versions import DatasetVersion
    from undrift.project import Project

_TIED = {"branch": "a branch of", "merge": "a merge of"}
_MOST_COMPARED_ROWS = 1_000_000
_WORST_FIRST = {"fail": 0, "warn": 1}
_T = TypeVar("_T")
_Json: TypeAlias = Mapping[str, JSON] | None


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
    judgement = admission.judgement
    data["anomalies"] = [one.as_json() for one in judgement.anomalies] if judgement else []
    lines = [f"{admission.outcome}: {admission.rows:,} rows, {admission.bad_rows:,} bad"]
    lines += [f"  {reason}" for reason in admission.reasons]
    if report and not admission.reasons:
        lines += [f"  {line}" for line in broken(report)]
    lines += [f"  {line}" for line in unusual(judgement)] if judgement else []
    if admission.quarantine:
        lines.append(f"quarantine: {admission.quarantine.path}")
    if admission.version:
        lines.append(version_text(version_json(admission.version)))
    return Answer(data, "\n".join(lines), 0 if admission.version else 3)


def compared_with_past(project: Project, version: DatasetVersion) -> tuple[Judgement | None, str]:
    """Return how a new version stands against those before it; where that fails, why: the version is there.

    Of a very long one neither: it is compared when somebody asks.
    """
    if not version.is_table or (version.rows or 0) > _MOST_COMPARED_ROWS:
        return None, ""
    try:
        return project.data.history.look(version.ref, project.actor), ""
    except (UndriftError, OSError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        return None, f"it was not compared with versions before it: {why}; later: undrift data anomalies {version.ref}"


def unusual(found: Judgement) -> list[str]:
    """Return a line for each metric that is out of the ordinary."""
    return [f"anomaly: {one.told()}" for one in found.anomalies]


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
        "gone": version.is_gone,
        "origin": version.origin.as_json() if version.origin else None,
    }


def version_text(version: Mapping[str, JSON]) -> str:
    """Return a version for a person, from what machines get of it."""
    tags = cast("list[str]", version["tags"])
    shown: list[tuple[str, object]] = [
        ("version", version["ref"]),
        ("id", version["version_id"]),
        ("tags", ", ".join(tags) or None),
        ("rows", version["rows"]),
        ("files", version["files"]),
        ("bytes", version["bytes"]),
        ("digest", version["table_digest"]),
        ("added", f"{datetime.fromisoformat(str(version['created_at'])):%Y-%m-%d %H:%M} UTC"),
        *([("gone", "its bytes were let go of")] if version["gone"] else []),
    ]
    told = [("written", _written(cast("_Json", version["schema"]))), ("from", _from(cast("_Json", version["origin"])))]
    return pairs([*shown, *((name, text) for name, text in told if text)])


def version_from(version: DatasetVersion) -> str:
    """Return of which version of another dataset one is a branch or a merge; empty where it is none."""
    origin = version.origin
    return f"{_TIED[origin.kind]} {origin.address}" if origin is not None and origin.kind in _TIED else ""


def _written(schema: _Json) -> str:
    """Return how the CSV files are written where that is not how programs do."""
    if schema is None:
        return ""
    csv = cast("Mapping[str, str]", schema.get("csv", {}))
    letters = csv.get("encoding") or csv.get("fallback")
    told = [f"cells divided by {csv['delimiter']!r}"] if csv.get("delimiter") else []
    told += [f"in {letters}"] if letters else []
    columns = cast("list[Mapping[str, str]]", schema["columns"])
    told += [f"{column['name']} like {column['spelt']}" for column in columns if column.get("spelt")]
    return "; ".join(told)


def _from(origin: _Json) -> str:
    """Return where the rows came from, when not from files of a workspace."""
    if origin is None:
        return ""
    address, committed_us = str(origin["address"]), cast("int | None", origin.get("committed_us"))
    if origin["kind"] in _TIED:
        return f"{_TIED[str(origin['kind'])]} {address}"
    if "table_version" in origin:
        at = f" of {from_us(committed_us):%Y-%m-%d %H:%M:%S} UTC" if committed_us is not None else ""
        return f"{address}, its version {origin['table_version']}{at}"
    return f"{address}: {origin['query']}" if "query" in origin else address
