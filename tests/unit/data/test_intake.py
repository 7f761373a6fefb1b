"""Adding from elsewhere: what is kept, what is told, what is refused."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from undrift.blobs.buckets import Bucket, BucketUnreachable, ObjectMissing
from undrift.blobs.tombstones import BlobErased
from undrift.core.addresses import BadAddress, kind_of, scrubbed, without_secrets
from undrift.core.errors import UndriftError
from undrift.core.masking import Mask
from undrift.data.connectors.databases import BadQuery, Question, SourceUnreachable
from undrift.data.connectors.delta import DeltaFilesGone, DeltaUnreadable, DeltaVersionNotFound
from undrift.data.erasing import Subject
from undrift.data.intake import Asked, BadRequest, DeltaRewritten
from undrift.data.paths import UnsafePath
from undrift.data.schema import SchemaMismatch
from undrift.data.service import Data
from undrift.data.tabular.text_file import BadTable
from undrift.data.versions import DatasetNotFound
from undrift.ledger.actor import Actor

deltalake = pytest.importorskip("deltalake")


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """Give the address of a database with one table, whose key is not the order of insertion."""
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, price DECIMAL(10, 2), note TEXT) ")
    connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", [(3, 1.1, ""), (1, 2, None), (2, 99.99, "x")])
    connection.commit()
    return f"sqlite:///{tmp_path}/shop.db"


def _sales(order_by: tuple[str, ...] = ()) -> Asked:
    return Asked("sales", question=Question("sales", order_by=order_by))


def test_a_table_comes_in_the_order_of_its_key(data: Data, ada: Actor, shop: str) -> None:
    """A query has no order unless one is asked for, and that is said."""
    taken = data.intake.add(shop, _sales(), ada)
    assert data.read("sales")["id"].to_list() == [1, 2, 3]
    assert taken.notes == ()
    query = Asked("q", question=Question(query="SELECT price FROM sales;"))
    assert "--order-by" in data.intake.add(shop, query, ada).notes[0]
    priciest = Asked("p", question=Question(query="SELECT id, price FROM sales", order_by=("price",)))
    data.intake.add(shop, priciest, ada)
    assert data.read("p")["id"].to_list() == [3, 1, 2]


def test_the_same_rows_again_are_no_new_version(data: Data, ada: Actor, shop: str, tmp_path: Path) -> None:
    """However their file would be written; one changed cell is."""
    pytest.importorskip("pyarrow")
    first = data.intake.add(shop, _sales(), ada).version
    again = data.intake.add(shop, Asked("sales", tag="june", as_table=True, question=Question("sales")), ada).version
    assert (again.number, again.tags) == (first.number, ("june",))
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("UPDATE sales SET note = 'y' WHERE id = 2")
    connection.commit()
    assert data.intake.add(shop, _sales(), ada).version.number == 2


def test_erased_rows_do_not_come_back_from_their_source(data: Data, ada: Actor, shop: str) -> None:
    """The digest of the version is still that of before; the store knows better."""
    version = data.intake.add(shop, _sales(), ada).version
    for change in list(data.erasure.changes(Subject("sales", "note", frozenset({"x"})), Mask(b"k" * 32))):
        change.apply()
    with pytest.raises(BlobErased):
        data.intake.add(shop, _sales(), ada)
    assert data.get("sales").number == version.number


def test_appended_rows_must_have_the_schema(data: Data, ada: Actor, shop: str) -> None:
    """A result with other columns leaves no trace."""
    data.intake.add(shop, _sales(), ada)
    with pytest.raises(SchemaMismatch):
        data.intake.add(shop, Asked("sales", append=True, question=Question(query="SELECT id FROM sales")), ada)
    data.intake.add(shop, Asked("sales", append=True, question=Question(query="SELECT * FROM sales WHERE id = 2")), ada)
    assert data.read("sales")["id"].to_list() == [1, 2, 3, 2]
    assert data.get("sales").table_digest is None


@pytest.mark.parametrize(
    "case",
    [
        ("shop", Question("nothing"), BadQuery),
        ("shop", Question("sales", order_by=("nothing",)), BadQuery),
        ("shop", Question(query="SELECT nothing FROM sales"), BadQuery),
        ("shop", Question(query="DELETE FROM sales"), BadQuery),
        ("shop", Question(query="SELECT * FROM sales WHERE id = 9"), BadTable),
        ("shop", Question(query="SELECT id AS a, price AS a FROM sales"), BadQuery),
        ("shop", None, BadRequest),
        ("sqlite:///nowhere.db", Question("sales"), SourceUnreachable),
        ("postgresql://ada:open-sesame@127.0.0.1:1/shop", Question("sales"), SourceUnreachable),
        ("mysql://127.0.0.1/shop", Question("sales"), BadAddress),
        ("table.csv", Question("sales"), BadRequest),
    ],
)
def test_what_cannot_be_asked_is_refused(
    data: Data, ada: Actor, shop: str, case: tuple[str, Question | None, type[UndriftError]]
) -> None:
    """With a cure, and without the password."""
    address, asked, error = case
    with pytest.raises(error) as caught:
        data.intake.add(shop if address == "shop" else address, Asked("s", question=asked), ada)
    assert caught.value.cure
    assert "open-sesame" not in f"{caught.value}{caught.value.fields}"
    assert data.names() == []


def test_a_database_is_opened_for_reading_only(shop: str, data: Data, ada: Actor, tmp_path: Path) -> None:
    """No table is changed, no file comes into being."""
    before = sorted(path.name for path in tmp_path.iterdir())
    data.intake.add(shop, _sales(), ada)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "store") == [
        name for name in before if name != "store"
    ]


def test_many_rows_come_in_batches(data: Data, ada: Actor, tmp_path: Path) -> None:
    """A column's type is told by all of them."""
    connection = sqlite3.connect(tmp_path / "big.db")
    connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, x)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((n, None if n < 60_000 else n / 2) for n in range(120_000)))
    connection.commit()
    version = data.intake.add(f"sqlite:///{tmp_path}/big.db", Asked("t", question=Question("t")), ada).version
    assert (version.rows, version.schema and version.schema.type_of("x")) == (120_000, "float64")
    assert data.read("t")["x"].sum() == sum(n / 2 for n in range(60_000, 120_000))
    assert not list((tmp_path / "store" / "scratch").iterdir())


