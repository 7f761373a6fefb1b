"""The ties between datasets as the rows of versions hold them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, or_, select

from undrift.data.branches.lines import Line, Lines, Point, Tie, tie_of
from undrift.data.origins import TIES, Origin
from undrift.data.tables import versions
from undrift.data.versions import DatasetVersion

# Origins are canonical JSON, so a kind stands there in exactly these letters; what is found is decoded all the same.
_IS_TIED = or_(*(versions.c.origin.contains(f'"kind":"{kind}"', autoescape=True) for kind in TIES))


def point_of(version: DatasetVersion) -> Point:
    """Return which version one is."""
    return Point(version.name, version.number)


def ties(connection: Connection, dataset: str | None = None) -> list[tuple[Point, Tie]]:
    """Return the versions of a dataset, or of all, that come from another dataset, and what they come from."""
    query = select(versions.c.dataset, versions.c.number, versions.c.origin).where(_IS_TIED)
    if dataset is not None:
        query = query.where(versions.c.dataset == dataset)
    found = []
    for row in connection.execute(query.order_by(versions.c.dataset, versions.c.number)):
        tie = tie_of(Origin.decode(row.origin))
        if tie is not None:
            found.append((Point(row.dataset, row.number), tie))
    return found


def left_from(connection: Connection, dataset: str) -> tuple[Point, Tie] | None:
    """Return the first version of a branch and what it left from, None when the dataset is no branch."""
    return next(((point, tie) for point, tie in ties(connection, dataset) if tie.kind == "branch"), None)


def family(connection: Connection, dataset: str) -> tuple[str, ...]:
    """Return the datasets that hold each other's rows: branches, what they left from, what was merged; itself first."""
    near: dict[str, set[str]] = {}
    for point, tie in ties(connection):
        near.setdefault(point.dataset, set()).add(tie.dataset)
        near.setdefault(tie.dataset, set()).add(point.dataset)
    found, left = [dataset], [dataset]
    while left:
        new = sorted(near.get(left.pop(), set()) - set(found))
        found += new
        left += new
    return tuple(found)


def lines(connection: Connection, names: Iterable[str]) -> Lines:
    """Return how the versions of some datasets descend from each other."""
    wanted = list(names)
    tied = {point: tie for point, tie in ties(connection) if point.dataset in wanted}
    columns = (versions.c.dataset, versions.c.number, versions.c.version_id, versions.c.parent)
    rows = connection.execute(select(*columns).where(versions.c.dataset.in_(wanted)))
    points = ((Point(row.dataset, row.number), row) for row in rows)
    return Lines.of(Line(point, row.version_id, row.parent, tied.get(point)) for point, row in points)


def branches(connection: Connection) -> list[tuple[Point, Tie, Lines]]:
    """Return the first version of each branch, what it left from, and how the versions of its family descend."""
    known: dict[str, Lines] = {}
    found = []
    for point, tie in ties(connection):
        if tie.kind != "branch":
            continue
        if point.dataset not in known:
            names = family(connection, point.dataset)
            known.update(dict.fromkeys(names, lines(connection, names)))
        found.append((point, tie, known[point.dataset]))
    return found


def bases(connection: Connection) -> set[str]:
    """Return the ids of the versions from which a merge of a branch and what it left from would start."""
    found: set[str] = set()
    for point, tie, known in branches(connection):
        one, other = known.newest(point.dataset), known.newest(tie.dataset)
        if one is not None and other is not None:
            found |= {known.every[base].version_id for base in known.bases(one, other)}
    return found
