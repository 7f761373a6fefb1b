"""Checksums of national and bank numbers, on the examples that their issuers publish."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from undrift.data.personal import national

KNOWN: list[tuple[Callable[[str], bool], str, str]] = [
    (national.is_iban, "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
    (national.is_iban, "DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 01"),
    (national.is_card, "4111 1111 1111 1111", "4111 1111 1111 1112"),
    (national.is_card, "3782-822463-10005", "9782-822463-10005"),
    (national.is_ssn, "219-09-9999", "000-09-9999"),
    (national.is_nino, "AB 12 34 56 C", "QQ 12 34 56 C"),
    (national.is_steuer_id, "86 095 742 719", "86 095 742 718"),
    (national.is_nir, "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
    (national.is_codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
    (national.is_dni, "12345678Z", "12345678A"),
    (national.is_dni, "X1234567L", "X1234567M"),
    (national.is_bsn, "111222333", "111222334"),
    (national.is_pesel, "44051401359", "44051401358"),
    (national.is_cpf, "529.982.247-25", "529.982.247-26"),
    (national.is_aadhaar, "2341 2341 2346", "2341 2341 2347"),
    (national.is_personnummer, "811218-9876", "811218-9877"),
]


@pytest.mark.parametrize(("check", "good", "bad"), KNOWN)
def test_a_check_takes_the_known_number_and_no_neighbour(check: Callable[[str], bool], good: str, bad: str) -> None:
    """One wrong digit, or a prefix that is never given, is refused."""
    assert check(national.bare(good))
    assert not check(national.bare(bad))


@pytest.mark.parametrize("text", ["", "a", "²" * 11, "٣" * 11, "0" * 40, "-"])
def test_a_check_takes_any_text(text: str) -> None:
    """Nothing that a cell may hold makes a check fail, or pass."""
    checks = [*national.NUMBERS.values(), national.is_iban, national.is_card, national.is_ssn]
    assert not any(check(national.bare(text)) for check in checks)
