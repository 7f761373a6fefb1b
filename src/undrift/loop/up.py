"""`undrift up`: from a table to a served and watched model, by the same steps a person would type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from undrift.core.config import FILE_NAME
from undrift.core.errors import BadInput, CannotTell, CheckFailed
from undrift.core.files import write_atomic
from undrift.core.json import JSON
from undrift.data.versions import DatasetVersion
from undrift.endpoints.publisher import SupervisorFile
from undrift.loop import hosting, release
from undrift.loop.telling import gate_lines
from undrift.loop.training.home import training_of
from undrift.loop.training.training import TrainResult
from undrift.models.package import Golden
from undrift.models.version import ModelVersion
from undrift.project import Project

FIRST_RELEASE = "the first version, which passed its gate, on `undrift up`"
Tell = Callable[[str], None]


class FirstGateFailed(CheckFailed):
    """The first model is not better than saying the same of everybody."""

    code = "first-gate-failed"


class FirstGateCannotTell(CannotTell):
    """There are too few rows to show that the first model is better than saying the same of everybody."""

    code = "first-gate-cannot-tell"


class TargetMissing(BadInput):
    """The table has no such column."""

    code = "target-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What `up` was asked for.

    Attributes
    ----------
    table : Path
        CSV or Parquet.
    target : str
        The column to predict.
    name : str
        Name of dataset, model and endpoint.
    force_reason : str
        Go past a gate that did not pass, with this reason, which is kept for ever.
    port : int or None
        Where to listen; the settings' by default.
    """

    table: Path
    target: str
    name: str
    force_reason: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Up:
    """What is up.

    Attributes
    ----------
    data : DatasetVersion
        The version of the table.
    version : ModelVersion
        What is served.
    supervisor : SupervisorFile
        Who serves it, and where.
    curl : str
        A line that asks it.
    """

    data: DatasetVersion
    version: ModelVersion
    supervisor: SupervisorFile
    curl: str

    def as_json(self) -> dict[str, JSON]:
        """Return what `undrift up --json` prints."""
        return {
            "data": self.data.ref,
            "version": self.version.ref,
            "gate": self.version.gate,
            "url": self.supervisor.url,
            "pid": self.supervisor.pid,
            "curl": self.curl,
        }


def up(project: Project, wanted: Wanted, tell: Tell) -> Up:
    """Bring a table to a served model; running it again does only what is missing.

    Parameters
    ----------
    project : Project
        The project.
    wanted : Wanted
        What is asked for.
    tell : callable
        Is given each step in words.

    Raises
    ------
    TargetMissing
        If the table has no such column.
    FirstGateFailed, FirstGateCannotTell
        If the model did not pass its first gate; it stays proposed and nothing is live.
    """
    version = _versioned(project, wanted, tell)
    _describe(project, wanted, version, tell)
    live = _live(project, wanted.name)
    if live is None or live.data != version.ref:
        live = _trained(project, wanted, version, tell)
    words = () if wanted.port is None else ("--port", str(wanted.port))
    supervisor = hosting.start(project, wanted.name, *words)
    tell(f"serving {live.ref} at {supervisor.url}")
    return Up(version, live, supervisor, curl_line(project, live, supervisor.url))


def curl_line(project: Project, version: ModelVersion, url: str) -> str:
    """Return a shell line that asks a model, with a made-up row of its package."""
    golden: Golden = project.registry.open(version).golden()
    row = {"row": dict(golden.rows[0]), "key": "an-id-of-yours"}
    body = msgspec.json.encode(row).decode().replace("'", "'\\''")
    return f"curl -s {url}/predict -H 'Content-Type: application/json' -d '{body}'"


def _versioned(project: Project, wanted: Wanted, tell: Tell) -> DatasetVersion:
    version = project.data.add(wanted.table, wanted.name, actor=project.actor)
    columns = version.schema.names if version.schema else []
    if wanted.target not in columns:
        raise TargetMissing(
            f"{wanted.table.name} has no column {wanted.target!r}", cure=f"choose from {', '.join(columns)}"
        )
    tell(f"{version.ref}: {version.rows:,} rows, {len(columns)} columns")
    if project.data.suite(wanted.name) is None:
        suite = project.data.suggest_suite(version.ref)
        project.data.freeze_suite(wanted.name, suite, actor=project.actor)
        tell(f"checks: {len(suite.expectations)} expectations suggested by the table, frozen for later batches")
    report = project.data.check(version.ref, actor=project.actor)
    tell(f"checks: {report.verdict}")
    return version


def _describe(project: Project, wanted: Wanted, version: DatasetVersion, tell: Tell) -> None:
    """Write the model into the settings when they do not know it yet."""
    known = project.settings.models.get(wanted.name)
    if known is not None:
        if known.target != wanted.target:
            raise BadInput(
                f"{FILE_NAME} says that {wanted.name} predicts {known.target!r}, not {wanted.target!r}",
                cure=f"change models.{wanted.name}.target there, or add --name ANOTHER",
            )
        return
    text = (project.root / FILE_NAME).read_text(encoding="utf-8")
    table = (
        f"\n[models.{wanted.name}]\ndataset = {_toml(version.name)}\ntarget = {_toml(wanted.target)}\n"
        "# What it learns from and how it is judged: see docs/settings.md.\n"
    )
    write_atomic(project.root / FILE_NAME, (text.rstrip() + "\n" + table).encode(), 0o644)
    project.reload_settings()
    tell(f"{FILE_NAME}: [models.{wanted.name}] predicts {wanted.target!r}")


def _trained(project: Project, wanted: Wanted, version: DatasetVersion, tell: Tell) -> ModelVersion:
    tell("training: candidates are compared by cross-validation")
    result = _finished_training(project, wanted.name, version)
    trained = result.model_version
    for line in gate_lines(trained.gate):
        tell(f"gate: {line}")
    if trained.gate_outcome != "pass" and not wanted.force_reason:
        _refuse(trained)
    forced = trained.gate_outcome != "pass"
    with project.ledger.change(project.actor) as change:
        if not forced and trained.state == "proposed":
            project.registry.approve(change, trained.ref, FIRST_RELEASE)
        request = release.Request(
            version=trained.ref, endpoint=wanted.name, reason=wanted.force_reason or FIRST_RELEASE, force=forced
        )
        release.deploy_in(project, change, request)
    project.publisher.render(wanted.name)
    return project.registry.get(trained.ref)


def _finished_training(project: Project, name: str, version: DatasetVersion) -> TrainResult:
    """Train, or go on with the training of the same table that was interrupted."""
    key = f"up:{name}:{version.ref}"
    with project.ledger.change(project.actor) as change:
        submission = training_of(project).submit(change, name, {"dataset_version": version.ref}, dedupe_key=key)
    return training_of(project).resume(submission.run_id, project.actor)


def _refuse(version: ModelVersion) -> None:
    kind = FirstGateCannotTell if version.gate_outcome == "cannot_tell" else FirstGateFailed
    raise kind(
        f"{version.ref} did not pass its gate, so nothing is served",
        cure=f"undrift model show {version.ref}; more rows or better columns, or --force --reason TEXT",
        version=version.ref,
    )


def _live(project: Project, endpoint: str) -> ModelVersion | None:
    state = project.endpoints.find(endpoint)
    return project.registry.get(state.stable.ref) if state else None


def _toml(text: str) -> str:
    """Return a text as a TOML basic string, which escapes as JSON does."""
    return msgspec.json.encode(text).decode()
