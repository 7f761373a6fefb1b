"""`undrift up`: from a table to a served and watched model, by the same steps a person would type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from undrift.core.config import FILE_NAME
from undrift.core.errors import BadInput, CannotTell, CheckFailed
from undrift.core.files import FileLock, write_atomic
from undrift.core.json import JSON
from undrift.data import table_files
from undrift.data.versions import DatasetVersion
from undrift.endpoints.errors import AlreadyServed
from undrift.endpoints.publisher import SupervisorFile
from undrift.loop import hosting, release
from undrift.loop.telling import gate_lines, training_lines
from undrift.models.package import Golden
from undrift.models.version import ModelVersion
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.loop.training.training import TrainResult

FIRST_RELEASE = "the first version, which passed its gate, on `undrift up`"
LATER_RELEASE = "passed its gate against {live}, on `undrift up`"
_PATIENCE_S = 600.0
"""So long a training of the same table in another process is waited for."""
Tell = Callable[[str], None]


class UpGateFailed(CheckFailed):
    """The model is not better than what is live, or, the first one, than saying the same of everybody."""

    code = "gate-failed"


class UpGateCannotTell(CannotTell):
    """There are too few rows to show that the model is better."""

    code = "gate-cannot-tell"


class TargetMissing(BadInput):
    """The table has no such column."""

    code = "target-missing"


class NotATable(BadInput):
    """The file's name is not that of a table."""

    code = "not-a-table"


