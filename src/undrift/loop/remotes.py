"""Remotes in the settings."""

from __future__ import annotations

import shutil

from tomlkit import TOMLDocument

from undrift.blobs.buckets import BucketUnreachable, refuse_secrets
from undrift.core.addresses import BadAddress, kind_of, without_secrets
from undrift.core.config import STORE
from undrift.core.errors import BadInput, NotFound, UndriftError
from undrift.core.ids import check_name
from undrift.core.json import JSON
from undrift.data.remotes.known import REMOTES
from undrift.data.remotes.remote import Remote, RemoteTooNew
from undrift.loop import settings_file
from undrift.project import Project


def remote_of(project: Project, name: str, *, make: bool = False) -> Remote:
    """Return a remote by the name that the settings give it.

    Parameters
    ----------
    project : Project
        The project.
    name : str
        The remote.
    make : bool
        Whether a folder that is not there is made.

    Raises
    ------
    NotFound
        If the settings name no such remote.
    """
    found = project.settings.remotes.get(name)
    if found is None:
        known = ", ".join(project.settings.remotes) or "none"
        raise NotFound(f"there is no remote {name!r} (known: {known})", cure=f"undrift data remote add {name} URL")
    url = found.url if "://" in found.url else str(project.root / found.url)
    return Remote(name, url, project.store / REMOTES / name, make=make)


def answering(project: Project) -> tuple[list[Remote], list[UndriftError]]:
    """Return the remotes of the settings that answer and hold something, and why the others do not."""
    found: list[Remote] = []
    away: list[UndriftError] = []
    for name in project.settings.remotes:
        try:
            remote = remote_of(project, name)
            remote.check()
            remote.packs.look()
        except (BucketUnreachable, NotFound, RemoteTooNew) as error:
            away.append(error)
            continue
        found.append(remote)
    return found, away


class RemoteTaken(BadInput):
    """The settings name another place so already."""

    code = "remote-taken"


def name_remote(project: Project, name: str, url: str | None, *, is_replace: bool = False) -> bool:
    """Write a remote into the settings, or take it out, and say whether the file is another one now.

    Parameters
    ----------
    project : Project
        The project.
    name : str
        What it is called.
    url : str or None
        Where it is; None takes it out.
    is_replace : bool
        Whether a remote of this name may get another address.

    Raises
    ------
    BadAddress
        If nothing can be pushed there, or credentials stand in the address.
    RemoteTaken
        If there is one of this name with another address, and it is not to be replaced.
    NotFound
        If a remote that is to go is not there.
    """
    check_name(name, "remote")
    if url is None and name not in project.settings.remotes:
        raise NotFound(f"there is no remote {name!r}", cure="undrift data remote list")
    if url is not None:
        _check(project, url)
    held = project.settings.remotes.get(name)
    before = held.url if held is not None else None
    if url is not None and before not in (None, url) and not is_replace:
        raise RemoteTaken(
            f"{name} is {without_secrets(str(before))}",
            cure=f"undrift data remote add {name} {url} --replace, or take another name",
        )

    def write(document: TOMLDocument) -> None:
        if url is not None:
            settings_file.put(settings_file.table(document, "remotes", name), {"url": url})
            return
        settings_file.table(document, "remotes").pop(name)

    is_new = settings_file.edit(project, write)
    if before not in (None, url):  # else what is known of the old place would be believed of the new one
        shutil.rmtree(project.store / REMOTES / name, ignore_errors=True)
    if is_new:
        _record(project, name, before, url)
    return is_new


def is_there(project: Project, url: str) -> bool:
    """Say whether the folder of a remote is there; object storages are not asked."""
    return kind_of(url) != "file" or (project.root / url).is_dir()


def _record(project: Project, name: str, before: str | None, url: str | None) -> None:
    """Record where data may go from now on; addresses hold no credentials."""
    kind = "remote.removed" if url is None else "remote.added" if before is None else "remote.replaced"
    body: dict[str, JSON] = {"address": without_secrets(url or before or "")}
    if before is not None and url is not None:
        body["before"] = without_secrets(before)
    with project.ledger.change(project.actor) as change:
        change.record(kind, f"remote:{name}", body)


def _check(project: Project, url: str) -> None:
    kind = kind_of(url)
    if kind not in ("file", "objects"):
        raise BadAddress(f"nothing is pushed to {url[:60]!r}", cure="give a folder, s3://BUCKET/PREFIX, gs:// or az://")
    if kind == "objects":
        refuse_secrets(url)
    elif (project.root / url).resolve().is_relative_to(project.root / STORE):
        raise BadAddress(f"{url} lies in the project's own store", cure="give a folder elsewhere")
