"""``undrift model ...``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, pairs, table
from undrift.cli.command import LazyGroup, command
from undrift.core.json import JSON
from undrift.ledger.actor import Actor
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.models.version import ModelVersion


@command("list", example="undrift model list")
@click.argument("name", required=False, metavar="[NAME]")
def list_(project: Path, name: str | None) -> Answer:
    """List model versions: of one model, or of all."""
    with Project.open(project) as opened:
        versions = opened.registry.versions(name)
    rows = [(one.ref, one.state, ",".join(one.aliases), _gate(one), one.data, one.run) for one in versions]
    text = table(("version", "state", "aliases", "gate", "data", "run"), rows)
    return Answer({"versions": [_as_json(one) for one in versions]}, text if rows else "no models yet: undrift train")


@command("show", example="undrift model show delay@champion")
@click.argument("reference", metavar="MODEL@VERSION")
@click.option("--card", is_flag=True, help="Print the model card.")
def show(project: Path, reference: str, *, card: bool) -> Answer:
    """Show a version: where it stands, what it came from, its gate report; or its card."""
    with Project.open(project) as opened:
        version = opened.registry.resolve(reference)
        if card:
            text = opened.registry.open(version).read("MODEL_CARD.md").decode()
            return Answer({"version": version.ref, "card": text}, text)
        manifest = opened.registry.open(version).manifest
        not_stated = _not_stated(opened, version)
    engines = ", ".join(engine.name for engine in manifest.engines)
    shown: list[tuple[str, object]] = [
        ("version", version.ref),
        ("state", version.state),
        ("aliases", ", ".join(version.aliases) or None),
        ("task", manifest.task),
        ("threshold", manifest.threshold),
        ("inputs", ", ".join(column.name for column in manifest.inputs)),
        ("engines", engines),
        ("package", version.package),
        ("run", version.run),
        ("data", version.data),
        ("code", version.code),
        ("registered", f"{version.created_at:%Y-%m-%d %H:%M} by {Actor.parse(version.registered_by).shown}"),
    ]
    lines = [pairs(shown), *_gate_lines(version), *_override_lines(version), *_missing_lines(not_stated, version)]
    return Answer({**_as_json(version), "not_stated": list(not_stated)}, "\n".join(lines))


@command("report", example="undrift model report delay@champion --out delay.html")
@click.argument("reference", metavar="MODEL[@VERSION]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Where to write the page; MODEL-VERSION.html in this folder when not given.",
)
@click.option("--open", "show_it", is_flag=True, help="Show the page in the browser.")
def report(project: Path, reference: str, out: Path | None, *, show_it: bool) -> Answer:
    """Write all that is recorded of a version as one HTML page that needs nothing else; --json prints the facts.

    With --json no page is written, unless --out says where.
    """
    from undrift.core.files import write_atomic
    from undrift.loop.report.facts import report_facts
    from undrift.loop.report.page import page

    with Project.open(project) as opened:
        version = opened.registry.resolve(reference)
        facts = report_facts(opened, version)
    as_json = click.get_current_context().params["as_json"]
    if as_json and out is None:
        return Answer(facts, "")
    path = out or Path(f"{version.model}-{version.number}.html")
    write_atomic(path, page(facts).encode(), 0o644)
    if show_it:
        click.launch(str(path.resolve()))
    return Answer(facts, f"{version.ref}: report written to {path}")


@command("verify", example="undrift model verify delay@champion")
@click.argument("reference", metavar="MODEL@VERSION")
def verify(project: Path, reference: str) -> Answer:
    """Check every byte of a version's package and score its golden rows with each engine."""
    with Project.open(project) as opened:
        version = opened.registry.resolve(reference)
        package = opened.registry.open(version)
        checked = {spec.name: package.check_golden(package.load_engine(spec.name)) for spec in package.manifest.engines}
    lines = [f"{version.ref}: every byte is the one that was registered"]
    lines += [
        f"  {name} answers the golden rows as expected (largest difference {off:g})" for name, off in checked.items()
    ]
    return Answer({"version": version.ref, "package": version.package, "golden": dict(checked)}, "\n".join(lines))


def _gate(version: ModelVersion) -> str:
    return f"{version.gate_outcome or 'none'}{', forced' if version.forced else ''}"


def _gate_lines(version: ModelVersion) -> list[str]:
    from undrift.loop.telling import gate_lines

    return ["", "gate", *(f"  {line}" for line in gate_lines(version.gate))] if version.gate else ["gate: none"]


def _override_lines(version: ModelVersion) -> list[str]:
    forced = [(one, Actor.parse(one.actor).shown) for one in version.overrides]
    return [f"forced past the gate ({one.move}) by {who}: {one.reason}" for one, who in forced]


def _not_stated(project: Project, version: ModelVersion) -> list[str]:
    from undrift.loop.report.facts import stated

    return [name for name, text in stated(project, version).items() if not text]


def _missing_lines(not_stated: list[str], version: ModelVersion) -> list[str]:
    from undrift.models.cards import missing_line

    return ["", missing_line(not_stated, version.model)] if not_stated else []


def _as_json(version: ModelVersion) -> dict[str, JSON]:
    return {
        "version": version.ref,
        "state": version.state,
        "aliases": list(version.aliases),
        "package": version.package,
        "run": version.run,
        "data": version.data,
        "code": version.code,
        "gate": version.gate,
        "gate_outcome": version.gate_outcome,
        "overrides": [one.as_json() for one in version.overrides],
        "registered_by": version.registered_by,
        "created_at": version.created_at.isoformat(),
    }


model = LazyGroup(
    "model",
    help="Registered models and their versions.",
    entries={
        "list": ("undrift.cli.models:list_", "List model versions."),
        "show": ("undrift.cli.models:show", "Show a version, its gate report or its card."),
        "report": ("undrift.cli.models:report", "Write all that is recorded of a version as one HTML page."),
        "verify": ("undrift.cli.models:verify", "Check every byte of a version's package and its golden rows."),
    },
)
