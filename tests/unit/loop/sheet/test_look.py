"""What the settings of a project say is obeyed."""

from __future__ import annotations

from pathlib import Path

from undrift.data.tabular.reading import NOTHING_SAID
from undrift.loop.sheet.asked import Asked
from undrift.loop.sheet.look import look
from undrift.project import Project

SETTINGS = '[project]\nname = "p"\n\n[datasets.t]\npersonal = ["nick"]\n'


def test_what_is_personal_is_so_in_a_branch(tmp_path: Path) -> None:
    """A model that learns from the branch leaves it out, too."""
    table = tmp_path / "t.csv"
    table.write_text("nick,x,y\n" + "".join(f"{'ab'[n % 2]},{n % 7},{n % 3 % 2}\n" for n in range(60)))
    with Project.create(tmp_path, SETTINGS) as project:
        project.data.add(table, "t", actor=project.actor)
        project.data.branches.branch("t", "fix", actor=project.actor)
        for name, is_personal in (("t", True), ("fix", True), ("other", False)):
            sheet = look(project, table, Asked(target="y", name=name), NOTHING_SAID).sheet
            [nick] = [one for one in sheet.columns if one.name == "nick"]
            assert (nick.personal == "stated") == is_personal
