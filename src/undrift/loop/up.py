"""`undrift up`: from a table to a served and watched model, by the same steps a person would type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from undrift.core.canonical import dumps
from undrift.core.config import FILE_NAME
from undrift.core.digest import blake3_bytes, blake3_file, hex_of
from undrift.core.errors import CannotTell, CheckFailed
from undrift.core.json import JSON
from undrift.data.quality.infer import Role
from undrift.data.tabular.reading import NOTHING_SAID, Reading
from undrift.data.versions import DatasetVersion
from undrift.endpoints.errors import AlreadyServed
from undrift.endpoints.publisher import SupervisorFile
from undrift.ledger.actor import Actor
from undrift.loop import hosting, release
from undrift.loop.privacy import retention
from undrift.loop.promotion import release_passed, set_policy, waiting
from undrift.loop.sheet.asked import Asked
from undrift.loop.sheet.facts import Sheet
from undrift.loop.sheet.look import Looked, look, refuse_suspicious, refuse_taken
from undrift.loop.sheet.saving import save
from undrift.loop.telling import gate_lines, training_lines
from undrift.models.package import Golden
from undrift.models.version import ModelVersion
from undrift.pipelines.graph import untold
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.loop.training.training import TrainResult

FIRST_RELEASE = Actor("policy", "first-release")
"""Lets a first version that passed its gate be served: `up` asks for a served model, nobody looked at this one."""
_PATIENCE_S = 600.0
"""So long a training of the same table in another process is waited for."""
Tell = Callable[[str], None]


class UpGateFailed(CheckFailed):
    """The model is not better than what is live, or, the first one, than saying the same of everybody."""

    code = "gate-failed"


class UpGateCannotTell(CannotTell):
    """There are too few rows to show that the model is better."""

    code = "gate-cannot-tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What `up` was asked for.

    Attributes
    ----------
    table : Path
        The file.
    asked : Asked
        What is said of the table: name, target and whatever is not to be inferred.
    reading : Reading
        What is said of how the file is written.
    force_reason : str
        Go past a gate that did not pass, with this reason, which is kept for ever.
    auto_reason : str
        Why nobody is asked from now on when a later version passed its gate; empty to leave that as it is.
    port : int or None
        Where to listen; the settings' by default.
    """

    table: Path
    asked: Asked
    reading: Reading = NOTHING_SAID
    force_reason: str = ""
    auto_reason: str = ""
    port: int | None = None

    @property
    def name(self) -> str:
        """Name of dataset, model and endpoint."""
        return self.asked.name


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
    proposed : str
        Reference of a newer version that passed its gate and waits for a person; empty when there is none.
    """

    data: DatasetVersion
    version: ModelVersion
    supervisor: SupervisorFile
    curl: str
    canary: str = ""
    proposed: str = ""

    def __repr__(self) -> str:
        """Return what answers where, and how it is asked, on a few lines."""
        lines = [f"<Up {self.version.ref} at {self.url}, learnt from {self.data.ref}>"]
        lines += [f"  {self.canary} is on trial beside it"] if self.canary else []
        lines += [f"  {self.proposed} passed its gate and waits for you: undrift status"] if self.proposed else []
        return "\n".join([*lines, f"  {self.curl}"])

    def _repr_html_(self) -> str:
        """Return the same as a notebook shows it."""
        from undrift.loop.notebook.shown import brought_up

        return brought_up(self)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.supervisor.url

    def as_json(self) -> dict[str, JSON]:
        """Return what `undrift up --json` prints."""
        return {
            "data": self.data.ref,
            "version": self.version.ref,
            "canary": self.canary or None,
            "proposed": self.proposed or None,
            "gate": self.version.gate,
            "url": self.supervisor.url,
            "pid": self.supervisor.pid,
            "curl": self.curl,
        }


def up(
    project: Project, wanted: Wanted, found: Looked | DatasetVersion | None, tell: Tell, progress: Tell = untold
) -> Up:
    """Bring a table to a served model; running it again does only what is missing.

    Parameters
    ----------
    project : Project
        The project.
    wanted : Wanted
        What is asked for.
    found : Looked, DatasetVersion or None
        What :func:`served_or_looked` gave, when somebody has looked already.
    tell : callable
        Is given each step in words.
    progress : callable
        Is told how far training is.

    Raises
    ------
    SuspiciousColumns
        If a column may know what is to be predicted; nothing has been made then.
    UpGateFailed, UpGateCannotTell
        If the model did not pass its gate; it stays proposed, and what was live stays live.
    AddressTaken
        If the port that is asked for belongs to somebody else.
    """
    hosting.check_port(project, wanted.name, wanted.port)
    found = found or served_or_looked(project, wanted)
    if isinstance(found, Looked):
        refuse_suspicious(found.sheet)
    if wanted.auto_reason:
        set_policy(project, "auto", wanted.auto_reason, project.actor)
    words = () if wanted.port is None else ("--port", str(wanted.port))
    if isinstance(found, Looked):
        _answer_meanwhile(project, wanted.name, words, tell)
        version = _versioned(project, wanted, found, tell)
        _trained(project, wanted, _finished_training(project, wanted.name, version, (tell, progress)), tell)
    else:
        tell(f"{found.ref} holds exactly these rows and its model is at the endpoint: nothing to train")
    return _served(project, wanted, words, tell)


def served_or_looked(project: Project, wanted: Wanted) -> Looked | DatasetVersion:
    """Return the version of the table that the endpoint serves or has on trial; else the table as it is found.

    Raises
    ------
    NameTaken
        If the name belongs to another model, or to another target.
    """
    refuse_taken(project, wanted.asked)
    nothing_said = Asked(target=wanted.asked.target, name=wanted.name)
    if wanted.asked == nothing_said and wanted.name in project.data.names():
        newest = project.data.get(wanted.name)
        if newest.ref in _served_from(project, wanted.name) and _is_same(project, newest, wanted):
            return newest
    return look(project, wanted.table, wanted.asked, wanted.reading)


def _is_same(project: Project, newest: DatasetVersion, wanted: Wanted) -> bool:
    """Say whether a version holds a file's bytes, or, in another form, its rows."""
    parts = project.data.manifest(newest.ref).parts
    if len(parts) == 1 and parts[0].contents.digest == blake3_file(wanted.table):
        return True
    return project.data.holding(wanted.name, wanted.table, wanted.reading) is not None


