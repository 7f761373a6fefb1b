"""The suite that a dataset's batches must pass: suggested, reviewed, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from undrift.blobs.store import BlobStore
from undrift.core import canonical
from undrift.core.errors import DecisionNeeded
from undrift.core.json import JSON
from undrift.data.quality.check import CheckReport
from undrift.data.quality.suite import Expectation, Suite
from undrift.data.repository import get_suite_digest, set_suite_digest
from undrift.ledger.change import Change


class NoSuite(DecisionNeeded):
    """A batch was to be checked and nobody has said what is expected of it."""

    code = "no-suite"


@dataclass(frozen=True, slots=True)
class Freezing:
    """A suite that takes the place of another.

    Attributes
    ----------
    suite : Suite
        The new one.
    digest : str
        Its digest; its bytes are stored.
    before : Suite or None
        The one that was frozen.
    reason : str
        Why it changes.
    """

    suite: Suite
    digest: str
    before: Suite | None = None
    reason: str = ""

    @property
    def removed(self) -> list[Expectation]:
        """What is no longer expected."""
        return _not_in(self.before.expectations if self.before else (), self.suite.expectations)

    @property
    def added(self) -> list[Expectation]:
        """What is newly expected."""
        return _not_in(self.suite.expectations, self.before.expectations if self.before else ())


def _not_in(some: Sequence[Expectation], others: Sequence[Expectation]) -> list[Expectation]:
    plain = [(other.type, other.kwargs, other.severity) for other in others]
    return [one for one in some if (one.type, one.kwargs, one.severity) not in plain]


def freeze(change: Change, name: str, freezing: Freezing) -> None:
    """Make a stored suite the one of a dataset.

    Raises
    ------
    DatasetNotFound
        If there is no such dataset.
    """
    before = get_suite_digest(change.connection, name)
    set_suite_digest(change.connection, name, freezing.digest)
    body: dict[str, JSON] = {
        "suite": freezing.digest,
        "before": before,
        "expectations": len(freezing.suite.expectations),
    }
    if before is not None:
        body["added"] = [_named(one) for one in freezing.added]
        body["removed"] = [_named(one) for one in freezing.removed]
    if freezing.reason:
        body["reason"] = freezing.reason
    change.record("data.suite-frozen", f"data:{name}", body)


def _named(expectation: Expectation) -> dict[str, JSON]:
    """Return which expectation it is; its bounds and values are in the suites, which the event names by digest."""
    about = [expectation.kwargs.get(name) for name in ("column", "column_A", "column_B")]
    columns: list[JSON] = [str(name) for name in about if name]
    return {"type": expectation.type, "columns": columns, "severity": expectation.severity}


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
        "bad_rows": report.bad_count,
        "broken": [result.as_json() for result in report.broken],
    }
    change.record("data.checked", subject, body)
