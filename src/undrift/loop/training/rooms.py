"""What training works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import msgspec

from undrift.blobs.store import BlobStore
from undrift.core.clock import Clocks
from undrift.core.config import ModelSettings
from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.data.service import Data
from undrift.ledger.ledger import Ledger
from undrift.models.registry import Registry
from undrift.pipelines.graph import StepContext
from undrift.tracking.runs import Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRooms:
    """The rooms that a training joins.

    Attributes
    ----------
    ledger, blobs, data, runs, registry, clocks
        The project's.
    root : Path
        The project's folder, whose code is captured.
    packages : Path
        Where packages are built.
    """

    ledger: Ledger
    blobs: BlobStore
    data: Data
    runs: Runs
    registry: Registry
    clocks: Clocks
    root: Path
    packages: Path


@dataclass(frozen=True, slots=True)
class Spec:
    """What a training was asked for, fixed when it was submitted.

    Attributes
    ----------
    model : str
        The model's name.
    settings : ModelSettings
        As they were then: an edit of the file changes the next training, not this one.
    as_of : datetime
        Business time of the decision; nothing known later is used.
    candidate : str
        The one kind of model to fit; empty to compare those of the settings.
    dataset_version : str
        Reference of the data version.
    """

    model: str
    settings: ModelSettings
    as_of: datetime
    candidate: str
    dataset_version: str

    @property
    def unit(self) -> str:
        """What is independent of what: ``day``, ``row`` or a column."""
        return unit_of(self.settings)


def unit_of(settings: ModelSettings) -> str:
    """Return what is independent of what: ``day``, ``row`` or a column."""
    return settings.unit or ("day" if settings.time else "row")


PARAMS = ("model", "settings", "as_of", "candidate", "dataset_version")
CONTENT = ("settings", "candidate")
"""What a result by content may depend on: not the moment, and not the model's name."""

_UNSAID = datetime(1970, 1, 1, tzinfo=UTC)


def settings_json(settings: ModelSettings) -> JSON:
    """Return settings as a run's parameter."""
    return cast(JSON, msgspec.to_builtins(settings))


def spec_of(context: StepContext) -> Spec:
    """Return what a training was asked for, as far as the step declared that it reads it.

    Raises
    ------
    BadInput
        If another version of undrift submitted it with settings that this one does not know.
    """
    params = context.params
    try:
        settings = msgspec.convert(params["settings"], ModelSettings)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"this training was submitted by another version of undrift: {error}",
            cure="cancel it and submit another: undrift pipeline cancel ID --reason TEXT && undrift train MODEL",
        ) from error
    return Spec(
        model=str(params.get("model", "")),
        settings=settings,
        as_of=datetime.fromisoformat(str(params["as_of"])) if "as_of" in params else _UNSAID,
        candidate=str(params.get("candidate", "")),
        dataset_version=str(params.get("dataset_version", "")),
    )
