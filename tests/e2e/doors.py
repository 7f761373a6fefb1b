"""The command line as a person types it, and endpoints asked as a caller asks them."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
from sklearn import datasets


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # Any: a JSON document
        """The document on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Shell:
    """A folder in which commands are typed, and how long one is waited for."""

    folder: Path
    patience_s: float = 240.0

    def undrift(self, *words: str) -> Answer:
        """Run a command to its end."""
        command = [sys.executable, "-m", "undrift", *words]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=self.patience_s, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def close(self) -> None:
        """Stop what is served."""
        for file in (self.folder / ".undrift" / "run" / "endpoints").glob("*.supervisor.json"):
            self.undrift("down", file.name.removesuffix(".supervisor.json"))


def ask(url: str, body: object) -> list[dict[str, Any]]:
    """Return the predictions that an endpoint answers."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("POST", "/predict", json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        found = json.loads(reply.read())
    finally:
        connection.close()
    assert reply.status == 200, found
    answered: list[dict[str, Any]] = found["predictions"]
    return answered


def known_table(name: str, folder: Path) -> Path:
    """Write one of scikit-learn's tables as CSV, its target as ``target``."""
    bunch = getattr(datasets, f"load_{name}")()
    target = pl.Series(bunch.target if name == "diabetes" else bunch.target_names[bunch.target])
    path = folder / f"{name}.csv"
    pl.DataFrame(bunch.data, schema=list(bunch.feature_names)).with_columns(target=target).write_csv(path)
    return path
