"""The writer keeps its promises, rotates and seals."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from undrift.core.clock import RealClock
from undrift.core.digest import blake3_file
from undrift.core.errors import UndriftError
from undrift.segments.endpoint_file import LogMode
from undrift.segments.open_segment import LogUnavailable
from undrift.segments.seal import SegmentCorrupt, seal_abandoned, verify
from undrift.segments.tail import SegmentTail
from undrift.segments.writer import Rotation, SegmentWriter


def contents(folder: Path) -> list[bytes]:
    return [frame.payload for frame in SegmentTail(folder).poll()]


@pytest.mark.parametrize("mode", ["written", "durable", "async"])
def test_a_closed_writer_leaves_sealed_files_with_everything(tmp_path: Path, mode: LogMode):
    """In each mode, all records are in sealed files after close, and the seal names their bytes."""
    writer = SegmentWriter(tmp_path, owner="w", mode=mode)
    for number in range(100):
        writer.append(b"%d" % number)
    [seal] = writer.close()
    assert contents(tmp_path) == [b"%d" % number for number in range(100)]
    assert seal.records == 100
    assert seal.digest == blake3_file(tmp_path / f"{seal.segment}.seg")
    assert not list(tmp_path.glob("*.open"))


@pytest.mark.parametrize("mode", ["written", "durable"])
def test_an_acknowledged_record_is_readable_at_once(tmp_path: Path, mode: LogMode):
    """Another reader sees a record as soon as append returns."""
    writer = SegmentWriter(tmp_path, owner="w", mode=mode)
    writer.append(b"one")
    assert contents(tmp_path) == [b"one"]
    writer.close()


def test_a_full_file_is_sealed_and_the_next_begins_with_the_preamble(tmp_path: Path):
    """Rotation by size keeps every record, and each file starts with the preamble."""
    writer = SegmentWriter(tmp_path, owner="w", rotation=Rotation(size_bytes=200), preamble=lambda: [b"head"])
    for _ in range(30):
        writer.append(b"x" * 20)
    writer.close()
    files = sorted(tmp_path.glob("*.seg"))
    assert len(files) > 3
    assert contents(tmp_path).count(b"head") == len(files)
    assert contents(tmp_path).count(b"x" * 20) == 30


def test_an_old_file_is_sealed_though_nothing_more_is_written(tmp_path: Path):
    """Rotation by age is done by the writer's thread."""
    writer, clock = SegmentWriter(tmp_path, owner="w", rotation=Rotation(age_s=0.0)), RealClock()
    writer.append(b"one")
    while not list(tmp_path.glob("*.seg")):
        clock.sleep(0.01)
    assert writer.close() == []


def test_many_threads_lose_nothing(tmp_path: Path):
    """Records of eight threads are all there, each once, and those of one thread in order."""
    writer = SegmentWriter(tmp_path, owner="w", mode="durable", rotation=Rotation(size_bytes=4_000))

    def work(name: int) -> None:
        for number in range(50):
            writer.append(b"%d:%03d" % (name, number))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert sorted(contents(tmp_path)) == sorted(b"%d:%03d" % (n, i) for n in range(8) for i in range(50))


def test_an_async_writer_that_is_full_drops_and_counts(tmp_path: Path):
    """Nothing is dropped in silence."""
    writer = SegmentWriter(tmp_path, owner="w", mode="async", rotation=Rotation(held_bytes=100))
    writer.extend([b"x" * 90])
    writer.extend([b"y" * 90])
    writer.close()
    assert writer.counts.records + writer.counts.dropped == 2
    assert len(contents(tmp_path)) == writer.counts.records


def test_a_failed_write_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After a disk that refused, the file holds whole records only and writing goes on."""
    writer = SegmentWriter(tmp_path, owner="w")
    writer.append(b"one")
    real = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) > 20:
            real(descriptor, bytes(data)[:15])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(LogUnavailable, match="No space left"):
        writer.append(b"x" * 50)
    monkeypatch.undo()
    writer.append(b"two")
    writer.close()
    assert contents(tmp_path) == [b"one", b"two"]
    assert writer.counts.failures == 1


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path):
    """The error is ours, not the system's."""
    writer = SegmentWriter(tmp_path / "log", owner="w")
    (tmp_path / "log").rmdir()
    with pytest.raises(LogUnavailable):
        writer.append(b"one")
    writer.close()


