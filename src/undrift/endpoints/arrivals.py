"""Predictions and labels in the order in which they arrived, over all workers' segments."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from msgspec.structs import replace

from undrift.core.masking import Mask
from undrift.segments.records import ColumnsRecord, ErasedRecord, FeedbackRecord, PredictionRecord, decode
from undrift.segments.tail import SegmentTail

Arrival: TypeAlias = "PredictionRecord | FeedbackRecord"
_Key: TypeAlias = tuple[int, int, str]
_FRAMES_PER_POLL = 50_000
_by_key = itemgetter(0)


class Arrivals:
    """Merges the prediction and feedback segments of one endpoint into one order.

    The order is by the moment a prediction was answered or a label came in, by the machine's
    clock; it depends on the records alone, so that whoever reads them again sees the same.
    A record is handed out only when all that precede it can be read: that is, when its moment
    lies some time (the watermark) in the past.

    Parameters
    ----------
    predictions, feedback : Path
        The folders.
    since_us : int
        Segments finished before are passed over.
    mask : Mask, optional
        Masks keys that came unmasked, so that labels and predictions join whenever either was masked.
    """

    def __init__(self, predictions: Path, feedback: Path, since_us: int, mask: Mask | None = None) -> None:
        self._mask = mask
        self._tails = [SegmentTail(folder, since_us=since_us) for folder in (predictions, feedback)]
        self._waiting: list[tuple[_Key, Arrival]] = []
        self._last: _Key | None = None
        self.out_of_order = False

    def take(self, until_us: int) -> list[Arrival]:
        """Return what arrived up to an instant and was not returned before, in order.

        Where a record turns up that should have come before one already returned,
        :attr:`out_of_order` becomes true: a reader that needs the one order starts again.
        """
        for tail in self._tails:
            while frames := tail.poll(_FRAMES_PER_POLL):
                for frame in frames:
                    record = decode(frame.payload)
                    if not isinstance(record, ColumnsRecord | ErasedRecord):
                        self._waiting.append((_key(record), self._masked(record)))
        self._waiting.sort(key=_by_key)
        end = next((place for place, (key, _) in enumerate(self._waiting) if key[0] > until_us), len(self._waiting))
        due, self._waiting = self._waiting[:end], self._waiting[end:]
        if due:
            self.out_of_order |= self._last is not None and due[0][0] < self._last
            self._last = due[-1][0]
        return [record for _, record in due]

    def _masked(self, record: Arrival) -> Arrival:
        if self._mask is None or record.key is None or (key := self._mask.text(record.key)) == record.key:
            return record
        return replace(record, key=key)


def _key(record: Arrival) -> _Key:
    if isinstance(record, PredictionRecord):
        return record.received_us + record.latency_us, 0, record.id
    return record.received_us, 1, record.id
