"""``undrift data fsck`` and ``gc``: the store is looked after."""

from __future__ import annotations

from pathlib import Path

import click

from undrift.cli.answer import Answer, Bytes
from undrift.cli.command import command
from undrift.data.fsck import told
from undrift.data.gc import Keep, Swept
from undrift.data.remotes.mending import RemoteChunks
from undrift.loop.remotes import answering
from undrift.loop.used import versions_used
from undrift.project import Project


@command("fsck", example="undrift data fsck --repair")
@click.option("--repair", is_flag=True, help="Put right what can be: the index, second copies, what a remote has.")
def fsck(project: Path, *, repair: bool) -> Answer:
    """Read every stored byte and compare it with its digest; exit code 3 when something is damaged."""
    with Project.open(project) as opened, Bytes("read and compared") as seen:
        remotes, away = answering(opened) if repair else ([], [])
        sources = [RemoteChunks(remote) for remote in remotes]
        report = opened.data.keeping.fsck(sources, is_repair=repair, seen=seen)
    lines = [*told(report), *(f"not asked: {error.message}" for error in away)]
    return Answer(report.as_json(), "\n".join(lines), 0 if report.is_sound else 3)


@command("gc", example="undrift data gc --keep-tags --keep-used --dry-run")
@click.option("--keep-tags", is_flag=True, help="Let go of the bytes of versions, but not of those with a tag.")
@click.option("--keep-used", is_flag=True, help="Let go of the bytes of versions, but not of those that runs used.")
@click.option("--keep-last", type=click.IntRange(min=1), help="The same, but not of the newest N of each dataset.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def gc(project: Path, *, keep_tags: bool, keep_used: bool, keep_last: int | None, dry_run: bool) -> Answer:
    """Delete stored bytes that no version refers to; with --keep-... also those of versions that are not kept.

    The newest version of each dataset always keeps its bytes. A version whose bytes went stays in the log.
    More than 16 small packs, as many small additions leave them, are merged into full ones.
    """
    with Project.open(project) as opened, Bytes("rewritten", "packs done") as seen:
        used = versions_used(opened) if keep_used else frozenset()
        is_everything = not (keep_tags or keep_used or keep_last)
        keep = Keep(is_everything, keep_tags, used, keep_last or 1)
        swept = opened.data.keeping.gc(keep, opened.actor, is_plan=dry_run, seen=seen)
    return Answer(swept.as_json(), "\n".join(_told(swept)))


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
