"""Canonical JSON (RFC 8785): one text for one value, so that a digest of it means something."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import rfc8785

from undrift.core.errors import BadInput
from undrift.core.json import JSON

LARGEST_EXACT_INTEGER = 2**53 - 1


class NotCanonical(BadInput):
    """A value has no canonical JSON form (NaN, an integer beyond 2**53, a type that is not JSON)."""

    code = "not-canonical"


def dumps(value: JSON) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Parameters
    ----------
    value : JSON
        Strings, finite numbers, booleans, None, and mappings and sequences of these.

    Returns
    -------
    bytes
        UTF-8, keys sorted by UTF-16 code units, numbers in ECMAScript form.

    Raises
    ------
    NotCanonical
        If a value is not JSON, not finite, or an integer beyond 2**53 - 1.
    """
    try:
        return rfc8785.dumps(_plain(value))
    except rfc8785.CanonicalizationError as error:
        raise NotCanonical(
            f"this value has no canonical JSON form: {error}",
            cure="use finite numbers, integers up to 2**53 - 1, text, lists and string-keyed mappings",
        ) from error


def loads(data: bytes | str) -> JSON:
    """Return the value of a JSON text; an integer that has no exact double is read as the double it stands for.

    Raises
    ------
    json.JSONDecodeError
        If the text is not JSON.
    """
    return cast(JSON, json.loads(data, parse_int=_number))


def text(value: JSON) -> str:
    """Return the canonical form as text, as it is kept in a database column."""
    return dumps(value).decode()


def _number(digits: str) -> int | float:
    """Return what ECMAScript reads: 1e17 is written as digits, and must not come back as another kind of number."""
    number = int(digits)
    return number if abs(number) <= LARGEST_EXACT_INTEGER else float(digits)


def _plain(value: JSON) -> Any:  # Any: the encoder's own recursive type is private
    """Return lists and dicts for any sequences and mappings: the encoder knows only those."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return [_plain(item) for item in value]
    return value