def test_a_folder_of_a_bucket_is_one_version(data: Data, ada: Actor, s3: str) -> None:
    """Its objects are its files, by their names."""
    bucket = Bucket(s3)
    for name in ("in/b.csv", "in/a.csv", "other.csv"):
        bucket.write(name, b"a\n1\n" if "a.csv" in name else b"a\n2\n")
    version = data.intake.add(f"{s3}/in/", Asked("t"), ada).version
    assert [part.path for part in data.manifest("t").parts] == ["a.csv", "b.csv"]
    assert (version.rows, version.origin and version.origin.address) == (2, f"{s3}/in/")


def test_an_object_with_a_name_of_no_file_is_refused(data: Data, ada: Actor, s3: str, tmp_path: Path) -> None:
    """Nothing is written outside; a missing one is told."""
    Bucket(s3).write("in/.git/config", b"a\n1\n")
    with pytest.raises(UnsafePath):
        data.intake.add(f"{s3}/in/", Asked("t"), ada)
    with pytest.raises(ObjectMissing):
        data.intake.add(f"{s3}/nothing.csv", Asked("t"), ada)
    with pytest.raises(BadAddress):
        data.intake.add(f"{s3}/in.csv?X-Amz-Signature=abc", Asked("t"), ada)


def test_a_bucket_that_does_not_answer_is_told(
    data: Data, ada: Actor, monkeypatch: pytest.MonkeyPatch, s3: str
) -> None:
    """As an error of ours."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("undrift.blobs.buckets._TRIES", 0)
    with pytest.raises(BucketUnreachable):
        data.intake.add(f"{s3}/t.csv", Asked("t"), ada)


def _lake(tmp_path: Path, **how: object) -> tuple[str, pl.DataFrame]:
    frame = pl.DataFrame({"id": [1, 2, 3], "country": ["DE", "a/b ü", None], "x": [1.5, None, -0.0]})
    deltalake.write_deltalake(str(tmp_path / "lake"), frame, **how)
    return f"delta:{tmp_path}/lake", frame


def test_a_version_of_a_delta_table_survives_a_vacuum(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Its files are held here; asked of the table it is gone, and that is told."""
    lake, frame = _lake(tmp_path)
    data.intake.add(lake, Asked("t"), ada)
    table = deltalake.DeltaTable(str(tmp_path / "lake"))
    deltalake.write_deltalake(table, frame.with_columns(x=pl.lit(9.0)), mode="overwrite")
    removed = table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert len(removed) == 1
    assert data.read("t@1").equals(frame)
    with pytest.raises(DeltaFilesGone, match="vacuum"):
        data.intake.add(lake, Asked("u", table_version=0), ada)
    assert data.intake.add(lake, Asked("t"), ada).version.number == 2


