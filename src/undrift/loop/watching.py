"""What is watched behind an endpoint: put together from the registry, the settings and the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from undrift.core.config import MonitorSettings
from undrift.core.errors import Corrupt
from undrift.endpoints.state import EndpointState
from undrift.models.version import ModelVersion
from undrift.monitoring.watched import Rules, Version, Watched, WindowPlan
from undrift.project import Project
from undrift.stats.intervals import Interval


class NeverWentLive(Corrupt):
    """An endpoint serves a version of which no event says that it went live."""

    code = "never-went-live"


def watched(project: Project, endpoint: EndpointState) -> Watched:
    """Return the live version of an endpoint with its windows and rules.

    Raises
    ------
    NeverWentLive
        If the ledger does not tell since when it is live.
    """
    version = project.registry.get(endpoint.stable.ref)
    events = project.ledger.events(version.ref, ["model.went-live"], newest_first=True, limit=1)
    if not events:
        raise NeverWentLive(f"no event says when {version.ref} went live", cure="undrift audit verify")
    settings = project.settings.monitoring(endpoint.name)
    gate = cast("Mapping[str, Any]", version.gate or {})
    return Watched(
        endpoint=endpoint.name,
        version=version_of(project, version),
        since=events[0].at,
        metric=gate.get("metric"),
        gate=_promised(gate),
        plan=WindowPlan(days=settings.window_days, step_days=settings.step_days),
        rules=_rules(settings),
    )


def version_of(project: Project, version: ModelVersion) -> Version:
    """Return a registered version as monitors know it."""
    package = project.registry.open(version)
    manifest = package.manifest
    return Version(
        model=version.model,
        number=version.number,
        package=version.package,
        task=manifest.task,
        sketch=package.sketch(),
        classes=manifest.classes,
        positive=1 if manifest.positive is None else manifest.positive,
        calendar=frozenset(column.name for column in manifest.inputs if column.role != "feature"),
    )


def _promised(gate: Mapping[str, Any]) -> Interval | None:
    """Return what the gate measured of the version, when it measured an interval."""
    found = gate.get("challenger", {}).get("metrics", {}).get(gate.get("metric"))
    return Interval(**found) if found else None


def _rules(settings: MonitorSettings) -> Rules:
    return Rules(alpha=settings.alpha, performance_drop=settings.max_performance_drop)
