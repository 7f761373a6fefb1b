"""What the store promises to processes that die, to disks that are full, and to many writers at once."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest

from undrift.blobs import assembly
from undrift.blobs.merging import MOST_SMALL
from undrift.blobs.store import BlobStore
from undrift.blobs.storing import store_file
from undrift.core.clock import real_clocks
from undrift.core.digest import blake3_bytes
from undrift.core.files import DiskFull
from undrift.data.gc import Keep
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

ADA = Actor("os-user", "ada")
_FIRST_GUESS_S = 0.1
_NURSERY = """
import os, select, signal, sys
from pathlib import Path
from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.data.gc import Keep
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

ADA = Actor("service", "child")
root = Path(sys.argv[1])

def do(what, place):
    data = Data(Ledger.open(root / "store/ledger.db"), BlobStore(root / "store/blobs"), real_clocks(), root / "store")
    if what == "add":
        print(data.add(Path(place), "t", actor=ADA, schema="later").number, file=sys.stderr)
    elif what == "checkout":
        data.checkout("t", Path(place))
    else:
        data.keeping.gc(Keep(is_everything=False, last=3), ADA)

for line in sys.stdin:
    seconds, what, *places = line.split()
    started = []
    for place in places:
        # Forked before the database or polars was used: the imports are paid for once.
        death, life = os.pipe()  # life closes when its only holder dies
        child = os.fork()
        if child == 0:
            do(what, place)
            os._exit(0)
        os.close(life)
        started.append((child, death))
    statuses = []
    for child, death in started:
        if not select.select([death], [], [], float(seconds))[0]:
            os.kill(child, signal.SIGKILL)
        statuses.append(os.waitpid(child, 0)[1])
        os.close(death)
    print(*statuses, flush=True)
"""


class Nursery:
    """Runs processes that add, check out and let go, and kills them after a while."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-c", _NURSERY, str(root)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, what: str, *places: Path, seconds: float = 120) -> list[int]:
        """Return how the processes, one for each place, ended."""
        return self.begin(what, *places, seconds=seconds)()

    def begin(self, what: str, *places: Path, seconds: float = 120) -> Callable[[], list[int]]:
        """Start processes, one for each place, and return what waits for how they end."""
        assert self._process.stdin is not None
        print(seconds, what, *places, file=self._process.stdin, flush=True)
        answers = self._process.stdout
        assert answers is not None
        return lambda: [int(status) for status in answers.readline().split()]

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=60)


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    found = Nursery(tmp_path)
    yield found
    found.close()


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return opened(tmp_path)


def opened(root: Path) -> Data:
    store = root / "store"
    return Data(Ledger.open(store / "ledger.db"), BlobStore(store / "blobs"), real_clocks(), store)


def edited(folder: Path, number: int) -> Path:
    """Write a folder with a larger file of which each edition changes a part, and some small ones."""
    made = folder / f"edition-{number}"
    made.mkdir(parents=True)
    whole = bytearray(random.Random(0).randbytes(3 << 20))
    whole[number * 50_000 : number * 50_000 + 1000] = random.Random(number).randbytes(1000)
    (made / "large.bin").write_bytes(whole)
    for small in range(20):
        (made / f"{small}.txt").write_bytes(random.Random(number * 100 + small).randbytes(500))
    return made


def check(data: Data, editions: dict[str, dict[str, str]]) -> None:
    """Everything that is stored is right, and every version that can be read is what was added, byte by byte."""
    assert data.keeping.fsck().faults == ()
    for version in data.log("t") if data.names() else []:
        manifest = data._stored.manifest(version) if not version.is_gone else None
        if manifest is None:
            continue
        found = {
            part.path: blake3_bytes(assembly.read(data._blobs, part.contents)) for part in manifest.parts
        }  # fmt: skip
        assert found in editions.values()


