"""The judge of one rollout: reads what arrived and says what follows."""

from __future__ import annotations

from undrift.core.masking import known_mask
from undrift.endpoints.arrivals import Arrivals
from undrift.endpoints.evidence import Evidence
from undrift.endpoints.rollout import Rollout
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.verdict import Verdict, verdict_on

_MOST_RESTARTS = 3


class Judge:
    """Keeps the evidence of one rollout up to date from the endpoint's segments.

    A judge that starts anew reads everything since the rollout's beginning and stands where
    any other judge stands: nothing it knows needs to be stored. Not safe for threads.

    Parameters
    ----------
    rooms : EndpointRooms
        Where the segments lie.
    rollout : Rollout
        The rollout.
    """

    def __init__(self, rooms: EndpointRooms, rollout: Rollout) -> None:
        self._rooms = rooms
        self._rollout = rollout
        self._restarts = 0
        self.through_us = 0
        self._begin()

    def catch_up(self, until_us: int) -> Evidence:
        """Return the evidence of everything that arrived up to an instant of real time."""
        arrivals = self._arrivals.take(until_us)
        if self._arrivals.out_of_order and self._restarts < _MOST_RESTARTS:
            self._restarts += 1
            self._begin()
            arrivals = self._arrivals.take(until_us)
        self.evidence.take(arrivals)
        self.through_us = until_us
        return self.evidence

    def verdict(self, rollout: Rollout, until_us: int, business_us: int) -> Verdict | None:
        """Return what to do with the rollout as it is stored now, or None.

        Parameters
        ----------
        rollout : Rollout
            The same rollout, freshly read.
        until_us : int
            Use what arrived up to this instant of real time.
        business_us : int
            Business time now.
        """
        return verdict_on(rollout, self.catch_up(until_us), business_us)

    def caught_up(self, since_us: int) -> bool:
        """Say whether everything that arrived before an instant of real time has been taken in."""
        return self.through_us >= since_us

    def _begin(self) -> None:
        rooms, rollout = self._rooms, self._rollout
        self.evidence = Evidence(rollout)
        self._arrivals = Arrivals(
            rooms.predictions(rollout.endpoint),
            rooms.feedback(rollout.endpoint),
            rollout.since_us,
            known_mask(rooms.store),
        )
