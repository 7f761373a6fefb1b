"""What became of files in watched folders: which were seen, which were taken, which could not be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import Connection, delete, insert, select

from undrift.core.clock import from_us, to_us
from undrift.data.tables import arrivals, deliveries

State: TypeAlias = Literal["seen", "added", "admitted", "refused", "known", "failed"]
TAKEN: tuple[State, ...] = ("added", "admitted", "refused")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file of a watched folder.

    Attributes
    ----------
    dataset : str
        For which the folder is watched.
    path : str
        Relative to the folder.
    size_bytes, mtime_ns : int
        How it was when it was looked at last.
    state : str
        ``seen`` once and perhaps still being written; ``added`` as it came, ``admitted`` or ``refused`` by the
        dataset's suite; ``known``: the same bytes came before; ``failed``: it could not be read or added.
    digest : str or None
        Of its bytes; None while it is only seen.
    told : str
        Reference of the version, or the code of the error; never a cell.
    at : datetime
        Business time.
    """

    dataset: str
    path: str
    size_bytes: int
    mtime_ns: int
    state: State
    digest: str | None
    told: str
    at: datetime

    @property
    def look(self) -> tuple[int, int]:
        """What a file that did not change still has."""
        return self.size_bytes, self.mtime_ns


def arrivals_of(connection: Connection, dataset: str) -> list[Arrival]:
    """Return what is known of the files of a dataset's folder, by path."""
    rows = connection.execute(select(arrivals).where(arrivals.c.dataset == dataset).order_by(arrivals.c.path))
    return [
        Arrival(
            row.dataset,
            row.path,
            row.size_bytes,
            row.mtime_ns,
            row.state,
            row.digest,
            row.told,
            from_us(row.at_us),
        )
        for row in rows
    ]


def write_arrival(connection: Connection, arrival: Arrival) -> None:
    """Write what is known of a file, in place of what was."""
    forget_arrival(connection, arrival)
    row = {
        "dataset": arrival.dataset,
        "path": arrival.path,
        "size_bytes": arrival.size_bytes,
        "mtime_ns": arrival.mtime_ns,
        "state": arrival.state,
        "digest": arrival.digest,
        "told": arrival.told,
        "at_us": to_us(arrival.at),
    }
    connection.execute(insert(arrivals).values(row))
    if arrival.state in TAKEN and arrival.digest and not was_taken(connection, arrival.dataset, arrival.digest):
        taken = {"dataset": arrival.dataset, "digest": arrival.digest, "at_us": to_us(arrival.at)}
        connection.execute(insert(deliveries).values(taken))


def forget_arrival(connection: Connection, arrival: Arrival) -> None:
    """Forget a file."""
    connection.execute(delete(arrivals).where(arrivals.c.dataset == arrival.dataset, arrivals.c.path == arrival.path))


def was_taken(connection: Connection, dataset: str, digest: str) -> bool:
    """Say whether a file with these bytes was taken before, under whatever name."""
    query = select(deliveries.c.digest).where(deliveries.c.dataset == dataset, deliveries.c.digest == digest)
    return connection.scalar(query) is not None
