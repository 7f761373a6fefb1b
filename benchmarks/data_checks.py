"""The same 16 checks of one table by undrift, Great Expectations and pandera, side by side.

Each contestant runs in a process of its own, several times in turn; medians are shown. The table is a Parquet file
of 20 columns with planted faults, of which all contestants must find the same number. Reading the file is not counted
where a contestant needs a table in memory (undrift's DuckDB engine reads the file itself, which counts).

    python benchmarks/data_checks.py [--rows 1000000] [--repeats 3] [--only undrift-polars,pandera] [--json FILE]

The peers run in an environment of their own below ``build/``, made from ``requirements/benchmarks-data.txt``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from peers import ROOT, peer_python

CONTESTANTS = ("undrift-polars", "undrift-duckdb", "great-expectations", "pandera-polars")
PEERS = {"great-expectations", "pandera-polars"}
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "GX_ANALYTICS_ENABLED": "false", "DISABLE_PANDERA_IMPORT_WARNING": "1"}  # fmt: skip  # noqa: E501
GAPS = 0.0008
COUNTRIES = ("AT", "BE", "BR", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "IT", "NL", "NO", "PL", "SE")


def write_table(path: Path, rows: int) -> None:
    """Write the table: ids, texts, numbers; a few of each are wrong."""
    random = np.random.default_rng(7)
    ids = np.arange(rows)
    ids[rows // 2 : rows // 2 + 10] = ids[:10]
    country = np.array(COUNTRIES)[random.integers(0, len(COUNTRIES), rows)]
    country[:: max(1, rows // 15)] = "XX"
    numbers = {f"x{n}": random.normal(n, 1 + n, rows) for n in range(14)}
    table = pl.DataFrame(
        {
            "id": ids,
            "amount": np.abs(random.normal(100, 30, rows)),
            "country": country,
            "email": [f"user{n}@example.org" if n % 100_003 else "nobody" for n in range(rows)],
            "age": random.integers(17, 99, rows),
            "status": np.array(["new", "paid", "sent", "back"])[random.integers(0, 4, rows)],
            **numbers,
        }
    )
    gaps = pl.Series(random.random(rows) < GAPS)
    table = table.with_columns(x2=pl.when(~gaps).then(pl.col("x2")), x5=pl.col("x4") + pl.col("x5").abs())
    table.write_parquet(path)


def run(who: str, path: Path) -> dict[str, Any]:
    """Return what one contestant told of one run in a process of its own."""
    python = peer_python("benchmarks-data", "benchmarks-data.txt") if who in PEERS else Path(sys.executable)
    child = Path(__file__).with_name("data_checks_contestant.py")
    done = subprocess.run(
        [str(python), str(child), who, str(path)], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{who} ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def median(runs: list[dict[str, Any]], key: str) -> float:
    """Return the median of one figure."""
    return statistics.median(one[key] for one in runs)


def show(who: str, runs: list[dict[str, Any]], best: dict[str, float]) -> None:
    """Print a line of the table."""
    imported, validated, peak = (median(runs, key) for key in ("import_s", "validate_s", "peak_mb"))
    cells = [
        who,
        f"{imported:.2f}",
        f"{validated:.3f}",
        f"{validated / best['validate']:.1f}",
        f"{imported + validated:.2f}",
        f"{(imported + validated) / best['both']:.1f}",
        f"{peak:.0f}",
    ]
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Run the contest and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default=",".join(CONTESTANTS))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    entered = [who for who in CONTESTANTS if who in asked.only.split(",")]
    runs: dict[str, list[dict[str, Any]]] = {who: [] for who in entered}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.parquet")
        write_table(path, asked.rows)
        for _ in range(asked.repeats):  # in turn, so that a busy minute is everybody's
            for who in entered:
                runs[who].append(run(who, path))
    faults = {who: found[0]["faults"] for who, found in runs.items()}
    assert len({json.dumps(one) for one in faults.values()}) == 1, f"they do not find the same faults: {faults}"
    first = runs[entered[0]]
    best = {"validate": median(first, "validate_s"), "both": median(first, "import_s") + median(first, "validate_s")}
    heads = ("who", "import s", "validate s", "x", "both s", "x", "peak MB")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for who, found in runs.items():
        show(who, found, best)
    print(f"\n16 checks of {asked.rows:,} x 20, {asked.repeats} runs each; x: times {entered[0]}")
    print(f"the same faults: {faults[entered[0]]}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if asked.json:
        asked.json.write_text(json.dumps(runs, indent=2))


if __name__ == "__main__":
    main()
