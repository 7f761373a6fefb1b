"""A batch of few rows is judged by what is known of its dataset: its bad rows are kept without a person's cells."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.core.config import DatasetSettings
from undrift.core.masking import open_mask
from undrift.data.personal import known
from undrift.data.personal.masks import Masks
from undrift.data.quality.suite import Suite, expect
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

MARKED = "a@beispiel.de"
SUITE = Suite("own", (expect("expect_column_values_to_be_between", column="amount", min_value=0),))
"""A suite written by hand: its meta says nothing of personal columns."""


def people(rows: int = 300) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "c7": [f"Kuno Q{n:03d}" for n in range(rows)],
            "contact": [f"u{n}@example.org" for n in range(rows)],
            "amount": [float(n) for n in range(rows)],
            "plan": [["a", "b", "c", "d", "e", "f"][n % 6] for n in range(rows)],
        }
    )


def opened(ledger: Ledger, store: Path, settings: DatasetSettings | None = None) -> Data:
    masks = Masks({"b": settings} if settings else {}, lambda: open_mask(store))
    return Data(ledger, BlobStore(store / "blobs"), real_clocks(), store, masks)


@pytest.fixture
def data(ledger: Ledger, store: Path, ada: Actor) -> Data:
    found = opened(ledger, store)
    found.add_frame(people(), "b", actor=ada)
    found.freeze_suite("b", SUITE, actor=ada)
    return found


def kept(store: Path) -> bytes:
    """Return everything that is in quarantine, as bytes and as cells."""
    files = [path for path in (store / "quarantine").rglob("*") if path.is_file()]
    assert files
    cells = [str(pl.read_parquet(path).to_dicts()) for path in files if path.suffix == ".parquet"]
    return b"".join(path.read_bytes() for path in files) + "".join(cells).encode()


HEADER = "c7,contact,amount,plan\n"


@pytest.mark.parametrize("rows", [f"x,{MARKED},-1,a\n", f"x,{MARKED},-1,a\ny,b@beispiel.de,2,b\n" * 20])
def test_a_column_that_was_personal_stays_so_in_a_batch_of_few_different_cells(
    data: Data, ada: Actor, store: Path, tmp_path: Path, rows: str
) -> None:
    """One address, or two, are less than what a table is judged by."""
    (tmp_path / "batch.csv").write_text(HEADER + rows)
    assert data.admit(tmp_path / "batch.csv", "b", actor=ada).quarantine is not None
    assert b"beispiel" not in kept(store)
    assert open_mask(store).text(MARKED).encode() in kept(store)


def test_a_plain_column_stays_readable(data: Data, ada: Actor, store: Path, tmp_path: Path) -> None:
    """Whoever mends a row needs to see what is wrong with it."""
    (tmp_path / "batch.csv").write_text(f"{HEADER}x,{MARKED},-1,f\n")
    held = data.admit(tmp_path / "batch.csv", "b", actor=ada).quarantine
    assert held is not None
    table = pl.read_parquet(held.path)
    assert (table["plan"].to_list(), table["amount"].to_list()) == (["f"], [-1.0])


def test_what_is_remembered_of_the_batch_holds_no_cell_of_it(
    data: Data, ada: Actor, ledger: Ledger, tmp_path: Path
) -> None:
    """The series that later versions are compared with."""
    (tmp_path / "batch.csv").write_text(f"{HEADER}x,{MARKED},1,a\n")
    assert data.admit(tmp_path / "batch.csv", "b", actor=ada).admitted
    with ledger.read() as connection:
        tables = connection.exec_driver_sql("SELECT * FROM data_measurements").all()
    assert tables
    assert MARKED not in str(tables)


def test_the_name_of_a_column_counts_where_no_row_tells(
    ledger: Ledger, ada: Actor, store: Path, tmp_path: Path
) -> None:
    """The dataset has had no cell in it so far; a telephone number that is none is not readable either."""
    data = opened(ledger, store)
    empty = pl.DataFrame(
        {"customer_phone": [None, None], "amount": [1.0, 2.0]}, schema_overrides={"customer_phone": pl.String}
    )
    data.add_frame(empty, "b", actor=ada)
    data.freeze_suite("b", SUITE, actor=ada)
    (tmp_path / "batch.csv").write_text("customer_phone,amount\nbeispiel,-1\n")
    data.admit(tmp_path / "batch.csv", "b", actor=ada)
    assert b"beispiel" not in kept(store)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "jsonl", "parquet"])
def test_a_renamed_column_is_masked_too(data: Data, ada: Actor, store: Path, tmp_path: Path, ending: str) -> None:
    """It may be called anything: what the dataset does not know is masked when a personal column is missing."""
    path = tmp_path / f"batch.{ending}"
    table = people(2).with_columns(kontakt=pl.Series([MARKED, "Kuno at beispiel"])).drop("contact")
    if ending == "parquet":
        table.write_parquet(path)
    else:
        text = table.write_csv() if ending.startswith("csv") else table.write_ndjson()
        path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    admission = data.admit(path, "b", actor=ada)
    if ending == "jsonl":  # a key that no line has is a column of nulls, so it is the additional one that is refused
        assert "kontakt" in admission.reasons[0]
    assert (admission.outcome, admission.report) == ("refused", None)
    assert b"beispiel" not in kept(store)
    assert admission.quarantine is not None
    assert admission.quarantine.rows == 2
    assert pl.read_parquet(admission.quarantine.path)["plan"].to_list() == ["a", "b"]


def test_a_cell_that_could_not_be_read_does_not_show_its_address(
    data: Data, ada: Actor, store: Path, tmp_path: Path
) -> None:
    """Cells that slipped into the next column stand in no column of their own kind."""
    good = "".join(f"x,u{n}@example.org,1,a\n" for n in range(100))
    (tmp_path / "batch.csv").write_text(f"{HEADER}{good}x,a,{MARKED},a\ny,b,warm,a\n")
    held = data.admit(tmp_path / "batch.csv", "b", actor=ada).quarantine
    assert held is not None
    assert b"beispiel" not in kept(store)
    assert "warm" in pl.read_parquet(held.path)["_undrift_reasons"][1]


def test_the_settings_have_the_last_word(ledger: Ledger, ada: Actor, store: Path, tmp_path: Path) -> None:
    """A column that is said to be nobody's stays as it is."""
    data = opened(ledger, store, DatasetSettings(not_personal=("contact",), personal=("plan",)))
    data.add_frame(people(), "b", actor=ada)
    data.freeze_suite("b", SUITE, actor=ada)
    (tmp_path / "batch.csv").write_text(f"{HEADER}x,{MARKED},-1,f\n")
    held = data.admit(tmp_path / "batch.csv", "b", actor=ada).quarantine
    assert held is not None
    table = pl.read_parquet(held.path)
    assert (table["contact"][0], table["plan"][0]) == (MARKED, open_mask(store).text("f"))


