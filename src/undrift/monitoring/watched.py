"""What is watched, how its windows lie, and which rules it must keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from undrift.core.errors import BadInput
from undrift.core.ids import check_name
from undrift.stats.intervals import Interval
from undrift.stats.metrics import Task
from undrift.stats.sketch import ReferenceSketch

ClassLabel: TypeAlias = "bool | int | str"


class BadMonitor(BadInput):
    """A monitor's settings cannot be followed."""

    code = "bad-monitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """How windows follow one another.

    Attributes
    ----------
    days : int
        Span of a window in event time. Drift counts days as its independent units and
        cannot tell anything from fewer than 20 of them.
    step_days : int
        A window begins so many days after the one before; fewer than ``days`` makes windows overlap.
    rows : int or None
        When set, a window is so many consecutive rows instead, in the order of event time.
    """

    days: int = 28
    step_days: int = 7
    rows: int | None = None

    def __post_init__(self) -> None:
        smallest = min(self.days, self.step_days, 1 if self.rows is None else self.rows)
        if smallest < 1:
            raise BadMonitor("a window needs at least one day or one row", cure="use whole numbers from 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a window must keep; a broken rule opens an incident.

    Attributes
    ----------
    alpha : float
        Stated false-alarm rate of each rule and window, over all its columns.
    share_margin : float
        By how much the share of nulls or of unseen categories of a column may exceed the
        reference's before it counts, whatever the significance.
    error_share : float
        Largest accepted share of answers that failed by our own fault (status 500 and above).
    label_coverage : float
        Performance is judged once at least this share of the answered rows has a label.
    label_wait_days : float
        A window which is that long past is no longer waited for.
    performance_drop : float or None
        By how much the metric may be worse than in the gate. None: it may not be worse by
        more than both intervals together explain.
    silent_days : float
        No answered request for so long is an incident.
    """

    alpha: float = 0.01
    share_margin: float = 0.02
    error_share: float = 0.01
    label_coverage: float = 0.8
    label_wait_days: float = 90.0
    performance_drop: float | None = None
    silent_days: float = 7.0

    def __post_init__(self) -> None:
        shares = (self.alpha, self.share_margin, self.error_share, self.label_coverage)
        if not all(0 < share <= 1 for share in shares) or min(self.label_wait_days, self.silent_days) <= 0:
            raise BadMonitor("shares lie above 0 and up to 1, waits above 0", cure="change the monitor's settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A model version, as far as watching it needs.

    Attributes
    ----------
    model : str
        The model's name.
    number : int
        The version's number.
    package : str
        Digest of its package.
    task : {"binary", "multiclass", "regression"}
        What it answers.
    sketch : ReferenceSketch
        What its training data looked like; with a column ``__prediction__``, also its answers.
    classes : tuple
        Class labels in the order of the scores; empty for regression.
    positive : int
        Index of the class that a binary model's probability is about.
    calendar : frozenset of str
        Columns which follow the date: no reason for a drift alarm.
    """

    model: str
    number: int
    package: str
    task: Task
    sketch: ReferenceSketch
    classes: tuple[ClassLabel, ...] = ()
    positive: int = 1
    calendar: frozenset[str] = frozenset()

    @property
    def ref(self) -> str:
        """The version's reference."""
        return f"model:{self.model}@{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One live model version behind an endpoint.

    Attributes
    ----------
    endpoint : str
        Name of the endpoint.
    version : Version
        What it serves.
    since : datetime
        When the version went live, business time; windows begin with that day.
    metric : str or None
        Name of the metric that the gate compared; None leaves performance unwatched.
    gate : Interval or None
        What the gate measured of it.
    plan : WindowPlan
        How windows lie.
    rules : Rules
        What they must keep.
    """

    endpoint: str
    version: Version
    since: datetime
    metric: str | None = None
    gate: Interval | None = None
    plan: WindowPlan = WindowPlan()
    rules: Rules = Rules()

    def __post_init__(self) -> None:
        check_name(self.endpoint, "endpoint")
        if self.since.tzinfo is None:
            raise BadMonitor("the instant of going live needs a time zone", cure="pass an aware datetime")

    @property
    def endpoint_ref(self) -> str:
        """The endpoint's reference."""
        return f"endpoint:{self.endpoint}"
