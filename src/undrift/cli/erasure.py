"""``undrift data erase``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import command
from undrift.core.errors import BadInput, DecisionNeeded
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.loop.privacy.erasure import Erased

LIMITS = "not erased: backups, files written by `undrift data checkout`, and the files the data came from"


class NoSubject(BadInput):
    """Nobody said whose rows are to be erased."""

    code = "no-subject"


class NotConfirmed(DecisionNeeded):
    """An erasure was not confirmed; nothing comes back from one."""

    code = "not-confirmed"


@command("erase", example="undrift data erase customers --on email --value - --reason 'her request' --yes")
@click.argument("dataset")
@click.option("--on", "column", required=True, help="The column that names the subject.")
@click.option("--value", help="The subject's value in it; '-' reads it from standard input.")
@click.option(
    "--file", "path", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="One value on each line."
)
@click.option("--reason", default="", help="Why; it stays for ever, so it must not name the subject.")
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
    only_plan: bool,
    yes: bool,
) -> Answer:
    """Erase a subject's rows from every version, quarantine, prediction log and labels."""
    from undrift.data.erasing import Subject
    from undrift.loop.privacy.erasure import erase as erase_subject
    from undrift.loop.privacy.erasure import plan

    subject = Subject(dataset.removeprefix("data:"), column, _values(value, path))
    with Project.open(project) as opened:
        if only_plan:
            return _answer(plan(opened, subject))
        if not yes or not reason.strip():
            missing = "--yes" if not yes else "--reason TEXT"
            found = plan(opened, subject)
            raise NotConfirmed(
                f"{found.removed:,} rows and records in {len(found.entries)} places would be erased for ever",
                cure=f"add {missing}; --plan shows the places",
            )
        return _answer(erase_subject(opened, subject, reason.strip()))


def _values(value: str | None, path: Path | None) -> frozenset[str]:
    """Return the subject's values; one on the command line stays in the shell's history, so others ways are there."""
    text = sys.stdin.read() if value == "-" else value if path is None else path.read_text(encoding="utf-8-sig")
    found = frozenset(line.strip() for line in (text or "").splitlines() if line.strip())
    if not found or (value is not None and path is not None):
        raise NoSubject("whose rows are to be erased?", cure="give one of --value VALUE, --value - or --file FILE")
    return found


def _answer(erased: Erased) -> Answer:
    word = "would be erased" if erased.is_plan else "erased"
    lines = [f"{erased.removed:,} rows and records {word}"]
    if erased.entries:
        rows = [(entry.removed, entry.where, ", ".join(entry.versions)) for entry in erased.entries]
        lines.append(table(("rows", "where", "versions"), rows))
    if erased.unsearched:
        lines.append(f"not searched, no tables: {', '.join(erased.unsearched)}")
    lines.append(LIMITS)
    return Answer({**erased.as_json(), "limits": LIMITS}, "\n".join(lines))
