"""``undrift approve, retire, policy, deploy, promote, rollback``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
@click.option("--deploy", "also_deploy", is_flag=True, help="Bring it to its endpoint too, by canary.")
@click.option("--endpoint", help="With --deploy, where; by default the endpoint of the model's name.")
def approve(project: Path, reference: str, *, reason: str, also_deploy: bool, endpoint: str | None) -> Answer:
    """Approve a proposed version whose gate passed; without --deploy, somebody else may deploy it."""
    from undrift.loop import release

    if endpoint and not also_deploy:
        raise BadInput("--endpoint says where to deploy", cure="add --deploy, or leave --endpoint out")
    with Project.open(project) as opened:
        if also_deploy:
            version = opened.registry.resolve(reference)
            request = release.Request(version=version.ref, endpoint=endpoint or version.model, reason=reason)
            return _shown(release.approve_and_deploy(opened, request, opened.actor))
        version = release.approve(opened, reference, reason, opened.actor)
    text = f"{version.ref} is approved\nnext: undrift deploy {version.ref}"
    return Answer({"version": version.ref, "state": version.state}, text)


@command("retire", example="undrift retire model:delay@3 --reason 'wrong on the smallest carriers'")
@click.argument("reference", metavar="MODEL@VERSION")
@click.option("--reason", required=True, help="Why; it is kept with the version.")
def retire(project: Path, reference: str, *, reason: str) -> Answer:
    """Take a version out of the choice for good: so a proposed one is rejected, and status stops asking about it."""
    from undrift.loop import release

    with Project.open(project) as opened:
        version = release.retire(opened, opened.registry.resolve(reference).ref, reason, opened.actor)
    return Answer({"version": version.ref, "state": version.state}, f"{version.ref} is retired")


@command("policy", example="undrift policy auto --reason 'nobody is on call at night'")
@click.argument("promotion", required=False, type=click.Choice(["ask", "auto"]))
@click.option("--reason", default="", help="Why; needed to change it, kept in the history.")
def policy(project: Path, promotion: Literal["ask", "auto"] | None, reason: str) -> Answer:
    """Show or say who promotes a version that passed its gate: a person (ask) or this policy (auto).

    A rollback is automatic under either.
    """
    from undrift.loop import promotion as rules

    with Project.open(project) as opened:
        if promotion is not None:
            rules.set_policy(opened, promotion, reason, opened.actor)
        found = rules.policy_of(opened)
    shown = [
        ("promotion", found.promotion),
        ("reason", found.reason),
        ("said by", found.by or "the settings"),
        ("since", f"{found.since:%Y-%m-%d %H:%M} UTC" if found.since else None),
    ]
    return Answer(found.as_json(), pairs(shown))


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
