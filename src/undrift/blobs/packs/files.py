"""The pack files in their folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from undrift.blobs import errors
from undrift.blobs.errors import BlobMissing, PackCorrupt
from undrift.blobs.packs.toc import Toc, toc_of
from undrift.core.digest import hex_of
from undrift.core.files import fsync_folder, make_where_possible

_SUFFIX = ".pack"


@dataclass(frozen=True, slots=True)
class Filled:
    """How full a pack is.

    Attributes
    ----------
    name : str
        The pack.
    size_bytes, chunks : int
        Its chunks' bytes, and how many they are.
    """

    name: str
    size_bytes: int
    chunks: int


class PackFiles:
    """The packs of a store as files, ``ab/<name>.pack``.

    Parameters
    ----------
    folder : Path
        Made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = make_where_possible(folder)
        self._paths: dict[str, Path] = {}

    def names(self) -> list[str]:
        """Return the names of all packs, sorted."""
        return sorted(path.stem for path in self._folder.glob(f"??/*{_SUFFIX}"))

    def path(self, name: str) -> Path:
        """Return where a pack lies, or would."""
        if name not in self._paths:
            checked = hex_of(f"b3:{name}")
            self._paths[name] = self._folder / checked[:2] / f"{checked}{_SUFFIX}"
        return self._paths[name]

    def has(self, name: str) -> bool:
        """Say whether there is such a pack."""
        return self.path(name).is_file()

    def toc(self, name: str) -> Toc:
        """Return the table of contents of a pack, read from its file.

        Raises
        ------
        PackCorrupt
            If its end is damaged, or it is another pack.
        BlobMissing
            If there is no such pack.
        """
        try:
            toc = toc_of(self.path(name))
        except FileNotFoundError as error:
            raise errors.missing(f"b3:{name}") from error
        if toc.name != name:
            raise PackCorrupt(f"the pack {name} holds another pack's bytes", cure="undrift data fsck --repair")
        return toc

    def readable(self, names: Iterable[str]) -> Iterator[tuple[str, Toc]]:
        """Give the tables of those packs that can be read; a check of the store tells of the others."""
        for name in names:
            try:
                yield name, self.toc(name)
            except (PackCorrupt, BlobMissing):
                continue

    def read(self, name: str, offset: int, length: int) -> bytes | None:
        """Return bytes of a pack, too few where it was cut off; None when there is no such pack."""
        try:
            descriptor = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            return os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)

    def read_into(self, name: str, offset: int, buffer: memoryview) -> bool:
        """Fill a buffer with bytes of a pack, and say whether there were so many."""
        try:
            descriptor = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return os.preadv(descriptor, [buffer], offset) == len(buffer)
        finally:
            os.close(descriptor)

    def whole(self, name: str) -> dict[bytes, memoryview]:
        """Return all chunks of a pack, verified, in the order in which they lie.

        Raises
        ------
        PackCorrupt
            If anything in it is damaged.
        BlobMissing
            If there is no such pack.
        """
        toc = self.toc(name)
        data = memoryview(self.read(name, 0, toc.data_bytes) or b"")
        found = {place.digest: data[place.offset : place.offset + place.length] for place in toc.places}
        if not all(blake3(piece).digest() == digest for digest, piece in found.items()):
            raise PackCorrupt(f"a chunk in the pack {name} is damaged", cure="undrift data fsck --repair", pack=name)
        return found

    def by_age(self, names: Iterable[str]) -> list[str]:
        """Return the names of those packs that are there, in the order in which they were written."""
        written: list[tuple[int, str]] = []
        for name in names:
            with suppress(FileNotFoundError):
                written.append((self.path(name).stat().st_mtime_ns, name))
        return [name for _, name in sorted(written)]

    def remove(self, names: Iterable[str]) -> None:
        """Delete packs, for ever."""
        paths = [self.path(name) for name in names]
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in sorted({path.parent for path in paths}):
            if folder.is_dir():
                fsync_folder(folder)
