"""The worker's two logs: predictions with the columns of their packages, and feedback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from undrift.core.clock import Clocks
from undrift.core.errors import UndriftError
from undrift.segments.endpoint_file import LogMode
from undrift.segments.records import ColumnsRecord, FeedbackRecord, PredictionRecord, encode
from undrift.segments.seal import seal_abandoned
from undrift.segments.writer import Counts, SegmentWriter

Kept = Callable[[UndriftError | None], None]


class EndpointLog:
    """Writes the records of one worker to one folder.

    Parameters
    ----------
    folder : Path
        Where the segments lie; those of dead workers are sealed first.
    mode : {"written", "durable", "async"}
        What an answer promises about its record.
    owner : str
        Who writes.
    clocks : Clocks
        Real time for the files.
    """

    def __init__(self, folder: Path, mode: LogMode, owner: str, clocks: Clocks) -> None:
        seal_abandoned(folder, clocks.real)
        self.folder = folder
        self.mode: LogMode = mode
        self._columns: dict[str, bytes] = {}
        self._fresh: list[bytes] = []
        self._writer = SegmentWriter(
            folder, owner=owner, mode=mode, clocks=clocks, preamble=lambda: list(self._columns.values())
        )

    @property
    def counts(self) -> Counts:
        """What was written, dropped, and failed."""
        return self._writer.counts

    def introduce(self, columns: ColumnsRecord) -> None:
        """Make known the columns of a package, before its first row."""
        if columns.package not in self._columns:
            payload = encode(columns)
            self._fresh.append(payload)
            self._columns[columns.package] = payload

    def write(self, records: Sequence[PredictionRecord | FeedbackRecord], kept: Kept) -> None:
        """Write some records as one group.

        Parameters
        ----------
        records : sequence
            What to keep.
        kept : callable
            Called once on the event loop, when the mode's promise holds or with the error.
        """
        payloads = [encode(record) for record in records]
        if self._fresh:
            payloads, self._fresh = [*self._fresh, *payloads], []
        if self.mode == "durable":
            loop = asyncio.get_running_loop()

            def tell(error: UndriftError | None) -> None:
                loop.call_soon_threadsafe(kept, error)

            self._writer.submit(payloads, tell)
        else:
            self._writer.submit(payloads, kept)

    async def keep(self, records: Sequence[PredictionRecord | FeedbackRecord]) -> UndriftError | None:
        """Write some records and return the error, if any, once the mode's promise holds."""
        done: asyncio.Future[UndriftError | None] = asyncio.get_running_loop().create_future()

        def kept(error: UndriftError | None) -> None:
            if not done.done():
                done.set_result(error)

        self.write(records, kept)
        return await done

    def close(self) -> None:
        """Write what is held and seal; may take as long as the disk."""
        self._writer.close()
