"""One row per request: the scoring worker against a plain Flask app, side by side in one run.

Both serve the same fitted pipeline (StandardScaler and a RandomForestClassifier of 100 trees on 20
features). Ours has its validation, prediction log and metrics on, as it always has; the Flask app has
none of these and no access log. Rounds are interleaved and the median of each is taken; a busy
machine spoils the absolute numbers, less so the ratios and the processor time per request.

    python benchmarks/serving.py [--rounds 3] [--json FILE] [--peer-python PATH]

The peers run in an environment of their own, ``build/benchmarks``, made from ``requirements/benchmarks.txt``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peers import peer_python

CLIENTS = (1, 16, 64)
FEATURES = 20
ROWS = 5_000
HTTP_OK = 200
TICKS = os.sysconf("SC_CLK_TCK")
HEAD = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
FLASK_APP = """
import itertools, os, sys
import joblib
import numpy as np
from flask import Flask, jsonify, request
import logging
logging.getLogger("werkzeug").disabled = True
pipeline = joblib.load(os.environ["MODEL"])
ids = itertools.count(1)
app = Flask(__name__)

@app.post("/predict")
def predict():
    features = np.array(request.get_json()["features"]).reshape(1, -1)
    probability = float(pipeline.predict_proba(features)[0, 1])
    return jsonify(prediction=probability >= 0.5, probability=probability, model_version="1", prediction_id=next(ids))

