"""The project's own source, parsed once, and the list of exceptions with their reasons."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from house.source import ROOT, Exceptions, Source, parsed


@pytest.fixture(scope="session")
def product() -> list[Source]:
    """Give the files of the package."""
    return parsed("src")


@pytest.fixture(scope="session")
def everything(product: list[Source]) -> list[Source]:
    """Give all Python files."""
    return product + parsed("tests", "scripts", "benchmarks")


@pytest.fixture(scope="session")
def exceptions() -> Exceptions:
    """Give the exceptions to the house rules: rule, then place, then reason."""
    return tomllib.loads((ROOT / "tests" / "house" / "exceptions.toml").read_text())


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Give the files that git tracks; outside a checkout the test is skipped."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]
