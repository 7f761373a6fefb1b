"""What a worker imports: nothing heavy, unless a package names it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .conftest import Endpoint, Worker

HEAVY = {"sqlalchemy", "alembic", "polars", "pandas", "scipy", "sklearn", "skops", "mlflow", "pyarrow", "treelite"}

SHELL = """
import sys
import undrift.serving.__main__, undrift.serving.worker, undrift.segments.writer, undrift.segments.tail
print(" ".join({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_workers_shell_imports_nothing_heavy():
    """Before a package is loaded: no database, no frames, no learning library."""
    done = subprocess.run([sys.executable, "-c", SHELL], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()


def test_a_compiled_package_is_served_without_the_library_that_trained_it(endpoint: Endpoint):
    """The memory maps of a serving process name no library of training."""
    endpoint.publish(1, stable=1)
    worker: Worker = endpoint.start()
    maps = Path(f"/proc/{worker.process.pid}/maps").read_text()
    assert "numpy" in maps
    assert not [name for name in ("sklearn", "polars", "scipy", "pandas", "sqlalchemy") if f"/{name}" in maps]
    assert worker.stop() == 0
