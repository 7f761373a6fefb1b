"""The environments that peers run in: one each, below ``build/``, from pinned requirements."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def peer_python(environment: str, requirements: str) -> Path:
    """Return the interpreter of a peer's environment, made when it is missing.

    Parameters
    ----------
    environment : str
        Name of the folder below ``build/``.
    requirements : str
        Name of the file below ``requirements/``.
    """
    folder = ROOT / "build" / environment
    python = folder / "bin/python"
    if not python.exists():
        print(f"making {folder.relative_to(ROOT)} from requirements/{requirements}")
        venv.create(folder, with_pip=True)
        wanted = ["-r", str(ROOT / "requirements" / requirements)]
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], check=True)
    return python
