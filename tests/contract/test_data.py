"""What datasets promise on every database, to many processes, and to processes that die."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.core.digest import blake3_file
from undrift.data.quality.suite import Suite, expect
from undrift.data.repository import VersionsProjection
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

ADA = Actor("os-user", "ada")
_NURSERY = """
import os, select, signal, sys
from pathlib import Path
from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

def append(target, store, files, said):
    data = Data(Ledger.open(target), BlobStore(store / "blobs"), real_clocks(), store)
    for file in files:
        version = data.add(Path(file), "t", actor=Actor("service", "writer"), append=True)
        os.write(said, f"{version.number} ".encode())

def start(files):
    # Forked before polars or the database was used: the imports are paid for once.
    hears, said = os.pipe()
    death, life = os.pipe()  # life closes when its only holder dies
    child = os.fork()
    if child == 0:
        append(sys.argv[1], Path(sys.argv[2]), files, said)
        os._exit(0)
    os.close(said)
    os.close(life)
    return child, hears, death

def end(child, hears, death, seconds):
    if not select.select([death], [], [], seconds)[0]:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(death)
    with os.fdopen(hears) as file:
        return status, file.read()

for line in sys.stdin:
    seconds, children, *files = line.split()
    started = [start(files[n :: int(children)]) for n in range(int(children))]
    ended = [end(*child, float(seconds)) for child in started]
    print(sum(status != 0 for status, _ in ended), *(said for _, said in ended), flush=True)
"""


class Nursery:
    """Runs processes that append files, and kills them after a while."""

    def __init__(self, target: str, store: Path) -> None:
        command = [sys.executable, "-c", _NURSERY, target, str(store)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def append(self, files: list[Path], *, children: int = 1, kill_after_s: float = 120) -> tuple[int, list[int]]:
        """Return how many children died, and the version numbers that were acknowledged."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(kill_after_s, children, *files, file=self._process.stdin, flush=True)
        died, *said = (int(number) for number in self._process.stdout.readline().split())
        return died, said

    def close(self) -> None:
        """End the process and its pipes."""
        self._process.communicate(timeout=30)


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


def test_branches_and_merges_on_every_database(target: str, tmp_path: Path) -> None:
    """A branch leaves, both sides go on, it comes back; whose rows they are is known."""
    data, (first, second, third) = open_data(target, tmp_path / "store"), write(tmp_path / "in", 3)
    data.add(first, "t", actor=ADA)
    data.branches.branch("t", "fix", actor=ADA)
    data.add(second, "t", actor=ADA, append=True)
    data.add(third, "fix", actor=ADA, append=True)
    merged = data.branches.merge("fix", "t", actor=ADA)
    assert (merged.outcome, merged.base, merged.version and merged.version.rows) == ("merged", "data:t@1", 60)
    assert data.branches.merge("t", "fix", actor=ADA).outcome == "fast-forward"
    [branch] = data.branches.all("t")
    assert (branch.ahead, branch.behind, branch.merged, branch.brought) == (0, 0, "data:t@3", "data:fix@3")
    assert set(data.erasure.family("fix")) == {"fix", "t"}
    assert data._ledger.verify([VersionsProjection()]).ok


@pytest.fixture
def nursery(target: str, tmp_path: Path) -> Iterator[Nursery]:
    found = Nursery(target, tmp_path / "store")
    yield found
    found.close()


def test_four_processes_append_at_once_and_no_file_is_lost(target: str, nursery: Nursery, tmp_path: Path) -> None:
    """Numbers are distinct and without gaps, every row is in the newest version."""
    files = write(tmp_path / "in", 12)
    data = open_data(target, tmp_path / "store")
    died, said = nursery.append(files, children=4)
    assert died == 0
    assert sorted(said) == list(range(1, 13))
    assert [version.number for version in data.log("t")] == list(range(12, 0, -1))
    assert sorted(data.read("t")["x"].unique()) == list(range(12))
    assert data.get("t").rows == data.read("t").height == 12 * 20


@pytest.mark.parametrize("target", ["sqlite"], indirect=True)
def test_kill_9_at_any_moment_leaves_a_valid_store(target: str, nursery: Nursery, tmp_path: Path) -> None:
    """Old versions stay byte-identical, what was acknowledged is there, and adding again works."""
    store, files = tmp_path / "store", write(tmp_path / "in", 40)
    data, moments, acknowledged, deaths = open_data(target, store), random.Random(4), 0, 0
    for _ in range(15):
        died, said = nursery.append(files, kill_after_s=moments.uniform(0.05, 0.4))
        deaths += died
        acknowledged = max([acknowledged, *said])
        _check_store(data, files, acknowledged)
    assert deaths > 0
    assert nursery.append(files)[0] == 0
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
