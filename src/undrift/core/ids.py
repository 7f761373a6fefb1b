"""Identifiers: time-ordered ids and the grammar of names."""

from __future__ import annotations

import os
import re
import threading
from typing import NewType, Protocol

from undrift.core.clock import Clock, to_us
from undrift.core.errors import BadInput

RunId = NewType("RunId", str)
PredictionId = NewType("PredictionId", str)
RolloutId = NewType("RolloutId", str)
IncidentId = NewType("IncidentId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}\Z")
_ID_CHARACTERS = 26


class BadName(BadInput):
    """A name does not follow the grammar of names."""

    code = "bad-name"


class RandomBytes(Protocol):
    """A source of random bytes: ``os.urandom`` or a seeded one."""

    def __call__(self, size: int, /) -> bytes:
        """Return ``size`` bytes."""
        ...


class IdSource:
    """Makes ids which sort by time and are unique over processes and restarts.

    An id is 128 bits in 26 Crockford base32 digits: 54 bits of microseconds since 1970,
    then 74 random bits. Within one source ids always grow, also when the clock stands
    or goes back.

    Parameters
    ----------
    clock : Clock
        Where the time comes from.
    random : callable, optional
        Source of random bytes; a seeded one makes the ids of a replay repeatable.
    """

    def __init__(self, clock: Clock, random: RandomBytes = os.urandom) -> None:
        self._clock = clock
        self._random = random
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        """Return a new id, greater than every id this source gave before."""
        with self._lock:
            stamp = max(to_us(self._clock.now()), self._last + 1)
            self._last = stamp
        return _encode((stamp << 74) | int.from_bytes(self._random(10), "big") >> 6)


def new_id(clock: Clock) -> str:
    """Return one time-ordered id; a process that makes many keeps an :class:`IdSource`."""
    return IdSource(clock).next()


def time_us_of(identifier: str) -> int:
    """Return the instant held in an id, in microseconds since 1970 UTC.

    Raises
    ------
    BadName
        If the text is not an id.
    """
    if len(identifier) != _ID_CHARACTERS or any(letter not in _ALPHABET for letter in identifier):
        raise BadName(f"{identifier[:40]!r} is not an id", cure="an id has 26 letters and digits")
    number = 0
    for letter in identifier:
        number = number * 32 + _ALPHABET.index(letter)
    return number >> 74


def check_name(text: str, what: str) -> str:
    """Return the name if it follows the grammar of names.

    Parameters
    ----------
    text : str
        1 to 63 of ``a-z 0-9 _ . -``, the first a letter or digit.
    what : str
        What is being named, for the message.

    Raises
    ------
    BadName
        If it does not.
    """
    if not _NAME.match(text):
        raise BadName(
            f"{text[:80]!r} cannot be the name of a {what}",
            cure="use 1 to 63 lower-case letters, digits, '_', '.' and '-', the first a letter or digit",
        )
    return text


def _encode(number: int) -> str:
    digits = []
    for _ in range(_ID_CHARACTERS):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
