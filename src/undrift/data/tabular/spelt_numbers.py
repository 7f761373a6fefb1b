"""Numbers as people write them: ``1.234,5``, ``1'234.50``, ``12.5 %``.

A style is stored as the example of itself (``1.234,5 %``), so that a schema can be read without a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import polars as pl

_GROUPS = {".": r"\.", ",": ",", " ": "[ \u00a0\u202f]", "'": "['\u2019]", "": ""}
_CODE_DIGITS = 7
_MARKS = r"[.,'\u2019 \u00a0\u202f%+-]"


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How the numbers of a column are written.

    Attributes
    ----------
    point : {".", ","}
        What stands before the fraction.
    thousands : {"", ".", ",", " ", "'"}
        What may stand between groups of three digits; a space stands for those that do not break, too.
    percent : bool
        Whether every number has a percent sign behind it.
    plus : bool
        Whether a plus sign may stand before it.
    """

    point: str = "."
    thousands: str = ""
    percent: bool = False
    plus: bool = False

    @property
    def example(self) -> str:
        """The number 1234.5 in this style."""
        return f"{'+' if self.plus else ''}1{self.thousands}234{self.point}5{' %' if self.percent else ''}"

    def fits(self, texts: pl.Series) -> bool:
        """Say whether all texts are numbers in this style."""
        return bool(texts.str.contains(self._pattern).all())

    def read(self, texts: pl.Series, dtype: pl.DataType) -> pl.Series:
        """Return the numbers, null where a text is none."""
        known = texts.set(~texts.str.contains(self._pattern).fill_null(value=True), None)
        if self.thousands:
            known = known.str.replace_all(_GROUPS[self.thousands], "")
        if self.percent:
            known = known.str.replace(r"[ \u00a0\u202f]*%$", "")
        if self.point == ",":
            known = known.str.replace(",", ".", literal=True)
        return known.str.strip_prefix("+").cast(dtype, strict=False)

    @property
    def _pattern(self) -> str:
        point = r"\." if self.point == "." else ","
        grouped = rf"|[1-9][0-9]{{0,2}}(?:{_GROUPS[self.thousands]}[0-9]{{3}})+" if self.thousands else ""
        number = rf"(?:(?:0|[1-9][0-9]*{grouped})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        sign = "[+-]?" if self.plus else "-?"
        unit = r"[ \u00a0\u202f]*%" if self.percent else ""
        words = "" if self.percent else r"|[+-]?(?i:nan|inf|infinity)"
        return rf"^(?:{sign}{number}{unit}{words})$"


_PAIRS = ((".", ""), (".", ","), (".", " "), (".", "'"), (",", "."), (",", " "), (",", "'"))
PLAIN = NumberStyle()
_BY_EXAMPLE = {
    style.example: style
    for style in (NumberStyle(*pair, *signs) for pair, signs in product(_PAIRS, product((False, True), repeat=2)))
}


def number_style(example: str) -> NumberStyle | None:
    """Return the style that an example shows, None when it shows none; nothing shows the plain one."""
    return _BY_EXAMPLE.get(example) if example else PLAIN


@dataclass(frozen=True, slots=True)
class NumberStyles:
    """The styles under which all cells of a column are numbers.

    Attributes
    ----------
    styles : tuple of NumberStyle
        At most one in which a point, and one in which a comma stands before the fraction; none when the
        cells are no numbers.
    tells : {"", ".", ","}
        What stands before fractions in this column for certain; empty when it does not say.
    """

    styles: tuple[NumberStyle, ...] = ()
    tells: str = ""


def styles_of(texts: pl.Series) -> NumberStyles:
    """Return the styles in which all cells of a column are numbers.

    Parameters
    ----------
    texts : polars.Series
        The cells, stripped, none of them missing.
    """
    percent = bool(texts.str.ends_with("%").all())
    plus = bool(texts.str.starts_with("+").any())
    if plus and not _has_signs_for_numbers(texts):
        return NumberStyles()
    found: dict[str, NumberStyle] = {}
    for point, thousands in _PAIRS:
        style = NumberStyle(point, thousands, percent, plus)
        if point not in found and style.fits(texts):
            found[point] = style
    if not found or _are_codes(texts, found):
        return NumberStyles()
    used = {mark for mark in ".," if texts.str.contains(mark, literal=True).any()}
    if not used:  # neither reading differs: the plain one is taken, with spaces or apostrophes as they stand
        return NumberStyles((found.get(".") or found[","],))
    return NumberStyles(tuple(found.values()), next(iter(found)) if len(found) == 1 else "")


def _has_signs_for_numbers(texts: pl.Series) -> bool:
    """Say whether a plus stands for a gain, not for a telephone number: there are losses or fractions, too."""
    return bool((texts.str.starts_with("-") | texts.str.contains(r"[0-9][.,][0-9]")).any())


def _are_codes(texts: pl.Series, found: dict[str, NumberStyle]) -> bool:
    """Say whether groups of digits are a code such as 552 100 554: of one length, longer than a million's."""
    if not any(style.thousands == " " for style in found.values()) or texts.str.contains(r"[.,%]").any():
        return False
    digits = texts.str.replace_all(_MARKS, "").str.len_bytes()
    return digits.n_unique() == 1 and digits[0] >= _CODE_DIGITS
