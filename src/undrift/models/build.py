"""Building a package: what was trained, with all that is needed to serve, check and explain it."""

from __future__ import annotations

import platform
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from undrift.core.canonical import dumps
from undrift.core.digest import blake3_bytes
from undrift.core.errors import BadInput
from undrift.core.files import PRIVATE_FILE, PRIVATE_FOLDER, fsync_folder, make_private, write_atomic
from undrift.core.ids import check_name
from undrift.models import package as layout
from undrift.models.cards import CardFacts, render
from undrift.models.engines import compiled, plan
from undrift.models.engines.sklearn import SklearnEngine, load, on_one_thread
from undrift.models.formats import model_file
from undrift.models.formats.boosters import members
from undrift.models.formats.feed import Feed
from undrift.models.golden import GoldenMaker
from undrift.models.package import ClassLabel, EngineSpec, FileSpec, Manifest, Parity, Task, open_package
from undrift.models.parity import Duel, holds, prove
from undrift.models.signature import Columns, InputColumn
from undrift.models.translation.blocks import NotTranslatable
from undrift.models.translation.heads import LIGHTGBM, recalibration
from undrift.models.translation.pipeline import translate
from undrift.models.translation.rows import RowMaker
from undrift.models.translation.splits import splits
from undrift.stats.sketch import ReferenceSketch

COMPILED_FILE = "model/compiled.msgpack"
LIBRARIES = ("numpy", "polars", "scikit-learn", "skops", "treelite", "undrift")
_BINARY = 2


class NotPackageable(BadInput):
    """A model cannot be packaged as it is."""

    code = "not-packageable"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageParts:
    """What a package is built from.

    Attributes
    ----------
    name : str
        Name of the model.
    model : object
        A fitted scikit-learn Pipeline or estimator which takes raw columns by name.
    task : {"binary", "multiclass", "regression"}
        What it answers.
    inputs : tuple of InputColumn
        What it is asked.
    sketch : ReferenceSketch
        What its training data looked like; has every input column.
    replay : Columns
        Rows of training for the parity gate, at least one. They are not stored.
    created_at : datetime
        By the project's clock.
    positive : class label, optional
        The class that the threshold is about; the second of two when not given.
    threshold : float, optional
        From which probability on it is answered, in (0, 1).
    run, data, code : str
        References to the run, the data version and the code.
    lock : str
        The environment as requirement lines.
    card : CardFacts
        For the model card.
    feed : Feed, optional
        In which form the model takes rows, when that is not the usual one.
    seed : int
        Of the golden rows and the parity gate.
    """

    name: str
    model: Any = field(repr=False)  # Any: scikit-learn is not typed
    task: Task
    inputs: tuple[InputColumn, ...]
    sketch: ReferenceSketch = field(repr=False)
    replay: Columns = field(repr=False)
    created_at: datetime
    positive: ClassLabel | None = None
    threshold: float | None = None
    run: str = ""
    data: str = ""
    code: str = ""
    lock: str = ""
    card: CardFacts = field(default_factory=CardFacts)
    feed: Feed | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PackageRef:
    """A built package: its digest and its folder."""

    digest: str
    path: Path


@dataclass(frozen=True, slots=True)
class CompiledFile:
    """A compiled engine that passed the parity gate."""

    data: bytes
    parity: Parity


def build_package(parts: PackageParts, into: Path) -> PackageRef:
    """Write a package and return its digest.

    Parameters
    ----------
    parts : PackageParts
        What goes in.
    into : Path
        The folder of packages; the package becomes ``into/<64 hex digits>``.

    Returns
    -------
    PackageRef
        The same digest for the same parts.

    Raises
    ------
    NotPackageable
        If model, task, classes or inputs do not fit together.
    UntrustedModel
        If the model holds a type that is not on the list.

    Notes
    -----
    Scores up to 22,000 rows through the original and the compiled engine. The compiled one is
    listed only when both agree; otherwise the package serves with the original.
    """
    with threadpool_limits(limits=1):  # one order of adding, and no threads waiting for each other on single rows
        return _built(parts, into)


def _built(parts: PackageParts, into: Path) -> PackageRef:
    manifest = _draft(parts)
    stored = model_file.dump(parts.model, parts.feed)
    original = load(stored, parts.inputs)
    _check_stored(parts, original)
    file = layout.MEMBERS_FILE if model_file.is_archive(stored) else layout.MODEL_FILE
    files: dict[str, bytes] = {file: stored}
    engines = [EngineSpec("sklearn", file, "original")]
    fast = compile_engine(parts, manifest, original)
    if fast is not None:
        files[COMPILED_FILE] = fast.data
        engines.insert(0, EngineSpec("compiled", COMPILED_FILE, "exact", fast.parity))
    golden = GoldenMaker(parts.inputs, parts.sketch, parts.seed).make(original)
    files[layout.GOLDEN_FILE] = dumps(msgspec.to_builtins(golden))
    files[layout.SKETCH_FILE] = parts.sketch.to_json()
    files[layout.LOCK_FILE] = parts.lock.encode()
    files[layout.CARD_FILE] = render(manifest, parts.card).encode()
    versions = manifest.versions | model_file.libraries(stored)
    manifest = msgspec.structs.replace(manifest, engines=tuple(engines), files=_specs(files), versions=versions)
    return _store(manifest, files, into)


