"""Tables of datasets."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from undrift.ledger.tables import metadata

datasets = Table(
    "data_datasets",
    metadata,
    Column("name", String(63), primary_key=True),
    # Compare-and-set target of every addition: numbers are distinct and without gaps.
    Column("last_number", Integer, nullable=False),
    Column("suite_digest", String(67)),
)

versions = Table(
    "data_versions",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("version_id", String(67), nullable=False, index=True),
    Column("parent", Integer),
    Column("rows", BigInteger),
    Column("size_bytes", BigInteger, nullable=False),
    Column("files", Integer, nullable=False),
    Column("schema", Text),
    Column("table_digest", String(67)),
    Column("created_us", BigInteger, nullable=False),
)

tags = Table(
    "data_tags",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("tag", String(63), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

admissions = Table(
    "data_admissions",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("dataset", String(63), nullable=False, index=True),
    Column("source_digest", String(67), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("number", Integer),
    Column("rows", BigInteger, nullable=False),
    Column("bad_rows", BigInteger, nullable=False),
    Column("report_digest", String(67), nullable=False),
    # File name below quarantine/, null when nothing was held back.
    Column("quarantine", String(200)),
    Column("at_us", BigInteger, nullable=False),
)
