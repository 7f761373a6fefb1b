"""Ten million rows, and two hundred columns, are trained within a budget and under a stated limit of memory.

Each training runs in a process of its own whose peak of resident memory is read when it has ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_GIB = 1 << 30
_TRAIN = Path(__file__).with_name("long_table.py")


def trained(folder: Path, rows: int, columns: int) -> dict[str, Any]:
    """Return what a training of a generated table took and gave."""
    command = [sys.executable, str(_TRAIN), str(folder), str(rows), str(columns)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "columns", "limit"), [(10_000_000, 20, 5 * _GIB), (100_000, 200, 3 * _GIB)], ids=["long", "wide"]
)
def test_a_big_table_is_trained_within_its_memory_and_says_what_it_learnt_from(
    tmp_path: Path, rows: int, columns: int, limit: int
) -> None:
    """From the file to a registered version that passed its gate; the sample is stated, the peak below the limit."""
    found = trained(tmp_path, rows, columns)
    assert found["outcome"] == "pass"
    assert found["peak_bytes"] < limit
    assert "are learnt from (a budget of" in found["reason"]
    assert found["columns"] >= columns - 2
