"""The same rows are the same table, whatever they came from; and nothing secret is kept of where that was."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from undrift.blobs.buckets import Bucket
from undrift.data.connectors.databases import Question
from undrift.data.intake import Asked
from undrift.data.schema import Column, Schema
from undrift.ledger.actor import Actor
from undrift.project import Project

ADA = Actor("os-user", "ada")
SCHEMA = Schema(
    (
        Column("id", "int"),
        Column("flag", "bool"),
        Column("ratio", "float64"),
        Column("price", "decimal", 4),
        Column("text", "string"),
        Column("day", "date"),
        Column("local", "timestamp"),
        Column("instant", "timestamp-utc"),
    )
)
_MOMENT = dt.datetime.fromisoformat("2013-01-31T06:30:00.123456")
_FIRST = dt.datetime.fromisoformat("0001-01-01T00:00:00")
_BEFORE_1970 = dt.datetime.fromisoformat("1969-12-31T23:59:59.999999")
_ROWS: list[tuple[Any, ...]] = [
    (1, True, 0.1, Decimal("1.1000"), "plain", dt.date(2013, 1, 31), _MOMENT, _MOMENT.replace(tzinfo=dt.UTC)),
    (2, False, -0.0, Decimal("-0.0001"), "", dt.date(1969, 12, 31), _FIRST, None),
    (3, None, None, None, None, None, None, dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)),
    (2**53 + 1, True, 1e308, Decimal("12345678901234567890.1234"), 'he said "no",\nthen; left', None, _MOMENT, None),
    (-(2**63), None, 5e-324, Decimal(0), "NULL", dt.date(9999, 12, 31), None, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
    (2**63 - 1, False, 2.0**53 + 2, Decimal(10), "007", dt.date(2000, 2, 29), None, None),
    (0, None, float(2**53), None, " blank \t", None, _BEFORE_1970, None),
    (7, True, -1.5, Decimal("99.9900"), "Zoë 🐈 İstanbul", dt.date(2024, 2, 29), None, None),
]


def _told(value: Any) -> Any:  # Any: a cell
    """Return a cell as text files write it."""
    if isinstance(value, dt.datetime):
        written = value.replace(tzinfo=None).isoformat(timespec="microseconds")
        return f"{written}Z" if value.tzinfo else written
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _frame() -> pl.DataFrame:
    return pl.DataFrame(_ROWS, schema=SCHEMA.dtypes, orient="row")


def _parquet(folder: Path) -> Path:
    _frame().write_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def _csv(folder: Path) -> Path:
    with (folder / "rows.csv").open("w", encoding="utf-8") as file:
        file.write(",".join(SCHEMA.names) + "\n")
        for row in _ROWS:
            cells = [_told(value) for value in row]
            texts = ["" if cell is None else f'"{str(cell).replace(chr(34), chr(34) * 2)}"' for cell in cells]
            file.write(",".join(texts) + "\n")
    return folder / "rows.csv"


def _json_lines(folder: Path) -> Path:
    lines = [json.dumps(dict(zip(SCHEMA.names, map(_told, row), strict=True)), ensure_ascii=False) for row in _ROWS]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "rows.jsonl"


def _sqlite(folder: Path) -> Path:
    connection = sqlite3.connect(folder / "rows.db")
    connection.execute(
        'CREATE TABLE "the rows" (place INTEGER PRIMARY KEY, id INTEGER, flag BOOLEAN, ratio REAL, '
        "price DECIMAL_TEXT(38, 4), text TEXT, day DATE, local TIMESTAMP, instant TIMESTAMPTZ)"
    )
    connection.executemany(
        'INSERT INTO "the rows" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        [(place, *map(_told, row)) for place, row in enumerate(_ROWS)],
    )
    connection.commit()
    return folder / "rows.db"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project")


def _digest(project: Project, source: str, question: Question | None = None) -> str:
    asked = Asked("t", schema=SCHEMA, question=question)
    version = project.data.intake.add(source, asked, ADA).version
    assert project.data.read(version.ref).equals(_frame())
    return project.data.table_digest(version.ref, actor=ADA)


@pytest.mark.parametrize("written", [_csv, _json_lines])
def test_text_files_are_the_same_table_as_parquet(
    project: Project, tmp_path: Path, written: Callable[[Path], Path]
) -> None:
    """Null apart from "", 2^53 + 1 a whole number, decimals decimal, naive apart from aware."""
    assert _digest(project, str(written(tmp_path))) == _digest(project, str(_parquet(tmp_path)))


def test_a_sqlite_table_is_the_same_table(project: Project, tmp_path: Path) -> None:
    """By its declared types; in the order of a column that is not kept."""
    _sqlite(tmp_path)
    columns = ", ".join(SCHEMA.names)
    asked = Question(query=f'SELECT {columns} FROM "the rows" ORDER BY place')
    assert _digest(project, f"sqlite:///{tmp_path}/rows.db", asked) == _digest(project, str(_parquet(tmp_path)))


def test_a_postgres_table_is_the_same_table(project: Project, tmp_path: Path, postgres_url: str) -> None:
    """By the types of the result, in a session of any time zone."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {postgres_url.rpartition('/')[2]} SET timezone TO 'Asia/Tokyo'")
        connection.execute(
            "CREATE TABLE rows (place int, id bigint, flag boolean, ratio double precision, price numeric(38, 4), "
            "text text, day date, local timestamp, instant timestamptz)"
        )
        rows = [(place, *row) for place, row in enumerate(_ROWS)]
        connection.cursor().executemany("INSERT INTO rows VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", rows)
    columns = ", ".join(SCHEMA.names)
    asked = Question(query=f"SELECT {columns} FROM rows ORDER BY place")
    assert _digest(project, postgres_url, asked) == _digest(project, str(_parquet(tmp_path)))


