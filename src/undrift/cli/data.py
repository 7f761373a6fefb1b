"""``undrift data ...``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import command
from undrift.cli.versions import as_of_option, version_from, version_json, version_text
from undrift.core.json import JSON
from undrift.loop.privacy.erasure import erasures
from undrift.project import Project

_SHORT = 15


@command("log", example="undrift data log customers")
@click.argument("name", metavar="NAME")
def log(project: Path, name: str) -> Answer:
    """List the versions of a dataset, newest first, and the batches that were refused."""
    with Project.open(project) as opened:
        versions = opened.data.log(name)
        refused = [one for one in opened.data.admissions(name) if one.outcome == "refused"]
        erased = erasures(opened, name)
        branches = opened.data.branches.all(name)
    rows = [
        (
            one.ref,
            ",".join(one.tags) + (" (bytes gone)" if one.is_gone else ""),
            one.rows,
            one.bytes,
            f"{one.created_at:%Y-%m-%d %H:%M}",
            one.version_id[:_SHORT],
        )
        for one in versions
    ]
    text = table(("version", "tags", "rows", "bytes", "added (UTC)", "id"), rows)
    text += "".join(f"\n{one.ref} is {version_from(one)}" for one in versions if version_from(one))
    text += "".join(f"\ndata:{one.name} left at {one.left}" for one in branches if one.name != name)
    text += "".join(f"\nerased of {ref}: {count:,} rows" for ref, count in erased.items())
    text += "".join(f"\nrefused {one.at:%Y-%m-%d %H:%M}: {one.rows:,} rows, {one.bad_rows:,} bad" for one in refused)
    data: JSON = {
        "versions": [{**version_json(one), "erased_rows": erased.get(one.ref, 0)} for one in versions],
        "branches": [one.as_json() for one in branches],
        "refused": [{"at": str(one.at), "rows": one.rows, "bad_rows": one.bad_rows} for one in refused],
    }
    return Answer(data, text)


@command("show", example="undrift data show customers@3")
@click.argument("reference", metavar="REF")
@as_of_option
def show(project: Path, reference: str, *, as_of: datetime | None) -> Answer:
    """Show one version: rows, columns, digests, where it came from."""
    with Project.open(project) as opened:
        version = opened.data.get(reference, as_of=as_of)
        erased = erasures(opened, version.name).get(version.ref, 0)
    told = [version_text(version_json(version))]
    told += [f"erased  {erased:,} of these rows: undrift history data:{version.name}"] if erased else []
    if version.schema is not None:
        told += ["", table(("column", "type"), [(column.name, column.type) for column in version.schema.columns])]
    return Answer({**version_json(version), "erased_rows": erased}, "\n".join(told))


@command("list", example="undrift data list")
def list_(project: Path) -> Answer:
    """List the datasets with their newest versions."""
    with Project.open(project) as opened:
        newest = [opened.data.get(name) for name in opened.data.names()]
    rows = [(one.name, one.number, one.rows, f"{one.created_at:%Y-%m-%d %H:%M}") for one in newest]
    text = table(("dataset", "version", "rows", "added (UTC)"), rows) if rows else "no datasets yet: undrift data add"
    return Answer({"datasets": [version_json(one) for one in newest]}, text)


@command("tag", example="undrift data tag customers@3 june")
@click.argument("reference", metavar="REF")
@click.argument("tag")
def tag_(project: Path, reference: str, tag: str) -> Answer:
    """Give a version a tag, for ever."""
    with Project.open(project) as opened:
        version = opened.data.get(reference)
        with opened.ledger.change(opened.actor) as change:
            opened.data.tag(change, version.ref, tag)
    return Answer({"version": version.ref, "tag": tag}, f"{version.ref} is tagged {tag}")
