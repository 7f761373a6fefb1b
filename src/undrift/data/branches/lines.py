"""How the versions of datasets descend from each other: in one dataset, by branches, by merges. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from undrift.core.refs import Ref, parse
from undrift.data.origins import TIES, Origin


class Point(NamedTuple):
    """One version, by name and number."""

    dataset: str
    number: int

    @property
    def ref(self) -> str:
        """Its reference."""
        return str(Ref("data", self.dataset, str(self.number)))


@dataclass(frozen=True, slots=True)
class Tie:
    """The version of another dataset that a version comes from.

    Attributes
    ----------
    kind : str
        ``branch`` or ``merge``.
    dataset : str
        The other dataset.
    number : int
        The version's number where the tie was made.
    version_id : str
        Its id.
    """

    kind: str
    dataset: str
    number: int
    version_id: str

    @property
    def ref(self) -> str:
        """Reference of the version, as it was called where the tie was made."""
        return Point(self.dataset, self.number).ref


def tie_of(origin: Origin | None) -> Tie | None:
    """Return the tie that an origin tells of, None when it tells of something else."""
    if origin is None or origin.kind not in TIES:
        return None
    ref = parse(origin.address, "data")
    return Tie(origin.kind, ref.name, ref.number or 0, origin.version_id)


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of a version here.

    Attributes
    ----------
    point : Point
        Which version.
    version_id : str
        Its id.
    parent : int or None
        Number of the version before it in its dataset.
    tie : Tie or None
        The version of another dataset that it comes from, too.
    """

    point: Point
    version_id: str
    parent: int | None
    tie: Tie | None = None

    @property
    def is_same_as_source(self) -> bool:
        """Whether it holds exactly what the version holds that it comes from: it brings nothing of its own."""
        return self.tie is not None and self.tie.version_id == self.version_id


@dataclass(frozen=True, slots=True)
class Lines:
    """The versions of some datasets and how they descend from each other.

    Attributes
    ----------
    every : mapping of Point to Line
        All of them.
    """

    every: Mapping[Point, Line]
    _ancestors: dict[Point, frozenset[Point]] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Lines:
        """Return what some versions make up."""
        return cls({line.point: line for line in lines})

    def newest(self, dataset: str) -> Point | None:
        """Return the newest version of a dataset, None when there is none."""
        return max((point for point in self.every if point.dataset == dataset), default=None)

    def find(self, tie: Tie) -> Point | None:
        """Return the version here that a tie means: by its id, and by its number where several have the id."""
        named = Point(tie.dataset, tie.number)
        if named in self.every and self.every[named].version_id == tie.version_id:
            return named
        fitting = (point for point, line in self.every.items() if line.version_id == tie.version_id)
        return max((point for point in fitting if point.dataset == tie.dataset), default=None)

    def before(self, point: Point) -> tuple[Point, ...]:
        """Return the versions that a version was made from and that are here."""
        line = self.every[point]
        parent = Point(point.dataset, line.parent) if line.parent is not None else None
        other = self.find(line.tie) if line.tie is not None else None
        return tuple(one for one in (parent, other) if one is not None and one in self.every and one != point)

    def ancestors(self, point: Point) -> frozenset[Point]:
        """Return a version with all that it descends from."""
        if point not in self._ancestors:
            seen, left = {point}, [point]
            while left:
                new = [one for one in self.before(left.pop()) if one not in seen]
                seen.update(new)
                left += new
            self._ancestors[point] = frozenset(seen)
        return self._ancestors[point]

    def bases(self, one: Point, other: Point) -> tuple[Point, ...]:
        """Return the latest versions from which both descend: one where datasets are simply branched and merged."""
        common = self.ancestors(one) & self.ancestors(other)
        # What a common version was made from is common, too: so one step down from each finds all that are not latest.
        older = {above for point in common for above in self.before(point)}
        return tuple(sorted(common - older))

    def ahead(self, dataset: str, of: str) -> int:
        """Return how many versions of a dataset, with news of its own, the newest of another does not descend from."""
        mine, theirs = self.newest(dataset), self.newest(of)
        if mine is None:
            return 0
        known = self.ancestors(theirs) if theirs is not None else frozenset()
        news = (point for point in self.ancestors(mine) - known if point.dataset == dataset)
        return sum(not self.every[point].is_same_as_source for point in news)
