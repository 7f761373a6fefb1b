"""What datasets promise on every database, to many processes, and to processes that die."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.core.digest import blake3_file
from undrift.data.quality.suite import Suite, expect
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

ADA = Actor("os-user", "ada")
_OPEN = """
import sys
from pathlib import Path
from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
target, store, files = sys.argv[1], Path(sys.argv[2]), [Path(file) for file in sys.argv[3:]]
data = Data(Ledger.open(target), BlobStore(store / "blobs"), real_clocks(), store)
"""
_APPEND = _OPEN + """
for file in files:
    data.add(file, "t", actor=Actor("service", "writer"), append=True)
"""
_APPEND_AND_SAY = _OPEN + """
print("ready", flush=True)
for file in files:
    print(data.add(file, "t", actor=Actor("service", "writer"), append=True).number, flush=True)
"""


def open_data(target: str, store: Path) -> Data:
    return Data(Ledger.open(target), BlobStore(store / "blobs"), real_clocks(), store)


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "store" / "ledger.db")
    return str(request.getfixturevalue("postgres_url"))


def write(folder: Path, count: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = [folder / f"{number:03}.csv" for number in range(count)]
    for number, file in enumerate(files):
        file.write_text("x,s\n" + f"{number},{'row' * 2000}\n" * 20)
    return files


def test_versions_tags_suites_and_batches_on_every_database(target: str, tmp_path: Path) -> None:
    """The whole life of a dataset."""
    data, (first, second, third) = open_data(target, tmp_path / "store"), write(tmp_path / "in", 3)
    data.add(first, "t", actor=ADA, tag="one")
    data.freeze_suite("t", Suite("t", (expect("expect_column_to_exist", column="x"),)), actor=ADA)
    assert data.admit(second, "t", actor=ADA).admitted
    assert data.check("t", actor=ADA).verdict == "pass"
    data.add(third, "t", actor=ADA)
    assert [(version.number, version.rows, version.tags) for version in data.log("t")] == [
        (3, 20, ()),
        (2, 40, ()),
        (1, 20, ("one",)),
    ]
    assert data.get(f"t@{data.get('t@2').version_id[3:12]}").table_digest is not None
    assert [admission.version for admission in data.admissions("t")] == [data.get("t@2")]


def test_four_processes_append_at_once_and_no_file_is_lost(target: str, tmp_path: Path) -> None:
    """Numbers are distinct and without gaps, every row is in the newest version."""
    store, files = tmp_path / "store", write(tmp_path / "in", 12)
    data = open_data(target, store)
    shares = [[sys.executable, "-c", _APPEND, target, str(store), *map(str, files[n::4])] for n in range(4)]
    children = [subprocess.Popen(command) for command in shares]
    assert [child.wait(120) for child in children] == [0, 0, 0, 0]
    assert [version.number for version in data.log("t")] == list(range(12, 0, -1))
    assert sorted(data.read("t")["x"].unique()) == list(range(12))
    assert data.get("t").rows == data.read("t").height == 12 * 20


def test_kill_9_at_any_moment_leaves_a_valid_store(tmp_path: Path) -> None:
    """Old versions stay byte-identical, what was acknowledged is there, and adding again works."""
    store, files = tmp_path / "store", write(tmp_path / "in", 40)
    target, moments = str(store / "ledger.db"), random.Random(4)
    data, acknowledged = open_data(target, store), 0
    for _ in range(15):
        command = [sys.executable, "-c", _APPEND_AND_SAY, target, str(store), *map(str, files)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        try:
            child.wait(moments.uniform(0.0, 0.25))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        said = [int(line) for line in child.stdout.read().split("\n")[:-1] if line]
        child.wait(30)
        acknowledged = max([acknowledged, *said])
        _check_store(data, files, acknowledged)
    subprocess.run([sys.executable, "-c", _APPEND, target, str(store), *map(str, files)], check=True, timeout=120)
    _check_store(data, files, len(files))
    assert len(data.log("t")) == len(files)
    BlobStore(store / "blobs")
    assert list((store / "blobs/incoming").iterdir()) == []


def _check_store(data: Data, files: list[Path], at_least: int) -> None:
    """Every version holds the first files, byte by byte, and every stored object is what its name says."""
    versions = data.log("t") if data.names() else []
    assert len(versions) >= at_least
    for version in versions:
        held = [part.contents.digest for part in data.manifest(version.ref).parts]
        assert held == [blake3_file(file) for file in files[: version.number]]
    if versions:
        assert data.read("t").height == versions[0].rows
