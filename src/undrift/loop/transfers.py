"""What the ledger is told of bytes: where they went, what was found damaged, what was put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from undrift.blobs.remote_packs import RemoteCorrupt
from undrift.core.errors import UndriftError
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data.fsck import Report
from undrift.data.remotes.push import Pushed, Tell
from undrift.data.remotes.remote import Remote
from undrift.project import Project

_STORE = "store"
_MOST_NAMED = 50


def push(project: Project, remote: Remote, refs: Sequence[Ref], tell: Tell, *, is_verify: bool) -> Pushed:
    """Bring versions to a remote, and record which went where, and what was healed there.

    Parameters
    ----------
    project : Project
        The project.
    remote : Remote
        Where to.
    refs : sequence of Ref
        Datasets or single versions; none: everything.
    tell : callable
        Told of progress.
    is_verify : bool
        Whether to read and compare what the remote has of them.

    Raises
    ------
    UndriftError
        As :meth:`undrift.data.remotes.transfer.Transfer.push` does.
    """
    done = project.data.transfer.push(remote, refs, tell, is_verify=is_verify)
    if done.versions or done.healed:
        there: dict[str, JSON] = {"remote": remote.name, "address": remote.bucket.address}
        with project.ledger.change(project.actor) as change:
            for ref in done.versions:
                change.record("data.pushed", ref, there)
            if done.healed:
                change.record("remote.repaired", f"remote:{remote.name}", {**there, **_named(done.healed)})
    return done


def note_refused(project: Project, failed: Sequence[UndriftError]) -> None:
    """Record what a pull found damaged at remotes and did not take, once for as long as it stays the same.

    Parameters
    ----------
    project : Project
        The project.
    failed : sequence of UndriftError
        Why versions did not come.
    """
    found = sorted({one.message for one in failed if isinstance(one, RemoteCorrupt)})
    if found:
        _record_once(project, "remote.damaged", "remote", _named(found))


def note_checked(project: Project, report: Report) -> None:
    """Record what a check found damaged in the store, once for as long as it stays the same, and what was repaired.

    Parameters
    ----------
    project : Project
        The project.
    report : Report
        What was found.
    """
    by_state: dict[bool, list[str]] = {False: [], True: []}
    for fault in report.faults:
        needed = f", needed by {', '.join(fault.needed_by[:3])}" if fault.needed_by else ""
        by_state[fault.is_repaired].append(f"{fault.finding.kind} {fault.finding.digest}{needed}")
    for kind, found in (("store.damaged", by_state[False]), ("store.repaired", by_state[True])):
        if found:
            _record_once(project, kind, _STORE, _named(sorted(found)))


def _named(found: Sequence[str]) -> dict[str, JSON]:
    return {"count": len(found), "what": list(found[:_MOST_NAMED])}


def _record_once(project: Project, kind: str, subject: str, body: Mapping[str, JSON]) -> None:
    """Record an event unless the newest one about the subject says the same."""
    last = project.ledger.events(subject, limit=1, newest_first=True)
    if not last or (last[0].kind, dict(last[0].body)) != (kind, dict(body)):
        with project.ledger.change(project.actor) as change:
            change.record(kind, subject, body)
