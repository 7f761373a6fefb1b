"""Writing segments: groups of records, with a stated promise of what survives what.

========= ==================================== ===================== =====================
mode      ``append`` returns                   after ``kill -9``     after a power cut
========= ==================================== ===================== =====================
written   after write(2)                       nothing is lost       the last 20 ms or so
durable   after the group's fdatasync          nothing is lost       nothing is lost
async     at once                              the last 50 ms or so  the last 50 ms or so
========= ==================================== ===================== =====================
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from undrift.core.clock import Clocks, real_clocks
from undrift.core.errors import UndriftError
from undrift.core.files import make_private
from undrift.core.ids import IdSource, check_name
from undrift.segments.endpoint_file import LogMode
from undrift.segments.frames import frame
from undrift.segments.open_segment import LogUnavailable, OpenSegment, create
from undrift.segments.seal import Seal

Done = Callable[[UndriftError | None], None]
Preamble = Callable[[], Iterable[bytes]]

_SYNC_EVERY_S = 0.02
_FLUSH_EVERY_S = 0.05
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a file is sealed and the next begun, and how much an ``async`` writer may hold back.

    Attributes
    ----------
    size_bytes : int
        A file that has reached this is sealed.
    age_s : float
        A file this old is sealed, also when nothing more is written.
    held_bytes : int
        An ``async`` writer drops records, and counts them, beyond this.
    """

    size_bytes: int = 64 * 1024 * 1024
    age_s: float = 60.0
    held_bytes: int = 64 * 1024 * 1024


@dataclass(slots=True)
class Counts:
    """What a writer did since it was made."""

    records: int = 0
    dropped: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class _Group:
    frames: bytes
    records: int
    done: Done


@dataclass(slots=True)
class _Held:
    """Groups which wait for the writer's thread."""

    groups: list[_Group] = field(default_factory=list)
    size: int = 0

    def take(self) -> list[_Group]:
        taken, self.groups, self.size = self.groups, [], 0
        return taken


