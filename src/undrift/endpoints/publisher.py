"""Publishing an endpoint's state to its workers, and seeing that they follow it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from undrift.core import masking
from undrift.core.digest import hex_of
from undrift.core.files import FileLock, make_private
from undrift.core.process import runs
from undrift.endpoints.errors import NotAcknowledged
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.service import Endpoints
from undrift.endpoints.state import WHOLE_BP, EndpointState, VersionRef
from undrift.segments import endpoint_file

_POLL_S = 0.01


class SupervisorFile(msgspec.Struct, frozen=True):
    """What a supervisor says of itself, in ``NAME.supervisor.json``.

    Attributes
    ----------
    pid : int
        Its process.
    url : str
        Where the endpoint answers.
    workers : list of int
        The processes that answer.
    started_us : int
        Real time of its start.
    ready : bool
        Whether all workers serve the published generation.
    restarts : int
        How many workers it had to replace.
    process : str
        The process by its whole name, which is never used again as a process id is.
    moved : str
        Why it does not answer at the port of the last time; empty when it does.
    watch_every_s : float
        How often it makes a pass of the loop; 0 when it makes none.
    """

    pid: int
    url: str
    workers: list[int]
    started_us: int
    ready: bool = False
    restarts: int = 0
    process: str = ""
    moved: str = ""
    watch_every_s: float = 0.0

    @property
    def is_up(self) -> bool:
        """Whether this very process runs; a stranger that got its id after a reboot does not count."""
        return runs(self.process) if self.process else is_alive(self.pid)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Which workers confirmed a generation; no workers when none are up."""

    generation: int
    workers: tuple[int, ...]


class Publisher:
    """Writes endpoint files from the ledger's state and reads what the workers answer.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    """

    def __init__(self, rooms: EndpointRooms) -> None:
        self._rooms = rooms
        self._endpoints = Endpoints(rooms)

    def render(self, name: str) -> EndpointState:
        """Write an endpoint's file as the ledger has it now, and return that state.

        Writers take turns and read the ledger inside their turn, so that an older state
        never comes to lie over a newer one.
        """
        folder = make_private(self._rooms.run_folder)
        with FileLock(folder / f"{name}.render.lock", clock=self._rooms.clocks.real):
            state = self._endpoints.get(name)
            wanted = endpoint_file.encode_state(self._file_of(state))
            path = self._rooms.state_path(name)
            if not path.exists() or path.read_bytes() != wanted:
                endpoint_file.write_state(path, self._file_of(state))
        return state

    def lagging(self) -> list[str]:
        """Return the endpoints whose file is missing, unreadable or of an older generation."""
        return [state.name for state in self._endpoints.all() if self._published(state.name) != state.generation]

    def render_lagging(self) -> list[str]:
        """Write the files that lag and return whose they were."""
        lagging = self.lagging()
        for name in lagging:
            self.render(name)
        return lagging

    def acknowledged(self, name: str, generation: int) -> Acknowledgement | None:
        """Return who confirmed, or None while a live worker that answers has not.

        A worker that has not said anything yet does not answer either, and looks at the file
        once more between its first word and its first answer.
        """
        acks = endpoint_file.read_acks(self._rooms.state_path(name))
        live = [ack for ack in acks if is_worker(ack.pid, self._rooms.state_path(name))]
        if any(ack.generation < generation for ack in live):
            return None
        return Acknowledgement(generation, tuple(ack.pid for ack in live))

    def wait_acknowledged(self, name: str, generation: int, timeout_s: float = 5.0) -> Acknowledgement:
        """Return once every live worker serves a generation or a newer one.

        Raises
        ------
        NotAcknowledged
            If one refuses it, or some do not serve it in time; the message says why.
        """
        real = self._rooms.clocks.real
        deadline = real.monotonic() + timeout_s
        while (found := self.acknowledged(name, generation)) is None:
            if real.monotonic() >= deadline or self.refusals(name, generation):
                raise self._late(name, generation, timeout_s)
            real.sleep(_POLL_S)
        return found

    def refusals(self, name: str, generation: int) -> list[endpoint_file.Refusal]:
        """Return why live workers do not follow a generation."""
        state = self._rooms.state_path(name)
        return [
            ack.refused
            for ack in endpoint_file.read_acks(state)
            if ack.refused is not None and ack.refused.generation == generation and is_worker(ack.pid, state)
        ]

    def _late(self, name: str, generation: int, timeout_s: float) -> NotAcknowledged:
        refusals = self.refusals(name, generation)
        return NotAcknowledged(
            f"workers of {name!r} refuse generation {generation}: {refusals[0].message}"
            if refusals
            else f"not all workers of {name!r} confirmed generation {generation} within {timeout_s:g} s",
            cure=f"undrift logs {name} shows what they do; undrift rollback {name} goes back",
            endpoint=name,
            generation=generation,
        )

    def _published(self, name: str) -> int | None:
        try:
            return endpoint_file.read_state(self._rooms.state_path(name)).generation
        except endpoint_file.BadEndpointFile:
            return None

    def _file_of(self, state: EndpointState) -> endpoint_file.EndpointState:
        settings = self._rooms.publishing_of(state.name)
        variants = [_variant("stable", state.stable, WHOLE_BP - state.share_bp)]
        if state.canary is not None:
            variants.append(_variant("canary", state.canary, state.share_bp))
        return endpoint_file.EndpointState(
            endpoint=state.name,
            generation=state.generation,
            salt=state.salt,
            rollout=state.rollout,
            variants=variants,
            log=endpoint_file.LogState(settings.log_mode, _inside(self._rooms.predictions(state.name), self._rooms)),
            feedback=endpoint_file.FeedbackState(
                _inside(self._rooms.feedback(state.name), self._rooms), settings.feedback_per_second
            ),
            limits=settings.limits,
            token_sha256=settings.token_sha256,
            mask=masking.FILE if self._rooms.mask() is not None else None,
        )


def read_supervisor(rooms: EndpointRooms, name: str) -> SupervisorFile | None:
    """Return what the last supervisor of an endpoint said, or None when there was none."""
    try:
        return msgspec.json.decode(supervisor_path(rooms, name).read_bytes(), type=SupervisorFile)
    except (OSError, msgspec.DecodeError):
        return None


def supervisor_path(rooms: EndpointRooms, name: str) -> Path:
    """Return where a supervisor's file lies."""
    return rooms.run_folder / f"{name}.supervisor.json"


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that ended and was not collected yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def is_worker(pid: int, state: Path) -> bool:
    """Say whether a process is a live scoring worker that follows an endpoint's file, as far as the system tells.

    Process ids are used again: a file that a dead worker left may name a stranger.
    """
    if not is_alive(pid):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    return b"undrift.serving" in command and str(state).encode() in command.split(b"\0")


def _variant(name: endpoint_file.VariantName, version: VersionRef, share_bp: int) -> endpoint_file.VariantState:
    digest = version.package_digest
    return endpoint_file.VariantState(
        name=name,
        model=version.model,
        version=version.number,
        package=digest,
        path=f"packages/{hex_of(digest)}",
        share_bp=share_bp,
    )


def _inside(folder: Path, rooms: EndpointRooms) -> str:
    return str(folder.relative_to(rooms.store))
