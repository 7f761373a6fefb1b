"""What endpoints need from the project: the composition root makes one and hands it over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from undrift.core.clock import Clocks, RealClock
from undrift.core.ids import IdSource
from undrift.core.masking import Mask, open_mask
from undrift.endpoints.state import VersionRef
from undrift.ledger.ledger import Change, Ledger
from undrift.segments.endpoint_file import Limits, LogMode

OnLive: TypeAlias = Callable[[Change, str, VersionRef | None, VersionRef], None]


def _nothing_more(change: Change, endpoint: str, old: VersionRef | None, new: VersionRef) -> None:
    """Leave the registry alone."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """What the endpoint file says beyond the ledger's state: settings of the project.

    Attributes
    ----------
    log_mode : {"written", "durable", "async"}
        What an acknowledged prediction survives.
    limits : Limits
        What requests may hold.
    feedback_per_second : float
        Labels per second that one worker takes off loopback.
    token_sha256 : str or None
        Digest of the token that requests must carry.
    """

    log_mode: LogMode = "written"
    limits: Limits = field(default_factory=Limits)
    feedback_per_second: float = 200.0
    token_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointRooms:
    """Everything that this room works with.

    Attributes
    ----------
    ledger : Ledger
        The truth.
    store : Path
        The project's ``.undrift`` folder.
    clocks : Clocks
        Business time judges ages, real time leases and time-outs.
    on_live : callable
        Called inside the change in which another version becomes live, with the change, the
        endpoint's name, the version that was live and the one that is; it moves the
        registry's states and aliases in the same transaction.
    publishing : mapping
        Settings by endpoint; an endpoint without gets the defaults.
    ids : IdSource
        Makes the ids of rollouts, which are also the salts; a seeded one repeats the arms.
    is_masked : bool
        Whether callers' keys and personal columns are masked in the logs.
    """

    ledger: Ledger
    store: Path
    clocks: Clocks
    on_live: OnLive = _nothing_more
    publishing: Mapping[str, Publishing] = field(default_factory=dict)
    ids: IdSource = field(default_factory=lambda: IdSource(RealClock()))
    is_masked: bool = False

    def publishing_of(self, name: str) -> Publishing:
        """Return an endpoint's settings."""
        return self.publishing.get(name, Publishing())

    def mask(self) -> Mask | None:
        """Return what masks in the logs; its key is made when it is first needed. None when nothing is masked."""
        return open_mask(self.store) if self.is_masked else None

    @property
    def run_folder(self) -> Path:
        """Where endpoint files, acknowledgements and supervisors' files lie."""
        return self.store / "run" / "endpoints"

    def state_path(self, name: str) -> Path:
        """Return where an endpoint's file lies."""
        return self.run_folder / f"{name}.json"

    def predictions(self, name: str) -> Path:
        """Return the folder of an endpoint's prediction segments."""
        return self.store / "segments" / "predictions" / name

    def feedback(self, name: str) -> Path:
        """Return the folder of an endpoint's feedback segments."""
        return self.store / "segments" / "feedback" / name
