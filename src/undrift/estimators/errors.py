"""What can be wrong with a stored part of our own."""

from __future__ import annotations

from undrift.core.errors import BadInput


class BadTransformer(BadInput):
    """A stored part of a pipeline holds what fitting never leaves."""

    code = "bad-transformer"
