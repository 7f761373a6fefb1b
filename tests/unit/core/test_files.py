"""Files, folders and locks."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from undrift.core.files import FileLock, LockTimeout, is_network_filesystem, make_private, replacing, write_atomic

_HOLD = """
import sys
from pathlib import Path
from undrift.core.files import FileLock
with FileLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def mode(path: Path) -> int:
    """Return the permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    """No temporary file stays."""
    write_atomic(tmp_path / "a", b"one")
    write_atomic(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert mode(tmp_path / "a") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """Old bytes or new, never a mixture."""
    write_atomic(tmp_path / "a", b"one")
    with pytest.raises(KeyError), replacing(tmp_path / "a") as part:  # noqa: PT012  # the write and the fault
        part.write_bytes(b"tw")
        raise KeyError
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"one"]


def test_private_folders_are_private_also_above(tmp_path: Path) -> None:
    """Whatever the umask says; folders that were there are left alone."""
    before = mode(tmp_path)
    old = os.umask(0)
    try:
        made = make_private(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert (mode(made), mode(made.parent), mode(tmp_path)) == (0o700, 0o700, before)


def test_a_lock_keeps_other_threads_out(tmp_path: Path) -> None:
    """Not only other processes."""
    seen: list[int] = []

    def count() -> None:
        for _ in range(20):
            with FileLock(tmp_path / "lock"):
                seen.append(1)
                assert sum(seen) == 1
                seen.clear()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """While it lives the lock is held, and waiting for it ends with an error that says so."""
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(LockTimeout):
        FileLock(path, timeout_s=0).acquire()
    holder.kill()
    holder.communicate()
    with FileLock(path, timeout_s=0):
        pass


def test_a_local_folder_is_no_network_file_system(tmp_path: Path) -> None:
    """Where the tests run at least."""
    assert not is_network_filesystem(tmp_path)
