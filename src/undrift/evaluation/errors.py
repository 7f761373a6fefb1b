"""What can go wrong when models are trained and judged.

::

    CheckFailed
    └── LeakyGate        the holdout was seen by a model that it is to judge
    CannotTell
    └── TooLittleData    there are not enough rows to learn from or to judge on
    DecisionNeeded
    └── AmbiguousTime    several columns may be the time of the event
    BadInput
    ├── BadTarget        the target column cannot be learnt
    └── BadColumn        a column that the settings name is missing or of the wrong type
"""

from __future__ import annotations

from undrift.core.errors import BadInput, CannotTell, CheckFailed, DecisionNeeded


class LeakyGate(CheckFailed):
    """A row of the holdout was seen by a model that is judged on it, or is not newer than its training."""

    code = "leaky-gate"


class TooLittleData(CannotTell):
    """There are not enough rows to learn from or to judge on."""

    code = "too-little-data"


class BadTarget(BadInput):
    """The target column cannot be learnt."""

    code = "bad-target"


class BadColumn(BadInput):
    """A column that the settings name is missing or cannot have that part."""

    code = "bad-column"


class AmbiguousTime(DecisionNeeded):
    """Several columns may be the time of the event that a row is about; a person must say which."""

    code = "ambiguous-time"
