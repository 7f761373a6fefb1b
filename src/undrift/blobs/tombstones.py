"""What became of objects whose bytes were erased: one small file each, named like the object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from undrift.core.digest import hex_of
from undrift.core.errors import BadInput
from undrift.core.files import make_private, write_atomic


class BlobErased(BadInput):
    """The bytes of this digest were erased, and are not to come back."""

    code = "blob-erased"


@dataclass(frozen=True, slots=True)
class Tombstones:
    """The tombstones of a store.

    Attributes
    ----------
    folder : Path
        Where they lie; made with the first one.
    """

    folder: Path

    def left_of(self, digest: str) -> str | None:
        """Return the digest of what is left of an object: its own unless it was erased, None when nothing is."""
        while (found := self._read(digest)) is not None:
            if not found:
                return None
            digest = found
        return digest

    def chain(self, digest: str) -> tuple[str, ...]:
        """Return the erased bytes between an object and what is left of it: itself first; none when it is whole."""
        found: list[str] = []
        left: str | None = digest
        while left and (after := self._read(left)) is not None:
            found.append(left)
            left = after
        return tuple(found)

    def has(self, digest: str) -> bool:
        """Say whether these bytes were erased."""
        return self._path(digest).exists()

    def is_empty(self) -> bool:
        """Say whether nothing was ever erased."""
        return not self.folder.exists()

    def readable(self, digest: str) -> str:
        """Return the digest of what is left of an object.

        Raises
        ------
        BlobErased
            If nothing is.
        """
        left = self.left_of(digest)
        if left is None:
            raise BlobErased(f"the object {digest} was erased", cure="undrift history tells when and why")
        return left

    def refuse(self, digest: str) -> None:
        """Refuse bytes that were erased: they are not to come back unnoticed.

        Raises
        ------
        BlobErased
            If they were.
        """
        if self._read(digest) is not None:
            raise BlobErased(
                "exactly these bytes were erased from this project", cure="take the erased rows out of the file first"
            )

    def write(self, digest: str, left: str | None) -> None:
        """Write down that an object is erased and what is left of it."""
        path = self._path(digest)
        make_private(path.parent)
        write_atomic(path, (left or "").encode())

    def _read(self, digest: str) -> str | None:
        try:
            return self._path(digest).read_text()
        except FileNotFoundError:
            return None

    def _path(self, digest: str) -> Path:
        name = hex_of(digest)
        return self.folder / name[:2] / name
