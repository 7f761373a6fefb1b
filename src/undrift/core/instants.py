"""Instants as people type them."""

from __future__ import annotations

import datetime as dt
import re

from undrift.core.errors import BadInput

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class BadInstant(BadInput):
    """A text is no instant."""

    code = "bad-instant"


def parse_instant(text: str) -> dt.datetime:
    """Return the instant that a text names, in UTC.

    Parameters
    ----------
    text : str
        ``2026-11-01`` (its first instant), ``2026-11-01T06:30``, or the same with seconds, ``Z`` or an offset;
        without one it is UTC.

    Raises
    ------
    BadInstant
        If it names none.
    """
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInstant(f"{text[:40]!r} is no instant", cure="write 2026-11-01 or 2026-11-01T06:30Z") from error
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)


def day_of(text: str) -> dt.datetime | None:
    """Return the first instant of a day, ``2026-11-01``, in UTC; None for any other text."""
    if not _DAY.match(text):
        return None
    try:
        return parse_instant(text)
    except BadInstant:
        return None
