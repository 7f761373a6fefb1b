"""The source that was executed: a notebook's cells, or the script; never what it printed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_BYTES = 4 * 1024 * 1024
CELLS = "code/cells.py"
SCRIPT = "code/script.py"


@dataclass(frozen=True, slots=True)
class Source:
    """What was executed, as the artifact that a run keeps of it."""

    name: str
    data: bytes


def executed_source() -> Source | None:
    """Return what this process has executed so far; None where it cannot be told.

    Inside IPython or Jupyter these are the cells in the order in which they were executed, each
    below a line ``# %% [n]``, so that the text opens as a notebook; the cell that is running is
    the last one. Outputs hold data and are left out. Elsewhere it is the script that was started.
    """
    shell = _shell()
    if shell is not None:
        return _limited(CELLS, _cells(shell))
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if not path or Path(path).is_relative_to(sys.prefix):
        return None  # an interpreter without a script, or a program that was installed
    try:
        return _limited(SCRIPT, Path(path).read_bytes())
    except OSError:
        return None


def _shell() -> Any:  # Any: IPython is not a dependency
    """Return the IPython shell that this code runs in, without importing IPython."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _cells(shell: Any) -> bytes:  # Any: IPython is not a dependency
    history: list[str] = shell.history_manager.input_hist_raw
    shown = [f"# %% [{number}]\n{cell.rstrip()}\n" for number, cell in enumerate(history) if number and cell.strip()]
    return "\n".join(shown).encode("utf-8", "replace")


def _limited(name: str, data: bytes) -> Source | None:
    return Source(name, data) if 0 < len(data) <= MOST_BYTES else None
