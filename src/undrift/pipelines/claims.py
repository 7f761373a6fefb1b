"""Claims on steps: one process runs a step, and a process that lost its claim commits nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Update, update

from undrift.core import canonical
from undrift.core.clock import Clock, to_us
from undrift.core.json import JSON
from undrift.core.process import is_gone, this_process
from undrift.ledger.ledger import Change, Ledger
from undrift.pipelines import tables
from undrift.pipelines.errors import StepLost
from undrift.pipelines.journal import StepRecord

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run a step once.

    Attributes
    ----------
    run, step : str
        What is claimed.
    fence : int
        Grows with every claim of this step: an older number is stale for ever.
    attempt : int
        The how-many-th try this is.
    """

    run: str
    step: str
    fence: int
    attempt: int


class Claims:
    """Claims, renews and settles steps.

    A claim of a process that has died on this machine is free at once; a claim of another
    machine is free when its lease has run out.

    Parameters
    ----------
    ledger : Ledger
        Where the journal lives.
    real : Clock
        Leases expire in real time.
    ttl_s : float
        How long a claim lasts unless it is renewed.
    """

    def __init__(self, ledger: Ledger, real: Clock, ttl_s: float = 30.0) -> None:
        self._ledger = ledger
        self._real = real
        self.ttl_s = ttl_s

    def is_free(self, step: StepRecord) -> bool:
        """Say whether a step can be claimed now, if the steps before it are finished."""
        if step.state == "pending":
            return step.not_before_us <= self._now()
        if step.state != "running" or step.owner is None:
            return False
        return step.lease_until_us < self._now() or is_gone(step.owner)

    def claim(self, step: StepRecord) -> Claim | None:
        """Return a claim on a step that was free when it was read, None when somebody was faster."""
        statement = _where(step.run, step.name, step.fence).where(tables.steps.c.state == step.state)
        values = {
            "state": "running",
            "owner": this_process(),
            "fence": step.fence + 1,
            "attempt": step.attempt + 1,
            "lease_until_us": self._lease_end(),
            "started_us": self._now(),
        }
        with self._ledger.bookkeeping() as connection:
            won = connection.execute(statement.values(**values)).rowcount == 1
        return Claim(step.run, step.name, step.fence + 1, step.attempt + 1) if won else None

    def renew(self, claim: Claim) -> bool:
        """Make a claim last another while, and say whether it was still held."""
        with self._ledger.bookkeeping() as connection:
            return connection.execute(_held(claim).values(lease_until_us=self._lease_end())).rowcount == 1

    def give_back(self, claim: Claim, *, after_s: float = 0.0, reason: str = "") -> None:
        """Make the step free for another try; a claim that was lost already changes nothing."""
        later = self._now() + int(after_s * _MICROSECONDS)
        values = {"state": "pending", "owner": None, "not_before_us": later, "error": reason or None}
        with self._ledger.bookkeeping() as connection:
            connection.execute(_held(claim).values(**values))

    def finish(self, change: Change, claim: Claim) -> None:
        """Mark a step as finished; called first in the change, so that a stale claim changes nothing.

        Raises
        ------
        StepLost
            If the claim is not held any more.
        """
        self._settle(change, claim, {"state": "finished", "error": None, "error_code": None})

    def fail(self, change: Change, claim: Claim, code: str, reason: str) -> None:
        """Mark a step as failed for good.

        Raises
        ------
        StepLost
            If the claim is not held any more.
        """
        self._settle(change, claim, {"state": "failed", "error": reason, "error_code": code})

    def write_outputs(
        self,
        change: Change,
        claim: Claim,
        outputs: Mapping[str, JSON],
        key_parts: Mapping[str, JSON],
        reused_from: str | None,
    ) -> None:
        """Store what a finished step gave and how its cache key was made.

        Parameters
        ----------
        change : Change
            The open change.
        claim : Claim
            The step, as this process holds it.
        outputs : mapping
            What the step gave, JSON and digests.
        key_parts : mapping
            What its cache key was made of.
        reused_from : str or None
            The run whose outputs were used instead of running.
        """
        values = {
            "outputs": canonical.text(outputs),
            "key_parts": canonical.text(key_parts),
            "reused_from": reused_from,
        }
        change.connection.execute(_where(claim.run, claim.step, claim.fence).values(**values))

    def cancel_all(self, change: Change, run_id: str) -> None:
        """Make every unfinished step of a run cancelled: whoever runs one has lost it."""
        steps = tables.steps
        unfinished = update(steps).where(steps.c.run == run_id, steps.c.state.in_(("pending", "running")))
        change.connection.execute(unfinished.values(state="cancelled", fence=steps.c.fence + 1))

    def _settle(self, change: Change, claim: Claim, values: Mapping[str, object]) -> None:
        statement = _held(claim).values(ended_us=self._now(), owner=None, **values)
        if change.connection.execute(statement).rowcount != 1:
            raise StepLost(f"step {claim.step} of {claim.run} was taken over or cancelled", step=claim.step)

    def _lease_end(self) -> int:
        return self._now() + int(self.ttl_s * _MICROSECONDS)

    def _now(self) -> int:
        return to_us(self._real.now())


def _where(run: str, step: str, fence: int) -> Update:
    steps = tables.steps
    return update(steps).where(steps.c.run == run, steps.c.name == step, steps.c.fence == fence)


def _held(claim: Claim) -> Update:
    return _where(claim.run, claim.step, claim.fence).where(tables.steps.c.state == "running")
