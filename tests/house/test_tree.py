"""What may be kept in the repository."""

from __future__ import annotations

import re
from pathlib import Path

_LARGEST = 5 * 2**20
# Written apart, so that this file does not break its own rule.
_REGISTRIES = re.compile(
    "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(?:org|com)", r"--index-" + "url"])
)
_MACHINE = re.compile("/" + r"work/(?:main|shared)\b|/" + r"root/\.|/" + r"tmp/u/|/" + r"home/[a-z]+/[a-z.]")
_BUILDS = {"Makefile", "CONTRIBUTING.md"}  # they may say how requirements are compiled without an index


def _texts(tracked: list[Path]) -> list[tuple[str, str]]:
    found = []
    for path in tracked:
        data = path.read_bytes()
        if b"\0" not in data[:4096]:
            found.append((path.name, data.decode(errors="replace")))
    return found


def test_no_tracked_file_is_too_large(tracked: list[Path]) -> None:
    """5 MB: data belong in a dataset."""
    assert [path.name for path in tracked if path.stat().st_size > _LARGEST] == []


def test_no_file_names_a_registry_or_its_index(tracked: list[Path]) -> None:
    """Where packages come from is the business of the machine."""
    assert [name for name, text in _texts(tracked) if name not in _BUILDS and _REGISTRIES.search(text)] == []


def test_no_file_names_a_path_of_one_machine(tracked: list[Path]) -> None:
    """A path that exists here exists nowhere else."""
    assert [name for name, text in _texts(tracked) if _MACHINE.search(text)] == []


def test_the_demo_data_are_shipped_and_nothing_else_is_heavy(tracked: list[Path]) -> None:
    """One extract, in the package."""
    heavy = [
        path.name
        for path in tracked
        if path.suffix in {".parquet", ".csv", ".gz", ".zip"} and path.stat().st_size > 2**20
    ]
    assert heavy == ["flights.parquet"]
