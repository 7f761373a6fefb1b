"""Tables of datasets."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, String, Table, Text, false

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
    # Canonical JSON; null for versions that were added from files.
    Column("origin", Text),
    # Whether its bytes were let go of: it stays in the log and cannot be read.
    Column("is_gone", Boolean, nullable=False, server_default=false()),
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

arrivals = Table(
    "data_arrivals",
    metadata,
    Column("dataset", String(63), primary_key=True),
    # Relative to the watched folder.
    Column("path", String(1024), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    # seen: looked at once; added, admitted, refused, failed: what became of it.
    Column("state", String(16), nullable=False),
    Column("digest", String(67)),
    # A version's reference, or the code of what went wrong; never a cell.
    Column("told", String(200), nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# Which bytes a watched folder delivered, under whatever names: they are taken once.
deliveries = Table(
    "data_deliveries",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("digest", String(67), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
)

measurements = Table(
    "data_measurements",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("measured", Text, nullable=False),
)

metrics = Table(
    "data_metrics",
    metadata,
    Column("dataset", String(63), primary_key=True),
    Column("metric", String(63), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("value", Float, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
