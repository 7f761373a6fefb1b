"""Packages: a model as a folder which is named by the digest of its manifest.

The manifest lists every other file with its digest, so that one digest stands for every byte.
It is read without scikit-learn, pandas or polars; ``docs/formats.md`` describes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import msgspec
import numpy as np

from undrift.core.canonical import dumps
from undrift.core.digest import blake3_bytes, blake3_file, hex_of
from undrift.core.errors import BadInput, Corrupt
from undrift.models.engines.base import Engine, EngineUnavailable
from undrift.models.engines.loading import KNOWN, load
from undrift.models.signature import InputColumn, RowDecoder
from undrift.stats.sketch import ReferenceSketch

FORMAT = "undrift.package/1"
MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model/sklearn.skops"
MEMBERS_FILE = "model/members.zip"
SKETCH_FILE = "sketch.json"
GOLDEN_FILE = "golden.json"
LOCK_FILE = "requirements.lock"
CARD_FILE = "MODEL_CARD.md"
GOLDEN_TOLERANCE = 1e-9

Task: TypeAlias = Literal["binary", "multiclass", "regression"]
ClassLabel: TypeAlias = bool | int | str
Policy: TypeAlias = Literal["original", "exact"]


class PackageCorrupt(Corrupt):
    """A package's bytes are not those that its digest names."""

    code = "package-corrupt"


class PackageUnusable(BadInput):
    """None of a package's engines can be loaded by this installation."""

    code = "package-unusable"


class GoldenMismatch(Corrupt):
    """An engine does not answer the golden rows as it must."""

    code = "golden-mismatch"


class FileSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a package: its path inside, digest and size."""

    path: str
    digest: str
    bytes: int


class Parity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence that an engine answers as the original does.

    Attributes
    ----------
    rows : int
        Rows replayed through both.
    replayed, at_splits, synthetic : int
        Of these: rows of training, rows on split values and one ulp beside, rows with nulls,
        unknown categories and extremes.
    refused : int
        Rows which both refuse.
    label_flips : int
        Rows with another answer.
    bit_equal : int
        Rows whose scores agree in every bit.
    largest_difference : float
        The largest absolute difference of a score.
    """

    rows: int
    replayed: int
    at_splits: int
    synthetic: int
    refused: int
    label_flips: int
    bit_equal: int
    largest_difference: float


class EngineSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to score; the first in the manifest that this installation can load is used.

    Attributes
    ----------
    name : str
        ``"compiled"`` or ``"sklearn"``.
    file : str
        The file it is loaded from.
    policy : {"original", "exact"}
        The original object, or a translation shown to be equal to it.
    parity : Parity, optional
        The evidence for a translation.
    crossover_rows : int, optional
        From this many rows in one call on, the original is the faster one.
    """

    name: str
    file: str
    policy: Policy
    parity: Parity | None = None
    crossover_rows: int | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contract between the one who trains and the one who serves.

    Attributes
    ----------
    format : str
        Always ``"undrift.package/1"``.
    name : str
        The model's name.
    task : {"binary", "multiclass", "regression"}
        What is answered.
    classes : tuple
        Class labels in the order of the scores; empty for regression.
    positive : int, optional
        Index of the class that the threshold is about.
    threshold : float, optional
        From which probability on the positive class is answered.
    inputs : tuple of InputColumn
        What is asked, in order.
    engines : tuple of EngineSpec
        Ways to score, best first.
    files : tuple of FileSpec
        Every other file of the package, sorted by path.
    created_at : str
        ISO instant, UTC, of the project's clock.
    run, data, code : str
        References to the run, the data version and the code commit; empty when not stated.
    python : str
        Python version of training.
    versions : dict of str to str
        Versions of the libraries that the model's bytes depend on.
    """

    format: str
    name: str
    task: Task
    classes: tuple[ClassLabel, ...]
    inputs: tuple[InputColumn, ...]
    engines: tuple[EngineSpec, ...]
    files: tuple[FileSpec, ...]
    created_at: str
    python: str
    versions: dict[str, str]
    positive: int | None = None
    threshold: float | None = None
    run: str = ""
    data: str = ""
    code: str = ""


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Made-up rows with the scores which the original gave to them."""

    rows: tuple[dict[str, bool | int | float | str | None], ...]
    scores: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Package:
    """An opened package, every byte of which was verified.

    Attributes
    ----------
    path : Path
        Its folder.
    digest : str
        Its identity.
    manifest : Manifest
        What it holds.
    """

    path: Path
    digest: str
    manifest: Manifest
    _files: dict[str, FileSpec] = field(repr=False)

    @cached_property
    def decoder(self) -> RowDecoder:
        """Reads rows against this package's inputs."""
        return RowDecoder(self.manifest.inputs)

    def read(self, name: str) -> bytes:
        """Return the bytes of one file, verified as they are read.

        Raises
        ------
        PackageCorrupt
            If they are not the file's bytes any more, or the manifest lists no such file.
        """
        spec = self._files.get(name)
        if spec is None:
            raise _corrupt(self.path, name, "is not listed in the manifest")
        data = (self.path / name).read_bytes()
        if blake3_bytes(data) != spec.digest:
            raise _corrupt(self.path, name, "was changed")
        return data

    def load_engine(self, name: str | None = None) -> Engine:
        """Return a loaded engine.

        Parameters
        ----------
        name : str, optional
            Which one; the first usable one when it is not given.

        Raises
        ------
        PackageUnusable
            If there is none.
        UntrustedModel
            If the model's file names types which may not be loaded.
        """
        for spec in self.manifest.engines:
            if spec.name in KNOWN and name in (None, spec.name):
                with suppress(EngineUnavailable):
                    return load(spec.name, self.read(spec.file), self.manifest.inputs)
        wanted = name or "an engine that this installation can load"
        raise PackageUnusable(
            f"package {self.digest[:15]} does not give {wanted}", cure="upgrade undrift, or build the package again"
        )

    def golden(self) -> Golden:
        """Return the golden rows with their expected scores."""
        return msgspec.json.decode(self.read(GOLDEN_FILE), type=Golden)

    def sketch(self) -> ReferenceSketch:
        """Return what the training data looked like."""
        return ReferenceSketch.from_json(self.read(SKETCH_FILE))

    def check_golden(self, engine: Engine | None = None) -> float:
        """Return how far an engine is from the expected scores of the golden rows.

        Parameters
        ----------
        engine : Engine, optional
            A loaded one; the first usable one when it is not given.

        Returns
        -------
        float
            The largest difference of a score, relative for scores above 1.

        Raises
        ------
        GoldenMismatch
            If it is more than 1e-9: the libraries here compute something else than the original did.
        """
        golden = self.golden()
        found = (engine or self.load_engine()).score(self.decoder.decode(list(golden.rows)), len(golden.rows))
        expected = np.array(golden.scores)
        if found.shape != expected.shape:
            raise GoldenMismatch(f"package {self.digest[:15]} gives scores of another shape than at packaging")
        largest = float((np.abs(found - expected) / np.maximum(1.0, np.abs(expected))).max(initial=0.0))
        if not largest <= GOLDEN_TOLERANCE:
            raise GoldenMismatch(
                f"package {self.digest[:15]} answers its golden rows otherwise than at packaging, by {largest:.3g}",
                cure="install the versions in its requirements.lock, or build the package again from its run",
            )
        return largest


