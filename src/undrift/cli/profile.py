"""``undrift data profile``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

import undrift
from undrift.cli.answer import Answer, table
from undrift.cli.command import command
from undrift.cli.reading import masks_at, reading_options, refuse_missing, refuse_reading, telling_folder
from undrift.core.json import JSON
from undrift.data.tabular.reading import Reading
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.data.profile import ColumnProfile, Profile
    from undrift.data.profile.page import Source

_SHOWN_NOTICES = 12


@command("profile", example="undrift data profile june.csv --html june.html")
@click.argument("what", metavar="REF|FILE")
@click.option(
    "--html",
    "html",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write it as a page that needs nothing else; the same as JSON beside it.",
)
@click.option("--open", "show_it", is_flag=True, help="Show the page in the browser.")
@reading_options
def profile(project: Path, what: str, *, html: Path | None, show_it: bool, reading: Reading) -> Answer:
    """Say what the columns of a version, or of a table file that is not added, are like.

    A file needs no project. Cells of columns that look personal are not told.
    """
    from undrift.data.profile.notices import notices

    refuse_missing(what)
    path = Path(what)
    found, source = _of_file(project, path, reading) if path.is_file() else _of_ref(project, what, reading)
    told = notices(found)
    data: dict[str, JSON] = {
        "of": source.name,
        "bytes": source.bytes,
        **source.evidence(),
        **found.as_json(),
        "notices": [one.as_json() for one in told],
    }
    lines = [f"{source.name}: {found.rows:,} rows", _table(found)]
    lines += [f"  {', '.join(one.columns) or 'table'}: {one.text}" for one in told[:_SHOWN_NOTICES]]
    if len(told) > _SHOWN_NOTICES:
        lines.append(f"  and {len(told) - _SHOWN_NOTICES} more: --html FILE shows all")
    if html is not None or show_it:
        lines.append(f"page: {_write(found, source, html, data, show_it=show_it)}")
    return Answer(data, "\n".join(lines))


def _of_file(project: Path, path: Path, reading: Reading) -> tuple[Profile, Source]:
    from undrift.core.clock import RealClock
    from undrift.core.digest import blake3_file
    from undrift.data.profile.page import Source
    from undrift.data.profiling import profile_file

    with masks_at(project) as masks:
        found = profile_file(path, reading, masks)
    command = f"undrift data profile {path.name} --json"
    return found, Source(path.name, path.stat().st_size, command, blake3_file(path), *_made(RealClock().now()))


def _of_ref(project: Path, what: str, reading: Reading) -> tuple[Profile, Source]:
    from undrift.data.profile.page import Source

    refuse_reading(what, reading)
    with telling_folder(what), Project.open(project) as opened:
        version = opened.data.get(what)
        command = f"undrift data profile {version.ref} --json"
        made = _made(opened.clocks.business.now())
        return opened.data.profile(version.ref), Source(version.ref, version.bytes, command, version.version_id, *made)


def _made(at: datetime) -> tuple[str, str]:
    """Return when and by which program something is made."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}", f"undrift {undrift.__version__}"


def _write(found: Profile, source: Source, html: Path | None, data: dict[str, JSON], *, show_it: bool) -> Path:
    import json

    from undrift.core.files import write_atomic
    from undrift.data.profile.page import page

    path = html or Path(f"{source.name.replace(':', '-').replace('@', '-')}-profile.html")
    write_atomic(path, page(found, source).encode(), 0o644)
    write_atomic(path.with_suffix(".json"), json.dumps(data, ensure_ascii=False, indent=1).encode(), 0o644)
    if show_it:
        click.launch(str(path.resolve()))
    return path


def _distinct(column: ColumnProfile) -> int | str:
    return f"~{column.distinct}" if column.distinct_error else column.distinct


def _table(found: Profile) -> str:
    rows = [
        (one.name, one.type, one.missing, _distinct(one), one.minimum, one.mean, one.maximum) for one in found.columns
    ]
    return table(("column", "type", "missing", "distinct", "min", "mean", "max"), rows, cut_any=True)
