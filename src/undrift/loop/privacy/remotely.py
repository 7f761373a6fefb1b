"""An erasure at remotes, too: what they hold of a dataset comes here and is searched; what was erased goes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from undrift.blobs.buckets import BucketUnreachable
from undrift.blobs.remote_packs import RemoteCorrupt
from undrift.core.errors import UndriftError
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data.erasing import Subject
from undrift.data.remotes.push import Pushed, RemoteChanges, Tell
from undrift.data.remotes.remote import NoRemote, Remote
from undrift.loop.privacy.erasure import Erased, erase, plan
from undrift.loop.remotes import remote_of
from undrift.project import Project


@dataclass(frozen=True, slots=True)
class Remotely:
    """What an erasure did at remotes, or would do.

    Attributes
    ----------
    fetched : tuple of str
        Versions that came to be searched; of a plan those that would, each with its remote behind it in brackets.
    failed : tuple of UndriftError
        Why versions could not come, in which nobody looked then, or why a remote still holds what was erased.
    pushed : tuple of Pushed
        What each remote was told.
    """

    fetched: tuple[str, ...] = ()
    failed: tuple[UndriftError, ...] = ()
    pushed: tuple[Pushed, ...] = ()

    def as_json(self) -> dict[str, JSON]:
        """Return this for machines."""
        failed: list[JSON] = [{"code": one.code, "message": one.message, "cure": one.cure} for one in self.failed]
        told: list[JSON] = [
            {"remote": one.remote, "erased": one.erased, "purged_packs": one.purged} for one in self.pushed
        ]
        return {"fetched": list(self.fetched), "failed": failed, "told": told}


def plan_remotely(project: Project, subject: Subject) -> tuple[Erased, Remotely]:
    """Return what an erasure would change here, and which versions it would fetch to search them.

    Raises
    ------
    BucketUnreachable, RemoteTooNew
        If a remote cannot be asked.
    DatasetNotFound, NoSuchColumn
        If nothing here is what was asked for.
    """
    remotes = _remotes(project)
    names = project.data.erasure.family(subject.dataset)
    held = set(names) & set(project.data.names())  # of a branch that was pulled alone, what it left is not here
    here = {
        (name, version.version_id)
        for name in held
        for version in project.data.log(name)
        if not version.is_gone
    }  # fmt: skip
    found = {
        f"{record.ref} ({remote.name})": None
        for remote in remotes
        for record in remote.records(names)[0]
        if (record.dataset, record.version_id) not in here
    }
    return plan(project, subject), Remotely(tuple(found))


def erase_remotely(project: Project, subject: Subject, reason: str, tell: Tell) -> tuple[Erased, Remotely]:
    """Fetch what remotes hold of a dataset, erase the subject, and tell the remotes what was erased.

    Parameters
    ----------
    project : Project
        The project.
    subject : Subject
        Whose rows.
    reason : str
        Why, as for :func:`undrift.loop.privacy.erasure.erase`.
    tell : callable
        Told of progress.

    Raises
    ------
    BucketUnreachable, RemoteTooNew, ObjectMissing
        If a remote does not answer at the beginning; nothing was erased.
    DatasetNotFound, NoSuchColumn, NotRedactable, LogInUse
        As for :func:`undrift.loop.privacy.erasure.erase`.

    Notes
    -----
    May be killed at any point: the same command goes on. Versions that came stay here, as after a pull.
    """
    remotes = _remotes(project)
    fetched, failed = _fetch(project, remotes, subject.dataset, tell)
    erased = erase(project, subject, reason)
    names = project.data.erasure.family(subject.dataset)
    pushed: list[Pushed] = []
    for remote in remotes:
        try:
            pushed.append(project.data.transfer.push_erased(remote, names, tell))
        except (RemoteCorrupt, RemoteChanges, BucketUnreachable) as error:
            failed.append(error)
    return erased, Remotely(tuple(fetched), tuple(failed), tuple(pushed))


def _remotes(project: Project) -> list[Remote]:
    """Return the remotes of the settings to which something was pushed; one that does not answer is an error."""
    found: list[Remote] = []
    for name in project.settings.remotes:
        remote = remote_of(project, name)
        try:
            remote.check()
        except NoRemote:
            continue
        found.append(remote)
    return found


def _fetch(
    project: Project, remotes: Sequence[Remote], dataset: str, tell: Tell
) -> tuple[list[str], list[UndriftError]]:
    """Pull all versions of a dataset and its branches; those that came may name further branches."""
    fetched: list[str] = []
    failed: list[UndriftError] = []
    asked: set[str] = set()
    while new := [name for name in project.data.erasure.family(dataset) if name not in asked]:
        asked.update(new)
        refs = [Ref("data", name) for name in new if any(remote.records([name])[0] for remote in remotes)]
        if refs:
            done = project.data.transfer.pull(remotes, refs, project.actor, tell)
            fetched += [*done.versions, *done.mended]
            failed += done.failed
    return fetched, failed