def test_of_a_large_file_only_the_beginning_is_looked_at(
    ledger: Ledger, ada: Actor, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut between two records, also where a cell holds line ends."""
    monkeypatch.setattr(known, "_HEAD_BYTES", 4_000)
    data = opened(ledger, store)
    quoted = people().with_columns(plan=pl.lit('two\nlines, "quoted"'))
    quoted.write_csv(tmp_path / "b.csv")
    data.add(tmp_path / "b.csv", "b", actor=ada)
    stored = data._stored
    [part] = stored.manifest(data.get("b")).parts
    head = known._head(stored, part, quoted=True)
    assert 0 < len(head) <= 4_000
    assert quoted.write_csv().encode().startswith(head)
    assert head.endswith(b'""quoted"""\n')
    assert known.known_columns(stored, data.masks, "b").personal == {"contact"}


def test_where_no_row_can_be_looked_at_no_text_stays_readable(
    data: Data, ada: Actor, store: Path, tmp_path: Path
) -> None:
    """The stored bytes are damaged: then nothing is known of any column."""
    for stored in (store / "blobs").rglob("*"):
        if stored.is_file() and not stored.name.startswith("index.db"):
            stored.chmod(0o600)
            stored.write_bytes(b"\x00" * stored.stat().st_size)
    found = known.known_columns(data._stored, data.masks, "b")
    assert found == known.KnownColumns()
    few = pl.DataFrame({"c7": ["Kuno Q"], "amount": [1.0]})
    assert known.personal_of_batch(found, few, SUITE, data.masks, "b") == {"c7"}
