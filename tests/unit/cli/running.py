"""Running a command of the command line: in this process, or in one of its own to see what it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from undrift.cli.main import cli

_RUN = """
import json, sys
from undrift.cli.main import main
try:
    main()
except SystemExit as end:
    code = end.code
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
HEAVY = {"sqlalchemy", "alembic", "polars", "numpy", "scipy", "sklearn", "rich", "pyfastcdc", "undrift.ledger.ledger"}


def run(project: Path, *words: str, code: int = 0) -> tuple[dict[str, object], set[str]]:
    """Run a command in the project; return what it printed and what it loaded."""
    command = [sys.executable, "-c", _RUN, "data", *words, "--json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout), set(json.loads(done.stderr.splitlines()[-1]))


def invoke(*words: str, code: int = 0) -> dict[str, Any]:  # Any: a JSON document
    """Run a command in the working folder and in this process; return what it printed."""
    done = CliRunner().invoke(cli, ["data", *words, "--json"])
    assert done.exit_code == code, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
