"""``undrift data push``, ``pull`` and ``remote ...``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, Progress, error_text, table
from undrift.cli.command import LazyGroup, command
from undrift.core.addresses import without_secrets
from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.data.remotes.push import Tell

_MB = 1_000_000


@command("push", example="undrift data push customers --remote team")
@click.argument("references", metavar="[REF]...", nargs=-1)
@click.option("--remote", help="Which remote; needed where the settings name several.")
@click.option("--verify", is_flag=True, help="Read and compare what is there of them, and put right what is damaged.")
def push(project: Path, references: tuple[str, ...], *, remote: str | None, verify: bool) -> Answer:
    """Bring versions to a remote: datasets with all of their versions, single versions, or everything."""
    from undrift.data.stored import as_ref
    from undrift.loop.remotes import remote_of
    from undrift.loop.transfers import push as push_to

    with Project.open(project) as opened, progress("pushing") as tell:
        there = remote_of(opened, _the_one(opened, remote), make=True)
        done = push_to(opened, there, [as_ref(one) for one in references], tell, is_verify=verify)
    lines = [f"{len(done.versions)} versions to {done.remote}, {done.known} were there already"]
    lines.append(f"{done.chunks:,} chunks in {done.packs} packs, {done.size_bytes / _MB:,.1f} MB")
    lines += [f"healed: {one}" for one in done.healed]
    if done.compared_bytes is not None:
        told = "was damaged and is right now" if done.healed else "is damaged"
        lines.append(
            f"{done.compared_bytes / _MB:,.1f} MB there were read and compared: {len(done.healed) or 'nothing'} {told}"
        )
    lines += [f"{done.erased} files were erased: {done.purged} packs written anew"] if done.erased else []
    lines += [f"left out, its bytes were let go of here: {one}" for one in done.gone]
    lines += [f"erased at the remote and not sent again: {one}" for one in done.withheld]
    lines += [f"the tag {one} names another version there; tags never move" for one in done.conflicts]
    return Answer(done.as_json(), "\n".join(lines), 4 if done.conflicts else 0)


@command("pull", example="undrift data pull customers@june --remote team")
@click.argument("references", metavar="[REF]...", nargs=-1)
@click.option("--remote", help="Only from this remote; by default from all, in the order of the settings.")
def pull(project: Path, references: tuple[str, ...], *, remote: str | None) -> Answer:
    """Bring versions from remotes, every byte verified; exit code 1 when something could not be taken."""
    from undrift.data.stored import as_ref
    from undrift.loop.remotes import remote_of
    from undrift.loop.transfers import note_refused

    with Project.open(project) as opened, progress("pulling") as tell:
        names = [_the_one(opened, remote)] if remote else list(opened.settings.remotes) or [_the_one(opened, None)]
        remotes = [remote_of(opened, name) for name in names]
        done = opened.data.transfer.pull(remotes, [as_ref(one) for one in references], opened.actor, tell)
        note_refused(opened, done.failed)
    lines = [f"{len(done.versions)} versions came, {done.known} were here already"]
    lines.append(f"{done.chunks:,} chunks, {done.size_bytes / _MB:,.1f} MB")
    lines += [f"{there} of the remote is {here} here: its number was taken" for here, there in done.renumbered.items()]
    lines += [f"{one} has all of its bytes again" for one in done.mended]
    lines += [f"the tag {one} names another version here; tags never move" for one in done.conflicts]
    lines += [f"erased at the remote and held here: {one}" for one in done.erased]
    lines += [error_text(one) for one in done.failed]
    return Answer(done.as_json(), "\n".join(lines), 1 if done.failed else 4 if done.conflicts else 0)


@command("add", example="undrift data remote add team s3://bucket/prefix")
@click.argument("name")
@click.argument("url")
@click.option("--replace", is_flag=True, help="Give a remote of this name another address.")
def add(project: Path, name: str, url: str, *, replace: bool) -> Answer:
    """Name a remote in the settings: a folder, s3://BUCKET/PREFIX, gs://... or az://...; credentials stay outside."""
    from undrift.loop.remotes import is_there, name_remote

    with Project.open(project) as opened:
        is_new = name_remote(opened, name, url, is_replace=replace)
        there = is_there(opened, url)
        told = f"{name} is {url}: undrift data push --remote {name}"
        if not there:
            told += f"\nthere is no folder {(opened.root / url).resolve()} yet: the first push makes it"
    return Answer({"remote": name, "url": url, "changed": is_new, "exists": there}, told)


@command("list", example="undrift data remote list")
def list_(project: Path) -> Answer:
    """List the remotes that the settings name."""
    with Project.open(project) as opened:
        rows = [(name, without_secrets(one.url)) for name, one in opened.settings.remotes.items()]
    told: list[JSON] = [{"remote": name, "url": url} for name, url in rows]
    text = table(("remote", "url"), rows) if rows else "no remotes yet: undrift data remote add NAME URL"
    return Answer({"remotes": told}, text)


@command("remove", example="undrift data remote remove team")
@click.argument("name")
def remove(project: Path, name: str) -> Answer:
    """Take a remote out of the settings; what lies there stays."""
    from undrift.loop.remotes import name_remote

    with Project.open(project) as opened:
        is_new = name_remote(opened, name, None)
    return Answer({"remote": name, "changed": is_new}, f"{name} is no remote of this project any more")


remote = LazyGroup(
    "remote",
    help="Where versions are pushed to and pulled from.",
    entries={
        "add": ("undrift.cli.remotes:add", "Name a remote in the settings."),
        "list": ("undrift.cli.remotes:list_", "List the remotes."),
        "remove": ("undrift.cli.remotes:remove", "Take a remote out of the settings."),
    },
)


def _the_one(project: Project, named: str | None) -> str:
    """Return the remote that is meant."""
    names = list(project.settings.remotes)
    if named is not None or len(names) == 1:
        return named or names[0]
    if not names:
        raise BadInput("the settings name no remote", cure="undrift data remote add NAME URL")
    raise BadInput(f"there are several remotes: {', '.join(names)}", cure="say which: --remote NAME")


@contextmanager
def progress(doing: str) -> Iterator[Tell]:
    """Give what tells on standard error how far it is."""
    shown = Progress()

    def tell(what: str, now: int, of: int) -> None:
        shown(f"{doing} {what}, {now / _MB:,.1f} of {of / _MB:,.1f} MB")

    try:
        yield tell
    finally:
        shown.close()