@pytest.mark.parametrize("written", [_csv, _json_lines, _parquet])
def test_an_object_in_a_bucket_is_the_same_table(
    project: Project, tmp_path: Path, s3: str, written: Callable[[Path], Path]
) -> None:
    """Read over the network as from a disk."""
    file = written(tmp_path)
    Bucket(s3).write(f"in/{file.name}", file)
    assert _digest(project, f"{s3}/in/{file.name}") == _digest(project, str(_parquet(tmp_path)))


def test_a_delta_table_is_the_same_table(project: Project, tmp_path: Path) -> None:
    """By the schema of its log."""
    deltalake = pytest.importorskip("deltalake")
    deltalake.write_deltalake(str(tmp_path / "lake"), _frame())
    assert _digest(project, f"delta:{tmp_path}/lake") == _digest(project, str(_parquet(tmp_path)))


def test_a_delta_table_in_a_bucket_is_the_same_table(project: Project, tmp_path: Path, s3: str) -> None:
    """Log and files come over the network."""
    deltalake = pytest.importorskip("deltalake")
    deltalake.write_deltalake(f"{s3}/lake", _frame(), storage_options={"allow_http": "true"})
    assert _digest(project, f"delta:{s3}/lake") == _digest(project, str(_parquet(tmp_path)))


def test_kept_as_a_table_it_is_the_same_table(project: Project, tmp_path: Path) -> None:
    """Whatever it was written as."""
    files = (_csv(tmp_path), _json_lines(tmp_path), _parquet(tmp_path))
    digests = set()
    for number, file in enumerate(files):
        version = project.data.intake.add(str(file), Asked(f"t{number}", schema=SCHEMA, as_table=True), ADA).version
        assert project.data.read(version.ref).equals(_frame())
        digests.add(version.table_digest)
    assert digests == {_digest(project, str(_parquet(tmp_path)))}


def test_bytes_are_kept_from_databases_and_parquet(project: Project, tmp_path: Path, postgres_url: str) -> None:
    """Text files cannot hold them."""
    psycopg = pytest.importorskip("psycopg")
    cells = [b"", None, bytes(range(256))]
    frame = pl.DataFrame({"b": cells}, schema={"b": pl.Binary})
    frame.write_parquet(tmp_path / "b.parquet")
    connection = sqlite3.connect(tmp_path / "b.db")
    connection.execute("CREATE TABLE b (n INTEGER PRIMARY KEY, b BLOB)")
    connection.executemany("INSERT INTO b (b) VALUES (?)", [(cell,) for cell in cells])
    connection.commit()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute("CREATE TABLE b (n int, b bytea)")
        server.cursor().executemany("INSERT INTO b VALUES (%s, %s)", list(enumerate(cells)))
    asked = Asked("b", question=Question(query="SELECT b FROM b ORDER BY n"))
    sources = {str(tmp_path / "b.parquet"): Asked("b"), f"sqlite:///{tmp_path}/b.db": asked, postgres_url: asked}
    found = {project.data.intake.add(source, how, ADA).version.ref for source, how in sources.items()}
    assert {project.data.table_digest(ref, actor=ADA) for ref in found} == {project.data.table_digest("b@1", actor=ADA)}


def test_no_secret_is_kept_of_a_source(tmp_path: Path, postgres_url: str, s3: str) -> None:
    """Passwords and the words of a query stand in no event; the password nowhere at all."""
    psycopg = pytest.importorskip("psycopg")
    project = Project.create(tmp_path / "project")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    secret = postgres_url.replace("postgres@", "postgres:open-sesame@") + "?application_name=xyzzy"
    asked = Asked("t", question=Question(query="SELECT a FROM t WHERE 'Ada Lovelace' <> ''", order_by=("a",)))
    project.data.intake.add(secret, asked, ADA)
    Bucket(s3).write("t.csv", b"a\n1\n")
    project.data.intake.add(f"{s3}/t.csv", Asked("u"), ADA)
    bodies = json.dumps([event.body for event in project.ledger.events()])
    assert "Ada Lovelace" not in bodies
    assert project.data.get("t").origin is not None
    project.close()
    for file in (path for path in project.root.rglob("*") if path.is_file()):
        data = file.read_bytes()
        assert not [word for word in (b"open-sesame", b"xyzzy", b"hunter2-secret") if word in data], file
