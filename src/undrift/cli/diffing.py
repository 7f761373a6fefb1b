"""``undrift data diff``."""

from __future__ import annotations

from pathlib import Path

import click

from undrift.cli.answer import Answer
from undrift.cli.command import command
from undrift.data.diff import Diff
from undrift.project import Project

_MOST_SHOWN = 10


@command("diff", example="undrift data diff customers@1 customers@2 --rows --key id")
@click.argument("before", metavar="REF")
@click.argument("after", metavar="REF")
@click.option("--rows", is_flag=True, help="Compare rows, too.")
@click.option("--key", multiple=True, metavar="COL", help="A column that names a row; with it --rows. Repeatable.")
def diff(project: Path, before: str, after: str, *, rows: bool, key: tuple[str, ...]) -> Answer:
    """Say what lies between two versions: files, columns and, when asked, how many rows; no cell is shown."""
    with Project.open(project) as opened:
        found = opened.data.keeping.diff(opened.data.get(before), opened.data.get(after), has_rows=rows, key=key)
    return Answer(found.as_json(), "\n".join([f"{found.before} -> {found.after}", *_lines(found)]))


def _lines(found: Diff) -> list[str]:
    files, schema, rows = found.files, found.schema, found.rows
    lines = [f"files: {files.same:,} as before"]
    lines += _named("added", files.added) + _named("removed", files.removed) + _named("changed", files.changed)
    lines += _named("moved", [f"{was} -> {now}" for was, now in files.moved])
    if schema is not None:
        told = _named("added", schema.added) + _named("removed", schema.removed)
        told += _named("retyped", [f"{name}: {was} -> {now}" for name, was, now in schema.retyped])
        told += ["  in another order"] if schema.is_reordered else []
        lines += ["columns:" if told else "columns: as before", *told]
    if rows is not None:
        changed = "" if rows.changed is None else f", {rows.changed:,} changed"
        lines.append(f"rows: {rows.added:,} added, {rows.removed:,} removed{changed}")
        lines += [f"  {name} differs in {count:,}" for name, count in rows.by_column.items()]
    return lines


def _named(what: str, names: list[str] | tuple[str, ...]) -> list[str]:
    shown = ", ".join(names[:_MOST_SHOWN]) + (f" and {len(names) - _MOST_SHOWN:,} more" if names[_MOST_SHOWN:] else "")
    return [f"  {what}: {shown}"] if names else []
