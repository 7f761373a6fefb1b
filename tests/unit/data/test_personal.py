"""Personal columns are found by name and by content, and ordinary ones are left alone."""

from __future__ import annotations

import random
from collections.abc import Callable

import polars as pl
import pytest
from sklearn import datasets

from undrift.core.config import DatasetSettings
from undrift.data.personal.columns import personal_columns
from undrift.data.personal.national import NUMBERS, is_card
from undrift.demo import flights

ROWS = 60
_RANDOM = random.Random(1)


def _numbers(check: Callable[[str], bool], pattern: str) -> list[str]:
    """Return texts of a pattern (9 is any digit) which pass a check."""
    found: list[str] = []
    while len(found) < ROWS:
        text = "".join(str(_RANDOM.randrange(10)) if letter == "9" else letter for letter in pattern)
        if check(text):
            found.append(text)
    return found


PERSONAL: list[tuple[str, list[object], str]] = [
    ("contact", [f"ada.{n}@example.org" for n in range(ROWS)], "e-mail"),
    ("note", [f"write to u{n}@mail.example" if n % 4 == 0 else f"text {n}" for n in range(ROWS)], "e-mail"),
    ("c7", [f"+49 30 9018{n:02d}1" for n in range(ROWS)], "phone"),
    ("Telefon", [f"0301234{n:03d}" for n in range(ROWS)], "phone"),
    ("mobile_number", [15550100000 + n for n in range(ROWS)], "phone"),
    ("pan", list(_numbers(is_card, "4999999999999999")), "payment card"),
    ("x", list(_numbers(NUMBERS["Dutch BSN"], "999999999")), "national number"),
    ("cpf", list(_numbers(NUMBERS["Brazilian CPF"], "99999999999")), "national number"),
    ("y", [f"219-{n:02d}-9999" for n in range(1, ROWS)], "national number"),
    ("host", [f"10.0.{n}.7" for n in range(ROWS)], "IP address"),
    ("Straße", [f"Hauptstraße {n}" for n in range(ROWS)], "street address"),
    ("billingAddress", [f"{n} Main Street" for n in range(ROWS)], "street address"),
    ("plz", [f"0{n:04d}" for n in range(ROWS)], "postcode"),
    ("Date of Birth", [f"1980-01-{1 + n % 28:02d}" for n in range(ROWS)], "date of birth"),
    ("Nachname", [f"Müller{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(ROWS)], "name"),
    ("Name", [f"Braund{chr(97 + n % 26)}{chr(97 + n // 26)}, Mr. Owen Harris" for n in range(ROWS)], "name"),
    ("name", [["Hans Mueller", "Erika Mustermann", "Xaver van Quandt"][n % 3] for n in range(ROWS)], "name"),
    ("full_name", [["Xaver Quandt", "Yorick Zell"][n % 2] for n in range(ROWS)], "name"),
    ("customer_email", [["a@beispiel.de", "b@beispiel.de"][n % 2] for n in range(ROWS)], "e-mail"),
    ("who", [f"Maria Sch{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(ROWS)], "name"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cells", "kind"), PERSONAL)
def test_personal_data_are_found(column: str, cells: list[object], kind: str) -> None:
    """By the name in several languages, or by the cells alone."""
    found = personal_columns(pl.DataFrame({column: cells, "amount": range(len(cells))}))
    assert {name: one.kind for name, one in found.items()} == {column: kind}


def test_the_evidence_holds_no_cell() -> None:
    """Words and counts: a report with it tells nothing of a person."""
    for column, cells, _ in PERSONAL:
        for personal in personal_columns(pl.DataFrame({column: cells})).values():
            assert not any(str(cell) in personal.evidence for cell in cells)


ORDINARY: list[tuple[str, list[object]]] = [
    ("customer_id", [10_000 + n for n in range(ROWS)]),
    ("order_no", [4_000_000_000_000_000 + 7 * n for n in range(ROWS)]),
    ("ean", [str(4_006_381_000_000 + 1_009 * n) for n in range(ROWS)]),
    ("sku", [f"{n:03d}-{(7 * n) % 1000:03d}-{(13 * n) % 10000:04d}" for n in range(ROWS)]),
    ("area", [f"{10_000 + n}" for n in range(ROWS)]),
    ("PhoneService", ["Yes", "No"] * (ROWS // 2)),
    ("email_opt_in", ["yes", "no"] * (ROWS // 2)),
    ("phone_type", ["mobile", "home", "work"] * (ROWS // 3)),
    ("birth_rate", [0.1 * n for n in range(ROWS)]),
    ("zip_ratio", [1 / (n + 1) for n in range(ROWS)]),
    ("product_name", [f"Blue Chair{chr(97 + n % 26)}" for n in range(ROWS)]),
    ("city", [["Paris", "San Francisco", "Sofia", "Santa Clara"][n % 4] for n in range(ROWS)]),
    ("name", [["New York", "San Francisco", "Los Angeles", "Baden Baden"][n % 4] for n in range(ROWS)]),
    ("name", [["Red Wine", "White Wine", "Blue Chair", "Green Tea"][n % 4] for n in range(ROWS)]),
    ("name", [["basic", "pro", "team"][n % 3] for n in range(ROWS)]),
    ("user_name", [["admin", "guest"][n % 2] for n in range(ROWS)]),
    ("email_domain", [["example.org", "beispiel.de"][n % 2] for n in range(ROWS)]),
    ("version", [f"1.{n}.3" for n in range(ROWS)]),
    ("when", [f"2013-01-{1 + n % 28:02d} 08:00" for n in range(ROWS)]),
    ("uuid", [f"{n:08x}-0000-4000-8000-{n:012x}" for n in range(ROWS)]),
    ("cell_size", list(range(ROWS))),
    ("nothing", [None] * ROWS),
]


@pytest.mark.parametrize(("column", "cells"), ORDINARY)
def test_ordinary_columns_raise_no_alarm(column: str, cells: list[object]) -> None:
    """Identifiers, codes, flags about a contact and shares are nobody's data."""
    assert personal_columns(pl.DataFrame({column: cells})) == {}


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits", "linnerud"])
def test_the_tables_of_scikit_learn_raise_no_alarm(name: str) -> None:
    """None of their columns is about a person by name."""
    table = getattr(datasets, f"load_{name}")(as_frame=True).frame
    assert personal_columns(pl.from_pandas(table)) == {}


def test_the_flights_raise_no_alarm() -> None:
    """Tail numbers, airports and times of day are not personal."""
    assert personal_columns(flights.load()) == {}


@pytest.mark.parametrize("digits", [9, 10, 11, 12, 13, 14, 15, 16])
def test_numbers_that_pass_a_check_by_chance_raise_no_alarm(digits: int) -> None:
    """Two hundred columns of random digits, for every length that a check knows."""
    columns = {f"c{n}": [str(_RANDOM.randrange(10 ** (digits - 1), 10**digits)) for _ in range(40)] for n in range(200)}
    assert personal_columns(pl.DataFrame(columns)) == {}


def test_the_settings_have_the_last_word() -> None:
    """``personal`` and ``not_personal`` go before what was found."""
    frame = pl.DataFrame({"contact": [f"a{n}@example.org" for n in range(ROWS)], "plan": ["a"] * ROWS})
    settings = DatasetSettings(personal=("plan",), not_personal=("contact",))
    assert {name: one.kind for name, one in personal_columns(frame, settings).items()} == {"plan": "stated"}


def test_the_end_of_a_long_table_is_looked_at() -> None:
    """A column that is filled with addresses only in the last rows is found."""
    cells = [None] * 50_000 + [f"a{n}@example.org" for n in range(300)]
    assert personal_columns(pl.DataFrame({"extra": cells}))["extra"].kind == "e-mail"
