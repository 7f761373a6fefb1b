"""Where model versions and aliases are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from undrift.core import canonical
from undrift.core.clock import from_us, to_us
from undrift.core.json import JSON
from undrift.ledger.change import Change
from undrift.models import tables
from undrift.models.version import ModelVersion, Override, State, UnknownVersion, VersionMoved

_Row = Row[tuple[Any, ...]]  # Any: columns of several types


class VersionTable:
    """Reads and writes model versions; every write of a state is a compare-and-set on the state before."""

    def find(self, connection: Connection, model: str, number: int) -> ModelVersion | None:
        """Return a version, or None."""
        row = tables.versions.c
        found = connection.execute(select(tables.versions).where(row.model == model, row.number == number))
        one = found.one_or_none()
        return _version(one, AliasTable().of(connection, model)) if one else None

    def of(self, connection: Connection, model: str | None = None) -> list[ModelVersion]:
        """Return the versions of one model or of all, by name and number."""
        row = tables.versions.c
        query = select(tables.versions).order_by(row.model, row.number)
        if model is not None:
            query = query.where(row.model == model)
        aliases = AliasTable().all(connection)
        return [_version(one, aliases.get(one.model, {})) for one in connection.execute(query)]

    def with_package(self, connection: Connection, model: str, package: str, run: str) -> int | None:
        """Return the number under which a run's package was registered already, or None."""
        row = tables.versions.c
        query = select(row.number).where(row.model == model, row.package == package, row.run == run)
        return cast("int | None", connection.execute(query.order_by(row.number)).scalars().first())

    def add(self, change: Change, version: ModelVersion) -> None:
        """Store a new version."""
        at = to_us(change.at)
        values = {
            "model": version.model,
            "number": version.number,
            "package": version.package,
            "state": version.state,
            "run": version.run,
            "data": version.data,
            "code": version.code,
            "gate_outcome": version.gate_outcome,
            "gate": None if version.gate is None else canonical.text(version.gate),
            "overrides": _overrides_text(version.overrides),
            "registered_by": version.registered_by,
            "created_us": at,
            "changed_us": at,
        }
        change.connection.execute(insert(tables.versions).values(**values))

    def move(self, change: Change, version: ModelVersion, state: State, overrides: Sequence[Override]) -> None:
        """Store a version's next state.

        Raises
        ------
        VersionMoved
            If the stored state is no longer the one it was read with.
        """
        row = tables.versions.c
        same = (row.model == version.model, row.number == version.number, row.state == version.state)
        values = {"state": state, "overrides": _overrides_text(overrides), "changed_us": to_us(change.at)}
        if change.connection.execute(update(tables.versions).where(*same).values(**values)).rowcount != 1:
            raise VersionMoved(f"{version.ref} is no longer {version.state}", cure="look again and repeat")

    def remove(self, change: Change, version: ModelVersion) -> None:
        """Delete a version's row.

        Raises
        ------
        VersionMoved
            If it is no longer in the state that was read.
        """
        row = tables.versions.c
        same = (row.model == version.model, row.number == version.number, row.state == version.state)
        if change.connection.execute(delete(tables.versions).where(*same)).rowcount != 1:
            raise VersionMoved(f"{version.ref} is no longer {version.state}", cure="look again and repeat")

    def lock(self, change: Change, model: str) -> None:
        """Let concurrent registrations of one model wait for each other until the commit."""
        if self._last_number(change.connection, model) is not None:
            return
        first = insert(tables.names).values(name=model, last_number=0, created_us=to_us(change.at))
        try:
            with change.connection.begin_nested():
                change.connection.execute(first)
        except IntegrityError:  # another change was first and has committed by now
            self._last_number(change.connection, model)

    def next_number(self, change: Change, model: str) -> int:
        """Return the next number of a locked model."""
        number = (self._last_number(change.connection, model) or 0) + 1
        raised = update(tables.names).where(tables.names.c.name == model).values(last_number=number)
        change.connection.execute(raised)
        return number

    def _last_number(self, connection: Connection, model: str) -> int | None:
        """Return a model's last number, None when it has no row; the row stays locked until the commit."""
        row = tables.names.c
        query = select(row.last_number).where(row.name == model).with_for_update()
        return cast("int | None", connection.execute(query).scalar_one_or_none())