def digests(folder: Path) -> dict[str, str]:
    return {path.name: blake3_bytes(path.read_bytes()) for path in folder.iterdir()}


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_kill_9_at_any_moment_leaves_a_valid_store(data: Data, nursery: Nursery, tmp_path: Path, kills: int) -> None:
    """Of an addition, a checkout or a letting-go; afterwards the same command succeeds."""
    moments, deaths = random.Random(11), 0
    took_s = dict.fromkeys(("add", "checkout", "gc"), _FIRST_GUESS_S)
    editions: dict[str, dict[str, str]] = {}
    for number in range(kills):
        what = moments.choice(["add", "add", "checkout", "gc"]) if data.names() else "add"
        place = edited(tmp_path / "in", number) if what == "add" else tmp_path / f"out-{number}"
        if what == "add":
            editions[place.name] = digests(place)
        (status,) = nursery.run(what, place, seconds=moments.uniform(0, took_s[what]))
        deaths += status != 0
        check(data, editions)
        again = place if not place.exists() or what == "add" else tmp_path / f"{number}-again"
        began = perf_counter()
        assert nursery.run(what, again) == [0]
        # The next death falls into the time that it takes on this machine now.
        took_s[what] = max(_FIRST_GUESS_S / 10, perf_counter() - began)
        check(data, editions)
        if what == "checkout" and place.exists():
            assert digests(place) in editions.values()
    assert deaths > kills // 5
    BlobStore(tmp_path / "store/blobs")
    assert list((tmp_path / "store/blobs/incoming").iterdir()) == []
    assert {path.name[0] for path in tmp_path.glob(".*")} <= {"."}


def test_eight_processes_add_at_once_beside_one_that_lets_go(data: Data, nursery: Nursery, tmp_path: Path) -> None:
    """All succeed, and nothing goes that an addition relies on."""
    folders = [edited(tmp_path / "in", number) for number in range(8)]
    data.add(folders[0], "t", actor=ADA, schema="later")
    other = Nursery(tmp_path)
    try:
        assert other.run("gc", tmp_path) == [0]
        assert nursery.run("add", *folders[1:]) == [0] * 7
        assert other.run("gc", tmp_path, tmp_path) == [0, 0]
    finally:
        other.close()
    assert [version.number for version in data.log("t")] == list(range(8, 0, -1))
    check(data, {folder.name: digests(folder) for folder in folders})


def scattered(data: Data, folder: Path, count: int) -> Path:
    """Add a folder of small files, each of which lies in a pack of its own."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.txt").write_bytes(random.Random(number).randbytes(300))
        store_file(data._blobs, folder / f"{number}.txt")
    data.add(folder, "t", actor=ADA, schema="later")
    return folder


def test_additions_and_readers_beside_a_merging_lose_nothing(data: Data, nursery: Nursery, tmp_path: Path) -> None:
    """Whoever adds finds the chunks that moved, and whoever reads does too."""
    first = scattered(data, tmp_path / "in", MOST_SMALL + 2)
    folders = [edited(tmp_path / "more", number) for number in range(3)]
    editions = {folder.name: digests(folder) for folder in [first, *folders]}
    other = Nursery(tmp_path)
    try:
        running = [other.begin("gc", tmp_path, tmp_path), nursery.begin("add", *folders, first)]
        for number in range(5):
            assert digests(data.checkout("t", tmp_path / f"out-{number}")) in editions.values()
        assert [set(end()) for end in running] == [{0}, {0}]
    finally:
        other.close()
    check(data, editions)
    assert len(data._blobs.packs.files.names()) <= MOST_SMALL


@pytest.mark.parametrize("what", ["add", "checkout", "gc", "read"])
def test_a_full_disk_at_any_write_leaves_a_valid_store(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The error says so, nothing is half-made, and the same succeeds once there is room."""
    folders = [edited(tmp_path / "in", number) for number in range(3)]
    editions = {folder.name: digests(folder) for folder in folders}
    for folder in folders[:2]:
        data.add(folder, "t", actor=ADA, schema="later")

    def act() -> object:
        if what == "add":
            return data.add(folders[2], "t", actor=ADA, schema="later")
        if what == "gc":
            return data.keeping.gc(Keep(is_everything=False), ADA)
        if what == "read":
            return assembly.verified_path(data._blobs, data.manifest("t").parts[-1].contents)
        return data.checkout("t", tmp_path / "out")

    failures = 0
    for nth in range(200):
        with monkeypatch.context() as patched:
            count = _full_at(patched, nth)
            try:
                act()
            except DiskFull:
                failures += 1
            else:
                shutil.rmtree(tmp_path / "out", ignore_errors=True)
                if count[0] <= nth:  # every write succeeded
                    break
        check(data, editions)
        assert not [path for path in tmp_path.iterdir() if path.name.startswith((".out", "out"))]
        assert list((tmp_path / "store/blobs/incoming").iterdir()) == []
    assert failures > 0
    act()
    check(data, editions)


def _full_at(patched: pytest.MonkeyPatch, nth: int) -> list[int]:
    """Make the n-th write of the process and all after it fail as a full disk does; return how many there were."""
    count = [0]

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            count[0] += 1
            if count[0] > nth:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        return call

    for name in ("write", "writev", "pwrite", "mkdir"):
        patched.setattr(os, name, counted(getattr(os, name)))
    return count