def _answer_meanwhile(project: Project, name: str, words: tuple[str, ...], tell: Tell) -> None:
    """Let what is live answer while a new version is trained, and say so where it did not."""
    state = project.endpoints.find(name)
    if state is None:
        return
    was_down = hosting.serving(project, name) is None
    supervisor = hosting.start(project, name, *words)
    if was_down:
        tell(f"endpoint:{name} was down: {state.stable.ref} answers again at {supervisor.url} in the meantime")


def _versioned(project: Project, wanted: Wanted, looked: Looked, tell: Tell) -> DatasetVersion:
    """Return the table as a checked version, with the sheet in the settings."""
    version = _same_rows(project, wanted, looked, tell)
    if version is None:
        version = project.data.add(wanted.table, wanted.name, actor=project.actor, reading=looked.reading)
    tell(f"{version.ref}: {version.rows:,} rows, {len(version.schema.names if version.schema else ())} columns")
    if save(project, looked.sheet, looked.reading):
        tell(f"{FILE_NAME}: [models.{wanted.name}] says what was inferred, and is yours to edit")
    _checked(project, looked.sheet, version, tell)
    return version


def _same_rows(project: Project, wanted: Wanted, looked: Looked, tell: Tell) -> DatasetVersion | None:
    """Return the newest version when it holds these rows in other files: learning twice from them shows nothing."""
    newest = project.data.get(wanted.name) if wanted.name in project.data.names() else None
    if newest is None or newest.rows != looked.sheet.facts.table["rows"]:
        return None
    same = project.data.holding(wanted.name, wanted.table, looked.reading)
    if same is not None:
        tell(f"{same.ref} holds exactly these rows: no new version")
    return same


def _served(project: Project, wanted: Wanted, words: tuple[str, ...], tell: Tell) -> Up:
    supervisor = hosting.start(project, wanted.name, *words)
    state = project.endpoints.get(wanted.name)
    live = project.registry.get(state.stable.ref)
    tell(f"serving {live.ref} at {supervisor.url}")
    if wanted.port and not supervisor.url.endswith(f":{wanted.port}"):
        tell(f"it was up already; to change the port: undrift down {wanted.name}, then up again")
    tell(f"kept: {retention.told(project.settings)}")
    waits = waiting(project, state)
    return Up(
        project.data.get(live.data or wanted.name),
        live,
        supervisor,
        curl_line(project, live, supervisor.url),
        canary=state.canary.ref if state.canary else "",
        proposed=waits.version.ref if waits else "",
    )


def curl_line(project: Project, version: ModelVersion, url: str) -> str:
    """Return a shell line that asks a model, with a made-up row of its package."""
    golden: Golden = project.registry.open(version).golden()
    row = {"row": dict(golden.rows[0]), "key": "an-id-of-yours"}
    body = msgspec.json.encode(row).decode().replace("'", "'\\''")
    return f"curl -s {url}/predict -H 'Content-Type: application/json' -d '{body}'"


