"""``undrift data status``: light, because most of the time nothing changed."""

from __future__ import annotations

from pathlib import Path

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import command
from undrift.core import config
from undrift.core.errors import NotFound
from undrift.core.json import JSON
from undrift.data import peek
from undrift.data.places import Comparison, Place, Places, compared

_MOST_SHOWN = 3


@command("status", example="undrift data status")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1)
def status(project: Path, paths: tuple[Path, ...]) -> Answer:
    """Compare files and folders with the versions they were added as or checked out from."""
    root = config.root_of(project)
    if root is None:
        from undrift.project import Project

        Project.open(project)  # says what is wrong
        raise AssertionError(f"{project} is a project and is not")
    places = Places(root / config.STORE)
    asked = [place for path in (paths or (root,)) for place in _at(places, path, is_named=bool(paths))]
    asked += [] if paths else places.elsewhere()
    found = [compared(places, place) for place in asked]
    newest = {name: peek.newest(root / config.STORE, name) for name in {one.place.dataset for one in found}}
    rows: list[tuple[object, ...]] = []
    told: list[JSON] = []
    for one in found:
        last = newest[one.place.dataset]
        number = last.number if last else None
        rows.append((_shown(one.place.path, root), f"{one.place.dataset}@{one.place.number}", *_in_words(one, number)))
        told.append(_as_json(one, number))
    text = table(("path", "version", "state", "newest"), rows) if rows else "nothing was added or checked out yet"
    return Answer({"places": told}, text)


def _at(places: Places, path: Path, *, is_named: bool) -> list[Place]:
    """Return what is known at a path or below it.

    Raises
    ------
    NotFound
        If somebody named the path, and nothing of it was added or checked out.
    """
    found = places.below(path)
    if is_named and not found:
        state = (
            "was never added or checked out" if path.exists() else "is not there, and never was added or checked out"
        )
        raise NotFound(f"{path} {state}", cure="undrift data status, without a path, shows what was")
    return found


def _in_words(found: Comparison, newest: int | None) -> tuple[str, str]:
    counts = {"changed": found.changed, "missing": found.missing, "new": found.new}
    words = [f"{len(paths):,} {what}: {_some(paths)}" for what, paths in counts.items() if paths]
    if not found.place.path.exists():
        words = ["gone"]
    elif words and len(found.place.files) == 1 and not found.new:
        words = ["changed"]
    behind = "" if newest is None or newest == found.place.number else f"@{newest}"
    return "; ".join(words) or "unchanged", behind


def _some(paths: tuple[str, ...]) -> str:
    return ", ".join(paths[:_MOST_SHOWN]) + (", ..." if len(paths) > _MOST_SHOWN else "")


def _as_json(found: Comparison, newest: int | None) -> dict[str, JSON]:
    return {
        "path": str(found.place.path),
        "version": f"data:{found.place.dataset}@{found.place.number}",
        "newest": newest,
        "unchanged": found.is_unchanged,
        "changed": list(found.changed),
        "missing": list(found.missing),
        "new": list(found.new),
        "files": len(found.place.files),
    }


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
