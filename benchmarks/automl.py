"""From a table to a model: `undrift up` against FLAML and AutoGluon's medium preset, on six tables.

Everybody gets the same CSV file of the same rows and two threads, and answers the same other rows: the newest days
where rows have a time, whole groups where an identifier repeats, else a stratified quarter. Ours is the whole command:
read, check, suspect, compare, fit, judge on rows of its own (which it does not learn from), package, serve. The peers
only fit; AutoGluon decides when it is done, at most five minutes, FLAML is given ``--budget`` seconds of search. Time
and processor time are those of the whole process with its children, import included.

    python benchmarks/automl.py [--tables telco_churn,claims] [--peers flaml,autogluon] [--budget 60]
        [--answers FOLDER] [--json FILE]

The peers run in environments of their own below ``build/``, made from ``requirements/benchmarks-*.txt``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from peers import ROOT, peer_python

Array = npt.NDArray[Any]  # Any: labels are texts or numbers
TEST_SHARE = 0.25
THREADS = 2
RESAMPLES = 2_000
CLIP = 1e-15
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}


@dataclass(frozen=True)
class Contest:
    """A table, what is to be predicted, and which rows belong together."""

    name: str
    target: str
    task: str
    time: str = ""
    group: str = ""
    positive: str = ""


@dataclass(frozen=True)
class Entry:
    """What one contestant did on one table; lower values are better."""

    table: str
    who: str
    metric: str
    value: float
    difference: tuple[float, float, float] | None
    wall_s: float
    cpu_s: float
    load: float


@dataclass(frozen=True)
class Answer:
    """A contestant's scores of the rows asked and what they took; labels are the order of the columns."""

    scores: list[list[float]]
    labels: list[str] | None
    wall_s: float
    cpu_s: float
    load: float


CONTESTS = (
    Contest("telco_churn", "Churn", "binary", positive="Yes"),
    Contest("card_fraud", "is_fraud", "binary", positive="1"),
    Contest("clinic_visits", "no_show", "binary", group="patient_id", positive="yes"),
    Contest("tickets", "queue", "multiclass"),
    Contest("bike_rentals", "rentals", "regression", time="timestamp"),
    Contest("claims", "cost", "regression"),
)


def split(table: pl.DataFrame, contest: Contest) -> tuple[pl.DataFrame, pl.DataFrame, Array]:
    """Return the rows to learn from, the rows to answer, and the unit of each of the latter."""
    rng = np.random.default_rng(0)
    units = _units(table, contest)
    names = np.unique(units)
    if contest.time:
        asked = np.isin(units, names[-round(len(names) * TEST_SHARE) :])
    elif contest.group:
        asked = np.isin(units, rng.choice(names, round(len(names) * TEST_SHARE), replace=False))
    else:
        strata = table[contest.target].to_numpy() if contest.task != "regression" else np.zeros(table.height)
        order = np.lexsort((rng.random(table.height), strata))
        asked = np.zeros(table.height, dtype=bool)
        asked[order[:: round(1 / TEST_SHARE)]] = True
    return table.filter(~pl.Series(asked)), table.filter(pl.Series(asked)), units[asked]


def ours(folder: Path, contest: Contest) -> Answer:
    """Return our scores of the rows asked; the time is that of `undrift up`."""
    # Too few rows of the rarer class are "cannot tell": the comparison needs the model all the same.
    forced = ["--force", "--reason", "a comparison whose rows are judged elsewhere"]
    words = ["up", "train.csv", "--target", contest.target, "--name", "contest", "--json", *forced]
    command = [sys.executable, "-m", "undrift", *words]
    out, wall, cpu = timed(command, folder)
    version = json.loads(out)["version"]
    try:
        import undrift

        loaded = undrift.load(version, project=folder)
        rows = read_as_served(folder, loaded)
        numbers = contest.task == "regression"
        scores = np.asarray(loaded.predict(rows)).reshape(-1, 1) if numbers else loaded.predict_proba(rows)
        labels = None if numbers else [str(label) for label in loaded.classes]
        return Answer(scores.tolist(), labels, wall, cpu, os.getloadavg()[0])
    finally:
        subprocess.run(
            [sys.executable, "-m", "undrift", "down", "contest"],
            cwd=folder,
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
        )


def read_as_served(folder: Path, loaded: Any) -> pl.DataFrame:
    """Return the rows asked under the schema that the training table was frozen with."""
    from undrift.data.tabular import table_files
    from undrift.project import Project

    with Project.open(folder) as project:
        schema = project.data.get(loaded.package.manifest.data).schema
    return table_files.read(folder / "test.csv", "csv", schema)