def compile_engine(parts: PackageParts, manifest: Manifest, original: SklearnEngine) -> CompiledFile | None:
    """Return the compiled engine's file if it can be made and passes the parity gate, else None."""
    try:
        data = plan.encode(translate(original.model, parts.inputs))
    except NotTranslatable:
        return None
    duel = Duel(manifest, original, compiled.load(data))
    maker = RowMaker(parts.inputs, parts.replay, np.random.default_rng(parts.seed))
    parity = prove(duel, maker, splits(original.model, plan.decode(data)))
    is_exact = parity.bit_equal + parity.refused == parity.rows
    return CompiledFile(data, parity) if holds(parity) and (is_exact or not members(original.model)) else None


def _draft(parts: PackageParts) -> Manifest:
    """Return the manifest without engines and files."""
    check_name(parts.name, "model")
    classes = _classes(parts)
    _check_inputs(parts)
    if parts.created_at.tzinfo is None:
        raise NotPackageable("the instant of a package needs a time zone", cure="pass an aware datetime")
    return Manifest(
        format=layout.FORMAT,
        name=parts.name,
        task=parts.task,
        classes=classes,
        inputs=parts.inputs,
        engines=(),
        files=(),
        created_at=parts.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        python=platform.python_version(),
        versions={name: found for name in (*LIBRARIES, *_also(parts.model)) if (found := _version(name))},
        positive=_positive(parts, classes),
        threshold=parts.threshold,
        run=parts.run,
        data=parts.data,
        code=parts.code,
    )


def _also(model: Any) -> tuple[str, ...]:  # Any: scikit-learn is not typed
    """Return the libraries that this model needs besides the usual ones."""
    estimator, _ = recalibration(model.steps[-1][1] if hasattr(model, "steps") else model)
    return ("lightgbm",) if isinstance(estimator, LIGHTGBM) else ()


def _classes(parts: PackageParts) -> tuple[ClassLabel, ...]:
    """Return the classes as the model orders them, as plain Python values."""
    if parts.task == "regression":
        return ()
    if not hasattr(parts.model, "predict_proba"):
        raise NotPackageable(
            f"a {type(parts.model).__name__} gives no probabilities", cure="use a classifier with predict_proba"
        )
    found: Sequence[Any] = np.asarray(parts.model.classes_).tolist()
    if not all(isinstance(label, bool | int | str) for label in found):
        raise NotPackageable("class labels are neither texts, integers nor booleans", cure="convert the target column")
    if (len(found) == _BINARY) != (parts.task == "binary"):
        raise NotPackageable(f"the task is {parts.task} and the model knows {len(found)} classes")
    return tuple(found)


def _positive(parts: PackageParts, classes: tuple[ClassLabel, ...]) -> int | None:
    if parts.threshold is not None and not (parts.task == "binary" and 0 < parts.threshold < 1):
        raise NotPackageable("a threshold belongs to a binary model and lies between 0 and 1")
    if parts.task != "binary":
        return None
    if parts.positive is None:
        return 1
    same = [index for index, label in enumerate(classes) if label == parts.positive]
    if not same:
        raise NotPackageable(f"{parts.positive!r} is not a class of the model", cure=f"choose one of {list(classes)}")
    return same[0]


def _check_inputs(parts: PackageParts) -> None:
    names = [column.name for column in parts.inputs]
    if not names or len(set(names)) != len(names):
        raise NotPackageable("a model needs input columns, each name once")
    if absent := [name for name in names if name not in parts.replay or name not in parts.sketch.columns]:
        raise NotPackageable(f"the replayed rows or the sketch lack the input column {absent[0]!r}")
    if not parts.replay[names[0]]:
        raise NotPackageable("the parity gate needs at least one row to replay")
    known = getattr(parts.model, "feature_names_in_", None)
    if known is not None and (unknown := sorted(set(map(str, known)) - set(names))):
        raise NotPackageable(f"the model was fitted with the column {unknown[0]!r}, which is not among its inputs")


def _check_stored(parts: PackageParts, stored: SklearnEngine) -> None:
    """Compare the model that was handed over with the one that comes back from its file."""
    some = RowMaker(parts.inputs, parts.replay, np.random.default_rng(0)).evenly(1_000)
    rows = len(some[parts.inputs[0].name])
    with on_one_thread(parts.model):
        before = SklearnEngine(parts.model, parts.inputs, parts.feed).score(some, rows)
    after = stored.score(some, rows)
    if not np.array_equal(before, after, equal_nan=True):
        raise NotPackageable(
            "the stored model does not answer, to the last bit, as the one that was handed over",
            cure="fit it again with the library versions that are installed here",
        )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _specs(files: Mapping[str, bytes]) -> tuple[FileSpec, ...]:
    return tuple(FileSpec(path, blake3_bytes(data), len(data)) for path, data in sorted(files.items()))


def _store(manifest: Manifest, files: Mapping[str, bytes], into: Path) -> PackageRef:
    """Write the folder beside its place and rename it; a package that is there already is kept."""
    data = layout.manifest_bytes(manifest)
    digest = blake3_bytes(data)
    target = layout.folder_of(make_private(into), digest)
    part = into / f".{target.name[:16]}.{secrets.token_hex(6)}.part"
    try:
        part.mkdir(mode=PRIVATE_FOLDER)
        for name, content in {**files, layout.MANIFEST_FILE: data}.items():
            make_private((part / name).parent)
            write_atomic(part / name, content, PRIVATE_FILE)
        _publish(part, target)
        open_package(target, digest)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return PackageRef(digest, target)


def _publish(part: Path, target: Path) -> None:
    try:
        part.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    fsync_folder(target.parent)
