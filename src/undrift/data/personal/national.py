"""Numbers that states and banks give to people: which texts are well-formed, by their own checksums.

Each check takes a text without spaces, dots, dashes and slashes, in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

_GAPS = str.maketrans("", "", " .-/\u00a0")
_LETTERS_OF_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_FISCAL = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]\Z")
_FISCAL_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]\Z")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\Z")
_NIR = re.compile(r"[12378][0-9]{2}(0[1-9]|1[0-2]|[2-9][0-9])([0-9]{2}|2A|2B)[0-9]{8}\Z")
_SSN = re.compile(r"(?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}\Z")
_VERHOEFF_TURN = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")  # fmt: skip  # noqa: E501
_COORDINATION = 60
_CORNERS = 5
_CARD = re.compile(
    r"(4[0-9]{12}([0-9]{3}){0,2}"  # 13, 16 or 19 digits
    r"|(5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(0[0-5]|[68][0-9])[0-9]{11}|35(2[89]|[3-8][0-9])[0-9]{12}"
    r"|(6011|65[0-9]{2}|64[4-9][0-9])[0-9]{12}|62[0-9]{14,17})\Z"
)


def bare(text: str) -> str:
    """Return a text without the marks that group digits, in capitals."""
    return text.translate(_GAPS).upper()


def is_iban(text: str) -> bool:
    """Say whether a bare text is an international bank account number (mod 97)."""
    if not _IBAN.match(text):
        return False
    moved = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def is_card(text: str) -> bool:
    """Say whether a bare text has an issuer's prefix and length and passes Luhn's check."""
    return bool(_CARD.match(text)) and luhn(text)


def luhn(digits: str) -> bool:
    """Say whether digits pass Luhn's check."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) << (place & 1)
        total += value // 10 + value % 10
    return total % 10 == 0


def is_ssn(text: str) -> bool:
    """Say whether a bare text follows the rules of a United States social security number."""
    return bool(_SSN.match(text))


def is_nino(text: str) -> bool:
    """Say whether a bare text is a British national insurance number."""
    return bool(_NINO.match(text))


def is_steuer_id(text: str) -> bool:
    """Say whether a bare text is a German tax number (ISO 7064, and the rule of repeated digits)."""
    if not _is_digits(text, 11) or text[0] == "0":
        return False
    counts = sorted(text.count(digit, 0, 10) for digit in set(text[:10]))
    if counts[-1] not in (2, 3) or (len(counts) > 1 and counts[-2] != 1):
        return False
    product = 10
    for digit in text[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(text[10])


def is_nir(text: str) -> bool:
    """Say whether a bare text is a French social security number (mod 97)."""
    if not _NIR.match(text):
        return False
    number = int(text[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(text[13:])


def is_codice_fiscale(text: str) -> bool:
    """Say whether a bare text is an Italian fiscal code."""
    if not _FISCAL.match(text):
        return False
    total = 0
    for place, letter in enumerate(text[:15]):
        rank = int(letter) if letter.isdigit() else ord(letter) - 65
        total += rank if place % 2 else _FISCAL_ODD[rank]
    return chr(65 + total % 26) == text[15]


def is_dni(text: str) -> bool:
    """Say whether a bare text is a Spanish identity number, of a citizen or a foreigner."""
    if not re.match(r"[XYZ0-9][0-9]{7}[A-Z]\Z", text):
        return False
    first = str("XYZ".index(text[0])) if text[0] in "XYZ" else text[0]
    return text[8] == _LETTERS_OF_DNI[int(first + text[1:8]) % 23]


def is_bsn(text: str) -> bool:
    """Say whether a bare text is a Dutch citizen service number (the proof by eleven)."""
    return _is_digits(text, 9) and text != "0" * 9 and _weighed(text, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_pesel(text: str) -> bool:
    """Say whether a bare text is a Polish PESEL, its birthday being one."""
    if not _is_digits(text, 11) or _weighed(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10:
        return False
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[int(text[2]) // 2]
    return _is_day(century + int(text[:2]), int(text[2:4]) % 20, int(text[4:6]))


def is_cpf(text: str) -> bool:
    """Say whether a bare text is a Brazilian CPF."""
    if not _is_digits(text, 11) or len(set(text)) == 1:
        return False
    for length in (9, 10):
        total = _weighed(text[:length], range(length + 1, 1, -1))
        if total * 10 % 11 % 10 != int(text[length]):
            return False
    return True


def is_aadhaar(text: str) -> bool:
    """Say whether a bare text is an Indian Aadhaar number (Verhoeff's check)."""
    if not _is_digits(text, 12) or text[0] in "01":
        return False
    check = 0
    for place, digit in enumerate(reversed(text)):
        check = _turned(check, int(_VERHOEFF_TURN[place % 8][int(digit)]))
    return check == 0


def is_personnummer(text: str) -> bool:
    """Say whether a bare text is a Swedish personal number, with or without its century."""
    found = re.match(r"(18|19|20)?([0-9]{2})([0-9]{2})([0-9]{2})\+?[0-9]{4}\Z", text)
    if not found or not luhn(text.replace("+", "")[-10:]):
        return False
    century, year, month, day = found.groups()
    born = int(day) % _COORDINATION  # people without a home in Sweden have 60 added to their day
    return any(_is_day(int(first + year), int(month), born) for first in ([century] if century else ["19", "20"]))


NUMBERS: Mapping[str, Callable[[str], bool]] = {
    "UK national insurance number": is_nino,
    "Italian codice fiscale": is_codice_fiscale,
    "Spanish DNI or NIE": is_dni,
    "French NIR": is_nir,
    "Brazilian CPF": is_cpf,
    "Indian Aadhaar number": is_aadhaar,
    "Polish PESEL": is_pesel,
    "German Steuer-ID": is_steuer_id,
    "Swedish personnummer": is_personnummer,
    "Dutch BSN": is_bsn,
}
"""Checks of national numbers, the least likely by chance first."""


def _is_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdecimal()


def _weighed(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _turned(one: int, other: int) -> int:
    """Return the product of two elements of the group of the regular pentagon's symmetries."""
    turned = one - other if one >= _CORNERS else one + other
    return turned % _CORNERS + (0 if (one < _CORNERS) == (other < _CORNERS) else _CORNERS)
