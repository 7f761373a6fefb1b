"""Which variant a unit gets: sticky, and repeatable by anybody who knows the salt."""

from __future__ import annotations

from hashlib import blake2b

from undrift.segments.endpoint_file import WHOLE


def bucket_of(salt: str, unit: str) -> int:
    """Return a unit's place in 0..9,999.

    Parameters
    ----------
    salt : str
        The endpoint state's salt.
    unit : str
        The caller's key, or the prediction id where there is none.

    Notes
    -----
    The first 64 bits, big-endian, of BLAKE2b over ``salt|unit``, modulo 10,000.
    """
    digest = blake2b(f"{salt}|{unit}".encode()).digest()[:8]
    return int.from_bytes(digest, "big") % WHOLE


def takes_canary(salt: str, unit: str, share_bp: int) -> bool:
    """Say whether a unit gets the canary at this share; growing the share never takes a unit back."""
    return share_bp > 0 and bucket_of(salt, unit) < share_bp
