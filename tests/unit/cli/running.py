"""Running a command of the command line in a process of its own, and seeing what it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
