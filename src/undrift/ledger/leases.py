"""Leases: one process at a time does a thing, and a process that lost its lease cannot write."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from undrift.core.clock import Clock, to_us
from undrift.ledger.change import Change
from undrift.ledger.errors import LeaseLost
from undrift.ledger.ledger import Ledger
from undrift.ledger.tables import leases

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on a name.

    Attributes
    ----------
    name, owner : str
        What is claimed and by whom.
    fence : int
        Grows with every claim of this name: an older number is stale for ever.
    ttl_s : float
        How long a claim or a renewal lasts.
    """

    name: str
    owner: str
    fence: int
    ttl_s: float


class Leases:
    """Claims, renews and releases leases.

    Parameters
    ----------
    ledger : Ledger
        Where they are kept.
    real : Clock
        The real clock: a lease expires in real time whatever business time does. Machines
        that share a Postgres ledger need clocks that agree to well under a lease's duration;
        when they do not, the fence still keeps the loser from writing.
    """

    def __init__(self, ledger: Ledger, real: Clock) -> None:
        self._ledger = ledger
        self._real = real

    def claim(self, name: str, owner: str, ttl_s: float) -> Lease | None:
        """Return a lease when the name is free, expired or already this owner's, else None.

        Parameters
        ----------
        name : str
            What to claim, for instance ``rollout:delay``.
        owner : str
            Unique to the process, for instance host, process id and start.
        ttl_s : float
            Seconds until it expires unless renewed.
        """
        with self._ledger.bookkeeping() as connection:
            fence = self._next_fence(connection, name, owner)
            if fence is None:
                return None
            expires = self._now() + int(ttl_s * _MICROSECONDS)
            values = {"owner": owner, "fence": fence, "expires_us": expires}
            connection.execute(update(leases).where(leases.c.name == name).values(**values))
        return Lease(name, owner, fence, ttl_s)

    def renew(self, lease: Lease) -> None:
        """Make a lease last another ``ttl_s`` from now.

        Raises
        ------
        LeaseLost
            If somebody else has claimed it since.
        """
        expires = self._now() + int(lease.ttl_s * _MICROSECONDS)
        statement = update(leases).where(leases.c.name == lease.name, leases.c.fence == lease.fence)
        with self._ledger.bookkeeping() as connection:
            if connection.execute(statement.values(expires_us=expires)).rowcount != 1:
                raise _lost(lease)

    def release(self, lease: Lease) -> None:
        """Give a lease back; one that was lost already is left alone."""
        statement = update(leases).where(leases.c.name == lease.name, leases.c.fence == lease.fence)
        with self._ledger.bookkeeping() as connection:
            connection.execute(statement.values(expires_us=0))

    def check(self, change: Change, lease: Lease) -> None:
        """Let a change go on only while the lease is held; no claim can come before its commit.

        Raises
        ------
        LeaseLost
            If somebody else has claimed the lease since.
        """
        query = select(leases.c.fence).where(leases.c.name == lease.name).with_for_update()
        if change.connection.scalar(query) != lease.fence:
            raise _lost(lease)

    def _next_fence(self, connection: Connection, name: str, owner: str) -> int | None:
        query = select(leases).where(leases.c.name == name).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            return 1 if _made(connection, name, owner) else None
        if row.owner != owner and row.expires_us > self._now():
            return None
        return int(row.fence) + 1

    def _now(self) -> int:
        return to_us(self._real.now())


def _made(connection: Connection, name: str, owner: str) -> bool:
    """Say whether this transaction made the row; on Postgres another one may have been first."""
    try:
        with connection.begin_nested():
            connection.execute(insert(leases).values(name=name, owner=owner, fence=1, expires_us=0))
    except IntegrityError:
        return False
    return True


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"the lease {lease.name!r} is held by somebody else", lease=lease.name, fence=lease.fence)
