"""``undrift data fsck`` and ``gc``: the store is looked after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from undrift.cli.answer import Answer, Bytes, say
from undrift.cli.command import command
from undrift.cli.confirming import NotConfirmed, asks, confirmed, reason_for
from undrift.data.fsck import told
from undrift.data.gc import Keep, Swept
from undrift.data.remotes.mending import RemoteChunks
from undrift.loop.remotes import answering
from undrift.loop.transfers import note_checked
from undrift.loop.used import versions_used
from undrift.project import Project

_MOST_SHOWN = 20


@command("fsck", example="undrift data fsck --repair")
@click.option("--repair", is_flag=True, help="Put right what can be: the index, second copies, what a remote has.")
def fsck(project: Path, *, repair: bool) -> Answer:
    """Read every stored byte and compare it with its digest; exit code 3 when something is damaged."""
    with Project.open(project) as opened, Bytes("read and compared") as seen:
        remotes, away = answering(opened) if repair else ([], [])
        sources = [RemoteChunks(remote) for remote in remotes]
        report = opened.data.keeping.fsck(sources, is_repair=repair, seen=seen)
        note_checked(opened, report)
    lines = [*told(report), *(f"not asked: {error.message}" for error in away)]
    return Answer(report.as_json(), "\n".join(lines), 0 if report.is_sound else 3)


@command("gc", example="undrift data gc --keep-tags --keep-used --dry-run")
@click.option("--keep-tags", is_flag=True, help="Let go of the bytes of versions, but not of those with a tag.")
@click.option("--keep-used", is_flag=True, help="Let go of the bytes of versions, but not of those that runs used.")
@click.option("--keep-last", type=click.IntRange(min=1), help="The same, but not of the newest N of each dataset.")
@click.option("--reason", default="", help="Why versions are let go of; it stays in the ledger.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Let go of versions without being asked; needs --reason.")
def gc(  # the options of one command
    project: Path,
    *,
    keep_tags: bool,
    keep_used: bool,
    keep_last: int | None,
    reason: str,
    dry_run: bool,
    yes: bool,
) -> Answer:
    """Delete stored bytes that no version refers to; with --keep-... also those of versions that are not kept.

    The newest version of each dataset always keeps its bytes. A version whose bytes went stays in the log.
    Versions are let go of only when that was confirmed: on a terminal, or with --yes and a --reason.
    More than 16 small packs, as many small additions leave them, are merged into full ones.
    """
    with Project.open(project) as opened, Bytes("rewritten", "packs done") as seen:
        used = versions_used(opened) if keep_used else frozenset()
        is_everything = not (keep_tags or keep_used or keep_last)
        keep = Keep(is_everything, keep_tags, used, keep_last or 1)
        if not (is_everything or dry_run):
            keep = _agreed(opened, keep, reason.strip(), yes=yes)
        swept = opened.data.keeping.gc(keep, opened.actor, is_plan=dry_run, seen=seen)
    return Answer(swept.as_json(), "\n".join(_told(swept)))


def _agreed(opened: Project, keep: Keep, reason: str, *, yes: bool) -> Keep:
    """Return what may go, which is what somebody has seen, and why.

    Raises
    ------
    NotConfirmed
        If nobody agrees that versions are let go of.
    """
    plan = opened.data.keeping.gc(keep, opened.actor, is_plan=True)
    if not plan.versions or (yes and reason):
        return replace(keep, agreed=plan.versions, reason=reason)
    what = f"the bytes of {len(plan.versions):,} versions, {plan.version_bytes / 1e6:,.1f} MB of files"
    if asks() and not yes:
        say("\n".join(_told(plan)))
        if confirmed(f"Let go of {what}?"):
            return replace(keep, agreed=plan.versions, reason=reason or reason_for("for the ledger"))
    missing = " and ".join(filter(None, ("" if yes else "--yes", "" if reason else "--reason TEXT")))
    shown = ", ".join(plan.versions[:_MOST_SHOWN]) + (", ..." if len(plan.versions) > _MOST_SHOWN else "")
    raise NotConfirmed(
        f"{what} would be let go of, and nothing was: {shown}",
        cure=f"add {missing or '--yes'}; --dry-run shows all; undrift data push keeps a copy at a remote",
        versions=list(plan.versions),
        bytes=plan.version_bytes,
    )


def _told(swept: Swept) -> list[str]:
    """Return what went and what was put together, a line each."""
    verb = "would go" if swept.is_plan else "went"
    lines = [f"the bytes of {ref} {verb}" for ref in swept.versions]
    found, merged = swept.collected, swept.merged
    lines.append(f"{found.chunks:,} chunks, {found.freed_bytes / 1e6:,.1f} MB {verb}")
    if merged.packs:
        lines.append(f"packs {'to be merged' if swept.is_plan else 'merged'}: {merged.packs:,} -> {merged.into:,}")
    if merged.damaged:
        lines.append(f"{len(merged.damaged):,} damaged small packs stay as they are: undrift data fsck --repair")
    if not merged.is_complete:
        lines.append("others use the store: the rest of the small packs is merged next time")
    return lines
