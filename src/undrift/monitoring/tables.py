"""Tables of monitoring."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, UniqueConstraint

from undrift.ledger.tables import metadata

windows = Table(
    "monitor_windows",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("endpoint", String(63), nullable=False),
    Column("model_version", String(200), nullable=False),
    # 1, 2, 3 ... for one endpoint and version: two processes cannot both close the next window.
    Column("number", Integer, nullable=False),
    Column("window_start_us", BigInteger, nullable=False),
    Column("window_end_us", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("closed_us", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    # Null until enough labels are in: performance is judged once, maybe long after the window closed.
    Column("scored_us", BigInteger),
    Column("performance", Text),
    UniqueConstraint(
        "endpoint", "model_version", "window_start_us", "window_end_us", name="monitor_windows_once_per_span"
    ),
    UniqueConstraint("endpoint", "model_version", "number", name="monitor_windows_in_order"),
)

incidents = Table(
    "monitor_incidents",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("endpoint", String(63), nullable=False, index=True),
    Column("model_version", String(200), nullable=False),
    Column("kind", String(32), nullable=False),
    # The cause while the incident is open, null afterwards: one open incident per cause.
    Column("open_cause", String(300), unique=True),
    Column("opened_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
    Column("times", Integer, nullable=False),
    Column("decision", Text, nullable=False),
    Column("closed_because", Text, nullable=False),
)
