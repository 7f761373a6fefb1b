"""What was executed is kept with a run: a notebook's cells in order, a script's text, and no output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import undrift

SHELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in {cells!r}:
    shell.run_cell(cell, store_history=True).raise_error()
"""
CELLS = [
    "secret_row = 'row of ' + 'somebody'\nsecret_row",
    "import undrift\nprint(secret_row)",
    "with undrift.run('churn', project={folder!r}) as run:\n    run.log(auc=0.8)\nmade = run.ref",
    "print(made)",
]


def _ran(*arguments: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def _artifact(folder: Path, ref: str, name: str) -> str:
    with undrift.Project.open(folder) as project:
        found = project.runs.get(ref.removeprefix("run:")).facts.artifacts[name]
        return project.blobs.read_bytes(found.digest).decode()


def test_the_cells_executed_so_far_are_kept_in_order_without_their_outputs(tmp_path: Path) -> None:
    """In a real IPython shell; the cell that holds the run is the last one, what comes later is not in it."""
    pytest.importorskip("IPython")
    cells = [cell.replace("{folder!r}", repr(str(tmp_path))) for cell in CELLS]
    ref = _ran("-c", SHELL.format(cells=cells), folder=tmp_path)
    kept = _artifact(tmp_path, ref, "code/cells.py")
    assert [part.split("\n", 1)[1].strip() for part in kept.split("# %% ")[1:]] == cells[:3]
    assert "row of somebody" not in kept


def test_a_script_is_kept_as_it_was_started(tmp_path: Path) -> None:
    """Also where there is no git."""
    script = tmp_path / "train.py"
    script.write_text("import undrift\nwith undrift.run('churn', project='.') as run:\n    pass\nprint(run.ref)\n")
    ref = _ran(str(script), folder=tmp_path)
    assert _artifact(tmp_path, ref, "code/script.py") == script.read_text()
