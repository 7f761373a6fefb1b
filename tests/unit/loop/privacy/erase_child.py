"""Erase Ada in a project, and die at the n-th renaming or unlinking of a file."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from undrift.data.erasing import Subject
from undrift.loop.privacy.erasure import erase
from undrift.project import Project


def main(folder: Path, step: int) -> None:
    """Do it."""
    count = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal count
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return real(*args, **kwargs)

        return call

    Path.replace = counted(Path.replace)  # type: ignore[method-assign, assignment]
    Path.unlink = counted(Path.unlink)  # type: ignore[method-assign, assignment]
    with Project.open(folder) as project:
        erase(project, Subject("flights", "email", frozenset({"ada@example.org"})), "her request")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
