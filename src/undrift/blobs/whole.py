"""Files put together from chunks, kept for those who read them again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from undrift.blobs.incoming import IncomingFile
from undrift.core.clock import Clock, RealClock, to_us
from undrift.core.digest import blake3_file, hex_of
from undrift.core.files import ProjectReadOnly, make_private, read_only_told

DEFAULT_LIMIT_BYTES = 20 << 30
_IN_USE_US = 15 * 60 * 1_000_000  # a file that was asked for a moment ago may be about to be opened


class WholeFiles:
    """A bounded cache of whole files, ``ab/<digest>``, read-only and verified whenever they are asked for.

    Nothing is lost with it: what it holds can be put together again.

    Parameters
    ----------
    folder : Path
        Made with the first file.
    limit_bytes : int
        When it holds more, those that were not used for longest go; those of the last 15 minutes stay.
    clock : Clock, optional
        Tells when a file was used.
    """

    def __init__(self, folder: Path, limit_bytes: int = DEFAULT_LIMIT_BYTES, clock: Clock | None = None) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._clock = clock or RealClock()

    def get(self, digest: str) -> Path | None:
        """Return the file of these bytes, verified now; None when there is none. A damaged one is deleted."""
        path = self._path(digest)
        try:
            found = blake3_file(path)
            with suppress(ProjectReadOnly), read_only_told(path):
                self._stamp(path)
        except FileNotFoundError:
            return None
        if found == digest:
            return path
        with suppress(ProjectReadOnly), read_only_told(path):
            path.unlink(missing_ok=True)
        return None

    def piece(self, digest: str, offset: int, length: int) -> bytes | None:
        """Return some bytes of a file as they lie there, None when it is not there; who asks compares them.

        Parameters
        ----------
        digest : str
            The file.
        offset, length : int
            Which bytes.
        """
        try:
            with self._path(digest).open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except FileNotFoundError:
            return None

    def put(self, file: IncomingFile, digest: str) -> Path:
        """Keep a file whose bytes were verified, and return where."""
        path = self._path(digest)
        make_private(self._folder)
        file.accept(path, durable=False)
        self._stamp(path)
        self._evict()
        return path

    def drop(self, digest: str) -> None:
        """Delete the file of these bytes, if there is one."""
        self._path(digest).unlink(missing_ok=True)

    def digests(self) -> list[str]:
        """Return what it holds."""
        return [f"b3:{path.name}" for path in self._files()]

    def _files(self) -> Iterator[Path]:
        yield from self._folder.glob("??/*")

    def _stamp(self, path: Path) -> None:
        now = to_us(self._clock.now()) * 1000
        os.utime(path, ns=(now, now))

    def _evict(self) -> None:
        known: list[tuple[int, int, Path]] = []
        for path in self._files():
            with suppress(FileNotFoundError):
                status = path.stat()
                known.append((status.st_mtime_ns // 1000, status.st_size, path))
        total = sum(size for _, size, _ in known)
        for used_us, size, path in sorted(known):
            if total <= self._limit_bytes or to_us(self._clock.now()) - used_us < _IN_USE_US:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _path(self, digest: str) -> Path:
        name = hex_of(digest)
        return self._folder / name[:2] / name
