"""Markers planted in a table are found only where rows are kept, and after an erasure nowhere."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest

from packed import files_in
from undrift.core.masking import open_mask
from undrift.data.personal.columns import personal_columns

from .doors import Shell, ask

ROWS = 400
EMAIL = "zqx.marker@example.org"
KEY = "zqx-key-marker@example.org"
MARKERS = {
    "email": EMAIL,
    "full_name": "Zqxada Markerlace",
    "note": "zqx free text marker about one person",
    "plan": "zqx-rare-plan",
    "income": 87_654.321,
    "born": 19_870_613.25,
}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give an empty folder; what was served in it is stopped afterwards."""
    made = Shell(tmp_path / "project")
    made.folder.mkdir()
    yield made
    made.close()


def _table() -> pl.DataFrame:
    deal = random.Random(3)
    x = [deal.gauss(0, 1) for _ in range(ROWS)]
    frame = pl.DataFrame(
        {
            "email": [f"u{n}@example.org" for n in range(ROWS)],
            "full_name": [f"Maria Sample{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(ROWS)],
            "note": [f"words of row number {n} and {deal.random()}" for n in range(ROWS)],
            "plan": [deal.choice(["basic", "plus", "pro"]) for _ in range(ROWS)],
            "income": [round(deal.uniform(1_000, 80_000), 3) for _ in range(ROWS)],
            "born": [round(deal.uniform(19_000_000, 19_800_000), 2) for _ in range(ROWS)],
            "x": x,
            "churned": ["yes" if one + deal.gauss(0, 0.5) > 0 else "no" for one in x],
        }
    )
    marked = {name: [value, *frame[name].to_list()[1:]] for name, value in MARKERS.items()}
    return frame.with_columns(pl.Series(name, cells) for name, cells in marked.items())


def _spellings() -> list[str]:
    return [EMAIL, KEY, "Zqxada", "zqx free text", "zqx-rare-plan", "87654.321", "19870613.25"]


def _holding(folder: Path) -> dict[str, set[str]]:
    """Return, by file of the project, the markers in it: as text, as doubles, and inside Parquet."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix == ".csv":
            continue
        hits = {hit for data in files_in(path) for hit in _markers_in(data)}
        if hits:
            found[path.relative_to(folder / ".undrift").as_posix() if ".undrift" in path.parts else path.name] = hits
    return found


def _markers_in(data: bytes) -> set[str]:
    cells = str(pl.read_parquet(data).to_dict(as_series=False)) if data[:4] == data[-4:] == b"PAR1" else ""
    hits = {word for word in _spellings() if word.encode() in data or word in cells}
    for number in (MARKERS["income"], MARKERS["born"]):
        packed = pl.Series([number], dtype=pl.Float64).to_numpy()
        if packed.tobytes() in data or packed.byteswap().tobytes() in data:
            hits.add(str(number))
    return hits


def _post(url: str, path: str, body: object) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status


def _play(shell: Shell) -> str:
    """Bring the table up, ask with the marked row, send bad rows and a label, deliver bad batches; return the URL."""
    table = _table()
    table.write_csv(shell.folder / "people.csv")
    up = shell.undrift("up", "people.csv", "--target", "churned", "--json", "--force", "--reason", "a test of privacy")
    assert up.code == 0, up.err + up.out
    url: str = up.json["url"]
    inputs = {one["column"] if "column" in one else one["name"] for one in _inputs(shell, up.json["version"])}
    assert inputs.isdisjoint(personal_columns(table))
    row = {name: cell for name, cell in table.row(0, named=True).items() if name in inputs}
    assert ask(url, {"row": row, "key": KEY})
    assert _post(url, "/predict", {"row": {**row, "email": EMAIL}, "key": KEY}) == 422
    assert _post(url, "/predict", {"row": {**row, "x": EMAIL}, "key": KEY}) == 422
    assert _post(url, "/feedback", {"key": KEY, "actual": "yes"}) == 200
    (shell.folder / "labels.csv").write_text(f"who,churned\n{KEY},yes\n")
    assert shell.undrift("label", "add", "labels.csv", "--endpoint", "people", "--on", "who").code in (0, 2)
    bad = table.head(40).with_columns(x=pl.lit(1e9))
    bad.write_csv(shell.folder / "bad.csv")
    assert shell.undrift("data", "add", "bad.csv", "--name", "people", "--append", "--check").code == 3
    assert shell.undrift("tick").code == 0
    return url


def _inputs(shell: Shell, version: str) -> list[dict[str, str]]:
    number = version.rpartition("@")[2]
    for path in (shell.folder / ".undrift" / "packages").glob("*/manifest.json"):
        found: list[dict[str, str]] = json.loads(path.read_bytes())["inputs"]
        assert number
        return found
    raise AssertionError("there is no package")


def test_markers_are_found_where_rows_are_kept_and_after_an_erasure_nowhere(shell: Shell) -> None:
    """Every file below the project is read: packages, cards, sketches, ledger, logs, objects, packs, index, cache."""
    _play(shell)
    assert shell.undrift("down", "people").code == 0
    assert shell.undrift("tick").code == 0
    holding = _holding(shell.folder)
    parts = {name for name in holding if name.startswith(("blobs/packs/", "blobs/whole/"))}
    assert {name.partition("/")[2].partition("/")[0] for name in parts} == {"packs", "whole"}
    elsewhere = {
        name: hits
        for name, hits in holding.items()
        if name not in parts and not name.startswith(("quarantine/", "segments/predictions/"))
    }
    assert elsewhere == {}
    kept = {name: hits for name, hits in holding.items() if name not in parts}
    masked = {EMAIL, KEY, "Zqxada"}
    assert not [name for name, hits in kept.items() if hits & masked], kept
    erased = shell.undrift(
        "data", "erase", "people", "--on", "email", "--value", EMAIL, "--reason", "her request", "--yes", "--json"
    )
    assert erased.code == 0, erased.err + erased.out
    assert shell.undrift(
        "data", "erase", "people", "--on", "email", "--value", KEY, "--reason", "her request", "--yes"
    ).code == 0  # fmt: skip
    assert _holding(shell.folder) == {}
    assert open_mask(shell.folder / ".undrift").text(KEY) not in str(_texts(shell.folder))
    assert shell.undrift("audit", "verify").code == 0
    assert shell.undrift("model", "show", "people@1").code == 0
    assert shell.undrift("data", "check", "people@1").code == 0


def _texts(folder: Path) -> list[str]:
    return [str(pl.read_parquet(path).to_dicts()) for path in folder.rglob("*.parquet")]
