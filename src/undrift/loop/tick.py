"""One pass of the loop. It may be killed at any point: the next pass goes on from the ledger."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from undrift.core.clock import to_us
from undrift.core.errors import UndriftError
from undrift.core.json import JSON
from undrift.core.process import this_process
from undrift.endpoints.referee import Referee
from undrift.endpoints.state import EndpointState
from undrift.endpoints.watch import PassFile, write_pass
from undrift.loop.arriving import take_arrivals
from undrift.loop.children import start_pending
from undrift.loop.needed import waits_for
from undrift.loop.privacy.retention import expire
from undrift.loop.promotion import release_passed
from undrift.loop.retraining import retrain
from undrift.loop.sealing import seal_logs
from undrift.loop.watching import watched
from undrift.project import Project


@dataclass(slots=True)
class Pass:
    """What one pass did, in words, in the order in which it was done.

    Attributes
    ----------
    done : list of str
        One line for each thing.
    """

    done: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, JSON]:
        """Return the pass as ``undrift tick --json`` prints it."""
        return {"done": list(self.done)}


def tick(project: Project) -> Pass:
    """Do all that is due: judge rollouts, publish, seal, watch, receive, erase, trigger, start pipelines, release.

    Parameters
    ----------
    project : Project
        The project.

    Returns
    -------
    Pass
        What was done; nothing, when nothing was due.

    Notes
    -----
    Rollouts come first and pipelines run in processes of their own, so that a rollback never
    waits for a fit. Several processes may tick at the same time.
    """
    result = Pass()
    endpoints = project.endpoints.all()
    for state in endpoints:
        _judge(project, state, result)
    result.done += [f"published endpoint:{name}" for name in project.publisher.render_lagging()]
    for state in endpoints:
        _look_after(project, state, result)
    result.done += take_arrivals(project)
    result.done += [one.told(project.settings.privacy.retention_days) for one in expire(project)]
    for model, behind in _by_model(endpoints).items():
        _trigger(project, model, behind, result)
    for state in project.endpoints.all():
        released = release_passed(project, state)
        if released:
            result.done.append(f"{released} passed its gate: admitted by policy, canary at endpoint:{state.name}")
    result.done += [f"started pipeline run {run_id}" for run_id in start_pending(project)]
    return result


def make_pass(project: Project, *, by: str = "tick", every_s: float = 0.0) -> Pass:
    """Make one pass and leave word of it, so that anybody can see that, and whether, somebody watches.

    Parameters
    ----------
    project : Project
        The project.
    by : {"tick", "worker", "serve"}
        Who makes it.
    every_s : float
        How often this process makes one; 0 when this is the only one.
    """
    real = project.clocks.real
    told = PassFile(this_process(), to_us(real.now()), every_s=every_s, by=by)
    write_pass(project.store, told)
    try:
        return tick(project)
    finally:
        ended = to_us(real.now())
        write_pass(project.store, structs.replace(told, ended_us=ended, problem=_in_a_line(sys.exception())))


def _in_a_line(error: BaseException | None) -> str:
    return "" if error is None else str(error).partition("\n")[0] or type(error).__name__


def repeat(project: Project, every_s: float, wait: Callable[[float], bool], tell: Callable[[str], None]) -> None:
    """Make passes until told to stop; one that fails is told, and the next one is made all the same.

    Parameters
    ----------
    project : Project
        The project.
    every_s : float
        Seconds of real time between the ends and starts of passes.
    wait : callable
        Waits so many seconds and says whether to stop.
    tell : callable
        Is given each thing that was done.
    """
    while True:
        try:
            project.reload_settings()  # somebody may have changed the policy meanwhile
            for line in make_pass(project, by="worker", every_s=every_s).done:
                tell(line)
        except UndriftError as error:  # a ledger that is away or settings half written: the next pass sees better
            tell(f"the pass failed: {error.message}")
        if wait(every_s):
            return


def _judge(project: Project, state: EndpointState, result: Pass) -> None:
    if state.rollout is None:
        return
    referee = Referee(project.endpoint_rooms, state.name)
    verdict = referee.look()
    referee.close()
    if verdict is not None:
        result.done.append(f"endpoint:{state.name}: {verdict.move}: {verdict.reason}")


def _look_after(project: Project, state: EndpointState, result: Pass) -> None:
    sealed = seal_logs(project, state.name)
    if sealed:
        result.done.append(f"recorded {sealed} sealed segment(s) of endpoint:{state.name}")
    for incident in project.monitor.pass_(watched(project, state)):
        word = "closed" if not incident.is_open else "opened" if incident.times == 1 else "found again"
        needed = waits_for(project, incident) if word == "opened" else None
        more = f"; no retraining before there are labelled rows: undrift incident show {incident.ref}" if needed else ""
        result.done.append(f"{incident.ref} {word}: {incident.kind} of {incident.model_version}{more}")


def _trigger(project: Project, model: str, endpoints: Sequence[EndpointState], result: Pass) -> None:
    if model not in project.settings.models:
        return
    triggered = retrain(project, model, endpoints)
    if triggered:
        result.done.append(f"retraining of model:{model} triggered: {triggered.reason}")


def _by_model(endpoints: Sequence[EndpointState]) -> dict[str, list[EndpointState]]:
    found: dict[str, list[EndpointState]] = {}
    for state in endpoints:
        found.setdefault(state.stable.model, []).append(state)
    return found
