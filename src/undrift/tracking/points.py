"""Metric points: one append-only segment file for each run, so that logging costs microseconds and kill -9 nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from undrift.core.clock import Clocks, to_us
from undrift.core.errors import BadInput
from undrift.core.ids import check_name
from undrift.segments.seal import Seal, seal_abandoned
from undrift.segments.tail import SegmentTail
from undrift.segments.writer import SegmentWriter


class BadMetric(BadInput):
    """A value that was logged as a metric is no number."""

    code = "bad-metric"


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One value of a metric.

    Attributes
    ----------
    name : str
        The metric.
    value : float
        May be NaN or infinite: training does that.
    step : int or None
        Where in the training.
    at_us : int
        Real time, microseconds since 1970 UTC.
    """

    name: str
    value: float
    step: int | None
    at_us: int


_SHOWN = 80
"""So many characters of a value that is no number are told."""
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Point)


class PointWriter:
    """Writes the points of one run; each is safe from kill -9 when the call returns.

    Parameters
    ----------
    folder : Path
        The folder of all runs' points.
    run_id : str
        The run.
    clocks : Clocks
        ``real`` dates the points.
    """

    def __init__(self, folder: Path, run_id: str, clocks: Clocks) -> None:
        self._clock = clocks.real
        self._writer = SegmentWriter(folder_of(folder, run_id), owner="points", clocks=clocks)

    def write(self, values: dict[str, float], step: int | None) -> None:
        """Append one point for each name; they become visible together.

        Raises
        ------
        BadMetric
            If a value is no number; nothing is then written.
        """
        at = to_us(self._clock.now())
        try:
            encoded = [_ENCODER.encode(Point(name, float(value), step, at)) for name, value in values.items()]
        except (TypeError, ValueError, OverflowError) as error:
            raise _bad_metric(values) from error
        self._writer.extend(encoded)

    def close(self) -> list[Seal]:
        """Seal what was written."""
        return self._writer.close()


def _bad_metric(values: Mapping[str, object]) -> BadMetric:
    """Return the error that names the first value which is no number."""
    for name, value in values.items():
        try:
            float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            shown = repr(value)[:_SHOWN]
            return BadMetric(
                f"the metric {name!r} is {shown}, which is no number",
                cure=f"log a number; a word is a parameter: run.params({name}={shown})",
            )
    raise AssertionError("every value is a number")


@dataclass(frozen=True, slots=True)
class SealedPoints:
    """The points of a run that has ended: digests of their files, and the last finite value by name."""

    digests: tuple[str, ...]
    last: dict[str, float]
    not_finite: tuple[str, ...]


def folder_of(folder: Path, run_id: str) -> Path:
    """Return where a run's points lie."""
    return folder / check_name(run_id, "run")


def read_points(folder: Path, run_id: str, name: str | None = None) -> list[Point]:
    """Return a run's points in the order of logging, also while it runs."""
    points = [_DECODER.decode(frame.payload) for frame in SegmentTail(folder_of(folder, run_id)).poll()]
    return [point for point in points if name is None or point.name == name]


def seal_points(folder: Path, run_id: str, clocks: Clocks) -> SealedPoints:
    """Seal what a dead writer left, and return the points' digests and last values."""
    here = folder_of(folder, run_id)
    seal_abandoned(here, clocks.real)
    last: dict[str, float] = {}
    strange: dict[str, None] = {}
    for point in read_points(folder, run_id) if here.is_dir() else ():
        if math.isfinite(point.value):
            last[point.name] = point.value
        else:
            strange[point.name] = None
    seals = [msgspec.json.decode(path.read_bytes(), type=Seal) for path in sorted(here.glob("*.seal"))]
    return SealedPoints(tuple(seal.digest for seal in seals), last, tuple(strange))
