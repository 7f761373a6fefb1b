"""The registry: which packages are versions of which model, where they stand, and who decided it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

from sqlalchemy import Connection

from undrift.core.clock import to_us
from undrift.core.decision import Outcome
from undrift.core.digest import check_digest
from undrift.core.errors import BadInput
from undrift.core.ids import check_name
from undrift.core.json import JSON
from undrift.core.refs import Ref, parse
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Change, Ledger
from undrift.models.package import Package, folder_of, open_package
from undrift.models.repository import AliasTable, VersionTable, model_names, not_found
from undrift.models.version import (
    CLEARED,
    PROTECTED,
    ModelVersion,
    Move,
    NotAPerson,
    Override,
    ReasonMissing,
    VersionInUse,
    WrongState,
    check_gate,
    state_after,
)

_KINDS: dict[Move, str] = {
    "approve": "model.approved",
    "admit": "model.admitted",
    "go_live": "model.went-live",
    "retire": "model.retired",
}
_OUTCOMES: tuple[str, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a version is registered with.

    Attributes
    ----------
    gate : mapping, optional
        The gate's report as JSON, with its ``outcome``; None when there was no gate.
    data, code : str
        References to the data version and the code.
    """

    gate: Mapping[str, JSON] | None = None
    data: str = ""
    code: str = ""

    @property
    def outcome(self) -> Outcome | None:
        """What the gate said.

        Raises
        ------
        BadInput
            If the report has no known outcome.
        """
        if self.gate is None:
            return None
        decision = self.gate.get("decision")
        said = decision.get("outcome") if isinstance(decision, Mapping) else self.gate.get("outcome")
        if said not in _OUTCOMES:
            raise BadInput(f"a gate report with the outcome {said!r}", cure=f"one of {', '.join(_OUTCOMES)}")
        return cast(Outcome, said)


