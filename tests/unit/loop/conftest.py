"""A project with registered versions of real packages, without a training."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from undrift.core.decision import Outcome
from undrift.endpoints.state import EndpointState
from undrift.ledger.actor import Actor
from undrift.loop import release
from undrift.models.build import PackageParts, PackageRef, build_package
from undrift.models.infer import columns_of, infer_inputs
from undrift.models.registry import Evidence
from undrift.models.version import ModelVersion
from undrift.project import Project
from undrift.stats.sketch import ReferenceSketch

ADA = Actor("os-user", "ada")
SETTINGS = """
[policy]
promotion = "{promotion}"
reason = "nobody is on call"

[models.delay]
dataset = "flights"
target = "late"
"""


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[PackageRef]:
    """Give three packages of y = (x > 0), each fitted on other rows."""
    folder = tmp_path_factory.mktemp("packages")
    return [_package(folder, seed) for seed in range(3)]


class Registered:
    """A project, and versions registered in it.

    Attributes
    ----------
    project : Project
        The project.
    """

    def __init__(self, project: Project, packages: list[PackageRef]) -> None:
        self.project = project
        self._packages = iter(packages)

    def version(self, outcome: Outcome | None = "pass") -> ModelVersion:
        """Return a newly registered version with this gate outcome."""
        package = next(self._packages)
        target = self.project.store / "packages" / package.path.name
        shutil.copytree(package.path, target)
        gate = None if outcome is None else {"decision": {"outcome": outcome, "reason": "as the test wants"}}
        with self.project.ledger.change(ADA) as change:
            return self.project.registry.register(change, "delay", package.digest, "", Evidence(gate=gate))

    def approved(self) -> ModelVersion:
        """Return a new version that passed its gate and is approved."""
        return release.approve(self.project, self.version().ref, "fine", ADA)

    def deployed(self, version: ModelVersion, **how: object) -> EndpointState:
        """Bring a version to the endpoint ``delay``."""
        request = release.Request(version=version.ref, endpoint="delay", reason="a test", **how)  # type: ignore[arg-type]  # options by name
        return release.deploy(self.project, request, ADA).state


@pytest.fixture(params=["ask"])
def registered(tmp_path: Path, packages: list[PackageRef], request: pytest.FixtureRequest) -> Iterator[Registered]:
    """Give a project whose policy is the fixture's parameter."""
    with Project.create(tmp_path, SETTINGS.format(promotion=request.param)) as project:
        yield Registered(project, packages)


def _package(folder: Path, seed: int) -> PackageRef:
    x = np.random.default_rng(seed).normal(0, 1, 300)
    frame = pl.DataFrame({"x": x})
    inputs = infer_inputs(frame)
    values = columns_of(frame, inputs)
    parts = PackageParts(
        name="delay",
        model=LogisticRegression().fit(frame, (x > 0).astype(int)),
        task="binary",
        inputs=inputs,
        sketch=ReferenceSketch.fit(values, {"x": "float"}),
        replay=values,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return build_package(parts, folder)
