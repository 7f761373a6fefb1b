"""Texts as hashed words: no vocabulary, so that no word of a row is kept anywhere."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from zlib import crc32

MOST_PLACES = 4096
_WORD = re.compile(r"\w+")
_SIGN = 1 << 31


def hashed(text: str, places: int) -> dict[int, float]:
    """Return a text's words as a vector of length one.

    Parameters
    ----------
    text : str
        Any text; words are runs of letters, digits and underscores, upper and lower case alike.
    places : int
        Length of the vector.

    Returns
    -------
    dict of int to float
        Values by place; empty for a text without words, or whose words cancel each other out.

    Notes
    -----
    Each word adds 1 or -1 at one place, both by its CRC-32 (Weinberger et al. 2009, section 2).
    """
    sums: dict[int, int] = {}
    for word in _WORD.findall(text.lower()):
        place, sign = _place(word, places)
        sums[place] = sums.get(place, 0) + sign
    length = math.sqrt(sum(count * count for count in sums.values()))
    return {place: count / length for place, count in sums.items() if count}


@lru_cache(maxsize=65_536)
def _place(word: str, places: int) -> tuple[int, int]:
    code = crc32(word.encode("utf-8", "surrogatepass"))
    return code % places, 1 if code & _SIGN else -1
