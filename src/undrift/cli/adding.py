"""``undrift data add``: light when nothing changed, which is most of the time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from undrift.cli.answer import Answer, Bytes
from undrift.cli.command import command
from undrift.cli.reading import reading_of, reading_options
from undrift.cli.versions import Instant, admitted, compared_with_past, unusual, version_json, version_text
from undrift.core import config
from undrift.core.addresses import kind_of
from undrift.core.json import JSON
from undrift.data import peek
from undrift.data.places import Places, compared, said_of
from undrift.data.tabular.reading import Reading

if TYPE_CHECKING:
    from undrift.data.ahead import Ahead
    from undrift.data.intake import Asked
    from undrift.data.versions import DatasetVersion
    from undrift.project import Project

_T = TypeVar("_T")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of an addition."""

    tag: str | None
    append: bool
    unread: bool
    reading: Reading
    as_table: bool
    table_version: int | None
    as_of: datetime | None
    table: str
    query: str
    order_by: tuple[str, ...]
    new_columns: bool

    @property
    def is_plain(self) -> bool:
        """Whether files are simply added."""
        asked = (self.append, self.as_table, self.table, self.query, self.order_by)
        return not any(asked) and self.table_version is None and self.as_of is None

    def asked(self, name: str, reading: Reading) -> Asked:
        """Return the same for whoever does it."""
        from undrift.data.connectors.databases import Question
        from undrift.data.intake import Asked

        has_question = self.table or self.query or self.order_by
        return Asked(
            name,
            self.tag,
            append=self.append,
            unread=self.unread,
            reading=reading,
            as_table=self.as_table,
            question=Question(self.table, self.query, self.order_by) if has_question else None,
            table_version=self.table_version,
            as_of=self.as_of,
            new_columns=self.new_columns,
        )


def _source_options(function: Callable[..., _T]) -> Callable[..., _T]:
    """Return the command's function with what is asked of the source, given to it as ``options``."""
    names = [field.name for field in fields(Options)]

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> _T:  # Any: click's parameters
        return function(*args, options=Options(**{name: kwargs.pop(name) for name in names}), **kwargs)

    for option in reversed(_OPTIONS):
        run = option(run)
    return reading_options(run)


_OPTIONS = (
    click.option("--tag", help="A tag for the new version; tags never move."),
    click.option("--append", is_flag=True, help="Put it behind the rows of the newest version."),
    click.option("--unread", is_flag=True, help="Store files as they are; their types are found when rows are needed."),
    click.option("--as-table", is_flag=True, help="Keep the rows as Parquet of which later versions share most."),
    click.option("--table", default="", help="Of a database: the table, as NAME or SCHEMA.NAME."),
    click.option("--query", default="", help="Of a database: one SELECT, in place of a table."),
    click.option("--order-by", multiple=True, metavar="COL", help="Of a database: what orders the rows. Repeatable."),
    click.option("--version", "table_version", type=int, help="Of a Delta table: its version."),
    click.option("--as-of", type=Instant(), help="Of a Delta table: its newest version at this instant."),
    click.option(
        "--new-columns", is_flag=True, help="The columns may be others than before, though a suite is frozen."
    ),
)


@command("add", example="undrift data add june.csv --name customers --tag june")
@click.argument("source")
@click.option("--name", required=True, help="The dataset.")
@click.option("--check/--no-check", default=None, help="Check it first; on for --append when a suite is frozen.")
@_source_options
def add(project: Path, source: str, name: str, *, check: bool | None, options: Options) -> Answer:
    """Add SOURCE as a version; with --append as a batch that must pass the dataset's suite.

    SOURCE is a file or folder, sqlite:///FILE, postgresql://..., s3://BUCKET/KEY (also gs:// and az://; a slash at the
    end means all below it), or delta:PLACE. Columns and types that are not those of the version before are shown; with
    a frozen suite nothing is then added (exit code 3), unless --new-columns says that it is meant.
    """
    if not check and options.is_plain and (same := _unchanged(project, source, name, options)) is not None:
        data: JSON = {**same, "is_new": False, "stored_bytes": 0, "notes": [], "anomalies": []}
        return Answer(data, "\n".join([_headline(same, 0, is_new=False), version_text(same)]))
    with ExitStack() as begun, Bytes("stored") as seen:
        ahead = _begun(begun, project, source, options, seen)
        return _add(project, source, _Named(name, check, options), ahead, seen)


