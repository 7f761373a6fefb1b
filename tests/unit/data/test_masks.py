"""Personal columns are not told by profiles and suites, nor kept readable in quarantine."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.core.config import DatasetSettings
from undrift.core.masking import open_mask
from undrift.data.personal.masks import Masks
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

ROWS = 200
MARKED = "zweig.marker@example.org"


def table() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "email": [MARKED, *(f"u{n}@example.org" for n in range(1, ROWS))],
            "phone": [4_915_550_000_000 + n for n in range(ROWS)],
            "plan": ["rare-marker", *(["a", "b"] * ROWS)[: ROWS - 1]],
            "amount": [987_654.321, *(float(n) for n in range(1, ROWS))],
        }
    )


@pytest.fixture
def masked(ledger: Ledger, store: Path) -> Data:
    return Data(ledger, BlobStore(store / "blobs"), real_clocks(), store, Masks({}, lambda: open_mask(store)))


def test_a_profile_tells_no_personal_cell(masked: Data, ada: Actor) -> None:
    """No extreme, quantile or mean; frequent values are masks."""
    masked.add_frame(table(), "people", actor=ada)
    email, phone, plan = (masked.profile("people").column(name) for name in ("email", "phone", "plan"))
    assert (email.personal, phone.personal, plan.personal) == ("e-mail", "phone", "")
    assert (email.minimum, email.maximum, phone.minimum, phone.mean, phone.quantiles) == (None, None, None, None, ())
    assert all(str(value).startswith("masked:") for value, _ in (*email.top, *phone.top))


def test_a_suggested_suite_holds_no_cell_of_a_row(masked: Data, ada: Actor) -> None:
    """Neither personal ones, nor rare categories, nor an extreme; what it says is kept of the table itself."""
    version = masked.add_frame(table(), "people", actor=ada)
    suite = masked.suggest_suite("people")
    text = suite.encode().decode()
    assert not [marker for marker in (MARKED, "rare-marker", "987654", "4915550") if marker in text]
    masked.freeze_suite("people", suite, actor=ada)
    assert masked.check(version.ref, actor=ada).verdict == "pass"


def test_quarantine_holds_masks(masked: Data, ada: Actor, tmp_path: Path) -> None:
    """Personal columns of rows held back are masked, and so is the text of a cell that could not be read."""
    masked.add_frame(table(), "people", actor=ada)
    masked.freeze_suite("people", masked.suggest_suite("people"), actor=ada)
    batch = table().with_columns(pl.col("phone").cast(pl.String)).with_row_index("n")
    bad = batch.with_columns(phone=pl.when(pl.col("n") == 0).then(pl.lit("call-marker")).otherwise("phone")).drop("n")
    bad.write_csv(tmp_path / "batch.csv")
    admission = masked.admit(tmp_path / "batch.csv", "people", actor=ada)
    assert admission.quarantine is not None
    held = pl.read_parquet(admission.quarantine.path)
    assert held["plan"].to_list() == ["rare-marker"]
    assert held["email"].to_list() == [open_mask(tmp_path / "store").text(MARKED)]
    assert "call-marker" not in str(held.to_dicts())


def test_the_settings_say_what_is_masked(ledger: Ledger, store: Path, ada: Actor) -> None:
    """A stated column is masked; one that is stated to be none is not."""
    settings = DatasetSettings(personal=("plan",), not_personal=("email",))
    data = Data(
        ledger, BlobStore(store / "blobs"), real_clocks(), store, Masks({"p": settings}, lambda: open_mask(store))
    )
    data.add_frame(table(), "p", actor=ada)
    found = {one.name: one.personal for one in data.profile("p").columns}
    assert found == {"email": "", "phone": "phone", "plan": "stated", "amount": ""}
