"""Projects that share a remote."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from undrift.data.checkout import Manner
from undrift.data.remotes.pull import Pulled
from undrift.data.remotes.push import Pushed
from undrift.data.remotes.remote import Remote
from undrift.data.stored import as_ref
from undrift.ledger.actor import Actor
from undrift.project import Project

ADA = Actor("os-user", "ada")
MARKER = "marker-of-erased-row"


class Site:
    """A project, and how it speaks with the remote of a test."""

    def __init__(self, project: Project, address: str) -> None:
        self.project = project
        self.address = address
        self.told: list[tuple[str, int, int]] = []

    def remote(self, address: str = "", name: str = "team") -> Remote:
        """Return the remote as this project sees it now."""
        return Remote(name, address or self.address, self.project.store / "remotes" / name, make=True)

    def add(self, text: str, name: str = "t", tag: str | None = None) -> str:
        """Add a text as a version and return its reference."""
        file = self.project.root / f"{name}.csv"
        file.write_text(text)
        return self.project.data.add(file, name, actor=ADA, tag=tag).ref

    def push(self, *refs: str) -> Pushed:
        """Push."""
        return self.project.data.transfer.push(self.remote(), [as_ref(one) for one in refs], self._tell)

    def pull(self, *refs: str, remotes: list[Remote] | None = None) -> Pulled:
        """Pull."""
        chosen = remotes or [self.remote()]
        return self.project.data.transfer.pull(chosen, [as_ref(one) for one in refs], ADA, self._tell)

    def text(self, ref: str) -> str:
        """Return a version as it is checked out."""
        file = self.project.data.checkout(ref, self.project.root / "out", Manner(overwrite=True))
        return file.read_text()

    def _tell(self, what: str, now: int, of: int) -> None:
        self.told.append((what, now, of))


@pytest.fixture(params=["folder", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty remote of each kind."""
    if request.param == "folder":
        return str(tmp_path / "remote")
    return f"{request.getfixturevalue('s3')}/undrift"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    """Give what makes projects that share a remote in a folder."""
    made: list[Project] = []

    def make(name: str, address: str = "") -> Site:
        made.append(Project.create(tmp_path / name))
        return Site(made[-1], address or str(tmp_path / "remote"))

    yield cast("Callable[[str], Site]", make)
    for project in made:
        project.close()


def rows(count: int, seed: int = 1) -> str:
    draw = random.Random(seed)
    return "a,b\n" + "".join(f"{draw.random()},{draw.random()}\n" for _ in range(count))


@pytest.fixture
def pair(site: Callable[..., Site], address: str) -> tuple[Site, Site]:
    """Give two projects with one remote."""
    return site("ada", address), site("ben", address)


@pytest.fixture
def ada(site: Callable[..., Site]) -> Site:
    """Give a project with two versions that were pushed to a folder."""
    made = site("ada")
    made.add(rows(3000), tag="first")
    made.add(rows(3000) + "1,2\n")
    made.push()
    return made


@pytest.fixture
def ben(site: Callable[..., Site]) -> Site:
    """Give an empty project with the same remote."""
    return site("ben")


def remote_files(site: Site, pattern: str) -> list[Path]:
    return sorted(Path(site.address).glob(pattern))
