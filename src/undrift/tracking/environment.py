"""The environment of a run: what is installed, read from the installed metadata and not guessed from imports."""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata

_NORMAL = re.compile(r"[-_.]+")


def lock_text() -> str:
    """Return every installed distribution as a requirements file, below a header that states the platform.

    Notes
    -----
    Reads names and versions only; some milliseconds for a few hundred distributions. A
    distribution that was installed from a folder is locked by its version, which its files may
    have left behind.
    """
    lines = [f"{name}=={version}" for name, version in sorted(installed().items())]
    return "\n".join([*header(), *lines]) + "\n"


def installed() -> dict[str, str]:
    """Return versions by normalised name (PEP 503); of two the first on the path, which is the one imported."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.name
        if name:
            found.setdefault(_NORMAL.sub("-", name).lower(), distribution.version)
    return found


def header() -> list[str]:
    """Return the facts that no requirement line can state, as comments."""
    libc = " ".join(part for part in platform.libc_ver() if part) or "unknown"
    return [
        f"# python {platform.python_version()} ({platform.python_implementation()})",
        f"# platform {sys.platform} {platform.machine()}",
        f"# libc {libc}",
    ]
