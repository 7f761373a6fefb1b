"""``undrift data erase``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, error_text, table
from undrift.cli.command import command
from undrift.cli.confirming import NotConfirmed
from undrift.core.errors import BadInput
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.loop.privacy.erasure import Erased
    from undrift.loop.privacy.remotely import Remotely

LIMITS = "not erased: backups, files written by `undrift data checkout`, and the files the data came from"


class NoSubject(BadInput):
    """Nobody said whose rows are to be erased."""

    code = "no-subject"


@command("erase", example="undrift data erase customers --on email --value - --reason 'her request' --yes")
@click.argument("dataset")
@click.option("--on", "column", required=True, help="The column that names the subject.")
@click.option("--value", help="The subject's value in it; '-' reads it from standard input.")
@click.option(
    "--file", "path", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="One value on each line."
)
@click.option("--reason", default="", help="Why; it stays for ever, so it must not name the subject.")
@click.option("--remotes", is_flag=True, help="Fetch what remotes hold of the dataset, search it, and erase there too.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be erased, and change nothing.")
@click.option("--yes", is_flag=True, help="Erase; without it nothing is changed.")
def erase(  # the options of one command
    project: Path,
    dataset: str,
    column: str,
    value: str | None,
    path: Path | None,
    *,
    reason: str,
    remotes: bool,
    only_plan: bool,
    yes: bool,
) -> Answer:
    """Erase a subject's rows from every version, quarantine, prediction log and labels.

    Copies of versions at remotes are erased by the next push of the dataset, or at once with --remotes.
    """
    from undrift.cli.remotes import progress
    from undrift.data.erasing import Subject
    from undrift.loop.privacy.erasure import erase as erase_subject
    from undrift.loop.privacy.erasure import plan
    from undrift.loop.privacy.remotely import erase_remotely, plan_remotely

    subject = Subject(dataset.removeprefix("data:"), column, _values(value, path))
    with Project.open(project) as opened:
        names = list(opened.settings.remotes)
        if only_plan:
            found, there = plan_remotely(opened, subject) if remotes else (plan(opened, subject), None)
            return _answer(found, there, names)
        if not yes or not reason.strip():
            missing = "--yes" if not yes else "--reason TEXT"
            found = plan(opened, subject)
            raise NotConfirmed(
                f"{found.removed:,} rows and records in {len(found.entries)} places would be erased for ever",
                cure=f"add {missing}; --plan shows the places",
            )
        if not remotes:
            return _answer(erase_subject(opened, subject, reason.strip()), None, names)
        with progress("erasing remotely") as tell:
            found, there = erase_remotely(opened, subject, reason.strip(), tell)
        return _answer(found, there, names)


def _values(value: str | None, path: Path | None) -> frozenset[str]:
    """Return the subject's values; one on the command line stays in the shell's history, so others ways are there."""
    text = sys.stdin.read() if value == "-" else value if path is None else path.read_text(encoding="utf-8-sig")
    found = frozenset(line.strip() for line in (text or "").splitlines() if line.strip())
    if not found or (value is not None and path is not None):
        raise NoSubject("whose rows are to be erased?", cure="give one of --value VALUE, --value - or --file FILE")
    return found


def _answer(erased: Erased, there: Remotely | None, remotes: list[str]) -> Answer:
    word = "would be erased" if erased.is_plan else "erased"
    lines = [f"{erased.removed:,} rows and records {word}"]
    if erased.entries:
        rows = [(entry.removed, entry.where, ", ".join(entry.versions)) for entry in erased.entries]
        lines.append(table(("rows", "where", "versions"), rows))
    no_tables = [one for one in erased.unsearched if one not in erased.gone]
    lines += [f"not searched, no tables: {', '.join(no_tables)}"] if no_tables else []
    if erased.gone:
        lines.append(f"not searched, their bytes were let go of here: {', '.join(erased.gone)}")
    lines += _at_remotes(erased, remotes) if there is None else _told(there, is_plan=erased.is_plan)
    lines.append(LIMITS)
    data = {**erased.as_json(), "remotes": None if there is None else there.as_json(), "limits": LIMITS}
    return Answer(data, "\n".join(lines), 1 if there is not None and there.failed else 0)


def _at_remotes(erased: Erased, remotes: list[str]) -> list[str]:
    """Return what is to be known about remotes that were not asked."""
    if not remotes:
        return []
    named = ", ".join(remotes)
    return [
        f"not searched: what only remotes hold ({named}); add --remotes to fetch and search it",
        f"copies there stay until the next `undrift data push {erased.dataset}`, or add --remotes",
    ]


def _told(there: Remotely, *, is_plan: bool) -> list[str]:
    """Return what was done at remotes, a line each."""
    lines = [f"{'to be fetched and searched' if is_plan else 'fetched and searched'}: {one}" for one in there.fetched]
    lines += [
        f"{one.remote}: {one.erased:,} files erased, {one.purged:,} packs written anew without them"
        for one in there.pushed
    ]
    if there.fetched and not is_plan:
        lines.append("the bytes of what was fetched stay here until a `undrift data gc --keep-...` lets go of them")
    lines += [f"not done at a remote: {error_text(one)}" for one in there.failed]
    return lines