def test_a_delta_table_is_read_at_a_version_and_at_an_instant(data: Data, ada: Actor, tmp_path: Path) -> None:
    """By the times that its commits tell."""
    lake, frame = _lake(tmp_path)
    deltalake.write_deltalake(str(tmp_path / "lake"), frame, mode="append")
    times = {one["version"]: one["timestamp"] for one in deltalake.DeltaTable(str(tmp_path / "lake")).history()}
    first = datetime.fromtimestamp(times[0] / 1000, UTC)
    by_number = data.intake.add(lake, Asked("n", table_version=0), ada).version
    by_time = data.intake.add(lake, Asked("t", as_of=first), ada).version
    assert (by_number.rows, by_time.rows, data.intake.add(lake, Asked("new"), ada).version.rows) == (3, 3, 6)
    assert by_time.origin is not None
    assert (by_time.origin.table_version, by_time.origin.committed_us) == (0, times[0] * 1000)
    for asked in (Asked("t", as_of=first - timedelta(seconds=1)), Asked("t", table_version=7)):
        with pytest.raises(DeltaVersionNotFound):
            data.intake.add(lake, asked, ada)


def test_versions_of_a_delta_table_share_their_files(data: Data, ada: Actor, tmp_path: Path) -> None:
    """What was appended is all that is new."""
    lake, frame = _lake(tmp_path)
    data.intake.add(lake, Asked("t"), ada)
    deltalake.write_deltalake(str(tmp_path / "lake"), frame.with_columns(x=pl.lit(4.5)), mode="append")
    data.intake.add(lake, Asked("t"), ada)
    first, second = ({part.contents.digest for part in data.manifest(ref).parts} for ref in ("t@1", "t@2"))
    assert first < second


def test_a_parted_delta_table_keeps_the_values_of_its_folders(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Also where a name had to be escaped, where the value is missing, and where a column came later."""
    lake, frame = _lake(tmp_path, partition_by=["country"])
    wider = frame.with_columns(late=pl.lit(7))
    deltalake.write_deltalake(str(tmp_path / "lake"), wider, mode="append", schema_mode="merge")
    data.intake.add(lake, Asked("t"), ada)
    expected = pl.concat(
        [frame.with_columns(late=pl.lit(None, pl.Int64)), wider.with_columns(pl.col("late").cast(pl.Int64))]
    )
    assert data.read("t").select(expected.columns).sort("id", "late").equals(expected.sort("id", "late"))


def test_a_delta_table_made_anew_is_not_taken_for_the_old_one(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Its version 0 is another one now."""
    lake, frame = _lake(tmp_path)
    data.intake.add(lake, Asked("t"), ada)
    deltalake.write_deltalake(str(tmp_path / "other"), frame.head(1))
    (tmp_path / "lake").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "lake")
    with pytest.raises(DeltaRewritten, match="data:t@1"):
        data.intake.add(lake, Asked("t"), ada)


