"""``undrift approve, deploy, promote, rollback``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, pairs
from undrift.cli.command import command
from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.loop.naming import endpoint_name
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.loop.release import Released


@command("approve", example="undrift approve model:delay@3 --reason 'better on every carrier'")
@click.argument("reference", metavar="MODEL@VERSION")
@click.option("--reason", required=True, help="Why; it is kept with the version.")
def approve(project: Path, reference: str, reason: str) -> Answer:
    """Approve a proposed version whose gate passed; deploying it is another step."""
    from undrift.loop import release

    with Project.open(project) as opened:
        version = release.approve(opened, reference, reason, opened.actor)
    text = f"{version.ref} is approved\nnext: undrift deploy {version.ref}"
    return Answer({"version": version.ref, "state": version.state}, text)


@command("deploy", example="undrift deploy model:delay@3")
@click.argument("reference", metavar="MODEL@VERSION")
@click.option("--endpoint", help="Where; by default the endpoint of the model's name.")
@click.option("--reason", default="", help="Why; needed with --force.")
@click.option("--force", is_flag=True, help="Go past the gate; the reason is kept and shown for ever.")
@click.option("--at-once", is_flag=True, help="Without a canary.")
def deploy(project: Path, reference: str, *, endpoint: str | None, reason: str, force: bool, at_once: bool) -> Answer:
    """Bring a version to an endpoint: by a canary in steps when another version is live there."""
    from undrift.loop import release

    if force and not reason.strip():
        raise BadInput("--force needs a reason", cure="add --reason TEXT: who reads the history later will ask")
    with Project.open(project) as opened:
        version = opened.registry.resolve(reference)
        request = release.Request(
            version=version.ref,
            endpoint=endpoint or version.model,
            reason=reason or "deployed by hand",
            force=force,
            at_once=at_once,
        )
        released = release.deploy(opened, request, opened.actor)
    return _shown(released)


@command("promote", example="undrift promote delay --reason 'the canary has been fine for a week'")
@click.argument("endpoint")
@click.option("--reason", default="promoted by hand", help="Why.")
def promote(project: Path, endpoint: str, reason: str) -> Answer:
    """Give the running canary of an endpoint all the traffic, without waiting for its judge."""
    from undrift.loop import release

    with Project.open(project) as opened:
        name = endpoint_name(endpoint)
        return _shown(release.promote(opened, name, reason, opened.actor))


@command("rollback", example="undrift rollback delay --reason 'complaints from the desk'")
@click.argument("endpoint")
@click.option("--reason", default="rolled back by hand", help="Why.")
def rollback(project: Path, endpoint: str, reason: str) -> Answer:
    """Take the canary out; without one, bring back the version that was live before."""
    from undrift.loop import release

    with Project.open(project) as opened:
        name = endpoint_name(endpoint)
        return _shown(release.rollback(opened, name, reason, opened.actor))


def _shown(released: Released) -> Answer:
    state = released.state
    canary = f"{state.canary.ref} with {state.share_bp / 100:g} % of the traffic" if state.canary else None
    served = f"confirmed by {len(released.workers)} worker(s)" if released.workers else "not being served now"
    data: dict[str, JSON] = {"endpoint": state.name, **state.summary(), "workers": list(released.workers)}
    text = pairs([("endpoint", state.name), ("live", state.stable.ref), ("canary", canary), ("served", served)])
    if not released.workers:
        text += f"\nnext: undrift serve {state.name}"
    return Answer(data, text)
