"""Which versions of data something was made from."""

from __future__ import annotations

from undrift.project import Project
from undrift.tracking.repository import RunRows


def versions_used(project: Project) -> frozenset[str]:
    """Return the references of versions that a run read or a model was trained from, and so what is live."""
    trained = {version.data for version in project.registry.versions()}
    with project.ledger.read() as connection:
        read = RunRows().inputs(connection)
    return frozenset(ref for ref in read | trained if ref.startswith("data:"))