def test_rows_deleted_beside_the_files_are_not_read_as_if_they_were_there(
    data: Data, ada: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deltalake writes no deletion vectors itself: the log is written as Spark does."""
    lake = f"delta:{tmp_path}/lake"
    deltalake.write_deltalake(str(tmp_path / "lake"), pl.DataFrame({"id": range(40)}))
    log = tmp_path / "lake" / "_delta_log"
    add = next(line for line in (log / f"{0:020}.json").read_text().splitlines() if line.startswith('{"add"'))
    vector = (
        '"deletionVector":{"storageType":"i","pathOrInlineDv":"^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",'
        '"sizeInBytes":40,"cardinality":1}'
    )
    protocol = (
        '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],'
        '"writerFeatures":["deletionVectors"]}}'
    )
    (log / f"{1:020}.json").write_text(protocol + "\n" + add[:-2] + "," + vector + "}}\n")
    with pytest.raises(DeltaUnreadable, match="deletion vectors"):
        data.intake.add(lake, Asked("t"), ada)


def test_what_is_no_delta_table_is_told(data: Data, ada: Actor, tmp_path: Path) -> None:
    """A folder of files, or nothing."""
    with pytest.raises(DeltaUnreadable):
        data.intake.add(f"delta:{tmp_path}", Asked("t"), ada)
    with pytest.raises(BadRequest):
        data.intake.add(str(tmp_path), Asked("t", table_version=1), ada)


def test_a_dataset_is_found_as_of_an_instant(data: Data, ada: Actor, tmp_path: Path) -> None:
    """By a day in the reference, or any instant; before its first version there is none."""
    for number in (1, 2):
        (tmp_path / "t.csv").write_text(f"a\n{number}\n")
        data.add(tmp_path / "t.csv", "t", actor=ada)
    first, second = data.get("t@1"), data.get("t@2")
    assert data.get("t", as_of=second.created_at).number == 2
    assert data.get("t", as_of=second.created_at - timedelta(microseconds=1)).number == 1
    tomorrow = (second.created_at + timedelta(days=1)).date()
    assert data.get(f"t@{tomorrow}").number == 2
    with pytest.raises(DatasetNotFound, match="as of"):
        data.get("t", as_of=first.created_at - timedelta(microseconds=1))
    with pytest.raises(DatasetNotFound, match="as of"):
        data.get("t@2001-01-01")


@pytest.mark.parametrize(
    ("address", "kind", "written"),
    [
        ("june.csv", "file", "june.csv"),
        ("postgresql://ada:p%40ss@db:5432/shop?sslmode=require#x", "database", "postgresql://ada@db:5432/shop"),
        ("postgresql://db/shop", "database", "postgresql://db/shop"),
        ("sqlite:////data/shop.db?mode=ro", "database", "sqlite:////data/shop.db"),
        ("s3://bucket/key.csv?X-Amz-Signature=abc", "objects", "s3://bucket/key.csv"),
        ("delta:s3://key:secret@bucket/lake?a=b", "delta", "delta:s3://key@bucket/lake"),
        ("delta:lake", "delta", "delta:lake"),
    ],
)
def test_an_address_is_written_down_without_secrets(address: str, kind: str, written: str) -> None:
    """Password, query and fragment go."""
    assert (kind_of(address), without_secrets(address)) == (kind, written)


def test_a_librarys_words_lose_the_secrets() -> None:
    """As they were typed, and as they were meant."""
    address = "postgresql://ada:p%40ss@db/shop?token=abc"
    assert scrubbed("no p@ss or p%40ss or abc", address) == "no *** or *** or ***"
