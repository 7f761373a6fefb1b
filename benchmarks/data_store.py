"""Versions of data: `undrift data` against `cp` and DVC, side by side in one run.

One file of 1 GB (a CSV of numbers, dates and words) and a folder of 10,000 files of 20 KB are added, added again
unchanged, asked about, and checked out. Every figure is the wall time of one whole process, start-up included. `cp`
ends when the bytes are in the system's page cache; `cp + fsync` when they are on the disk, which is what ours promises
before an addition is recorded; DVC promises the former. Rounds are interleaved and the median of each is taken. Before
everything that writes much a copy is made and deleted, not timed: a virtual machine's first use of memory costs several
times as much as copying, and would be charged to whoever comes first. Then all files are read, so that they are cached.

With ``--growth``: the bytes that a second version costs, for five kinds of edit of 1 % of the rows, as a CSV stored
byte by byte and as a table (``--as-table``).

    python benchmarks/data_store.py [--rounds 3] [--growth] [--size-mb 1000] [--files 10000] [--json FILE]

DVC runs in ``build/benchmarks-data``, made from ``requirements/benchmarks-data.txt``, without Git, its cache beside the
data.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from peers import ROOT, peer_python

SMALL_BYTES = 20_000
ROW_BYTES = 92  # about as long as a row of `table_of` is as CSV
EDIT_SHARE = 0.01
CLUSTERS = 20
TABLE_PART = 4
"""A table of so many times fewer rows is kept as Parquet: there every cell is read and written anew."""
QUIET = {"DVC_NO_ANALYTICS": "1", "NO_COLOR": "1", "PYTHONPATH": str(ROOT / "src")}
OPERATIONS = ("add", "add unchanged", "status", "checkout")


@dataclass
class Times:
    """Seconds of each round, by contestant and operation."""

    seconds: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)

    def note(self, data: str, who: str, what: str, seconds: float) -> None:
        """Keep a round's seconds."""
        self.seconds.setdefault((data, who, what), []).append(seconds)

    def median(self, data: str, who: str, what: str) -> float | None:
        """Return the median of the rounds, None when it was not measured."""
        found = self.seconds.get((data, who, what))
        return statistics.median(found) if found else None


def table_of(rows: int, seed: int = 7) -> pl.DataFrame:
    """Return a table of ten columns: keys, numbers, a date, words."""
    rng = np.random.default_rng(seed)
    words = np.array([f"word{number:04d}" for number in range(2_000)])
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "amount": rng.lognormal(3, 1, rows).round(2),
            "ratio": rng.random(rows).round(6),
            "score": rng.normal(0, 1, rows).round(6),
            "count": rng.poisson(4, rows),
            "day": np.datetime64("2020-01-01") + rng.integers(0, 2_000, rows).astype("timedelta64[D]"),
            "city": words[rng.integers(0, 300, rows)],
            "product": words[rng.integers(0, 2_000, rows)],
            "flag": rng.random(rows) < 0.2,  # noqa: PLR2004  (a share)
            "load": rng.gamma(2, 3, rows).round(4),
        }
    )


def timed(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> float:
    """Run a command and return its wall time.

    Raises
    ------
    RuntimeError
        If it fails.
    """
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **QUIET, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[-5:])} ended with {done.returncode}: {done.stderr[-1500:]}")
    return seconds


@contextmanager
def fresh(source: Path) -> Iterator[Path]:
    """Give a new folder which holds the data under its own name, read once so that all start from a warm cache."""
    with tempfile.TemporaryDirectory(dir=source.parent) as name:
        folder = Path(name)
        if source.is_dir():
            shutil.copytree(source, folder / source.name)
        else:
            shutil.copy(source, folder / source.name)
        os.sync()  # what others left to write is not charged to whoever comes next
        yield folder


def warm(name: str, folder: Path) -> None:
    """Use as much memory as a copy needs and give it back, and read all that is there: nobody waits for a disk."""
    timed(["cp", "-r", name, "warm"], folder)
    shutil.rmtree(folder / "warm") if (folder / "warm").is_dir() else (folder / "warm").unlink()
    os.sync()
    timed(["sh", "-c", "find . -type f -exec cat {} + > /dev/null"], folder)


def run_cp(source: Path, times: Times) -> None:
    """Copy, and copy durably."""
    with fresh(source) as folder:
        warm(source.name, folder)
        times.note(source.name, "cp", "add", timed(["cp", "-r", source.name, "copy"], folder))
        shutil.rmtree(folder / "copy") if source.is_dir() else (folder / "copy").unlink()
        os.sync()
        script = f"cp -r {source.name} copy && sync -f copy"
        times.note(source.name, "cp + fsync", "add", timed(["sh", "-c", script], folder))


def run_undrift(source: Path, times: Times) -> None:
    """Add, add again, ask, check out; ours."""
    undrift = [sys.executable, "-m", "undrift"]
    with fresh(source) as folder:
        timed([*undrift, "init"], folder)
        add = [*undrift, "data", "add", source.name, "--name", "it", "--unread"]
        steps: dict[str, list[str]] = {
            "add": add,
            "add unchanged": add,
            "status": [*undrift, "data", "status"],
            "checkout": [*undrift, "data", "checkout", "it", "--output", "copy"],
        }
        for what, command in steps.items():
            if command is add or what == "checkout":
                warm(source.name, folder)
            times.note(source.name, "undrift", what, timed(command, folder))
        same(folder / source.name, folder / "copy")


