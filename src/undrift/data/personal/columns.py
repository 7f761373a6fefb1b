"""Which columns are likely personal data, by their names and by a bounded sample of their cells.

The evidence is told in words and counts, never with a cell. A checksum counts when nearly all of the
different values pass it: one in ten numbers of sixteen digits passes Luhn's check by chance.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from undrift.core.config import DatasetSettings
from undrift.data.personal.national import NUMBERS, bare, is_card, is_iban, is_ssn
from undrift.data.personal.words import (
    FIRST_NAMES,
    NAME_PAIRS,
    NAMES,
    NOT_OF_A_PERSON,
    PERSONS,
    SURE_NAMES,
    WORDS,
)

SAMPLE_ROWS = 2_000
_EDGE_ROWS = 500
_NEARLY_ALL = 0.8
_MOST = 0.6
_SOME = 0.1
FEWEST = 5
"""So many different values must look personal where the column's name does not say so."""
_FEWEST_NAMED = 1
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}")
_PHONE = re.compile(r"(\+[0-9][0-9 ()./-]{6,18}[0-9]|\([0-9]{2,5}\) ?[0-9][0-9 ./-]{4,12}[0-9])\Z")
_AMERICAN = re.compile(r"(1[-. ])?[2-9][0-9]{2}[-. ][2-9][0-9]{2}[-. ][0-9]{4}\Z")
_DIALLED = re.compile(r"\+?[0-9 ()./-]{7,20}\Z")
_SSN_SPELT = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}\Z")
_POSTCODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9 -]{1,9}\Z")
_DAY = re.compile(r"([0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}[-./ ][0-9]{1,2}[-./ ][0-9]{2,4})\b")
_PERSON = re.compile(r"[^\W\d_][\w'.-]*,?( [^\W\d_(\"][\w'.\-()\"]*){1,5}\Z")
_CODE = re.compile(r"(?=(.*[0-9]){4})[A-Za-z0-9][A-Za-z0-9 ./-]{4,30}\Z")
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15
_SMALLEST_NUMBER = 10.0 ** (_FEWEST_DIGITS - 1)


