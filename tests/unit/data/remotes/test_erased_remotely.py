"""Erased rows are neither sent nor brought back."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from undrift.blobs.buckets import AT_ONCE, Bucket
from undrift.blobs.tombstones import BlobErased
from undrift.core.digest import blake3_bytes
from undrift.data.erasing import Subject
from undrift.loop.privacy.erasure import erase

from .conftest import MARKER, Site, rows


def _erase_marker(site: Site) -> None:
    erase(site.project, Subject("t", "who", frozenset({MARKER})), "a test")


def _marked() -> str:
    return "who,a\n" + "".join(f"row-{n},{n}\n" for n in range(2000)) + f"{MARKER},1\n" + "last,2\n"


def test_what_was_erased_is_not_pushed(site: Callable[..., Site]) -> None:
    """What is left is; the clone reads it and cannot add the erased file."""
    ada, ben = site("ada"), site("ben")
    ada.add(_marked())
    _erase_marker(ada)
    ada.push()
    assert not _holds(Path(ada.address), MARKER)
    assert ben.pull().failed == []
    assert ben.project.data.read("t")["who"].to_list() == ada.project.data.read("t")["who"].to_list()
    assert MARKER not in ben.text("t")
    with pytest.raises(BlobErased):
        ben.add(_marked(), "again")


def test_what_is_erased_later_goes_from_the_remote_and_does_not_come_back(site: Callable[..., Site]) -> None:
    """Packs there are written anew; other versions keep all of their bytes; who holds the rows is told."""
    ada, ben, cleo = site("ada"), site("ben"), site("cleo")
    ada.add(_marked())
    ada.add(rows(500), "other")
    ada.push()
    ben.pull()
    assert _holds(Path(ada.address), MARKER)
    _erase_marker(ada)
    pushed = ada.push()
    assert (pushed.erased, pushed.purged) == (1, 1)
    assert not _holds(Path(ada.address), MARKER)
    assert ada.push().purged == 0
    assert cleo.pull().failed == []
    assert cleo.project.data.read("t").height == 2001
    assert cleo.text("other") == rows(500)
    assert not _holds(cleo.project.root, MARKER)
    told = ben.pull()
    assert [one.partition(" ")[0] for one in told.erased] == ["data:t@1"]
    assert MARKER in ben.text("t")
    assert (ben.push().withheld, ben.push().packs) == (["data:t@1 t.csv"], 0)
    assert not _holds(Path(ada.address), MARKER)


def test_what_is_erased_of_what_was_left_goes_too(site: Callable[..., Site]) -> None:
    """Two persons, one after the other, from one file."""
    ada, cleo = site("ada"), site("cleo")
    ada.add(_marked())
    ada.push()
    _erase_marker(ada)
    ada.push()
    erase(ada.project, Subject("t", "who", frozenset({"row-1234"})), "a test")
    assert _holds(Path(ada.address), "row-1234")
    assert ada.push().purged >= 1
    assert not _holds(Path(ada.address), "row-1234")
    assert not _holds(Path(ada.address), MARKER)
    assert cleo.pull().failed == []
    assert cleo.project.data.read("t").equals(ada.project.data.read("t"))
    assert cleo.project.data.read("t").height == 2000


def test_a_purge_that_was_killed_is_finished_by_the_next_push(site: Callable[..., Site]) -> None:
    """The remote itself remembers that it is due."""
    ada = site("ada")
    ada.add(_marked())
    ada.push()
    _erase_marker(ada)
    code = (
        "import os, sys; from pathlib import Path; from undrift.data.remotes import push\n"
        "push.purge = lambda _: os.kill(os.getpid(), 9)\n"
        "from undrift.data.remotes.remote import Remote; from undrift.project import Project\n"
        "project = Project.open(Path(sys.argv[1]))\n"
        "project.data.transfer.push(Remote('team', sys.argv[2], project.store / 'x'), [], lambda *_: None)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(ada.project.root), ada.address], check=False, timeout=120)
    assert killed.returncode == -9
    assert _holds(Path(ada.address), MARKER)
    assert (ada.push().purged, ada.push().purged) == (1, 0)
    assert not _holds(Path(ada.address), MARKER)


def _holds(folder: Path, words: str) -> bool:
    return any(words.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


class Asked:
    """Counts what a bucket is asked for of erased files; the first of each round wait for each other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[str] = []
        self._together = threading.Barrier(AT_ONCE)
        self._counting = threading.Lock()
        monkeypatch.setattr(Bucket, "read", self._of(Bucket.read))

    def _of(self, read: Callable[[Bucket, str], bytes]) -> Callable[[Bucket, str], bytes]:
        def counted(bucket: Bucket, path: str) -> bytes:
            if path.startswith("erased/"):
                with self._counting:
                    self.paths.append(path)
                    is_first = len(self.paths) <= AT_ONCE
                if is_first:
                    self._together.wait(timeout=60)
            return read(bucket, path)

        return counted


@pytest.mark.parametrize("what", ["push", "pull"])
def test_tombstones_are_read_many_at_once_and_each_once(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """One of which nothing is left is not read at all: its name says so."""
    ada, ben = site("ada"), site("ben")
    ada.add(rows(10))
    ada.push()
    for number in range(4 * AT_ONCE):
        left = blake3_bytes(b"left %d" % number) if number % 2 else None
        ada.remote().write_erased(blake3_bytes(b"%d" % number), left)
    asked = Asked(monkeypatch)
    assert ada.push().known == 1 if what == "push" else ben.pull().versions == ["data:t@1"]
    assert len(asked.paths) == len(set(asked.paths)) == 2 * AT_ONCE
