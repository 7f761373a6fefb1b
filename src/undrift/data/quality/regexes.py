"""Regular expressions of Python in the dialect that all engines share.

A suite's patterns are Python's. The engines run Rust's regex and RE2, which agree with Python, and with each other,
on most of the syntax. What they do not share is rewritten here; what cannot be is left to Python itself.
"""

from __future__ import annotations

import re

import polars as pl

from undrift.data.quality.expressions import Expression, Predicate, judged, matches
from undrift.data.quality.suite import BadSuite

# Written out, so that Unicode counts in RE2 as it does in Python.
_CLASSES = {"d": r"\p{Nd}", "w": r"\p{L}\p{N}_", "s": r"\s\x0b\x1c-\x1f\x{85}\p{Z}"}
_NEGATED = {"D": "d", "W": "w", "S": "s"}
_ESCAPES_KEPT = set("tnrfv.^$*+?{}[]\\|()-/") | set("\"'#&~<>=:;,@!%` _")
_TOKEN = re.compile(r"\\(?:[0-7xuUNbBAZ1-9]|.)|\[|\]|\(\?[^:)P]?|[{*+?}]{1,2}|.", re.DOTALL)
_REPEAT = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_MOST_REPEATS = 1000  # RE2's limit


def found_in(text: Expression, pattern: str) -> Expression:
    """Return where a regular expression of Python is found in a text, as ``re.search`` finds it.

    Raises
    ------
    BadSuite
        If it is no regular expression.
    """
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise BadSuite(f"{pattern!r} is not a regular expression: {error}", cure="see Python's re module") from error
    shared = portable(pattern)
    if shared is not None:
        return matches(text, shared)
    return judged(text, Predicate(f"regex {pattern}", lambda value: compiled.search(value) is not None))


def portable(pattern: str) -> str | None:
    """Return a pattern that Rust's regex and RE2 find where Python finds this one, None if there is no such pattern.

    Parameters
    ----------
    pattern : str
        A valid regular expression of Python.
    """
    if not pattern.isascii() or any(_has_wide_repeat(found) for found in _REPEAT.finditer(pattern)):
        return None
    written: list[str] = []
    place, in_class = 0, False
    while place < len(pattern):
        char = pattern[place]
        if char == "\\":
            piece, width = _escaped(pattern, place, in_class), 2
        elif in_class:
            piece, width = _in_class(pattern, place, written), 1
            in_class = char != "]" or written[-1] in {"[", "[^"}
        else:
            piece, width = _outside(pattern, place)
            in_class = piece in {"[", "[^"}
        if piece is None:
            return None
        written.append(piece)
        place += width
    shared = "".join(written)
    return shared if _is_taken(shared) else None


def _is_taken(pattern: str) -> bool:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError:
        return False
    return True


def _escaped(pattern: str, place: int, in_class: bool) -> str | None:
    letter = pattern[place + 1]
    if letter in _CLASSES:
        return _CLASSES[letter] if in_class else f"[{_CLASSES[letter]}]"
    if letter in _NEGATED:
        return None if in_class else f"[^{_CLASSES[_NEGATED[letter]]}]"
    if letter == "A" and not in_class:
        return r"\A"
    if letter == "Z" and not in_class:
        return r"\z"
    return _plain(letter) if letter in _ESCAPES_KEPT else None


def _plain(letter: str) -> str:
    """Return an escape that both dialects take: they refuse some that mean nothing."""
    needless = "\"'#&~<>=:;,@!%` _/"
    return letter if letter in needless and letter not in "&~#-" else f"\\{letter}"


def _in_class(pattern: str, place: int, written: list[str]) -> str | None:
    char = pattern[place]
    first = written[-1] in {"[", "[^"}
    if char == "]":
        return r"\]" if first else "]"
    if char == "[":
        return r"\["
    doubled = pattern[place : place + 2] in {"&&", "~~", "||", "--"}  # operations on sets in Rust
    return None if doubled else (r"\&" if char == "&" else r"\~" if char == "~" else char)


def _outside(pattern: str, place: int) -> tuple[str | None, int]:
    char, rest = pattern[place], pattern[place:]
    if char == "[":
        return ("[^", 2) if rest.startswith("[^") else ("[", 1)
    if char == "(" and rest.startswith("(?"):
        return ("(?:", 3) if rest.startswith("(?:") else (None, 1)  # flags, names and looking around
    if char == "$":
        # Python's stands before a last line break, too. It can be eaten where nothing follows.
        return (r"(?:\n?\z)", 1) if _ends(rest[1:]) else (None, 1)
    if char == "{" and not _REPEAT.match(rest):
        return r"\{", 1
    if char == "}" and not _closes(pattern, place):
        return r"\}", 1
    possessive = len(rest) > 1 and char in "*+?}" and rest[1] == "+"
    return (None, 1) if possessive else (char, 1)


def _ends(rest: str) -> bool:
    return not rest.strip(")") or re.match(r"\)*\|", rest) is not None


def _closes(pattern: str, place: int) -> bool:
    begin = pattern.rfind("{", 0, place)
    return begin >= 0 and _REPEAT.fullmatch(pattern[begin : place + 1]) is not None


def _has_wide_repeat(found: re.Match[str]) -> bool:
    numbers = [int(number) for number in found.groups() if number]
    no_least = found[1] == ""  # "{,3}" is a repetition only in Python
    return no_least or any(number > _MOST_REPEATS for number in numbers)


def like(pattern: str, escape: str | None) -> str:
    """Return the regular expression, of Python, of an SQL ``LIKE`` pattern.

    Parameters
    ----------
    pattern : str
        With ``%`` for any text and ``_`` for one character.
    escape : str or None
        The character that takes their meaning from these.

    Raises
    ------
    BadSuite
        If the escape is not one character, or escapes nothing.
    """
    if escape is not None and len(escape) != 1:
        raise BadSuite(f"escape={escape!r} is not one character", cure="give one character")
    written, place = [], 0
    while place < len(pattern):
        char = pattern[place]
        if escape is not None and char == escape:
            place += 1
            if place == len(pattern):
                raise BadSuite(f"{pattern!r} ends with its escape character", cure="write it twice")
            written.append(re.escape(pattern[place]))
        else:
            written.append({"%": r"[\s\S]*", "_": r"[\s\S]"}.get(char, re.escape(char)))
        place += 1
    return rf"\A{''.join(written)}\Z"
