"""``undrift data merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from undrift.cli.answer import Answer
from undrift.cli.command import command
from undrift.cli.versions import broken, compared_with_past, unusual, version_json, version_text
from undrift.core.json import JSON
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.data.anomalies.judgement import Judgement
    from undrift.data.branches.conflicts import Side
    from undrift.data.branches.merging import Merged

_MOST_SHOWN = 20
_WORDS = {"fast-forward": "as it is, since {into} is where both began", "merged": "with what {into} has of its own"}


@command("merge", example="undrift data merge customers-fix customers --key id")
@click.argument("of", metavar="NAME")
@click.argument("into", metavar="INTO")
@click.option("--key", multiple=True, metavar="COL", help="A column that names a row: rows are merged. Repeatable.")
@click.option("--take", type=click.Choice(["ours", "theirs"]), help="Resolve conflicts: INTO's content, or NAME's.")
@click.option("--base", default="", metavar="REF", help="Where both began, when nobody recorded it.")
@click.option("--check/--no-check", default=None, help="Check it first; on when INTO has a suite.")
@click.option("--tag", help="A tag for the new version; tags never move.")
@click.option("-m", "--reason", default="", help="Why; it stays for ever.")
@click.option("--dry-run", is_flag=True, help="Only say what would come of it.")
def merge(  # the options of one command
    project: Path,
    of: str,
    into: str,
    *,
    key: tuple[str, ...],
    take: str | None,
    base: str,
    check: bool | None,
    tag: str | None,
    reason: str,
    dry_run: bool,
) -> Answer:
    """Merge the newest version of the dataset NAME into INTO: a branch into what it left, or the other way round.

    Where both changed the same in different ways nothing is written, and the exit code is 3; so it is when the result
    does not pass INTO's suite.
    """
    from undrift.data.branches.merging import Manner

    manner = Manner(key, cast("Side | None", take), base, check, tag, reason.strip(), dry_run)
    names = of.removeprefix("data:"), into.removeprefix("data:")
    with Project.open(project) as opened:
        done = opened.data.branches.merge(*names, actor=opened.actor, manner=manner)
        found, why_not = compared_with_past(opened, done.version) if done.version is not None else (None, "")
        has_suite = opened.data.suite(names[1]) is not None
    stops = done.outcome in ("conflicts", "refused") or (bool(done.drift) and has_suite)
    notes = [f"note: {why_not}"] if why_not else []
    data: JSON = {**_json(done, found), "not_compared": why_not or None}
    return Answer(data, "\n".join([*_lines(done, found), *notes]), 3 if stops else 0)


def _json(done: Merged, found: Judgement | None) -> dict[str, JSON]:
    anomalies = [one.as_json() for one in found.anomalies] if found else []
    told = {**done.as_json(), "version": version_json(done.version) if done.version else None, "anomalies": anomalies}
    return {**told, "cure": _cure(done) or None}


def _lines(done: Merged, found: Judgement | None) -> list[str]:
    if done.outcome == "nothing":
        return [f"nothing to merge: {done.into} has all that {done.of} has"]
    lines = _conflicts(done)
    if done.outcome == "conflicts":
        return [*lines, f"nothing is written; cure: {_cure(done)}"]
    if done.drift:
        lines.append(f"note: {done.drift}")
    if done.report is not None and done.outcome == "refused":
        lines += [f"refused by the suite of {done.into}:", *(f"  {line}" for line in broken(done.report))]
        return [*lines, f"nothing is written; cure: {_cure(done)}"]
    if done.report is not None:
        lines += [f"  {line}" for line in broken(done.report)]
    verb = "would be merged" if done.is_plan else "merged"
    lines.insert(0, f"{done.of} {verb}, {_WORDS[done.outcome].format(into=done.into)}")
    if done.rows:
        lines.append("rows: " + ", ".join(f"{count:,} {name}" for name, count in done.rows.items()))
    if done.version is not None:
        lines.append(version_text(version_json(done.version)))
    return [*lines, *(unusual(found) if found else [])]


def _conflicts(done: Merged) -> list[str]:
    """Return what both sides changed in different ways, at most so many lines of it."""
    total = done.conflicts.total
    if not total:
        return []
    solved = f"; taken: {done.taken}" if done.taken else ""
    shown = done.conflicts.told[:_MOST_SHOWN]
    word = "conflict" if total == 1 else "conflicts"
    lines = [f"{total:,} {word} of {done.into} (here) and {done.of} (there) since {done.base}{solved}"]
    lines += [f"  {one.told()}" for one in shown]
    return [*lines, *([f"  and {total - len(shown):,} more"] if total > len(shown) else [])]


def _cure(done: Merged) -> str:
    """Return what to do where nothing was written."""
    if done.outcome == "refused":
        return f"add a mended version to data:{done.of.partition(':')[2].partition('@')[0]} and merge again"
    if done.outcome != "conflicts":
        return ""
    by_rows = "" if any(one.what in ("row", "cell") for one in done.conflicts.told) else "--key COLUMN merges rows; "
    return f"{by_rows}make both sides equal there, or --take ours (of {done.into}) or --take theirs (of {done.of})"
