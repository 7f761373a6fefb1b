"""What logging a model gives back: the registered version, with how it did."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from undrift.loop.notebook.evaluated import Evaluated
from undrift.models.version import ModelVersion


@dataclass(frozen=True, slots=True, repr=False)
class LoggedModel(ModelVersion):
    """A registered version that shows itself in a notebook.

    Attributes
    ----------
    evaluated : Evaluated or None
        How it did on the rows that were held out, when some were given.
    """

    evaluated: Evaluated | None = field(default=None, repr=False)

    @classmethod
    def of(cls, version: ModelVersion, evaluated: Evaluated | None) -> LoggedModel:
        """Return a version with its results."""
        known = {one.name: getattr(version, one.name) for one in fields(ModelVersion)}
        return cls(**known, evaluated=evaluated)

    def _repr_html_(self) -> str:
        """Return the version as a notebook shows it."""
        from undrift.loop.notebook.shown import logged

        return logged(self)