class Registry:
    """The versions of all models.

    Safe to share between threads. Methods that change something take an open change first, so
    that a use case joins them with changes of other rooms in one transaction.

    Parameters
    ----------
    ledger : Ledger
        Where versions are kept.
    packages : Path
        The folder of packages.
    """

    def __init__(self, ledger: Ledger, packages: Path) -> None:
        self._ledger = ledger
        self._packages = packages
        self._versions = VersionTable()
        self._aliases = AliasTable()

    def register(
        self, change: Change, name: str, package: str, run: str, evidence: Evidence | None = None
    ) -> ModelVersion:
        """Return a new version in the state proposed.

        A run that registers the same package again gets the version it got before.

        Parameters
        ----------
        change : Change
            The open change.
        name : str
            The model.
        package : str
            Digest of a built package.
        run : str
            Reference of the run that made it; may be empty.
        evidence : Evidence, optional
            The gate's report and where the model came from.
        """
        check_name(name, "model")
        check_digest(package)
        self._versions.lock(change, name)
        known = self._versions.with_package(change.connection, name, package, run)
        if known is not None:
            return self._get(change.connection, name, known)
        shown = evidence or Evidence()
        version = ModelVersion(
            model=name,
            number=self._versions.next_number(change, name),
            package=package,
            state="proposed",
            run=run,
            data=shown.data,
            code=shown.code,
            gate=shown.gate,
            gate_outcome=shown.outcome,
            overrides=(),
            aliases=(),
            registered_by=str(change.actor),
            created_at=change.at,
        )
        self._versions.add(change, version)
        body: dict[str, JSON] = {
            "package": package, "run": run, "data": shown.data, "code": shown.code,
            "gate": version.gate_outcome, "report": shown.gate, **_who(change.actor),
        }  # fmt: skip
        change.record("model.registered", version.ref, body)
        return version

    def approve(self, change: Change, ref: str | Ref, reason: str, *, force_reason: str = "") -> ModelVersion:
        """Approve a proposed version; only a person does.

        Raises
        ------
        GateNotPassed
            If its gate did not pass and no ``force_reason`` is given.
        WrongState
            If it is not proposed.
        NotAPerson
            If the change is a policy's.
        """
        if change.actor.is_policy:
            raise NotAPerson(f"{change.actor} is no person and approves nothing", cure="let the policy admit it")
        return self._move(change, ref, "approve", reason, force_reason)

    def admit(self, change: Change, ref: str | Ref, reason: str) -> ModelVersion:
        """Let a proposed version go on by a policy: its gate passed, and nobody approved it.

        Raises
        ------
        GateNotPassed
            If its gate did not pass; a policy never goes past it.
        WrongState
            If it is not proposed.
        """
        return self._move(change, ref, "admit", reason, "")

    def go_live(self, change: Change, ref: str | Ref, reason: str, *, force_reason: str = "") -> ModelVersion:
        """Mark an approved or admitted version, or one that was live before, as live.

        Raises
        ------
        GateNotPassed
            If its gate did not pass and it was not forced, now or before.
        WrongState
            If it is only proposed, or live already.
        """
        return self._move(change, ref, "go_live", reason, force_reason)

    def retire(self, change: Change, ref: str | Ref, reason: str) -> ModelVersion:
        """Retire a version, whatever its state but retired."""
        return self._move(change, ref, "retire", reason, "")

    def move_alias(
        self, change: Change, alias: str | Ref, *, to: int | None, expected: int | None, reason: str
    ) -> None:
        """Let an alias name another version.

        Parameters
        ----------
        change : Change
            The open change.
        alias : str or Ref
            Which one: ``model:delay@champion``.
        to : int or None
            The version it will name; None takes the alias away.
        expected : int or None
            The version it must name now; None when it must not exist.
        reason : str
            Why.

        Raises
        ------
        VersionMoved
            If it does not name the expected version.
        WrongState
            If a protected alias would name a version that may not go live and is not.
        """
        _check_reason(reason)
        named = parse(alias, default="model") if isinstance(alias, str) else alias
        if not named.selector or named.number is not None:
            raise BadInput(f"{named} does not name an alias", cure="write model:NAME@ALIAS, the alias being a word")
        if to is not None:
            self._check_bearer(self._get(change.connection, named.name, to), named.selector)
        self._aliases.set(change, named.name, named.selector, number=to, expected=expected)
        body: dict[str, JSON] = {"to": to, "from": expected, "reason": reason, **_who(change.actor)}
        change.record("model.alias-moved", str(named), body)

    def delete(self, change: Change, ref: str | Ref, reason: str) -> None:
        """Delete a version from the registry; its events and its package stay.

        Raises
        ------
        VersionInUse
            If it is live or bears an alias.
        """
        _check_reason(reason)
        version = self._resolve(change.connection, ref)
        if version.state == "live" or version.aliases:
            held = "live" if version.state == "live" else f"named by {', '.join(version.aliases)}"
            raise VersionInUse(f"{version.ref} is {held}", cure="retire it and move its aliases first")
        self._versions.remove(change, version)
        change.record("model.deleted", version.ref, {"reason": reason, **_who(change.actor)})

    def get(self, ref: str | Ref, connection: Connection | None = None) -> ModelVersion:
        """Return the version that a reference names; see :meth:`resolve`."""
        if connection is not None:
            return self._resolve(connection, ref)
        with self._ledger.read() as snapshot:
            return self._resolve(snapshot, ref)

    def resolve(self, text: str) -> ModelVersion:
        """Return the version that a text names.

        Parameters
        ----------
        text : str
            ``model:delay@3``, ``model:delay@champion``, or ``model:delay``, which means the
            champion; while there is none, the newest version that was not retired.

        Raises
        ------
        UnknownVersion
            If there is none.
        """
        return self.get(text)

    def versions(self, model: str | None = None) -> list[ModelVersion]:
        """Return the versions of one model or of all, by name and number."""
        with self._ledger.read() as snapshot:
            return self._versions.of(snapshot, model)

    def names(self) -> list[str]:
        """Return the names of all models."""
        with self._ledger.read() as snapshot:
            return model_names(snapshot)

    def aliases(self, model: str, connection: Connection | None = None) -> dict[str, int]:
        """Return the aliases of a model."""
        if connection is not None:
            return self._aliases.of(connection, model)
        with self._ledger.read() as snapshot:
            return self._aliases.of(snapshot, model)

    def open(self, version: ModelVersion) -> Package:
        """Return a version's package, every byte verified."""
        return open_package(self.folder(version), version.package)

    def folder(self, version: ModelVersion) -> Path:
        """Return where a version's package lies."""
        return folder_of(self._packages, version.package)

    def _move(self, change: Change, ref: str | Ref, move: Move, reason: str, force_reason: str) -> ModelVersion:
        _check_reason(reason)
        before = self._resolve(change.connection, ref)
        state = state_after(before, move)
        overrides = before.overrides
        past = _goes_past(before, move, force_reason)
        if past:
            override = Override(move, str(change.actor), force_reason.strip(), to_us(change.at))
            overrides = (*overrides, override)
        self._versions.move(change, before, state, overrides)
        after = replace(before, state=state, overrides=overrides)
        change.record(_KINDS[move], before.ref, _moved(before, after, reason, change.actor, past))
        return after

    def _resolve(self, connection: Connection, ref: str | Ref) -> ModelVersion:
        known = parse(ref, default="model") if isinstance(ref, str) else ref
        if known.kind != "model":
            raise BadInput(f"{known} is not a model", cure="write model:NAME@VERSION")
        if known.number is not None:
            return self._get(connection, known.name, known.number)
        aliases = self._aliases.of(connection, known.name)
        number = aliases.get(known.selector or "champion")
        if number is None and not known.selector:
            number = _newest(self._versions.of(connection, known.name))
        if number is None:
            raise not_found(str(known), connection, known.name)
        return self._get(connection, known.name, number)

    def _get(self, connection: Connection, model: str, number: int) -> ModelVersion:
        found = self._versions.find(connection, model, number)
        if found is None:
            raise not_found(f"model:{model}@{number}", connection, model)
        return found

    def _check_bearer(self, version: ModelVersion, alias: str) -> None:
        if alias in PROTECTED and version.state not in CLEARED | {"live"}:
            raise WrongState(
                f"{version.ref} is {version.state}: only an approved or live version can be {alias!r}",
                cure=f"approve {version.ref} first",
            )


def _newest(versions: Sequence[ModelVersion]) -> int | None:
    """Return the number of the newest version that nobody took out of the choice, else of the newest one."""
    kept = [version for version in versions if version.state != "retired"] or versions
    return max((version.number for version in kept), default=None)


def _goes_past(version: ModelVersion, move: Move, force_reason: str) -> bool:
    """Say whether a move goes past the gate; one that was forced before may go live with that."""
    if move == "retire" or (move == "go_live" and version.forced and not force_reason.strip()):
        return False
    return check_gate(version, move, force_reason)


def _moved(before: ModelVersion, after: ModelVersion, reason: str, actor: Actor, past: bool) -> dict[str, JSON]:
    body: dict[str, JSON] = {"from": before.state, "to": after.state, "reason": reason, **_who(actor)}
    if past:
        body["forced"] = after.overrides[-1].reason
    return body


def _who(actor: Actor) -> dict[str, JSON]:
    return {"decided_by": "policy" if actor.kind in ("policy", "service") else "person"}


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing("a decision about a model version needs a reason", cure="say why in a few words")
