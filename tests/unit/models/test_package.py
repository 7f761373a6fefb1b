"""A package is what its digest names, in every byte, and is read without heavy libraries."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from undrift.core.digest import blake3_bytes
from undrift.models.build import NotPackageable, PackageParts, PackageRef, build_package
from undrift.models.engines.base import EngineUnavailable
from undrift.models.package import (
    FORMAT,
    MANIFEST_FILE,
    FileSpec,
    GoldenMismatch,
    Manifest,
    PackageCorrupt,
    PackageUnusable,
    is_safe,
    manifest_bytes,
    open_package,
)
from undrift.models.signature import InputColumn, as_json_value

GOLDEN = Path(__file__).parents[2] / "golden" / "models"


@pytest.fixture
def copy(package: PackageRef, tmp_path: Path) -> PackageRef:
    """Give a package that the test may break."""
    path = tmp_path / package.path.name
    shutil.copytree(package.path, path)
    return PackageRef(package.digest, path)


def _files(package: PackageRef) -> list[Path]:
    return sorted(path for path in package.path.rglob("*") if path.is_file())


def test_one_flipped_byte_in_any_file_stops_the_load(copy: PackageRef) -> None:
    """First, last and middle byte of every file; the error names the file."""
    for path in _files(copy):
        good = path.read_bytes()
        for place in {0, len(good) // 2, len(good) - 1}:
            path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            with pytest.raises(PackageCorrupt, match=path.name):
                open_package(copy.path, copy.digest)
        path.write_bytes(good)
    assert open_package(copy.path, copy.digest).manifest.name == "delay"


def test_a_missing_an_extra_and_a_longer_file_stop_the_load(copy: PackageRef) -> None:
    """The folder holds what the manifest lists and nothing else."""
    for path in _files(copy):
        good = path.read_bytes()
        path.unlink()
        with pytest.raises(PackageCorrupt, match=path.name):
            open_package(copy.path, copy.digest)
        path.write_bytes(good + b"x")
        with pytest.raises(PackageCorrupt, match=path.name):
            open_package(copy.path, copy.digest)
        path.write_bytes(good)
    (copy.path / "model" / "more.txt").write_text("x")
    with pytest.raises(PackageCorrupt, match=r"more\.txt"):
        open_package(copy.path, copy.digest)


def test_links_are_refused(copy: PackageRef, tmp_path: Path) -> None:
    """Also to the right bytes."""
    card = copy.path / "MODEL_CARD.md"
    card.rename(tmp_path / "card")
    card.symlink_to(tmp_path / "card")
    with pytest.raises(PackageCorrupt, match="plain file"):
        open_package(copy.path, copy.digest)


def test_bytes_changed_after_opening_are_seen_when_read(copy: PackageRef) -> None:
    """The engine is loaded from verified bytes, not from a file verified before."""
    opened = open_package(copy.path, copy.digest)
    (copy.path / "model" / "compiled.msgpack").write_bytes(b"other")
    with pytest.raises(PackageCorrupt):
        opened.load_engine()


@pytest.mark.parametrize("name", ["../x", "/x", "a/../b", "a//b", "./a", "", ".", "a\\b", ".."])
def test_paths_that_leave_the_package_are_unsafe(name: str) -> None:
    """Or that can be written in two ways."""
    assert not is_safe(name)


def test_a_manifest_with_an_unsafe_path_is_refused(copy: PackageRef) -> None:
    """Though its digest be right."""
    manifest = open_package(copy.path, copy.digest).manifest
    evil = msgspec.structs.replace(manifest, files=(*manifest.files, FileSpec("../evil", copy.digest, 1)))
    (copy.path / MANIFEST_FILE).write_bytes(manifest_bytes(evil))
    with pytest.raises(PackageCorrupt, match="unsafe"):
        open_package(copy.path, blake3_bytes(manifest_bytes(evil)))


def test_the_same_parts_make_the_same_package(
    logistic: Pipeline, parts_of: Callable[..., PackageParts], package: PackageRef, tmp_path: Path, packages: Path
) -> None:
    """Elsewhere and in the same place, where it is kept."""
    assert build_package(parts_of(logistic), tmp_path).digest == package.digest
    assert build_package(parts_of(logistic), packages) == package
    assert [path.name for path in packages.iterdir() if path.name.startswith(".")] == []


def test_a_package_is_private(package: PackageRef) -> None:
    """Folders 0700, files 0600."""
    assert {stat.S_IMODE(path.stat().st_mode) for path in _files(package)} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (package.path, package.path / "model")} == {0o700}


def test_no_golden_row_is_a_row_of_training(package: PackageRef, parts_of: Callable[..., PackageParts]) -> None:
    """Nor is a made-up number copied from a float column; rare texts do not appear."""
    opened = open_package(package.path, package.digest)
    replay = parts_of(None).replay
    rows = opened.golden().rows
    assert len(rows) == 32
    shown = [
        dict(zip(replay, map(as_json_value, values), strict=True)) for values in zip(*replay.values(), strict=True)
    ]
    assert not [row for row in rows if row in shown]
    assert not {row["wind"] for row in rows} & set(replay["wind"])
    assert "rare" not in {row["carrier"] for row in rows}


def test_golden_rows_find_an_engine_that_answers_otherwise(package: PackageRef) -> None:
    """Both engines agree with what is expected; a tampered engine does not."""
    opened = open_package(package.path, package.digest)
    assert {opened.check_golden(opened.load_engine(name)) for name in ("compiled", "sklearn")} == {0.0}

    class Off:
        name = "off"

        def score(self, columns: object, rows: int) -> np.ndarray:
            return np.full((rows, 2), 0.5)

    with pytest.raises(GoldenMismatch):
        opened.check_golden(Off())


def test_the_sketch_and_the_card_travel_with_the_model(package: PackageRef) -> None:
    """What is not stated is said to be so."""
    opened = open_package(package.path, package.digest)
    assert set(opened.sketch().columns) == {"temp", "wind", "hour", "carrier", "wet"}
    card = opened.read("MODEL_CARD.md").decode()
    assert "## Intended use\n\n*not stated*" in card
    assert opened.read("requirements.lock") == b"numpy==2.4.6\n"


def test_the_next_engine_is_used_when_the_first_cannot_run(
    package: PackageRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And there is an error when none can."""
    from undrift.models.engines import compiled

    def unavailable(data: bytes) -> None:
        raise EngineUnavailable("no library")

    monkeypatch.setattr(compiled, "load", unavailable)
    opened = open_package(package.path, package.digest)
    assert opened.load_engine().name == "sklearn"
    with pytest.raises(PackageUnusable):
        opened.load_engine("compiled")