class SegmentWriter:
    """Appends records to segment files of one folder; the folder's only writer with this owner.

    Parameters
    ----------
    folder : Path
        Where the segments lie; made when missing.
    owner : str
        Part of the files' names, for people: who wrote them.
    mode : {"written", "durable", "async"}
        The promise, see the table above.
    clocks : Clocks, optional
        ``real`` dates files and measures their age.
    rotation : Rotation, optional
        When files are sealed.
    preamble : callable, optional
        Gives the payloads that each new file begins with.

    Notes
    -----
    Safe for threads. A thread of its own makes files durable and seals them, so that
    neither holds up a caller in mode ``written``. A file is locked while it is open.
    """

    def __init__(  # keyword-only apart from the folder
        self,
        folder: Path,
        *,
        owner: str,
        mode: LogMode = "written",
        clocks: Clocks | None = None,
        rotation: Rotation | None = None,
        preamble: Preamble = tuple,
    ) -> None:
        self.folder = make_private(folder)
        self.mode: LogMode = mode
        self.counts = Counts()
        self._owner = check_name(owner, "segment owner")
        self._clock = (clocks or real_clocks()).real
        self._rotation = rotation or Rotation()
        self._preamble = preamble
        self._ids = IdSource(self._clock)
        self._file: OpenSegment | None = None
        self._retired: list[OpenSegment] = []
        self._held = _Held()
        self._lock = threading.Lock()  # guards the three above; held for a write(2) at most
        self._disk = threading.Lock()  # one thread at a time syncs and seals; taken before _lock
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"segments-{owner}", daemon=True)
        self._thread.start()

    def append(self, payload: bytes) -> None:
        """Write one record; returns when the mode's promise holds.

        Raises
        ------
        LogUnavailable
            If it could not be kept.
        BadPayload
            If it is empty or too large.
        """
        self.extend((payload,))

    def extend(self, payloads: Sequence[bytes]) -> None:
        """Write some records as one group; returns when the mode's promise holds for all.

        Raises
        ------
        LogUnavailable
            If they could not be kept.
        """
        kept = threading.Event()
        errors: list[UndriftError] = []

        def done(error: UndriftError | None) -> None:
            if error is not None:
                errors.append(error)
            kept.set()

        self.submit(payloads, done)
        kept.wait()
        if errors:
            raise errors[0]

    def submit(self, payloads: Sequence[bytes], done: Done) -> None:
        """Write some records as one group without waiting for the disk.

        Parameters
        ----------
        payloads : sequence of bytes
            The records.
        done : callable
            Called once, with None when the mode's promise holds or with the error: before this
            returns in modes ``written`` and ``async``, from the writer's thread in ``durable``.
        """
        group = _Group(b"".join([frame(payload) for payload in payloads]), len(payloads), done)
        if self.mode == "written":
            written = self._write_now(group)
            done(written if isinstance(written, LogUnavailable) else None)
            if not self._wake.is_set():
                self._wake.set()
        elif self._hold(group) and self.mode == "async":
            done(None)

    def seal(self) -> list[Seal]:
        """Seal what was written so far and return the seals; the next record begins a new file."""
        self._write_held()
        with self._lock:
            self._retire()
        return self._seal_retired()

    def close(self) -> list[Seal]:
        """Write what is held, seal, and end the writer's thread."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        return self.seal()

    def _hold(self, group: _Group) -> bool:
        with self._lock:
            if self.mode == "async" and self._held.size + len(group.frames) > self._rotation.held_bytes:
                self.counts.dropped += group.records
                full = True
            else:
                self._held.groups.append(group)
                self._held.size += len(group.frames)
                full = False
        if full:
            group.done(None)
            return False
        if self.mode == "durable":
            self._wake.set()
        return True

    def _write_now(self, group: _Group) -> OpenSegment | LogUnavailable:
        """Write a group and return the file it went to, or why it could not be written."""
        with self._lock:
            try:
                file = self._current()
                file.write(group.frames, group.records)
            except LogUnavailable as error:
                self.counts.failures += group.records
                if self._file is not None and not self._file.sound:
                    self._retire()
                return error
            self.counts.records += group.records
            return file

    def _current(self) -> OpenSegment:
        """Return the open file, begun when there is none or it is full."""
        if self._file is not None and self._file.size >= self._rotation.size_bytes:
            self._retire()
        if self._file is None:
            made = create(self.folder, f"{self._ids.next()}.{self._owner}", self._clock.monotonic())
            first = [frame(payload) for payload in self._preamble()]
            try:
                made.write(b"".join(first), len(first))
            except LogUnavailable:
                self._retired.append(made)
                raise
            self._file = made
        return self._file

    def _retire(self) -> None:
        if self._file is not None:
            self._retired.append(self._file)
            self._file = None

    def _work(self) -> None:
        """Sync, flush and seal until the writer is closed."""
        while not self._closing.is_set():
            self._wake.wait(_FLUSH_EVERY_S if self.mode == "async" else _LOOK_EVERY_S)
            self._wake.clear()
            if self.mode == "written":
                self._closing.wait(_SYNC_EVERY_S)
            self._write_held()
            self._sync()
            with self._lock:
                if self._file is not None and self._clock.monotonic() - self._file.opened >= self._rotation.age_s:
                    self._retire()
            self._seal_retired()

    def _write_held(self) -> None:
        """Write the waiting groups as one, and make them durable where that was promised."""
        with self._disk:
            with self._lock:
                groups = self._held.take()
            if not groups:
                return
            joined = _Group(b"".join([group.frames for group in groups]), sum(g.records for g in groups), _nobody)
            written = self._write_now(joined)
            if self.mode == "durable":
                error = self._sync_file(written) if isinstance(written, OpenSegment) else written
                for group in groups:
                    group.done(error)

    def _sync(self) -> None:
        with self._disk:
            with self._lock:
                file = self._file
            if file is not None and file.dirty:
                self._sync_file(file)

    def _sync_file(self, file: OpenSegment) -> LogUnavailable | None:
        """Make a file durable; one that cannot be is retired."""
        try:
            file.sync()
        except LogUnavailable as error:
            self.counts.failures += 1
            with self._lock:
                if self._file is file:
                    self._retire()
            return error
        return None

    def _seal_retired(self) -> list[Seal]:
        with self._disk:
            with self._lock:
                retired, self._retired = self._retired, []
            return [seal for seal in map(self._seal_file, retired) if seal is not None]

    def _seal_file(self, file: OpenSegment) -> Seal | None:
        """Seal one file; where the disk refuses, its lock is free and ``seal_abandoned`` tries again later."""
        try:
            return file.seal(self._clock)
        except (LogUnavailable, OSError):
            self.counts.failures += 1
            return None


def _nobody(error: UndriftError | None) -> None:
    """Take no notice: the groups behind a joined one are told one by one."""