KILLED = """
import sys
from pathlib import Path
from undrift.segments.writer import Rotation, SegmentWriter
writer = SegmentWriter(Path(sys.argv[1]), owner="w", mode=sys.argv[2], rotation=Rotation(size_bytes=3_000))
number = 0
while True:
    writer.append(b"%d" % number)
    sys.stdout.write(f"{number}\\n"); sys.stdout.flush()
    number += 1
"""


@pytest.mark.parametrize("mode", ["written", "durable"])
def test_kill_9_loses_no_acknowledged_record(tmp_path: Path, mode: str):
    """Each record that a killed writer had acknowledged is in the files, in order and once."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), mode], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(400):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    acknowledged = 400 + len(process.stdout.read().splitlines()) - 1
    process.wait()
    seal_abandoned(tmp_path)
    found = contents(tmp_path)
    assert found == [b"%d" % number for number in range(len(found))]
    assert len(found) >= acknowledged
    assert not list(tmp_path.glob("*.open"))


def test_a_living_writer_is_not_sealed_by_others(tmp_path: Path):
    """The lock tells the living from the dead."""
    writer = SegmentWriter(tmp_path, owner="w")
    writer.append(b"one")
    assert seal_abandoned(tmp_path) == []
    writer.append(b"two")
    writer.close()
    assert contents(tmp_path) == [b"one", b"two"]


def test_a_torn_end_is_cut_kept_and_reported(tmp_path: Path):
    """The cut bytes are counted in the seal and stay beside it."""
    writer = SegmentWriter(tmp_path, owner="w")
    writer.append(b"one")
    [seal] = writer.close()
    whole = (tmp_path / f"{seal.segment}.seg").rename(tmp_path / "left.w.open")
    with whole.open("ab") as file:
        file.write(b"\x09\x00\x00\x00tor")
    [again] = seal_abandoned(tmp_path)
    assert (again.torn_bytes, again.records) == (7, 1)
    assert (tmp_path / "left.w.torn").read_bytes() == b"\x09\x00\x00\x00tor"
    assert contents(tmp_path) == [b"one"]


def test_a_sealed_file_that_was_changed_is_found_out(tmp_path: Path):
    """One flipped bit breaks the digest."""
    writer = SegmentWriter(tmp_path, owner="w")
    writer.append(b"one")
    [seal] = writer.close()
    assert verify(tmp_path, seal.segment) == seal
    path = tmp_path / f"{seal.segment}.seg"
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    with pytest.raises(SegmentCorrupt):
        verify(tmp_path, seal.segment)


def test_a_disk_that_fails_at_sync_is_not_a_silent_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In durable mode the caller gets the error of the sync."""
    import undrift.segments.open_segment as module

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    writer = SegmentWriter(tmp_path, owner="w", mode="durable")
    monkeypatch.setattr(module, "_flush", broken)
    with pytest.raises(UndriftError, match="Input/output"):
        writer.append(b"one")
    monkeypatch.undo()
    writer.append(b"two")
    writer.close()
    seal_abandoned(tmp_path)
    assert b"two" in contents(tmp_path)


def test_a_file_size_limit_is_an_error_not_a_crash(tmp_path: Path):
    """A write that the system cuts short at a limit is taken back."""
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from undrift.segments.writer import SegmentWriter\nfrom undrift.segments.open_segment import LogUnavailable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "writer = SegmentWriter(Path(sys.argv[1]), owner='w')\n"
        "try:\n    while True: writer.append(b'x' * 300)\n"
        "except LogUnavailable: print(writer.counts.records)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); writer.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert contents(tmp_path) == [b"x" * 300] * int(done.stdout)