class NameTaken(BadInput):
    """The name belongs to something else in this project."""

    code = "name-taken"


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
    canary : str
        Reference of the version on trial beside it; empty when there is none.
    """

    data: DatasetVersion
    version: ModelVersion
    supervisor: SupervisorFile
    curl: str
    canary: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return what `undrift up --json` prints."""
        return {
            "data": self.data.ref,
            "version": self.version.ref,
            "canary": self.canary or None,
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
    TargetMissing, NotATable
        If the table has no such column; nothing has been made then.
    NameTaken
        If the name belongs to another model, or to another target.
    UpGateFailed, UpGateCannotTell
        If the model did not pass its gate; it stays proposed, and what was live stays live.
    """
    _refuse_taken(project, wanted)
    check_table(wanted)
    version = project.data.add(wanted.table, wanted.name, actor=project.actor)
    tell(f"{version.ref}: {version.rows:,} rows, {len(version.schema.names if version.schema else ())} columns")
    words = () if wanted.port is None else ("--port", str(wanted.port))
    if project.endpoints.find(wanted.name) is not None:
        hosting.start(project, wanted.name, *words)  # what is live answers while a new version is trained
    if version.ref not in _served_from(project, wanted.name):
        _checked(project, wanted, version, tell)
        _describe(project, wanted, version, tell)
        _trained(project, wanted, version, tell)
    supervisor = hosting.start(project, wanted.name, *words)
    state = project.endpoints.get(wanted.name)
    live = project.registry.get(state.stable.ref)
    tell(f"serving {live.ref} at {supervisor.url}")
    if wanted.port and not supervisor.url.endswith(f":{wanted.port}"):
        tell(f"it was up already; to change the port: undrift down {wanted.name}, then up again")
    canary = state.canary.ref if state.canary else ""
    return Up(version, live, supervisor, curl_line(project, live, supervisor.url), canary)


def check_table(wanted: Wanted) -> None:
    """Return when the table can be read and has the target.

    Raises
    ------
    TargetMissing
        If it has no such column.
    NotATable
        If the file's name is not that of a table.
    """
    kind = table_files.format_of(wanted.table)
    if kind is None:
        raise NotATable(f"{wanted.table.name} is no table", cure="give a .csv, .tsv or .parquet file")
    columns = table_files.read_table(wanted.table).schema.names
    if wanted.target not in columns:
        raise TargetMissing(
            f"{wanted.table.name} has no column {wanted.target!r}", cure=f"choose from {', '.join(columns)}"
        )


def curl_line(project: Project, version: ModelVersion, url: str) -> str:
    """Return a shell line that asks a model, with a made-up row of its package."""
    golden: Golden = project.registry.open(version).golden()
    row = {"row": dict(golden.rows[0]), "key": "an-id-of-yours"}
    body = msgspec.json.encode(row).decode().replace("'", "'\\''")
    return f"curl -s {url}/predict -H 'Content-Type: application/json' -d '{body}'"


def _refuse_taken(project: Project, wanted: Wanted) -> None:
    known = project.settings.models.get(wanted.name)
    if known is not None and known.target != wanted.target:
        raise NameTaken(
            f"{FILE_NAME} says that {wanted.name} predicts {known.target!r}, not {wanted.target!r}",
            cure=f"add --name ANOTHER, or change models.{wanted.name}.target there",
        )
    state = project.endpoints.find(wanted.name)
    if state is not None and state.stable.model != wanted.name:
        raise NameTaken(f"endpoint:{wanted.name} serves {state.stable.ref}", cure="add --name ANOTHER")


def _checked(project: Project, wanted: Wanted, version: DatasetVersion, tell: Tell) -> None:
    if project.data.suite(wanted.name) is None:
        suite = project.data.suggest_suite(version.ref)
        project.data.freeze_suite(wanted.name, suite, actor=project.actor)
        tell(f"checks: {len(suite.expectations)} expectations suggested by the table, frozen for later batches")
    report = project.data.check(version.ref, actor=project.actor)
    tell(f"checks: {report.verdict}")


def _describe(project: Project, wanted: Wanted, version: DatasetVersion, tell: Tell) -> None:
    """Write the model into the settings when they do not know it yet."""
    with FileLock(project.store / "settings.lock"):
        project.reload_settings()  # another `up` may have written since
        if wanted.name in project.settings.models:
            return
        text = (project.root / FILE_NAME).read_text(encoding="utf-8")
        table = (
            f"\n[models.{_key(wanted.name)}]\ndataset = {_toml(version.name)}\ntarget = {_toml(wanted.target)}\n"
            "# What it learns from and how it is judged: see docs/settings.md.\n"
        )
        write_atomic(project.root / FILE_NAME, (text.rstrip() + "\n" + table).encode(), 0o644)
        project.reload_settings()
    tell(f"{FILE_NAME}: [models.{wanted.name}] predicts {wanted.target!r}")


def _trained(project: Project, wanted: Wanted, version: DatasetVersion, tell: Tell) -> None:
    """Train on a data version and release what passed its gate, unless it was on trial already."""
    trained = _finished_training(project, wanted.name, version, tell).model_version
    for line in gate_lines(trained.gate):
        tell(f"gate: {line}")
    if trained.gate_outcome != "pass" and not wanted.force_reason:
        _refuse(project, wanted.name, trained)
    live = _live(project, wanted.name)
    if live is not None and trained.ref in [one.candidate.ref for one in project.endpoints.rollouts(wanted.name)]:
        tell(f"{trained.ref} has been on trial and was taken back: undrift deploy {trained.ref} tries it again")
        return
    reason = wanted.force_reason or (FIRST_RELEASE if live is None else LATER_RELEASE.format(live=live.ref))
    try:
        _release(project, wanted, trained, reason)
    except AlreadyServed:  # another `up` of the same table was first
        return
    project.publisher.render(wanted.name)


def _release(project: Project, wanted: Wanted, trained: ModelVersion, reason: str) -> None:
    forced = trained.gate_outcome != "pass"
    with project.ledger.change(project.actor) as change:
        if not forced and project.registry.get(trained.ref, change.connection).state == "proposed":
            project.registry.approve(change, trained.ref, reason)
        request = release.Request(version=trained.ref, endpoint=wanted.name, reason=reason, force=forced)
        release.deploy_in(project, change, request)


def _finished_training(project: Project, name: str, version: DatasetVersion, tell: Tell) -> TrainResult:
    """Train, or go on with the training of the same table that was interrupted."""
    from undrift.loop.training.home import training_of

    tell("training: candidates are compared by cross-validation, the best is fitted and judged on rows it has not seen")
    key = f"up:{name}:{version.ref}"
    training = training_of(project)
    with project.ledger.change(project.actor) as change:
        submission = training.submit(change, name, {"dataset_version": version.ref}, dedupe_key=key)
    result = training.resume(submission.run_id, project.actor, patience_s=_PATIENCE_S)
    steps = training.steps(submission.run_id)
    for line in training_lines(steps["split"].outputs, steps["compare"].outputs):
        tell(f"training: {line}")
    return result


def _refuse(project: Project, endpoint: str, version: ModelVersion) -> None:
    kind = UpGateCannotTell if version.gate_outcome == "cannot_tell" else UpGateFailed
    live = _live(project, endpoint)
    raise kind(
        f"{version.ref} did not pass its gate, so " + (f"{live.ref} stays live" if live else "nothing is served"),
        cure=f"undrift model show {version.ref}; more rows or better columns, or --force --reason TEXT",
        version=version.ref,
    )


def _live(project: Project, endpoint: str) -> ModelVersion | None:
    state = project.endpoints.find(endpoint)
    return project.registry.get(state.stable.ref) if state else None


def _served_from(project: Project, endpoint: str) -> set[str]:
    """Return the data versions that the endpoint's models, live and on trial, were trained on."""
    state = project.endpoints.find(endpoint)
    served = [one for one in (state.stable, state.canary) if one is not None] if state else []
    return {project.registry.get(one.ref).data for one in served}


def _key(name: str) -> str:
    """Return a name as a TOML key, quoted where a bare key cannot hold it."""
    return _toml(name) if "." in name else name


def _toml(text: str) -> str:
    """Return a text as a TOML basic string, which escapes as JSON does."""
    return msgspec.json.encode(text).decode()
