"""How versions descend from each other, and from where a merge starts."""

from __future__ import annotations

import pytest

from undrift.data.branches.lines import Line, Lines, Point, Tie


def line(name: str, number: int, tie: str = "", version_id: str = "", parent: int | None = -1) -> Line:
    """Return a version; a tie is written ``branch t@1`` or ``merge t@1``, ids are those of references."""
    point = Point(name, number)
    before = (number - 1 or None) if parent == -1 else parent
    if not tie:
        return Line(point, version_id or f"id {name}@{number}", before)
    kind, ref = tie.split()
    other, _, there = ref.partition("@")
    return Line(point, version_id or f"id {name}@{number}", before, Tie(kind, other, int(there), f"id {ref}"))


BRANCHED = [line("t", 1), line("t", 2), line("t", 3), line("b", 1, "branch t@2", "id t@2"), line("b", 2)]


@pytest.mark.parametrize(
    ("more", "base"),
    [
        ([], Point("t", 2)),
        ([line("t", 4, "merge b@2"), line("t", 5), line("b", 3)], Point("b", 2)),
        ([line("b", 3, "merge t@3"), line("t", 4), line("b", 4)], Point("t", 3)),
        ([line("t", 4, "merge b@2"), line("b", 3, "merge t@4", "id t@4"), line("t", 5), line("b", 4)], Point("t", 4)),
    ],
)
def test_a_merge_starts_at_the_last_merge_of_either_way_or_where_the_branch_left(more: list[Line], base: Point) -> None:
    """Whatever each side did since."""
    lines = Lines.of([*BRANCHED, *more])
    t, b = lines.newest("t"), lines.newest("b")
    assert t is not None
    assert b is not None
    assert lines.bases(t, b) == lines.bases(b, t) == (base,)


def test_branches_of_branches_have_a_base_with_everybody() -> None:
    """The grandchild and the sibling, too."""
    lines = Lines.of([*BRANCHED, line("bb", 1, "branch b@2", "id b@2"), line("s", 1, "branch t@3", "id t@3")])
    assert lines.bases(Point("t", 3), Point("bb", 1)) == (Point("t", 2),)
    assert lines.bases(Point("s", 1), Point("bb", 1)) == (Point("t", 2),)
    assert lines.bases(Point("b", 2), Point("bb", 1)) == (Point("b", 2),)


def test_two_merges_into_two_lines_leave_two_bases() -> None:
    """Nobody can then say which of them is right."""
    crossed = [line("t", 4, "merge b@2"), line("t", 5, "merge c@2"), line("c", 1, "branch t@2", "id t@2"), line("c", 2)]
    other = [line("o", 1, "branch t@2", "id t@2"), line("o", 2, "merge b@2"), line("o", 3, "merge c@2")]
    lines = Lines.of([*BRANCHED, *crossed, *other])
    assert lines.bases(Point("t", 5), Point("o", 3)) == (Point("b", 2), Point("c", 2))


def test_strangers_have_no_base() -> None:
    """Nor do datasets that got the same rows by chance."""
    lines = Lines.of([line("t", 1, version_id="same"), line("u", 1, version_id="same")])
    assert lines.bases(Point("t", 1), Point("u", 1)) == ()


def test_a_version_that_got_another_number_is_found_by_its_id() -> None:
    """As after a pull; the number decides where several have the id."""
    moved = [line("t", 1), line("t", 2, version_id="x"), line("t", 3, version_id="id t@2")]
    lines = Lines.of([*moved, line("b", 1, "branch t@2", "id t@2")])
    assert lines.bases(Point("t", 3), Point("b", 1)) == (Point("t", 3),)
    twice = Lines.of([line("t", 1), line("t", 2), line("t", 3, version_id="id t@2"), line("b", 1, "branch t@2")])
    assert twice.find(Tie("branch", "t", 2, "id t@2")) == Point("t", 2)


def test_a_version_that_lost_its_parent_ends_the_line() -> None:
    """A single pulled version descends from nothing that is known."""
    lines = Lines.of([line("t", 5, parent=None), line("t", 7, parent=6)])
    assert lines.ancestors(Point("t", 7)) == {Point("t", 7)}


def test_ahead_counts_versions_with_news() -> None:
    """The first version of a branch and fast forwards bring nothing of their own."""
    lines = Lines.of(BRANCHED)
    assert (lines.ahead("b", "t"), lines.ahead("t", "b")) == (1, 1)
    lines = Lines.of([*BRANCHED, line("t", 4, "merge b@2"), line("b", 3, "merge t@4", "id t@4")])
    assert (lines.ahead("b", "t"), lines.ahead("t", "b"), lines.ahead("none", "t")) == (0, 0, 0)
    assert lines.ahead("b", "none") == 2 - 1


def test_a_circle_that_a_remote_tells_of_ends() -> None:
    """Records can be forged; nobody waits for ever."""
    lines = Lines.of([line("a", 1, "branch b@1"), line("b", 1, "branch a@1")])
    assert lines.ancestors(Point("a", 1)) == {Point("a", 1), Point("b", 1)}
    assert lines.bases(Point("a", 1), Point("b", 1)) == ()
