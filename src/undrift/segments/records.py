"""What the segments of an endpoint hold: predictions, the columns of their rows, and feedback.

A record is a MessagePack array whose first item says its kind. New fields are only ever
added at the end, with a default, so that old files stay readable and old readers skip what
they do not know.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from undrift.core.digest import blake3_bytes
from undrift.core.errors import Corrupt
from undrift.core.masking import Mask

Cell: TypeAlias = bool | int | float | str | None
Label: TypeAlias = bool | int | float | str

STATUS_OK = 200
_ID_DIGITS = 32


class BadRecord(Corrupt):
    """A frame holds something that is not a record."""

    code = "bad-record"


class PredictionRecord(msgspec.Struct, frozen=True, array_like=True, tag="prediction", tag_field="kind"):
    """One asked row and what became of it.

    Attributes
    ----------
    id : str
        Time-ordered prediction id.
    received_us : int
        When the request came in, microseconds since 1970 UTC, by the machine's clock.
    event_us : int, optional
        The caller's ``event_time``: when the thing asked about happens.
    key : str, optional
        The caller's name for the unit, masked unless the project says otherwise; rollouts are
        sticky by it and labels join on it.
    endpoint, variant, model, version, package
        Who answered: endpoint, ``"stable"`` or ``"canary"``, model name, version number, package digest.
    generation : int
        Generation of the endpoint's state that routed the request.
    share_bp : int, optional
        The canary's share at that moment in 1/10,000. None when the caller named the version:
        such an answer was not drawn by chance and is no evidence for a rollout.
    row : list, optional
        The values in the order of the package's :class:`ColumnsRecord`; None when the request
        was refused before its rows could be read.
    scores : list of float
        What the engine gave; empty when it gave nothing.
    prediction : bool, int, float or str, optional
        The answer.
    status : int
        HTTP status of the answer.
    latency_us : int
        From the whole request read to the answer computed, without the log's own writing.
    error : str, optional
        The code of the error when the status is not 200.
    """

    id: str
    received_us: int
    event_us: int | None
    key: str | None
    endpoint: str
    variant: str
    model: str
    version: int
    package: str
    generation: int
    share_bp: int | None
    row: list[Cell] | None
    scores: list[float]
    prediction: Label | None
    status: int
    latency_us: int
    error: str | None = None


class FeedbackRecord(msgspec.Struct, frozen=True, array_like=True, tag="feedback", tag_field="kind"):
    """What turned out to be true, for one prediction or for one key.

    Attributes
    ----------
    id : str
        Digest of the content below without ``received_us``: the same feedback sent twice has
        one id, and readers count it once.
    prediction_id, key : str, optional
        What it is about; exactly one of them is there.
    actual : bool, int, float or str
        The truth.
    event_us : int, optional
        The caller's ``event_time`` of the prediction, which tells apart several of one key.
    received_us : int
        When it came in, by the machine's clock.
    """

    id: str
    prediction_id: str | None
    key: str | None
    actual: Label
    event_us: int | None
    received_us: int


class Labelled(msgspec.Struct, frozen=True):
    """A label without the moment of its arrival, which makes a record, whichever way it comes in."""

    prediction_id: str | None
    key: str | None
    actual: Label
    event_us: int | None

    def record(self, received_us: int, mask: Mask | None = None) -> FeedbackRecord:
        """Return the record, with its key masked as it is in the log of predictions."""
        key = self.key if self.key is None or mask is None else mask.text(self.key)
        identifier = feedback_id(self.prediction_id, key, self.actual, self.event_us)
        return FeedbackRecord(identifier, self.prediction_id, key, self.actual, self.event_us, received_us)


class ColumnsRecord(msgspec.Struct, frozen=True, array_like=True, tag="columns", tag_field="kind"):
    """Names and logical types of a package's row values; stands before its first row in each file."""

    package: str
    columns: list[str]
    types: list[str] = []


class ErasedRecord(msgspec.Struct, frozen=True, array_like=True, tag="erased", tag_field="kind"):
    """What stands where a record was erased: as long as that, so that every other record keeps its place."""

    filler: str
    more: str = ""


Record: TypeAlias = PredictionRecord | FeedbackRecord | ColumnsRecord | ErasedRecord

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def feedback_id(prediction_id: str | None, key: str | None, actual: Label, event_us: int | None) -> str:
    """Return the id of a label by its content: the same label has one id, whichever way it comes in.

    Parameters
    ----------
    prediction_id, key : str, optional
        What it is about; exactly one of them is given.
    actual : bool, int, float or str
        The truth.
    event_us : int, optional
        The event time of the prediction.
    """
    content = msgspec.json.encode([prediction_id, key, actual, event_us])
    return blake3_bytes(content)[3 : 3 + _ID_DIGITS]


def erased(size: int) -> bytes:
    """Return the payload of an erased record of so many bytes.

    Raises
    ------
    ValueError
        If no record is so short.
    """
    for more in ("", "."):
        for head in _HEADS:
            length = size - head - len(encode(ErasedRecord("", more)))
            payload = encode(ErasedRecord("." * max(0, length), more))
            if len(payload) == size:
                return payload
    raise ValueError(f"no record has {size} bytes")


_HEADS = (0, 1, 2, 4)
"""Bytes that the length of a longer text takes more than that of the empty one."""


def encode(record: Record) -> bytes:
    """Return the payload of a record."""
    return _encoder.encode(record)


def decode(payload: bytes | memoryview) -> Record:
    """Return the record of a payload.

    Raises
    ------
    BadRecord
        If the payload is not one.
    """
    try:
        return _decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise BadRecord(f"a frame does not hold a record: {error}", cure="upgrade undrift") from error