def run_dvc(source: Path, times: Times) -> None:
    """Add, add again, ask, check out; DVC's."""
    dvc = [str(peer_python("benchmarks-data", "benchmarks-data.txt").parent / "dvc")]
    with fresh(source) as folder:
        environment = {"DVC_SITE_CACHE_DIR": str(folder / "site"), "DVC_GLOBAL_CONFIG_DIR": str(folder / "global")}
        timed([*dvc, "init", "--no-scm"], folder, environment)
        kept = folder / "kept"
        shutil.copytree(folder / source.name, kept) if source.is_dir() else shutil.copy(folder / source.name, kept)
        for what, words in (("add", ["add"]), ("add unchanged", ["add"]), ("status", ["status"])):
            command = [*dvc, *words, *([] if what == "status" else [source.name])]
            if what == "add":
                warm(source.name, folder)
            times.note(source.name, "DVC", what, timed(command, folder, environment))
        shutil.rmtree(folder / source.name) if source.is_dir() else (folder / source.name).unlink()
        warm("kept", folder)
        times.note(source.name, "DVC", "checkout", timed([*dvc, "checkout"], folder, environment))
        same(kept, folder / source.name)


def same(one: Path, other: Path) -> None:
    """Fail unless two files or folders are the same, byte by byte."""
    subprocess.run(["diff", "-r", "-q", str(one), str(other)], check=True)


def big_file(folder: Path, size_mb: int) -> Path:
    """Write the big CSV."""
    path = folder / "big.csv"
    table_of(size_mb * 1_000_000 // ROW_BYTES).write_csv(path)
    return path


def small_files(folder: Path, count: int) -> Path:
    """Write the folder of small files, which do not compress."""
    many = folder / "many"
    rng = np.random.default_rng(11)
    for number in range(count):
        place = many / f"{number % 100:02d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:05d}.bin").write_bytes(rng.bytes(SMALL_BYTES))
    return many


EDITS: dict[str, Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]] = {
    "scattered": lambda table, rng: _changed(table, rng.random(table.height) < EDIT_SHARE),
    "clustered": lambda table, rng: _changed(table, _clusters(table.height, rng)),
    "one block": lambda table, _: _changed(table, _block(table.height)),
    "inserted": lambda table, _: pl.concat(
        [table[: table.height // 3], table_of(_few(table.height), seed=8), table[table.height // 3 :]]
    ),
    "appended": lambda table, _: pl.concat([table, table_of(_few(table.height), seed=8)]),
}


def _few(rows: int) -> int:
    return max(1, round(rows * EDIT_SHARE))


def _changed(table: pl.DataFrame, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pl.DataFrame:
    return table.with_columns(pl.when(pl.Series(rows)).then(pl.col("score") + 1).otherwise(pl.col("score")).round(6))


def _clusters(rows: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    length = max(1, _few(rows) // CLUSTERS)
    marks = np.zeros(rows, dtype=np.bool_)
    for start in rng.choice(rows - length, CLUSTERS, replace=False):
        marks[start : start + length] = True
    return marks


def _block(rows: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    marks = np.zeros(rows, dtype=np.bool_)
    marks[rows // 2 : rows // 2 + _few(rows)] = True
    return marks


def growth(rows: int) -> list[tuple[str, str, float]]:
    """Return, for each edit and form, the new bytes that the second version stores, in percent of the first file's."""
    undrift = [sys.executable, "-m", "undrift"]
    found: list[tuple[str, str, float]] = []
    for form, words, count in (("CSV", ["--unread"], rows), ("table", ["--as-table"], rows // TABLE_PART)):
        first = table_of(count)
        for kind, edit in EDITS.items():
            second = edit(first, np.random.default_rng(3))
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                timed([*undrift, "init"], folder)
                add = [*undrift, "data", "add", "table.csv", "--name", "it", *words]
                first.write_csv(folder / "table.csv")
                timed(add, folder)
                before = stored_bytes(folder)
                second.write_csv(folder / "table.csv")
                timed(add, folder)
                found.append((kind, form, 100 * (stored_bytes(folder) - before) / before))
                print(f"| {kind} | {form} | {found[-1][2]:.2f} % |", flush=True)
    return found


def stored_bytes(project: Path) -> int:
    """Return the bytes of the packs of a project: what its files' contents cost."""
    packs = project / ".undrift" / "blobs" / "packs"
    return sum(path.stat().st_size for path in packs.rglob("*") if path.is_file())


def show(times: Times) -> None:
    """Print the table: seconds, and how many times those of `cp`."""
    print("\n| data | who | add s | x cp | add unchanged s | status s | checkout s | x cp |")
    print("|---|---|---|---|---|---|---|---|")
    for data in dict.fromkeys(key[0] for key in times.seconds):
        base = times.median(data, "cp", "add") or float("nan")
        for who in ("cp", "cp + fsync", "undrift", "DVC"):
            cells = [data, who]
            for what in OPERATIONS:
                seconds = times.median(data, who, what)
                cells.append("" if seconds is None else f"{seconds:.2f}")
                if what in {"add", "checkout"}:
                    cells.append("" if seconds is None else f"{seconds / base:.2f}")
            print(f"| {' | '.join(cells)} |")
    print(f"\nload average over the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size-mb", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--growth", action="store_true", help="measure what second versions cost, in place of times")
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the CSV of --growth")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.growth:
        print("| edit of 1 % | stored as | new bytes |\n|---|---|---|")
        result: object = growth(asked.rows)
    else:
        times = Times()
        with tempfile.TemporaryDirectory() as name:
            sources = [big_file(Path(name), asked.size_mb), small_files(Path(name), asked.files)]
            for _ in range(asked.rounds):
                for source in sources:
                    for contestant in (run_cp, run_undrift, run_dvc):
                        contestant(source, times)
        show(times)
        result = {"/".join(key): seconds for key, seconds in times.seconds.items()}
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