def _begun(begun: ExitStack, folder: Path, source: str, options: Options, seen: Bytes) -> Ahead | None:
    """Begin to store files that are not to be read, while everything else is loaded."""
    root = config.root_of(folder)
    if root is None or not (options.is_plain and options.unread) or kind_of(source) != "file":
        return None
    from undrift.data.ahead import Ahead

    return begun.enter_context(Ahead(root / config.STORE / "blobs", Path(source), seen))


@dataclass(frozen=True, slots=True)
class _Named:
    """What is asked, of which dataset."""

    name: str
    check: bool | None
    options: Options


def _add(project: Path, source: str, wanted: _Named, ahead: Ahead | None, seen: Bytes) -> Answer:
    from undrift.project import Project

    name, check, options = wanted.name, wanted.check, wanted.options
    with Project.open(project) as opened:
        asked = options.asked(name, reading_of(opened.settings, name, options.reading))
        must_pass = asked.append and opened.data.suite(name) is not None if check is None else check
        if must_pass:
            return admitted(opened.data.intake.admit(source, asked, opened.actor))
        taken = opened.data.intake.add(source, asked, opened.actor, seen, ahead)
        drift = _drift(opened, taken.version)
        found, why_not = compared_with_past(opened, taken.version)
    shown = version_json(taken.version)
    notes = [*taken.notes, *filter(None, (drift, why_not))]
    odd = [one.as_json() for one in found.anomalies] if found else []
    told = [_headline(shown, taken.stored_bytes, is_new=taken.is_new), version_text(shown)]
    told += [*(f"note: {note}" for note in notes), *(unusual(found) if found else [])]
    became: dict[str, JSON] = {"is_new": taken.is_new, "stored_bytes": taken.stored_bytes}
    return Answer({**shown, **became, "notes": notes, "anomalies": odd}, "\n".join(told))


def _headline(version: Mapping[str, JSON], stored_bytes: int, *, is_new: bool) -> str:
    """Return what became of an addition, in one line."""
    if not is_new:
        return f"unchanged: {version['ref']} holds this already"
    size_bytes = cast("int", version["bytes"])
    unit, name = (1e6, "MB") if size_bytes >= _MEGABYTE else (1e3, "kB")
    stored, whole = stored_bytes / unit, size_bytes / unit
    return f"new: {version['ref']}, {stored:,.1f} of its {whole:,.1f} {name} were new to the store"


def _drift(project: Project, version: DatasetVersion) -> str:
    """Return in what the columns of a version are not those of the version before; empty when they are."""
    from undrift.data.drift import drift

    if version.parent is None:
        return ""
    return drift(project.data.get(f"data:{version.name}@{version.parent}"), version.schema)


def _unchanged(folder: Path, source: str, name: str, options: Options) -> dict[str, JSON] | None:
    """Return the newest version if it is this file or folder, added in the same way; None when one must look."""
    root = config.root_of(folder)
    if root is None or kind_of(source) != "file":
        return None
    settings = config.load(root / config.FILE_NAME)
    store = root / config.STORE
    places = Places(store)
    place = places.find(Path(source)) if settings.store.url is None else None
    said = said_of("later" if options.unread else "", reading_of(settings, name, options.reading))
    if place is None or (place.dataset, place.said) != (name, said) or peek.needs_healing(store):
        return None
    newest = peek.newest(store, name)
    if newest is None or newest.number != place.number or (options.tag and options.tag not in newest.tags):
        return None
    return newest.shown if compared(places, place).is_unchanged else None