def open_package(path: Path, digest: str) -> Package:
    """Return a package after reading and verifying every byte of it.

    Parameters
    ----------
    path : Path
        The package's folder.
    digest : str
        What it must be.

    Raises
    ------
    PackageCorrupt
        If a file was changed, added or taken away; the message names it.
    """
    data = _manifest_bytes(path)
    if blake3_bytes(data) != digest:
        raise _corrupt(path, MANIFEST_FILE, "is not the one that the digest names")
    manifest = _decoded(path, data)
    files = {spec.path: spec for spec in manifest.files}
    present = set(_walk(path))
    for name in sorted(present - files.keys() - {MANIFEST_FILE}):
        raise _corrupt(path, name, "does not belong to the package")
    for name, spec in files.items():
        _verify(path, name, spec, present)
    return Package(path, digest, manifest, files)


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the exact bytes of ``manifest.json``; their digest names the package."""
    return dumps(msgspec.to_builtins(manifest))


def folder_of(packages: Path, digest: str) -> Path:
    """Return where the package of a digest lies."""
    return packages / hex_of(digest)


def _manifest_bytes(path: Path) -> bytes:
    try:
        return (path / MANIFEST_FILE).read_bytes()
    except OSError as error:
        raise _corrupt(path, MANIFEST_FILE, "cannot be read") from error


def _decoded(path: Path, data: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise _corrupt(path, MANIFEST_FILE, f"is not a manifest ({error})") from error
    if manifest.format != FORMAT:
        raise PackageUnusable(f"package format {manifest.format!r} is not known", cure="upgrade undrift")
    return manifest


def _verify(path: Path, name: str, spec: FileSpec, present: set[str]) -> None:
    if not is_safe(name):
        raise _corrupt(path, MANIFEST_FILE, f"lists the unsafe path {name!r}")
    if name not in present:
        raise _corrupt(path, name, "is missing")
    file = path / name
    if file.stat().st_size != spec.bytes or blake3_file(file) != spec.digest:
        raise _corrupt(path, name, "was changed")


def is_safe(name: str) -> bool:
    """Say whether a path stays inside the package and is written in one way only."""
    parts = PurePosixPath(name).parts
    return (
        bool(parts) and not name.startswith("/") and "\\" not in name and "/".join(parts) == name and ".." not in parts
    )


def _walk(path: Path) -> Iterator[str]:
    """Yield every file below a folder; links and special files are refused."""
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            entry = Path(folder, name)
            inside = entry.relative_to(path).as_posix()
            if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                raise _corrupt(path, inside, "is not a plain file")
            if name in names:
                yield inside


def _corrupt(path: Path, name: str, problem: str) -> PackageCorrupt:
    return PackageCorrupt(
        f"{name} of package {path.name[:16]} {problem}",
        cure="restore the folder from a copy, or build the package again from its run",
        file=name,
    )
