"""Processes that obey the permissions of files, whoever runs the tests, and disks that are small."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_RIGHTS = "-dac_override,-dac_read_search"


def obedient() -> list[str]:
    """Return what to write before a command so that permissions count for it: root has rights that pass over them.

    Without a way to lay these down the test is skipped, in CI it fails.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        _cannot("setpriv is not there, and root passes over permissions")
    return ["setpriv", f"--bounding-set={_RIGHTS}", f"--inh-caps={_RIGHTS}"]


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Take from everybody the right to write a folder and all in it; given back at the end."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode & 0o777 for path in paths}
    for path in reversed(paths):
        path.chmod(modes[path] & ~0o222)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(modes[path])


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Give a folder that is a disk of its own, of so many bytes; gone at the end.

    Where none can be mounted the test is skipped, in CI it fails.
    """
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        _cannot("no small disk can be mounted")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Write to a disk until nothing goes on it any more."""
    with (disk / "fill").open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"0" * size):
                    pass
            except OSError:
                continue


def _cannot(why: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
