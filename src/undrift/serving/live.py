"""What a worker serves at one moment. One reference points at it; a swap flips the reference."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from undrift.core.masking import Mask
from undrift.models.package import Package
from undrift.models.signature import Columns
from undrift.segments.endpoint_file import EndpointState, VariantState
from undrift.segments.records import ColumnsRecord
from undrift.segments.routing import takes_canary
from undrift.serving.batching import Batcher, Outcome
from undrift.serving.logs import EndpointLog
from undrift.serving.metrics import Labels, variant_labels


@dataclass(slots=True, eq=False)
class Asking:
    """Rows of one request which go to one variant.

    Attributes
    ----------
    served : Served
        The variant.
    live : Live
        What was served when they were routed.
    places : sequence of int
        Where they stand in the request.
    ids, keys, events : sequence
        Prediction id, caller's key and event time of each.
    received_us, began : int, float
        When the request was whole, by calendar and by stop-watch.
    pinned : bool
        Whether the caller named the version.
    future : Future
        Becomes the outcome once it is logged.
    columns : dict
        The decoded rows; empty while they are not decoded.
    """

    served: Served
    live: Live
    places: Sequence[int]
    ids: Sequence[str]
    keys: Sequence[str | None]
    events: Sequence[int | None]
    received_us: int
    began: float
    pinned: bool
    future: asyncio.Future[Outcome]
    columns: Columns = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.ids)


@dataclass(slots=True, eq=False)
class Loaded:
    """A package that is ready to answer; shared by the variants that name it."""

    package: Package
    batcher: Batcher[Asking]

    @property
    def columns_record(self) -> ColumnsRecord:
        """What the log says of the package's rows."""
        inputs = self.package.manifest.inputs
        return ColumnsRecord(
            self.package.digest, [column.name for column in inputs], [column.type for column in inputs]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A variant with its package."""

    state: VariantState
    loaded: Loaded
    labels: Labels
    version: str

    @classmethod
    def of(cls, state: VariantState, loaded: Loaded) -> Served:
        """Return a variant with what is said about it again and again."""
        labels = variant_labels(state.model, state.version, state.name)
        return cls(state, loaded, labels, f"model:{state.model}@{state.version}")


@dataclass(frozen=True, eq=False)
class Live:
    """One generation of an endpoint, ready to answer; ``mask`` is what its logs are masked with."""

    state: EndpointState
    stable: Served
    canary: Served | None
    mask: Mask | None = None

    @cached_property
    def share_bp(self) -> int:
        """The canary's share."""
        return self.state.canary_share_bp

    @property
    def served(self) -> tuple[Served, ...]:
        """The variants."""
        return (self.stable,) if self.canary is None else (self.stable, self.canary)

    def variant_of(self, unit: str) -> Served:
        """Return the variant that a unit gets."""
        if self.canary is not None and takes_canary(self.state.salt, unit, self.share_bp):
            return self.canary
        return self.stable

    def version(self, number: str) -> Served | None:
        """Return the variant that serves a version, or None."""
        return next((served for served in self.served if str(served.state.version) == number), None)


@dataclass(slots=True, eq=False)
class Current:
    """The one mutable thing of a worker: what it serves and where it logs now. Changed on the loop only."""

    predictions: EndpointLog
    feedback: EndpointLog
    live: Live | None = None
