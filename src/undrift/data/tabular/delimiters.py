"""Which character stands between the cells of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from undrift.core.errors import DecisionNeeded
from undrift.data.tabular.text_file import TextFile

CANDIDATES = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_SAMPLE_RECORDS = 500


class AmbiguousDelimiter(DecisionNeeded):
    """Two characters divide header and rows equally well; both readings are shown."""

    code = "ambiguous-delimiter"


@dataclass(frozen=True, slots=True)
class _Fit:
    """How a file's first records are divided by a character."""

    delimiter: str
    header: tuple[str, ...]
    agreeing: float

    @property
    def divides(self) -> bool:
        return len(self.header) > 1


def find_delimiter(text: TextFile, usual: str) -> str:
    """Return the character that divides the header and the first rows into the same number of cells.

    Parameters
    ----------
    text : TextFile
        The file.
    usual : str
        What its name lets expect; taken when no character divides the header.

    Raises
    ------
    AmbiguousDelimiter
        If two characters do so equally well.
    """
    fits = [fit for fit in (_fit(text, one) for one in CANDIDATES) if fit.divides]
    whole = [fit for fit in fits if fit.agreeing == 1.0]
    if not whole:
        # The reader then names the first line of another width.
        return max(fits, key=lambda fit: (fit.agreeing, len(fit.header))).delimiter if fits else usual
    if usual == "\t" and any(fit.delimiter == usual for fit in whole):
        return usual  # the name .tsv says so
    best, *others = sorted(whole, key=lambda fit: -len(fit.header))
    if others and len(best.header) < 2 * len(others[0].header):
        raise AmbiguousDelimiter(
            f"the header can be divided by {NAMES[best.delimiter]}s ({_told(best)}) "
            f"or by {NAMES[others[0].delimiter]}s ({_told(others[0])})",
            cure=f"say which: --delimiter {_word(best)} or --delimiter {_word(others[0])}",
        )
    return best.delimiter


def delimiter_for(text: TextFile, names: Collection[str], stored: str) -> str | None:
    """Return the character under which the header has exactly these names, the stored one first; None if none does."""
    wanted = set(names)
    for delimiter in dict.fromkeys((text.delimiter or stored, stored, *CANDIDATES)):
        header = _header(text, delimiter)
        if wanted == set(header[1:] if not header[0].strip() else header):
            return delimiter
    return None


def _fit(text: TextFile, delimiter: str) -> _Fit:
    records = _records(text, delimiter)
    header = next(records, [])
    widths = [len(record) for record in islice(records, _SAMPLE_RECORDS)]
    agreeing = sum(width == len(header) for width in widths) / len(widths) if widths else 1.0
    return _Fit(delimiter, tuple(header), agreeing)


def _header(text: TextFile, delimiter: str) -> list[str]:
    return next(_records(text, delimiter), [""])


def _records(text: TextFile, delimiter: str) -> Iterator[list[str]]:
    """Give the records of the first mebibyte that are not blank, but the last, which may be cut."""
    head = text.head
    whole = len(head) == len(text.data)
    lines = io.StringIO(head.decode("utf-8", "ignore"), newline="")
    held: list[str] | None = None
    try:
        for record in csv.reader(lines, delimiter=delimiter):
            if held:
                yield held
            held = record
    except csv.Error:  # a cell of more than 131,072 characters: what was seen must do
        whole = True
    if held and whole:
        yield held


def _told(fit: _Fit) -> str:
    return f"{len(fit.header)} columns, the first {fit.header[0][:30]!r}"


def _word(fit: _Fit) -> str:
    return "tab" if fit.delimiter == "\t" else f"'{fit.delimiter}'"