if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
"""


@dataclass(frozen=True)
class Load:
    """What one load found."""

    requests: int
    errors: int
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0


@dataclass(frozen=True)
class Server:
    """One contestant: how it is started, how it is asked, and how many requests it gets per load."""

    name: str
    command: list[str]
    port: int
    named_columns: bool
    requests: dict[int, int]
    environment: dict[str, str]


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def train(folder: Path) -> tuple[Any, Any]:
    """Fit the pipeline, keep it for Flask, package it for us, and return it with some rows to ask."""
    import joblib
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, FEATURES))
    y = (x[:, 0] + x[:, 1] * x[:, 2] + rng.normal(size=ROWS)) > 0
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(100, random_state=0)).fit(x, y)
    joblib.dump(pipeline, folder / "model.joblib")
    package(pipeline, x, folder)
    return pipeline, rng.normal(size=(256, FEATURES))


def package(pipeline: Any, x: Any, folder: Path) -> None:
    """Build the package and write the endpoint file."""
    from undrift.models.build import PackageParts, build_package
    from undrift.models.signature import InputColumn
    from undrift.segments.endpoint_file import EndpointState, FeedbackState, LogState, VariantState, write_state
    from undrift.stats.sketch import ReferenceSketch

    columns = {f"x{number}": x[:, number].tolist() for number in range(FEATURES)}
    types = dict.fromkeys(columns, "float")
    parts = PackageParts(
        name="forest",
        model=pipeline,
        task="binary",
        inputs=tuple(InputColumn(name, "float") for name in columns),
        sketch=ReferenceSketch.fit(columns, types),
        replay=columns,
        created_at=datetime.now(UTC),
    )
    built = build_package(parts, folder / "packages")
    state = EndpointState(
        endpoint="forest",
        generation=1,
        salt="s",
        variants=[VariantState("stable", "forest", 1, built.digest, str(built.path), 10_000)],
        log=LogState("written", "segments/predictions/forest"),
        feedback=FeedbackState("segments/feedback/forest"),
    )
    write_state(folder / "forest.json", state)


def contestants(folder: Path, peer: Path) -> list[Server]:
    """Return who is measured."""
    (folder / "app.py").write_text(FLASK_APP)
    ours, flask, green = free_port(), free_port(), free_port()
    worker = [sys.executable, "-m", "undrift.serving", "--state", str(folder / "forest.json"), "--store", str(folder)]
    gunicorn = [str(peer), "-m", "gunicorn", "--chdir", str(folder), "-b", f"127.0.0.1:{green}", "--workers", "1"]
    few, many = {1: 200, 16: 300, 64: 300}, {1: 2_000, 16: 8_000, 64: 8_000}
    model = {"MODEL": str(folder / "model.joblib")}
    return [
        Server("undrift worker", [*worker, "--port", str(ours)], ours, True, many, {}),
        Server("Flask, its own server", [str(peer), str(folder / "app.py"), str(flask)], flask, False, few, model),
        Server("Flask, gunicorn 8 threads", [*gunicorn, "--threads", "8", "app:app"], green, False, few, model),
    ]


def start(server: Server) -> subprocess.Popen[bytes]:
    """Start a server and return once it answers."""
    environment = {**os.environ, **server.environment}
    process = subprocess.Popen(server.command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return process
    raise RuntimeError(f"{server.name} does not start")


def measure(server: Server, process: subprocess.Popen[bytes], folder: Path, clients: int) -> Load:
    """Put one load on a server, from a process of its own."""
    bodies = folder / ("named.json" if server.named_columns else "plain.json")
    before = cpu_seconds(process.pid)
    asked = [str(server.port), str(clients), str(server.requests[clients]), str(bodies)]
    done = subprocess.run([sys.executable, __file__, "--client", *asked], capture_output=True, text=True, check=True)
    used = cpu_seconds(process.pid) - before
    found = json.loads(done.stdout)
    return Load(**found, cpu_us=used / found["requests"] * 1e6)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its children."""
    total = 0.0
    waiting = [pid]
    while waiting:
        here = waiting.pop()
        fields = Path(f"/proc/{here}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
        waiting += [int(child) for child in Path(f"/proc/{here}/task/{here}/children").read_text().split()]
    return total


async def drive(port: int, clients: int, requests: int, bodies: list[bytes]) -> Load:
    """Ask from so many connections, each one after the other, until so many requests are answered."""
    seconds: list[float] = []
    errors = 0
    left = iter(range(requests))

    async def client() -> None:
        nonlocal errors
        stream = None
        for number in left:
            began = time.perf_counter()
            stream = stream or await asyncio.open_connection("127.0.0.1", port)
            status, closes = await ask(*stream, bodies[number % len(bodies)])
            seconds.append(time.perf_counter() - began)
            errors += status != HTTP_OK
            if closes:
                stream[1].close()
                stream = None

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - began
    cuts = statistics.quantiles(seconds, n=100)
    return Load(requests, errors, requests / took, cuts[49] * 1e3, cuts[98] * 1e3)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> tuple[int, bool]:
    """Send one request and return its status, and whether the server closes the connection."""
    writer.write(HEAD % len(body) + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(answer.partition(b"content-length:")[2].partition(b"\r")[0])
    await reader.readexactly(length)
    return int(answer.split(b" ", 2)[1]), answer.startswith(b"http/1.0") or b"connection: close" in answer


def check_answers(server: Server, pipeline: Any, rows: Any) -> float:
    """Return the largest difference between the worker's probabilities and the pipeline's own."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    named = [dict(zip([f"x{n}" for n in range(FEATURES)], row, strict=True)) for row in rows.tolist()]
    connection.request("POST", "/predict", json.dumps({"rows": named}))
    answered = json.loads(connection.getresponse().read())["predictions"]
    expected = pipeline.predict_proba(rows)[:, 1].tolist()
    return max(abs(one["probability"] - right) for one, right in zip(answered, expected, strict=True))


def run(rounds: int, peer: Path) -> dict[str, Any]:
    """Measure everybody and return what was found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pipeline, rows = train(folder)
        columns = [f"x{number}" for number in range(FEATURES)]
        named = [dict(zip(columns, row, strict=True)) for row in rows.tolist()]
        (folder / "named.json").write_text(json.dumps(named))
        (folder / "plain.json").write_text(json.dumps([{"features": row} for row in rows.tolist()]))
        servers = contestants(folder, peer)
        running = [start(server) for server in servers]
        try:
            for server, process in zip(servers, running, strict=True):
                measure(server, process, folder, 16)  # warm
            loads = {(server.name, clients): [] for server in servers for clients in CLIENTS}
            for clients in CLIENTS * rounds:
                for server, process in zip(servers, running, strict=True):
                    loads[server.name, clients].append(measure(server, process, folder, clients))
            difference = check_answers(servers[0], pipeline, rows)
        finally:
            for process in running:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
    return {
        "difference": difference,
        "load_average": os.getloadavg()[1],
        "loads": [summary(*key, found) for key, found in loads.items()],
    }


def summary(server: str, clients: int, found: list[Load]) -> dict[str, Any]:
    """Return the medians over the rounds of one server under one load."""
    rows = [asdict(load) for load in found]
    medians = {key: statistics.median(row[key] for row in rows) for key in ("rps", "p50_ms", "p99_ms", "cpu_us")}
    return {"server": server, "clients": clients, "errors": sum(row["errors"] for row in rows), **medians}


def show(result: dict[str, Any]) -> None:
    """Print the table; in the last two columns, how many times more requests ours answers, and less CPU it takes."""
    heads = ("server", "clients", "requests/s", "p50 ms", "p99 ms", "CPU us/request", "errors", "requests/s x", "CPU x")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    ours = {row["clients"]: row for row in result["loads"] if row["server"].startswith("undrift")}
    for row in sorted(result["loads"], key=lambda row: row["clients"]):
        own = ours[row["clients"]]
        cells = [row["server"], row["clients"], f"{row['rps']:.0f}", f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.1f}"]
        cells += [f"{row['cpu_us']:.0f}", row["errors"]]
        cells += [f"{own['rps'] / row['rps']:.1f}", f"{row['cpu_us'] / own['cpu_us']:.1f}"]
        print("| " + " | ".join(map(str, cells)) + " |")
    print(f"\nlargest difference of our probabilities from the pipeline's own: {result['difference']}")
    print(f"load average over the last five minutes: {result['load_average']:.1f} on {os.cpu_count()} processors")


def main() -> None:
    """Run as the client of one load, or as the whole benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peer-python", type=Path)
    parser.add_argument("--client", nargs=4, metavar=("PORT", "CLIENTS", "REQUESTS", "BODIES"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.client:
        import uvloop

        port, clients, requests = (int(text) for text in asked.client[:3])
        bodies = [json.dumps(body).encode() for body in json.loads(Path(asked.client[3]).read_text())]
        found = asdict(uvloop.run(drive(port, clients, requests, bodies)))
        found.pop("cpu_us")
        print(json.dumps(found))
        return
    result = run(asked.rounds, asked.peer_python or peer_python("benchmarks", "benchmarks.txt"))
    show(result)
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
