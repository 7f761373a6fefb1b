"""From files in a workspace to parts in the store."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import polars as pl

from undrift.blobs.contents import Contents
from undrift.blobs.progress import Seen, nobody
from undrift.blobs.store import BlobStore
from undrift.blobs.storing import Stored, store_bytes, store_files
from undrift.core.digest import blake3_file
from undrift.data.manifest import Manifest, Part
from undrift.data.paths import check_path
from undrift.data.workspace import fingerprints


@dataclass(frozen=True, slots=True)
class Survey:
    """Files in a workspace as they are before they are stored.

    Attributes
    ----------
    manifest : Manifest
        Their digests and sizes, in the order in which they would be stored.
    places : mapping of str to Path
        Where each is.
    """

    manifest: Manifest
    places: Mapping[str, Path]

    def files(self, part: Part) -> AbstractContextManager[Path]:
        """Give the file of a part."""
        return nullcontext(self.places[part.path])


@dataclass(frozen=True, slots=True)
class StoredSource:
    """Files that are in the store.

    Attributes
    ----------
    parts : tuple of Part
        What each is, in the order of their paths.
    added_bytes : int
        How many bytes were new to the store.
    """

    parts: tuple[Part, ...]
    added_bytes: int


def survey_of(places: Mapping[str, Path]) -> Survey:
    """Return what files hold, without storing them.

    Parameters
    ----------
    places : mapping of str to Path
        Their paths in a version, and where they are.
    """
    parts = [
        Part(check_path(path), Contents(blake3_file(file), file.stat().st_size, ())) for path, file in places.items()
    ]
    return Survey(Manifest(tuple(parts)), places)


def store_source(blobs: BlobStore, source: Path, seen: Seen = nobody) -> StoredSource:
    """Store a file, or all files of a folder, as parts in the order of their paths.

    Parameters
    ----------
    blobs : BlobStore
        Where.
    source : Path
        A file or a folder.
    seen : callable
        Told of progress in bytes.

    Raises
    ------
    SourceNotFound
        If there is nothing at the path.
    UnsafePath
        If a file's name is unsafe, or a part of a folder is a link or not a plain file.
    """
    places = places_of(source)
    for path in places:
        check_path(path)
    stored: Stored = store_files(blobs, list(places.values()), seen)
    found = tuple(Part(path, contents) for path, contents in zip(places, stored.contents, strict=True))
    return StoredSource(found, stored.added_bytes)


def stored_parts(contents: Mapping[str, Contents], added_bytes: int) -> StoredSource:
    """Return files that were stored already as parts."""
    return StoredSource(tuple(Part(check_path(path), found) for path, found in contents.items()), added_bytes)


def store_frame(blobs: BlobStore, frame: pl.DataFrame, part_name: str) -> StoredSource:
    """Store a frame as one Parquet part."""
    check_path(part_name)
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True)
    stored = store_bytes(blobs, buffer.getvalue())
    return StoredSource((Part(part_name, stored.contents[0]),), stored.added_bytes)


def free_path(manifest: Manifest, wanted: str) -> str:
    """Return a path that no part has yet: the one wanted, or with the lowest free number behind its stem.

    Examples
    --------
    ``day.csv``, then ``day-2.csv``, ``day-3.csv``.
    """
    taken = {part.path.casefold() for part in manifest.parts}
    path = PurePosixPath(wanted)
    candidate, number = path, 1
    while str(candidate).casefold() in taken:
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return str(candidate)


def places_of(source: Path) -> dict[str, Path]:
    """Return the files of a source by their paths in a version.

    Raises
    ------
    SourceNotFound, EmptySource, UnsafePath
        As for :func:`store_source`.
    """
    found = fingerprints(source)
    if source.is_file():
        return {source.name: source}
    for path in found:
        check_path(path)
    return {path: source / path for path in found}
