"""The endpoint's state as one file: what the supervisor publishes and scoring workers follow.

The database stays the truth; a scoring worker never opens it. The file is replaced atomically
and says everything a worker needs. Each worker answers with a file of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from undrift.core.errors import BadInput
from undrift.core.files import write_atomic

FORMAT = "undrift.endpoint/1"
WHOLE = 10_000

LogMode: TypeAlias = Literal["written", "durable", "async"]
VariantName: TypeAlias = Literal["stable", "canary"]


class BadEndpointFile(BadInput):
    """An endpoint file cannot be used."""

    code = "bad-endpoint-file"


class VariantState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model version behind the endpoint.

    Attributes
    ----------
    name : {"stable", "canary"}
        Its part.
    model : str
        The model's name.
    version : int
        Its version number.
    package : str
        The package's digest.
    path : str
        The package's folder; a relative one starts at the store.
    share_bp : int
        Its share of the traffic in 1/10,000.
    """

    name: VariantName
    model: str
    version: int
    package: str
    path: str
    share_bp: int


class LogState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where predictions are logged, and what an answer promises about its record."""

    mode: LogMode
    folder: str


class FeedbackState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where feedback is written, and how many labels per second one worker takes off loopback."""

    folder: str
    per_second: float = 200.0


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one request and one worker may hold.

    Attributes
    ----------
    body_bytes : int
        Largest body; more is 413.
    rows : int
        Most rows in one request; more is 413.
    queue : int
        Most rows waiting for one variant; more is 503 with ``Retry-After``.
    """

    body_bytes: int = 2 * 1024 * 1024
    rows: int = 1_000
    queue: int = 20_000


class EndpointState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file.

    Attributes
    ----------
    format : str
        ``"undrift.endpoint/1"``.
    endpoint : str
        Its name.
    generation : int
        Grows with every change; workers acknowledge it.
    salt : str
        Makes the arms of one rollout independent of those of another.
    rollout : str, optional
        Id of the running rollout.
    variants : list of VariantState
        One stable and at most one canary; their shares add to 10,000.
    log : LogState
        The prediction log.
    feedback : FeedbackState
        The feedback log.
    limits : Limits
        What requests may hold.
    token_sha256 : str, optional
        Hexadecimal SHA-256 of the bearer token that requests must carry.
    mask : str, optional
        The file with the key under which callers' keys and personal columns are masked in the logs;
        a relative path starts at the store. None leaves them as they are.
    """

    format: str = FORMAT
    endpoint: str
    generation: int
    salt: str
    variants: list[VariantState]
    log: LogState
    feedback: FeedbackState
    rollout: str | None = None
    limits: Limits = Limits()
    token_sha256: str | None = None
    mask: str | None = None

    @property
    def stable(self) -> VariantState:
        """The variant that everybody gets who does not get the canary."""
        return next(variant for variant in self.variants if variant.name == "stable")

    @property
    def canary(self) -> VariantState | None:
        """The variant on trial, if there is one."""
        return next((variant for variant in self.variants if variant.name == "canary"), None)

    @property
    def canary_share_bp(self) -> int:
        """The canary's share in 1/10,000; 0 without a canary."""
        return self.canary.share_bp if self.canary else 0


class Refusal(msgspec.Struct, frozen=True):
    """Why a worker does not follow a generation: it goes on serving the one before."""

    generation: int
    code: str
    message: str


class WorkerAck(msgspec.Struct, frozen=True):
    """What a worker answers, in ``NAME.worker-<pid>.json`` beside the endpoint file.

    Attributes
    ----------
    pid : int
        The worker's process.
    generation : int
        What it serves now; 0 before the first. No later answer comes from an older one.
    address : str
        ``http://host:port``.
    started_us : int
        When the process began to serve, microseconds since 1970 UTC.
    refused : Refusal, optional
        The newest generation that it could not load.
    """

    pid: int
    generation: int
    address: str
    started_us: int
    refused: Refusal | None = None


def encode_state(state: EndpointState) -> bytes:
    """Return the bytes of an endpoint file.

    Raises
    ------
    BadEndpointFile
        If the variants or their shares make no sense.
    """
    _check(state)
    return msgspec.json.format(msgspec.json.encode(state), indent=2)


def decode_state(data: bytes) -> EndpointState:
    """Return the state that a file's bytes hold.

    Raises
    ------
    BadEndpointFile
        If they hold none.
    """
    try:
        state = msgspec.json.decode(data, type=EndpointState)
    except msgspec.DecodeError as error:
        raise BadEndpointFile(f"the endpoint file cannot be read: {error}", cure="render it again") from error
    _check(state)
    return state


def write_state(path: Path, state: EndpointState) -> None:
    """Replace an endpoint file atomically."""
    write_atomic(path, encode_state(state))


def read_state(path: Path) -> EndpointState:
    """Return the state in a file.

    Raises
    ------
    BadEndpointFile
        If there is no file or it cannot be used.
    """
    try:
        return decode_state(path.read_bytes())
    except OSError as error:
        raise BadEndpointFile(f"{path.name} cannot be read: {error.strerror}", cure="deploy a model first") from error


def ack_path(state_path: Path, pid: int) -> Path:
    """Return where the worker of a process answers."""
    return state_path.with_name(f"{state_path.stem}.worker-{pid}.json")


def read_acks(state_path: Path) -> list[WorkerAck]:
    """Return the answers of all workers, living or dead, by process id; unreadable files are left out."""
    found = []
    for path in state_path.parent.glob(f"{state_path.stem}.worker-*.json"):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=WorkerAck))
        except (OSError, msgspec.DecodeError):
            continue
    return sorted(found, key=lambda ack: ack.pid)


def write_ack(state_path: Path, ack: WorkerAck) -> None:
    """Replace a worker's answer atomically."""
    write_atomic(ack_path(state_path, ack.pid), msgspec.json.encode(ack))


def _check(state: EndpointState) -> None:
    if state.format != FORMAT:
        raise BadEndpointFile(f"endpoint format {state.format!r} is not known", cure="upgrade undrift")
    names = [variant.name for variant in state.variants]
    if names.count("stable") != 1 or names.count("canary") > 1:
        raise BadEndpointFile("an endpoint has one stable variant and at most one canary", cure="render it again")
    if any(variant.share_bp < 0 for variant in state.variants) or sum(v.share_bp for v in state.variants) != WHOLE:
        raise BadEndpointFile(f"the variants' shares do not add to {WHOLE}", cure="render it again")
