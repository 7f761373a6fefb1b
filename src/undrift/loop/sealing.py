"""Sealing the logs: segments of dead writers are closed, sealed ones recorded and compacted."""

from __future__ import annotations

from pathlib import Path

from undrift.core.json import JSON
from undrift.ledger.actor import Actor
from undrift.project import Project
from undrift.segments.folder import listing
from undrift.segments.parquet import compact
from undrift.segments.seal import Seal, read_seal, seal_abandoned

SEALER = Actor("service", "sealer")
KIND = "segment.sealed"


def seal_logs(project: Project, endpoint: str) -> int:
    """Record the digests of an endpoint's sealed segments, bring them into Parquet, and return how many were new.

    Parameters
    ----------
    project : Project
        The project.
    endpoint : str
        Its name.

    Notes
    -----
    Predictions and feedback are no events; the digests of their sealed segments are, so that a
    change in a log is found as a change in the ledger is.
    """
    rooms = project.endpoint_rooms
    recorded = 0
    for folder in (rooms.predictions(endpoint), rooms.feedback(endpoint)):
        if folder.is_dir():
            seal_abandoned(folder)
            new = _record(project, endpoint, folder)
            if new:  # what a killed pass left is compacted with the next segment; readers read segments as well
                compact(folder)
            recorded += new
    return recorded


def _record(project: Project, endpoint: str, folder: Path) -> int:
    log = folder.parent.name
    seals = [seal for file in listing(folder) if (seal := read_seal(folder, file.name)) is not None]
    new = _unrecorded(project, endpoint, seals)
    if not new:
        return 0
    with project.ledger.change(SEALER) as change:
        for seal in new:
            body: dict[str, JSON] = {
                "log": log,
                "segment": seal.segment,
                "digest": seal.digest,
                "records": seal.records,
                "torn_bytes": seal.torn_bytes,
            }
            change.record(KIND, f"endpoint:{endpoint}", body)
    return len(new)


def _unrecorded(project: Project, endpoint: str, seals: list[Seal]) -> list[Seal]:
    if not seals:
        return []
    known = {event.body.get("segment") for event in project.ledger.events(f"endpoint:{endpoint}", [KIND])}
    return [seal for seal in seals if seal.segment not in known]