class AliasTable:
    """Reads and writes aliases; every write is a compare-and-set on the number before."""

    def of(self, connection: Connection, model: str) -> dict[str, int]:
        """Return the aliases of a model."""
        row = tables.aliases.c
        found = connection.execute(select(row.alias, row.number).where(row.model == model).order_by(row.alias))
        return {one.alias: one.number for one in found}

    def all(self, connection: Connection) -> dict[str, dict[str, int]]:
        """Return the aliases of all models."""
        found: dict[str, dict[str, int]] = {}
        row = tables.aliases.c
        for one in connection.execute(select(tables.aliases).order_by(row.model, row.alias)):
            found.setdefault(one.model, {})[one.alias] = one.number
        return found

    def set(self, change: Change, model: str, alias: str, *, number: int | None, expected: int | None) -> None:
        """Let an alias name a version, or nothing.

        Parameters
        ----------
        change : Change
            The open change.
        model, alias : str
            Which alias of which model.
        number : int or None
            The version it will name; None takes it away.
        expected : int or None
            The version it must name now.

        Raises
        ------
        VersionMoved
            If it does not name the expected one.
        """
        if self._written(change, model, alias, number, expected):
            return
        current = self.of(change.connection, model).get(alias)
        raise VersionMoved(
            f"model:{model}@{alias} names {_shown(current)}, not {_shown(expected)}", cure="look again and repeat"
        )

    def _written(self, change: Change, model: str, alias: str, number: int | None, expected: int | None) -> bool:
        row, connection = tables.aliases.c, change.connection
        same = (row.model == model, row.alias == alias, row.number == expected)
        if number is None:
            return expected is not None and connection.execute(delete(tables.aliases).where(*same)).rowcount == 1
        values = {"number": number, "changed_us": to_us(change.at)}
        if expected is not None:
            return connection.execute(update(tables.aliases).where(*same).values(**values)).rowcount == 1
        try:
            with connection.begin_nested():
                connection.execute(insert(tables.aliases).values(model=model, alias=alias, **values))
        except IntegrityError:
            return False
        return True


def model_names(connection: Connection) -> list[str]:
    """Return the names of all models, sorted."""
    return list(connection.execute(select(tables.names.c.name).order_by(tables.names.c.name)).scalars())


def not_found(what: str, connection: Connection, model: str) -> UnknownVersion:
    """Return the error for a version that is not there, with what is."""
    numbers = [str(version.number) for version in VersionTable().of(connection, model)]
    if not numbers:
        known = ", ".join(model_names(connection)) or "none yet"
        return UnknownVersion(f"there is no model {model!r}", cure=f"models are: {known}")
    aliases = list(AliasTable().of(connection, model))
    return UnknownVersion(f"there is no {what}", cure=f"model:{model} has {', '.join([*numbers[-10:], *aliases])}")


def _shown(number: int | None) -> str:
    return "nothing" if number is None else f"version {number}"


def _overrides_text(overrides: Sequence[Override]) -> str:
    return canonical.text([override.as_json() for override in overrides])


def _version(row: _Row, aliases: Mapping[str, int]) -> ModelVersion:
    overrides = cast("list[dict[str, Any]]", canonical.loads(row.overrides))
    return ModelVersion(
        model=row.model,
        number=row.number,
        package=row.package,
        state=row.state,
        run=row.run,
        data=row.data,
        code=row.code,
        gate=None if row.gate is None else cast("Mapping[str, JSON]", canonical.loads(row.gate)),
        gate_outcome=row.gate_outcome,
        overrides=tuple(Override(**one) for one in overrides),
        aliases=tuple(alias for alias, number in aliases.items() if number == row.number),
        registered_by=row.registered_by,
        created_at=from_us(row.created_us),
    )
