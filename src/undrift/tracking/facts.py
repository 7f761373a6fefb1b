"""What is known of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from undrift.core.json import JSON
from undrift.ledger.actor import Actor
from undrift.tracking.code import CodeState

Status: TypeAlias = Literal["running", "finished", "failed", "crashed", "cancelled"]
ParamSource: TypeAlias = Literal["declared", "fitted"]


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric, with its interval where it has one.

    Attributes
    ----------
    value : float
        The estimate, finite.
    low, high, alpha : float or None
        Two-sided interval and its error.
    method : str or None
        How the interval was made.
    n, units : int or None
        Rows, and independent units.
    unit : str or None
        What a unit is.
    """

    value: float
    low: float | None = None
    high: float | None = None
    alpha: float | None = None
    method: str | None = None
    n: int | None = None
    units: int | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something about a run that a reader should know."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """Bytes that a run made, by digest in the blob store."""

    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Input:
    """Data that a run read: its reference and a digest that pins its content."""

    ref: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts to be added to a run; of the same name the newest stands.

    Attributes
    ----------
    declared, fitted : mapping of str to JSON
        Parameters that somebody typed, and those read from the fitted estimator.
    metrics : mapping of str to MetricValue
        Results.
    artifacts : mapping of str to Artifact
        Bytes it made.
    inputs : mapping of str to Input
        Data it read, by role.
    warnings : sequence of Warned
        What a reader should know.
    """

    declared: Mapping[str, JSON] = field(default_factory=dict)
    fitted: Mapping[str, JSON] = field(default_factory=dict)
    metrics: Mapping[str, MetricValue] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    warnings: Sequence[Warned] = ()


@dataclass(frozen=True, slots=True)
class Capture:
    """What is recorded before any user code runs.

    Attributes
    ----------
    environment : str
        Digest of the stored lock.
    lock : str
        The lock's text.
    code : CodeState
        Commit, changes, unknown files.
    """

    environment: str
    lock: str
    code: CodeState


@dataclass(frozen=True, slots=True)
class Run:
    """One run, without its facts.

    Attributes
    ----------
    id, name : str
        Its id, and what it is about (a model's name).
    status : {"running", "finished", "failed", "crashed", "cancelled"}
        How far it is.
    actor : Actor
        Who started it.
    started_at, ended_at : datetime
        Business time.
    process : str
        The process that holds it.
    heartbeat_us : int
        Real time of its last sign of life.
    pipeline : str
        The pipeline run that it belongs to; empty for a run of a notebook or script.
    seed : int or None
        Of everything random.
    environment : str
        Digest of the lock.
    code : CodeState
        What code it was made with.
    error : str
        Why it failed.
    """

    id: str
    name: str
    status: Status
    actor: Actor
    started_at: datetime
    ended_at: datetime | None
    process: str
    heartbeat_us: int
    pipeline: str
    seed: int | None
    environment: str
    code: CodeState
    error: str

    @property
    def ref(self) -> str:
        """The reference, ``run:ID``."""
        return f"run:{self.id}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run with everything that is known of it."""

    run: Run
    facts: Facts
