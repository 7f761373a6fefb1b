"""The suite that a dataset's batches must pass: suggested, reviewed, frozen."""

from __future__ import annotations

from sqlalchemy import Connection

from undrift.blobs.store import BlobStore
from undrift.core import canonical
from undrift.core.errors import DecisionNeeded
from undrift.core.json import JSON
from undrift.data.quality.check import CheckReport
from undrift.data.quality.suite import Suite
from undrift.data.repository import get_suite_digest, set_suite_digest
from undrift.ledger.change import Change


class NoSuite(DecisionNeeded):
    """A batch was to be checked and nobody has said what is expected of it."""

    code = "no-suite"


def freeze(change: Change, name: str, suite: Suite, digest: str) -> None:
    """Make a stored suite the one of a dataset.

    Raises
    ------
    DatasetNotFound
        If there is no such dataset.
    """
    before = get_suite_digest(change.connection, name)
    set_suite_digest(change.connection, name, digest)
    body = {"suite": digest, "before": before, "expectations": len(suite.expectations)}
    change.record("data.suite-frozen", f"data:{name}", body)


def load(connection: Connection, blobs: BlobStore, name: str) -> Suite | None:
    """Return the suite of a dataset, None when none is frozen."""
    digest = get_suite_digest(connection, name)
    return Suite.decode(blobs.read_bytes(digest)) if digest else None


def need(connection: Connection, blobs: BlobStore, name: str) -> Suite:
    """Return the suite of a dataset.

    Raises
    ------
    NoSuite
        If none is frozen.
    """
    suite = load(connection, blobs, name)
    if suite is None:
        raise NoSuite(
            f"the dataset {name!r} has no suite, so nothing says what a good batch is",
            cure=f"undrift data check {name} --freeze",
        )
    return suite


def store_report(blobs: BlobStore, report: CheckReport) -> str:
    """Store a report, which holds no cell, and return its digest."""
    return blobs.put_bytes(canonical.dumps(report.as_json()))


def record_check(change: Change, subject: str, report: CheckReport, report_digest: str) -> None:
    """Write the event of a check: digests, counts and names of columns."""
    body: dict[str, JSON] = {
        "suite": report.suite_digest,
        "report": report_digest,
        "verdict": report.verdict,
        "rows": report.rows,
        "bad_rows": len(report.bad_rows),
        "broken": [result.as_json() for result in report.broken],
    }
    change.record("data.checked", subject, body)
