"""What a caller says about how a table is written; what nobody says is found in the file."""

from __future__ import annotations

import codecs
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from undrift.core.config import DatasetSettings
from undrift.core.errors import BadInput, DecisionNeeded

_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_NEVER_A_DELIMITER = '"\r\n'
_FIRST_PRINTABLE, _AFTER_ASCII = 32, 127


class BadReading(BadInput):
    """What is said about a file contradicts itself, or cannot be true of any file."""

    code = "bad-reading"


class AmbiguousDates(DecisionNeeded):
    """All dates of a column are days under two orders; both readings are shown."""

    code = "ambiguous-dates"


class AmbiguousNumbers(DecisionNeeded):
    """All cells of a column are numbers under two meanings of a comma or point; both readings are shown."""

    code = "ambiguous-numbers"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is written, as far as a caller says so.

    Attributes
    ----------
    delimiter : str or None
        The one ASCII character between cells (or ``tab``); found in the file when not said.
    encoding : str or None
        A text encoding that Python knows; found in the file when not said.
    day_first, month_first : tuple of str
        Columns whose dates are written 31/12/2013, or 12/31/2013, where the cells leave it open.
    decimal_comma, decimal_point : tuple of str
        Columns whose numbers are written 1.234,5, or 1,234.5, where the cells leave it open.
    as_text : tuple of str
        Columns whose cells stay text, whatever they look like.

    Raises
    ------
    BadReading
        If a value can be true of no file, or a column is said to be two things.
    """

    delimiter: str | None = None
    encoding: str | None = None
    day_first: tuple[str, ...] = ()
    month_first: tuple[str, ...] = ()
    decimal_comma: tuple[str, ...] = ()
    decimal_point: tuple[str, ...] = ()
    as_text: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.delimiter is not None:
            object.__setattr__(self, "delimiter", _checked_delimiter(self.delimiter))
        if self.encoding is not None:
            object.__setattr__(self, "encoding", _checked_encoding(self.encoding))
        said: dict[str, str] = {}
        for option in COLUMN_OPTIONS:
            for column in getattr(self, option):
                if said.setdefault(column, option) != option:
                    raise BadReading(
                        f"column {column!r} is said to be {_words(said[column])} and {_words(option)}",
                        cure="say one of them",
                    )

    @classmethod
    def of(cls, settings: DatasetSettings) -> Reading:
        """Return what ``[datasets.NAME]`` says."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    def over(self, weaker: Reading) -> Reading:
        """Return both together; what this one says of a file or a column counts."""
        named = self.columns
        merged = {
            option: (*getattr(self, option), *(one for one in getattr(weaker, option) if one not in named))
            for option in COLUMN_OPTIONS
        }
        return replace(
            weaker, delimiter=self.delimiter or weaker.delimiter, encoding=self.encoding or weaker.encoding, **merged
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of which something is said."""
        return tuple(column for option in COLUMN_OPTIONS for column in getattr(self, option))

    def among(self, names: Collection[str]) -> Reading:
        """Return what is said of some columns only."""
        kept: dict[str, Any] = {  # Any: the type checker does not follow the names of fields
            option: tuple(one for one in getattr(self, option) if one in names) for option in COLUMN_OPTIONS
        }
        return replace(self, **kept)

    def check_columns(self, names: Sequence[str]) -> None:
        """Check that every column of which something is said is there.

        Raises
        ------
        BadReading
            If one is not.
        """
        for option in COLUMN_OPTIONS:
            for column in getattr(self, option):
                if column not in names:
                    raise BadReading(
                        f"there is no column {column!r}, which is said to be {_words(option)}",
                        cure=f"the columns are: {', '.join(names)}",
                    )


COLUMN_OPTIONS = ("day_first", "month_first", "decimal_comma", "decimal_point", "as_text")

NOTHING_SAID = Reading()
"""Everything is found in the file."""


def _words(option: str) -> str:
    return option.replace("_", " ")


def _checked_delimiter(delimiter: str) -> str:
    found = _DELIMITER_NAMES.get(delimiter, delimiter)
    plain = len(found) == 1 and (found == "\t" or _FIRST_PRINTABLE <= ord(found) < _AFTER_ASCII)
    if not plain or found in _NEVER_A_DELIMITER or found.isalnum():
        raise BadReading(f"{delimiter!r} cannot divide cells", cure='say one character such as ";", or tab')
    return found


def _checked_encoding(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # refuses those that are not of text
    except LookupError as error:
        raise BadReading(
            f"{encoding!r} is no text encoding", cure="say one such as utf-8, cp1252, utf-16 or shift_jis"
        ) from error
    return name