@dataclass(frozen=True, slots=True)
class Personal:
    """Why a column is taken for personal data.

    Attributes
    ----------
    kind : str
        ``"e-mail"``, ``"phone"``, ``"name"``, ``"IBAN"``, ``"payment card"``, ``"national number"``,
        ``"IP address"``, ``"street address"``, ``"postcode"``, ``"date of birth"``,
        ``"geo coordinates"``, or ``"stated"`` where the settings say so.
    evidence : str
        In words and counts; no cell.
    """

    kind: str
    evidence: str


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as it is looked at: the words of its name and different values of the sample."""

    words: tuple[str, ...]
    values: tuple[str, ...]
    rows: int
    dtype: pl.DataType

    @property
    def is_text(self) -> bool:
        return self.dtype in (pl.String, pl.Categorical, pl.Enum)

    @property
    def is_varied(self) -> bool:
        """Whether the values are as many as those of different people would be."""
        return len(self.values) > 1 and 2 * len(self.values) >= min(self.rows, 100)

    def named(self, words: Collection[str]) -> bool:
        """Say whether the name holds one of some words, or two of its words make up one."""
        joined = {one + other for one, other in zip(self.words, self.words[1:], strict=False)}
        joined.add("".join(self.words))
        return any(word in words for word in (*self.words, *joined))

    def found(self, fits: Callable[[str], bool], share: float, fewest: int = FEWEST) -> str:
        """Return the count in words when so many of the values fit, else nothing."""
        hits = sum(map(fits, self.values))
        if hits < fewest or hits < share * len(self.values):
            return ""
        return f"{hits:,} of {len(self.values):,} different sampled values"


def personal_columns(frame: pl.DataFrame, settings: DatasetSettings | None = None) -> dict[str, Personal]:
    """Return the columns of a table that are likely personal data.

    Parameters
    ----------
    frame : polars.DataFrame
        The table; of more than 2,000 rows the first and last 500 and 1,000 between them are looked at.
    settings : DatasetSettings, optional
        What ``[datasets.NAME]`` says: ``personal`` columns are, ``not_personal`` ones are not.

    Returns
    -------
    dict of str to Personal
        In the table's order.
    """
    stated = settings or DatasetSettings()
    sample = sampled(frame.lazy(), frame.height)
    found: dict[str, Personal] = {}
    for name in frame.columns:
        if name in stated.personal:
            found[name] = Personal("stated", "undrift.toml says so")
        elif name not in stated.not_personal:
            looked = _looked_at(sample[name])
            personal = next(_judged(looked), None) if looked is not None else None
            if personal is not None:
                found[name] = personal
    return found


def suspected_columns(frame: pl.DataFrame, by_name: Collection[str]) -> set[str]:
    """Return the columns of a few rows that may be personal, where too little is there to tell.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows; all of them are looked at.
    by_name : collection of str
        Columns of which nothing else is known: their name alone is enough.

    Returns
    -------
    set of str
        Those of which one of ten cells is an e-mail address, or most an IBAN, a card or the like, however few there
        are; those with such a name; and nested ones, which are not looked into.
    """
    found = {name for name in by_name if _is_named_personal(_words(name))}
    for name in frame.columns:
        if frame[name].dtype.is_nested() or frame[name].dtype == pl.Binary:
            found.add(name)
            continue
        looked = _looked_at(frame[name])
        if looked is not None and any(
            looked.found(fits, share, _FEWEST_NAMED) for kind, fits, share in _CONTENTS if looked.is_text
        ):
            found.add(name)
    return found


def holds_address(text: str) -> bool:
    """Say whether a text holds an e-mail address."""
    return _is_email(text)


def sampled(table: pl.LazyFrame, rows: int) -> pl.DataFrame:
    """Return the rows of a table that are looked at: all of 2,000, else its two ends and rows between them."""
    if rows <= SAMPLE_ROWS:
        return table.collect()
    inner = SAMPLE_ROWS - 2 * _EDGE_ROWS
    middle = table.slice(_EDGE_ROWS, rows - 2 * _EDGE_ROWS).gather_every((rows - 2 * _EDGE_ROWS) // inner).head(inner)
    return pl.concat([table.head(_EDGE_ROWS), middle, table.tail(_EDGE_ROWS)]).collect()


def _looked_at(series: pl.Series) -> _Column | None:
    """Return what there is to look at; numbers with a fraction, booleans and the like are nobody's name."""
    if series.dtype.is_float():
        whole = series.drop_nulls().drop_nans()
        if not _named_for_numbers(series.name) and not ((whole == whole.floor()) & (whole >= _SMALLEST_NUMBER)).any():
            return None
        if (whole == whole.floor()).all() and (whole.abs() < 2**63).all():
            series = whole.cast(pl.Int64).alias(series.name)
    elif not (series.dtype.is_integer() or series.dtype.is_temporal() or series.dtype in _TEXTS):
        return None
    present = series.drop_nulls()
    values = present.unique(maintain_order=True).cast(pl.String).str.strip_chars()
    kept = tuple(value for value in values.to_list() if value)
    return _Column(_words(series.name), kept, present.len(), series.dtype) if kept else None


_TEXTS = (pl.String, pl.Categorical, pl.Enum)


def _named_for_numbers(name: str) -> bool:
    return bool(set(_words(name)) & WORDS["geo coordinates"])


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a column's name, small and without accents."""
    spelt = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ł", "l").replace("ø", "o"))
    plain = "".join(letter for letter in spelt if not unicodedata.combining(letter))
    return tuple(word.lower() for word in _WORD.findall(plain))


def _judged(column: _Column) -> Iterator[Personal]:
    """Give what the column is, the surest first."""
    yield from _by_content(column)
    yield from _by_name(column)