def _checked(project: Project, sheet: Sheet, version: DatasetVersion, tell: Tell) -> None:
    if project.data.suite(version.name) is None:
        suite = project.data.suggest_suite(version.ref, _roles(sheet))
        project.data.freeze_suite(version.name, suite, actor=project.actor)
        tell(f"checks: {len(suite.expectations)} expectations suggested by the table, frozen for later batches")
    report = project.data.check(version.ref, actor=project.actor)
    tell(f"checks: {report.verdict}")


def _roles(sheet: Sheet) -> dict[str, Role]:
    """Return what columns are for, as far as checks depend on it."""
    known: dict[str, Role] = {"time": "time", "key": "key", "target": "target"}
    return {column.name: known[column.role] for column in sheet.columns if column.role in known}


def _trained(project: Project, wanted: Wanted, result: TrainResult, tell: Tell) -> None:
    """Release what passed its gate, unless it was on trial already or a person is to be asked."""
    trained = result.model_version
    for line in gate_lines(trained.gate):
        tell(f"gate: {line}")
    if trained.gate_outcome != "pass" and not wanted.force_reason:
        _refuse(project, wanted.name, trained)
    state = project.endpoints.find(wanted.name)
    if state is None or wanted.force_reason:
        _release(project, wanted, trained)
    elif state.stable.ref == trained.ref:
        tell(f"{trained.ref} is live already")
    elif trained.ref in [one.candidate.ref for one in project.endpoints.rollouts(wanted.name)]:
        tell(f"{trained.ref} has been on trial and was taken back: undrift deploy {trained.ref} tries it again")
    elif release_passed(project, state) is not None:
        tell(f"{trained.ref} is on trial beside {state.stable.ref}: the policy promotes without asking")
    else:
        waits = waiting(project, state)
        decide = waits.command if waits else "undrift status"
        tell(f"{trained.ref} is proposed, {state.stable.ref} stays live until somebody decides: {decide}")


def _release(project: Project, wanted: Wanted, trained: ModelVersion) -> None:
    """Bring a version to the endpoint; another `up` of the same table may have been first.

    Going past a gate is the decision of whoever forces it. A first version that passed is let through by a
    policy: who typed `up` asked for a served model and has not looked at this one, which is no approval.
    """
    forced = trained.gate_outcome != "pass"
    asked = f"the first version; its gate passed, and {project.actor.shown} asked by `undrift up` for what passes"
    reason = wanted.force_reason or asked
    try:
        with project.ledger.change(project.actor if wanted.force_reason else FIRST_RELEASE) as change:
            if not forced and project.registry.get(trained.ref, change.connection).state == "proposed":
                let = project.registry.approve if wanted.force_reason else project.registry.admit
                let(change, trained.ref, reason)
            request = release.Request(version=trained.ref, endpoint=wanted.name, reason=reason, force=forced)
            release.deploy_in(project, change, request)
    except AlreadyServed:
        return
    project.publisher.render(wanted.name)


def _finished_training(project: Project, name: str, version: DatasetVersion, told: tuple[Tell, Tell]) -> TrainResult:
    """Train, or go on with the training of the same table by the same settings that was interrupted."""
    from undrift.loop.training.home import training_of
    from undrift.loop.training.rooms import settings_json

    tell, progress = told
    tell("training: candidates are compared by cross-validation, the best is fitted and judged on rows it has not seen")
    settings = blake3_bytes(dumps(settings_json(project.settings.model(name))))
    key = f"up:{name}:{version.ref}:{hex_of(settings)[:16]}"
    training = training_of(project, lambda words: progress(words.partition(": ")[2] or words))
    with project.ledger.change(project.actor) as change:
        submission = training.submit(change, name, {"dataset_version": version.ref}, dedupe_key=key)
    result = training.resume(submission.run_id, project.actor, patience_s=_PATIENCE_S)
    steps = training.steps(submission.run_id)
    for line in training_lines(steps["split"].outputs, steps["compare"].outputs):
        tell(f"training: {line}")
    return result


def _refuse(project: Project, endpoint: str, version: ModelVersion) -> None:
    kind = UpGateCannotTell if version.gate_outcome == "cannot_tell" else UpGateFailed
    state, at = project.endpoints.find(endpoint), hosting.serving(project, endpoint)
    stays = f"{state.stable.ref} stays live{f' at {at.url}' if at else ''}" if state else "nothing is served"
    raise kind(
        f"{version.ref} did not pass its gate, so {stays}",
        cure=f"undrift model show {version.ref}; more rows or better columns, or --force --reason TEXT",
        version=version.ref,
    )


def _served_from(project: Project, endpoint: str) -> set[str]:
    """Return the data versions that the endpoint's models, live and on trial, were trained on."""
    state = project.endpoints.find(endpoint)
    served = [one for one in (state.stable, state.canary) if one is not None] if state else []
    return {project.registry.get(one.ref).data for one in served}