def test_a_package_of_a_later_format_says_what_to_do(copy: PackageRef) -> None:
    """Upgrade."""
    manifest = open_package(copy.path, copy.digest).manifest
    data = manifest_bytes(msgspec.structs.replace(manifest, format="undrift.package/2"))
    (copy.path / MANIFEST_FILE).write_bytes(data)
    with pytest.raises(PackageUnusable, match="upgrade"):
        open_package(copy.path, blake3_bytes(data))


@pytest.mark.parametrize(
    "changed",
    [
        {"task": "multiclass"},
        {"threshold": 1.5},
        {"positive": "no such class"},
        {"inputs": ()},
        {"inputs": (InputColumn("absent", "float"),)},
        {"name": "Not a name"},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(
    logistic: Pipeline, parts_of: Callable[..., PackageParts], tmp_path: Path, changed: dict[str, object]
) -> None:
    """Before anything is written."""
    parts = replace(parts_of(logistic), **changed)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises((NotPackageable, ValueError) if "name" not in changed else Exception):
        build_package(parts, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_has_the_form_that_is_written_down() -> None:
    """The golden file of docs/formats.md."""
    data = (GOLDEN / "manifest.json").read_bytes()
    manifest = msgspec.json.decode(data, type=Manifest)
    assert manifest.format == FORMAT
    assert manifest_bytes(manifest) == data
    assert blake3_bytes(data) == (GOLDEN / "manifest.digest").read_text().strip()
    assert json.loads(data)["engines"][0]["name"] == "compiled"


_PROBE = """
import sys
from pathlib import Path
from undrift.models.package import open_package
heavy = ("sklearn", "pandas", "polars", "scipy", "sqlalchemy", "treelite", "skops", "mlflow")
assert not [name for name in heavy if name in sys.modules], "at import"
package = open_package(Path(sys.argv[1]), sys.argv[2])
engine = package.load_engine()
package.check_golden(engine)
from undrift.models.answer import answer
golden = package.golden()
answer(package.manifest, engine.score(package.decoder.decode(list(golden.rows)), len(golden.rows)))
print(engine.name, [name for name in heavy if name in sys.modules])
"""


def test_a_compiled_package_is_served_without_heavy_libraries(package: PackageRef) -> None:
    """Neither scikit-learn nor scipy, polars, pandas, treelite's package or SQLAlchemy is imported."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, str(package.path), package.digest], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "compiled []"