def _by_content(column: _Column) -> Iterator[Personal]:
    for kind, fits, share in _CONTENTS:
        if (column.is_text or kind != "e-mail") and (told := column.found(fits, share)):
            yield Personal(kind, f"{told} {_SAYS.get(kind, f'are well-formed: {kind}')}")
    for name, check in NUMBERS.items():
        if told := column.found(lambda value, check=check: check(bare(value)), _NEARLY_ALL):  # type: ignore[misc]  # mypy sees no type for a default
            yield Personal("national number", f"{told} pass the check of a {name}")
    if column.is_text and column.is_varied and (told := column.found(_is_person, _MOST)):
        known = sum(_first_name(value) in FIRST_NAMES for value in column.values)
        if known >= max(FEWEST, len(column.values) // 4):
            yield Personal("name", f"{told} are two or more words, {known:,} begin with a common first name")


def _is_named_personal(words: tuple[str, ...]) -> bool:
    """Say whether the name of a column alone says that its cells are of a person."""
    column = _Column(words, (), 0, pl.String())
    alone = set(words)
    if column.named(SURE_NAMES) or (alone & NAMES and alone & (PERSONS | NAME_PAIRS)):
        return True
    kinds = {kind for kind, known in WORDS.items() if column.named(known)}
    if not alone & _AT_HOME:
        kinds.discard("geo coordinates")
    return bool(kinds) and not alone & NOT_OF_A_PERSON


def _by_name(column: _Column) -> Iterator[Personal]:
    words = set(column.words)
    many = column.is_text and column.is_varied
    says_so = column.is_text and (column.named(SURE_NAMES) or (words & NAMES and words & (PERSONS | NAME_PAIRS)))
    if says_so and many:
        yield Personal("name", "its name says so and its values are many")
    elif says_so and (told := column.found(_is_full_name, _MOST, _FEWEST_NAMED)):
        yield Personal("name", f"its name says so and {told} are two or more words")
    elif column.is_text and words and words <= NAMES:
        yield from _by_plain_name(column)
    if words & NOT_OF_A_PERSON:
        return
    for kind, known in WORDS.items():
        if not column.named(known) or (kind == "geo coordinates" and not words & _AT_HOME):
            continue
        told = column.found(_LOOKS[kind], _SOME if kind == "e-mail" else _MOST, _FEWEST_NAMED)
        if told and (column.is_varied or kind in ("e-mail", "postcode", "date of birth")):
            yield Personal(kind, f"its name says so and {told} look like it")


def _by_plain_name(column: _Column) -> Iterator[Personal]:
    """Give what a column called just ``name`` is: products and cities are called so, too."""
    told = column.found(_is_person, _MOST, _FEWEST_NAMED)
    if told and column.is_varied:
        yield Personal("name", f"its name says so and {told} are two or more words")
    elif told := column.found(_is_full_name, _MOST, _FEWEST_NAMED):
        known = sum(_first_name(value) in FIRST_NAMES for value in column.values)
        if known >= max(1, len(column.values) // 4):
            yield Personal(
                "name", f"its name says so, {told} are capitalised, {known:,} begin with a common first name"
            )


def _is_email(value: str) -> bool:
    return "@" in value and bool(_EMAIL.search(value))


def _is_phone(value: str) -> bool:
    return bool(_PHONE.match(value) or _AMERICAN.match(value)) and _is_diallable(value)


def _is_diallable(value: str) -> bool:
    digits = sum(letter.isdigit() for letter in value)
    return _FEWEST_DIGITS <= digits <= _MOST_DIGITS and bool(_DIALLED.match(value))


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_street(value: str) -> bool:
    return any(letter.isalpha() for letter in value) and any(letter.isdigit() for letter in value) and " " in value


def _is_person(value: str) -> bool:
    return value[:1].isupper() and bool(_PERSON.match(value))


def _is_full_name(value: str) -> bool:
    """Say whether a text is words that all begin with a capital, small words such as 'van' within it apart."""
    words = value.replace(",", " ").split()
    return _is_person(value) and all(word[0].isupper() for word in (words[0], words[-1]))


def _first_name(value: str) -> str:
    """Return the first name of 'Ada Lovelace', and of 'Lovelace, Mrs. Ada'."""
    _, comma, behind = value.partition(",")
    words = [word for word in (behind if comma else value).split() if not word.endswith(".")]
    return "".join(_words(words[0])) if words else ""


_AT_HOME = frozenset({"home", "user", "gps", "customer", "person", "residence", "patient", "device"})
_CONTENTS: tuple[tuple[str, Callable[[str], bool], float], ...] = (
    ("e-mail", _is_email, _SOME),
    ("IBAN", lambda value: is_iban(bare(value)), _NEARLY_ALL),
    ("payment card", lambda value: is_card(bare(value)), _NEARLY_ALL),
    ("phone", _is_phone, _NEARLY_ALL),
    ("national number", lambda value: bool(_SSN_SPELT.match(value)) and is_ssn(bare(value)), _NEARLY_ALL),
    ("IP address", lambda value: not value.isdecimal() and _is_address(value), _NEARLY_ALL),
)
_SAYS: Mapping[str, str] = {
    "e-mail": "hold an e-mail address",
    "IBAN": "pass the check of an IBAN (mod 97)",
    "payment card": "have an issuer's prefix and pass the check of a payment card (Luhn)",
    "phone": "are written like telephone numbers",
    "national number": "are written like US social security numbers",
    "IP address": "are IP addresses",
}
_LOOKS: Mapping[str, Callable[[str], bool]] = {
    "e-mail": _is_email,
    "phone": _is_diallable,
    "street address": _is_street,
    "postcode": lambda value: bool(_POSTCODE.match(value)),
    "date of birth": lambda value: bool(_DAY.match(value)),
    "national number": lambda value: bool(_CODE.match(value)),
    "geo coordinates": lambda value: bool(re.match(r"-?[0-9]{1,3}(\.[0-9]+)?", value)),
}
