"""From a table of 7,000 rows to the first answer; with ``--install``, the installation before it as well.

`undrift up` is started on a new folder and a table of 7,043 customers; the clock stops when the endpoint has answered a
raw row over HTTP. Nothing is warmed, each round has a folder of its own.

    python benchmarks/first_answer.py [--rounds 3] [--install] [--json FILE]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from peers import ROOT

HTTP_OK = 200


def answer(python: str, environment: dict[str, str]) -> dict[str, float]:
    """Return the seconds from the start of `undrift up` to the first answer, and the processor's seconds of it."""
    from tables.customers import telco_churn

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = telco_churn(folder)
        undrift = [python, "-m", "undrift"]
        began = time.perf_counter()
        running = subprocess.Popen(
            [*undrift, "up", table.name, "--target", "Churn", "--json"],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert running.stdout
        out = running.stdout.read()
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            raise RuntimeError(f"undrift up ended with {running.returncode}")
        try:
            ask(json.loads(out))
            took = time.perf_counter() - began
        finally:
            subprocess.run([*undrift, "down"], cwd=folder, env=environment, check=True, capture_output=True)
    return {"answer_s": took, "cpu_s": used.ru_utime + used.ru_stime}


def ask(up: dict[str, Any]) -> None:
    """Ask the endpoint with the body of the curl line that `undrift up` printed."""
    body = up["curl"].partition(" -d '")[2].removesuffix("'").replace("'\\''", "'")
    connection = http.client.HTTPConnection(urlsplit(up["url"]).netloc, timeout=30)
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    if reply.status != HTTP_OK:
        raise RuntimeError(f"the first answer is {reply.status}: {reply.read()!r}")


def install(folder: Path) -> float:
    """Install undrift and what it needs into a new environment and return the seconds it took."""
    began = time.perf_counter()
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "-q"]
    subprocess.run([*pip, "-r", str(ROOT / "requirements/runtime.txt")], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--install", action="store_true", help="measure in a newly installed environment")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    with tempfile.TemporaryDirectory() as name:
        python, environment = sys.executable, {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        result: dict[str, Any] = {}
        if asked.install:
            result["install_s"] = install(Path(name) / "venv")
            python = str(Path(name) / "venv/bin/python")
            environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        rounds = [answer(python, environment) for _ in range(asked.rounds)]
    result |= {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    result |= {"rounds": rounds, "load_average": os.getloadavg()[1], "processors": os.cpu_count()}
    for key in ("install_s", "answer_s", "cpu_s", "load_average", "processors"):
        if key in result:
            print(f"{key:14}{result[key]:8.1f}")
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
