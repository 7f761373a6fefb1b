"""Pushes and pulls at once, and killed at any moment."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from undrift.data.remotes.remote import NoRemote
from undrift.project import Project

from .conftest import Site, rows

_CHILD = """
import sys
from pathlib import Path
from undrift.data.remotes.remote import Remote
from undrift.ledger.actor import Actor
from undrift.project import Project
doing, root, address = sys.argv[1:]
with Project.open(Path(root)) as project:
    remote = Remote("team", address, project.store / "remotes" / "team", make=True)
    print("begins", flush=True)
    if doing == "push":
        project.data.transfer.push(remote, [], lambda *_: None)
    else:
        project.data.transfer.pull([remote], [], Actor("os-user", "child"), lambda *_: None)
    print("ends", flush=True)
"""


def _child(doing: str, site: Site) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _CHILD, doing, str(site.project.root), site.address]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "begins\n"
    return child


def test_two_processes_push_at_once(pair: tuple[Site, Site]) -> None:
    """Both succeed; all of both is there, and whole."""
    ada, ben = pair
    for number in range(3):
        ada.add(rows(4000, seed=number), f"ada-{number}")
        ben.add(rows(4000, seed=10 + number), f"ben-{number}")
        ben.add(rows(4000, seed=number), f"ada-{number}")  # the same as the other pushes
    children = [_child("push", one) for one in pair]
    assert [child.wait(120) for child in children] == [0, 0]
    other = Project.create(ada.project.root.parent / "cleo")
    with other:
        cleo = Site(other, ada.address)
        assert cleo.pull().failed == []
        assert other.data.names() == sorted([f"ada-{n}" for n in range(3)] + [f"ben-{n}" for n in range(3)])
        assert cleo.text("ben-2") == rows(4000, seed=12)


@pytest.mark.slow
@pytest.mark.parametrize("doing", ["push", "pull"])
def test_a_kill_at_any_moment_leaves_all_valid(
    pair: tuple[Site, Site], doing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round is killed a little later, and goes on where the one before was; nothing wrong is ever known."""
    ada, ben = pair
    texts = {f"d{number}": rows(30_000, seed=number) for number in range(6)}
    for name, text in texts.items():
        ada.add(text, name)
    if doing == "pull":
        ada.push()
    draw = random.Random(doing)
    killed = 0
    for attempt in range(30):
        child = _child(doing, ada if doing == "push" else ben)
        try:
            child.wait(0.02 + attempt * 0.05 + draw.random() * 0.05)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            killed += 1
        with Project.create(tmp_path / f"witness-{attempt}") as project:
            witness = Site(project, ada.address)
            try:
                seen = witness.pull() if doing == "push" else None
            except NoRemote:
                seen = None
            assert seen is None or seen.failed == []
            looked = witness if doing == "push" else ben
            for name in looked.project.data.names():
                assert looked.text(name) == texts[name]
        if child.returncode == 0:
            break
    last = _child(doing, ada if doing == "push" else ben)
    assert last.wait(120) == 0
    assert killed >= 2
    assert ben.pull().failed == []
    assert {name: ben.text(name) for name in texts} == texts
    if doing == "push" and "://" not in ada.address:
        packed = sum(file.stat().st_size for file in Path(ada.address).glob("packs/*/*.pack"))
        assert packed < 2.5 * sum(len(text) for text in texts.values())
