"""A project with rows of people everywhere that rows can be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from packed import files_in
from undrift.core.clock import real_clocks
from undrift.core.masking import open_mask
from undrift.data.quality.suite import Suite, expect
from undrift.loop.sealing import seal_logs
from undrift.project import Project
from undrift.segments.records import ColumnsRecord, FeedbackRecord, PredictionRecord, Record, encode
from undrift.segments.writer import SegmentWriter

from ..conftest import Registered, packages, registered  # noqa: F401, TID252  (fixtures)

ADA = "ada@example.org"
BOB = "bob@example.org"
COLUMNS = ColumnsRecord("b3:a", ["email", "x"], ["string", "float"])


def prediction(number: int, key: str, **changed: object) -> PredictionRecord:
    """Return a logged answer."""
    facts: dict[str, object] = {
        "id": f"p{number:04d}", "received_us": number, "event_us": None, "key": key, "endpoint": "delay",
        "variant": "stable", "model": "delay", "version": 1, "package": "b3:a", "generation": 1, "share_bp": 0,
        "row": [key, 1.0], "scores": [0.5, 0.5], "prediction": 1, "status": 200, "latency_us": 9,
    }  # fmt: skip
    return PredictionRecord(**{**facts, **changed})  # type: ignore[arg-type]  # facts by name


@dataclass
class People:
    """The project, and how its logs are written."""

    project: Project

    def log(self, records: list[Record], kind: str = "predictions") -> None:
        """Write records as a worker does, and close the file."""
        folder = getattr(self.project.endpoint_rooms, kind)("delay")
        writer = SegmentWriter(folder, owner="w", clocks=real_clocks(), preamble=lambda: [encode(COLUMNS)])
        writer.extend([encode(record) for record in records])
        writer.close()

    def seal(self) -> None:
        """Record and compact what was written."""
        seal_logs(self.project, "delay")

    def files(self) -> dict[Path, bytes]:
        """Return every file of the store but SQLite's own and the files put together for readers."""
        return {
            path: path.read_bytes()
            for path in self.project.store.rglob("*")
            if path.is_file() and "-" not in path.suffix and "whole" not in path.parts
        }

    def holding(self, text: str) -> list[str]:
        """Return the files of the store that hold a text, also inside Parquet."""
        return [
            path.relative_to(self.project.store).as_posix()
            for path in sorted(self.project.store.rglob("*"))
            if path.is_file() and _holds(path, text)
        ]


def _holds(path: Path, text: str) -> bool:
    return any(
        text in str(pl.read_parquet(data).to_dicts()) if data[:4] == data[-4:] == b"PAR1" else text.encode() in data
        for data in files_in(path)
    )


@pytest.fixture
def people(registered: Registered, tmp_path: Path) -> People:  # noqa: F811  (a fixture)
    """Give Ada and Bob in two versions, a refused batch, quarantine, and logs before and after compaction."""
    registered.deployed(registered.approved())
    project = registered.project
    made = People(project)
    first = pl.DataFrame({"email": [ADA, BOB, "eve@example.org"] * 5, "x": [1.0, 2.0, 3.0] * 5})
    first.write_csv(tmp_path / "first.csv")
    project.data.add(tmp_path / "first.csv", "flights", actor=project.actor)
    expectation = expect("expect_column_values_to_be_between", "fail", "", column="x", min_value=0, max_value=9)
    project.data.freeze_suite("flights", Suite("flights", (expectation,), bad_row_limit=0.5), actor=project.actor)
    pl.DataFrame({"email": [ADA, BOB, BOB], "x": [-1.0, 4.0, 5.0]}).write_csv(tmp_path / "second.csv")
    project.data.admit(tmp_path / "second.csv", "flights", actor=project.actor)
    pl.DataFrame({"email": [ADA, BOB], "x": [-1.0, -2.0]}).write_csv(tmp_path / "third.csv")
    project.data.admit(tmp_path / "third.csv", "flights", actor=project.actor)
    mask = open_mask(project.store)
    made.log([prediction(1, mask.text(ADA), row=[mask.text(ADA), 1.0]), prediction(2, mask.text(BOB))])
    made.seal()
    made.log([prediction(3, ADA), prediction(4, BOB)])  # as an older version wrote it
    made.log([FeedbackRecord("f1", None, mask.text(ADA), 1, None, 5)], "feedback")
    return made
