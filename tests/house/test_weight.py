"""What an import may load: start-up stays light, the scoring process too."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

_FRAMES = {"sqlalchemy", "alembic", "polars", "pandas", "pyarrow", "mlflow", "scipy", "sklearn", "skops", "treelite"}
_EVERYTHING = _FRAMES | {"numpy", "click", "rich", "uvicorn", "msgspec", "undrift.ledger", "undrift.cli"}
_LOADED = "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"

LIGHT = [
    ("undrift", _EVERYTHING),
    ("undrift.cli.main", _FRAMES | {"numpy", "uvicorn"}),
    ("undrift.cli.adding", _FRAMES | {"numpy", "uvicorn", "rich", "undrift.ledger.ledger"}),
    ("undrift.core.config", _FRAMES | {"numpy"}),
    ("undrift.segments.writer", _FRAMES),
    ("undrift.segments.tail", _FRAMES),
    ("undrift.stats.sketch", _FRAMES),
    ("undrift.models.package", _FRAMES),
    ("undrift.models.engines.compiled", _FRAMES),
    ("undrift.models.signature", _FRAMES),
    ("undrift.serving.app", _FRAMES | {"undrift.ledger"}),
    ("undrift.serving.__main__", _FRAMES | {"undrift.ledger"}),
]


@pytest.mark.parametrize(("module", "heavy"), LIGHT, ids=[module for module, _ in LIGHT])
def test_an_import_loads_nothing_heavy(module: str, heavy: set[str]) -> None:
    """Asserted on what was loaded, not on milliseconds."""
    assert find_spec(module) is not None, f"{module} is gone: adapt this list"
    done = subprocess.run([sys.executable, "-c", _LOADED, module], capture_output=True, text=True, check=True)
    assert sorted(heavy & set(json.loads(done.stdout))) == []
