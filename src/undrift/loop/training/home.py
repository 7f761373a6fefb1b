"""The training service of a project."""

from __future__ import annotations

from undrift.loop.training.rooms import TrainingRooms
from undrift.loop.training.training import Training
from undrift.pipelines.graph import Tell, untold
from undrift.project import Project


def training_of(project: Project, tell: Tell = untold) -> Training:
    """Return what trains the models of a project, by its settings as they are now; `tell` is told how far it is."""
    return Training(rooms_of(project), project.settings, tell=tell)


def rooms_of(project: Project) -> TrainingRooms:
    """Return the rooms of a project that a training joins."""
    return TrainingRooms(
        ledger=project.ledger,
        blobs=project.blobs,
        data=project.data,
        runs=project.runs,
        registry=project.registry,
        clocks=project.clocks,
        root=project.root,
        packages=project.store / "packages",
    )