def peer(who: str, folder: Path, contest: Contest, asked: argparse.Namespace) -> Answer:
    """Return a peer's scores of the rows asked; those of an earlier run with the same ``--answers`` are taken."""
    kept = asked.answers / f"{contest.name}-{who}.json" if asked.answers else None
    if kept and kept.exists():
        return Answer(**json.loads(kept.read_text()))
    python = peer_python(f"automl-{who}", f"benchmarks-{who}.txt")
    words = [who, str(folder), contest.target, contest.task, "--budget", str(asked.budget), "--threads", str(THREADS)]
    _, wall, cpu = timed([str(python), str(Path(__file__).with_name("automl_peer.py")), *words], folder)
    told = json.loads((folder / f"{who}.json").read_text())
    answer = Answer(told["scores"], told["labels"], wall, cpu, os.getloadavg()[0])
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(asdict(answer)))
    return answer


def timed(command: list[str], folder: Path) -> tuple[str, float, float]:
    """Run a command and return what it printed, its seconds, and the processor's, its children's included."""
    log = folder / "contest.err"
    with log.open("w") as errors:
        began = time.perf_counter()
        running = subprocess.Popen(
            command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert running.stdout
        out = running.stdout.read()
        _, status, used = os.wait4(running.pid, 0)
        wall = time.perf_counter() - began
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {running.returncode}: {log.read_text()[-2000:]}")
    return out, wall, used.ru_utime + used.ru_stime


def losses(contest: Contest, test: pl.DataFrame, answer: Answer) -> Array:
    """Return each row's loss, whatever order of classes a contestant has: absolute error, or log loss."""
    scores = np.asarray(answer.scores)
    if contest.task == "regression":
        return np.abs(test[contest.target].to_numpy() - scores[:, 0])
    assert answer.labels is not None
    place = {label: number for number, label in enumerate(answer.labels)}
    told = [place[label] for label in test[contest.target].cast(pl.String).to_list()]
    return -np.log(np.clip(scores[np.arange(test.height), told], CLIP, 1))


def difference_of(theirs: Array, own: Array, units: Array) -> tuple[float, float, float]:
    """Return the difference of two mean losses with its 95 % interval: a paired bootstrap of whole units."""
    codes = np.unique(units, return_inverse=True)[1]
    sums, sizes = np.bincount(codes, theirs - own), np.bincount(codes)
    drawn = np.random.default_rng(0).multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), RESAMPLES)
    low, high = np.quantile((drawn @ sums) / (drawn @ sizes), [0.025, 0.975])
    return float(np.mean(theirs - own)), float(low), float(high)


def contend(contest: Contest, asked: argparse.Namespace) -> list[Entry]:
    """Return what everybody did on one table."""
    sys.path.insert(0, str(ROOT / "tests"))
    from tables.catalogue import WRITERS

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = pl.read_csv(WRITERS[contest.name](folder), infer_schema_length=None)
        train, test, units = split(table, contest)
        train.write_csv(folder / "train.csv")
        test.write_csv(folder / "test.csv")
        found: list[Entry] = []
        own: Array | None = None
        for who in ("undrift", *filter(None, asked.peers.split(","))):
            answer = ours(folder, contest) if who == "undrift" else peer(who, folder, contest, asked)
            lost = losses(contest, test, answer)
            difference = None if own is None else difference_of(lost, own, units)
            own = lost if own is None else own
            metric = "mean absolute error" if contest.task == "regression" else "log loss"
            found.append(
                Entry(
                    contest.name, who, metric, float(lost.mean()), difference, answer.wall_s, answer.cpu_s, answer.load
                )
            )
            show(found[-1:])
    return found


def show(entries: list[Entry]) -> None:
    """Print rows of the table. The difference is theirs minus ours: positive says that ours is better."""
    for one in entries:
        ends = "" if one.difference is None else "{:+.4g} ({:+.4g} to {:+.4g})".format(*one.difference)
        cells = (
            one.table,
            one.who,
            one.metric,
            f"{one.value:.4g}",
            ends,
            f"{one.wall_s:.0f}",
            f"{one.cpu_s:.0f}",
            f"{one.load:.0f}",
        )
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Run the contests and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(one.name for one in CONTESTS))
    parser.add_argument("--peers", default="flaml,autogluon")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds that FLAML searches")
    parser.add_argument("--answers", type=Path, help="keep peers' answers here, and take those that lie here")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    heads = ("table", "who", "metric", "value", "theirs - ours (95 %)", "s", "CPU s", "load")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    found = [entry for one in CONTESTS if one.name in asked.tables.split(",") for entry in contend(one, asked)]
    print(f"\nload: the load average of the minute before the end of each, on {os.cpu_count()} processors")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(one) for one in found], indent=2))


def _units(table: pl.DataFrame, contest: Contest) -> Array:
    if contest.time:
        return table[contest.time].str.slice(0, 10).to_numpy()
    return table[contest.group].to_numpy() if contest.group else np.arange(table.height)


if __name__ == "__main__":
    main()
