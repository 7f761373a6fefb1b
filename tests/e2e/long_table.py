"""Generates a table in chunks straight into Parquet, trains on it within a budget, and prints what it took."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))

from undrift.ledger.actor import Actor
from unit.loop.training.rooms_of import rooms_in, training_in

_AT_ONCE = 250_000
_BUDGET_S = 15


def chunk(rows: int, columns: int, seed: int) -> pl.DataFrame:
    """Return rows with numbers, gaps, whole numbers, two texts and a boolean."""
    rng = np.random.default_rng(seed)
    numbers = columns - 5
    x = rng.normal(size=(rows, numbers))
    logit = x[:, 0] - 0.5 * x[:, 1] * x[:, 2]
    return pl.DataFrame(
        {
            **{f"x{index}": x[:, index] for index in range(numbers)},
            "count": rng.integers(0, 50, rows),
            "plan": rng.choice(["a", "b", "c", "d"], rows),
            "city": rng.choice([f"city {index}" for index in range(300)], rows),
            "wet": rng.random(rows) < 0.3,
            "y": rng.random(rows) < 1 / (1 + np.exp(-logit)),
        }
    )


def write(path: Path, rows: int, columns: int) -> None:
    """Write the table without ever holding it."""
    writer = None
    for seed, start in enumerate(range(0, rows, _AT_ONCE)):
        table = chunk(min(_AT_ONCE, rows - start), columns, seed).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def main(folder: Path, rows: int, columns: int) -> None:
    """Add, check, split, compare, fit, evaluate, gate, register."""
    write(folder / "big.parquet", rows, columns)
    rooms, actor = rooms_in(folder / "project"), Actor("os-user", "ada")
    rooms.data.add(folder / "big.parquet", "big", actor=actor)
    rooms.data.freeze_suite("big", rooms.data.suggest_suite("data:big@1"), actor=actor)
    settings = f'[models.m]\ndataset = "big"\ntarget = "y"\nfolds = 3\nbudget_s = {_BUDGET_S}\n'
    training = training_in(rooms, settings)
    result = training.train("m", actor=actor)
    split = training.steps(result.pipeline_run)["split"].outputs
    found = {
        "outcome": result.outcome,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "reason": split["split"]["reason"],  # type: ignore[index, call-overload]  # JSON
        "columns": len(split["features"]["used"]) + 1,  # type: ignore[index, arg-type, call-overload]  # JSON
        "budget": split["budget"],
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
