"""Our own transformers in a package: compiled to the last bit, read from raw rows, refused when forged."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from undrift.evaluation.candidates import SIMPLEST_FIRST, Fitted, fit
from undrift.evaluation.features import fed
from undrift.models import parity
from undrift.models.build import PackageParts, build_package
from undrift.models.formats import skops as safe
from undrift.models.formats.archive import UntrustedModel
from undrift.models.infer import columns_of, infer_inputs
from undrift.models.package import open_package
from undrift.models.signature import as_json_value
from undrift.stats.sketch import ReferenceSketch
from unit.evaluation.mixed_tables import mixed, read
from unit.models.conftest import WHEN

_FRAME = mixed()
_TARGET, _FEATURES = read(_FRAME, text=("said",))


@pytest.fixture(autouse=True)
def _fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "AT_SPLITS", 500)
    monkeypatch.setattr(parity, "STRANGE", 500)
    monkeypatch.setattr(parity, "ONE_BY_ONE", 8)


@pytest.fixture(scope="module")
def linear() -> Fitted:
    return fit("linear", _FRAME, _FEATURES, _TARGET)


def parts_around(model: Any) -> PackageParts:
    table = fed(_FRAME, _FEATURES)
    inputs = infer_inputs(table)
    columns = columns_of(table, inputs)
    sketch = ReferenceSketch.fit(columns, {column.name: column.type for column in inputs})
    return PackageParts(
        name="m", model=model, task="binary", inputs=inputs, sketch=sketch, replay=columns, created_at=WHEN
    )


@pytest.mark.parametrize("kind", SIMPLEST_FIRST)
def test_raw_rows_are_answered_as_offline_to_the_last_bit_by_either_engine(kind: str, tmp_path: Any) -> None:
    """ISO dates, texts and nulls as JSON holds them; one row or all of them."""
    fitted = fit(kind, _FRAME, _FEATURES, _TARGET)
    built = build_package(parts_around(fitted.model), tmp_path)
    package = open_package(built.path, built.digest)
    assert [spec.name for spec in package.manifest.engines] == ["compiled", "sklearn"]
    table = fed(_FRAME, _FEATURES)
    columns = columns_of(table, package.manifest.inputs)
    rows = [
        {name: as_json_value(values[index]) for name, values in columns.items()} for index in range(0, len(table), 7)
    ]
    offline = fitted.model.predict_proba(table[::7])
    for engine in ("compiled", "sklearn"):
        loaded = package.load_engine(engine)
        served = loaded.score(package.decoder.decode(json.loads(json.dumps(rows))), len(rows))
        assert (served == offline).all()
        assert (loaded.score(package.decoder.decode_one(rows[3]), 1)[0] == served[3]).all() or kind == "linear"


def test_no_word_of_a_row_is_in_the_stored_model(linear: Fitted) -> None:
    """Words are hashed; there is no vocabulary."""
    frame = _FRAME.with_columns(said=pl.col("said") + " zanzibar")
    fitted = fit("linear", frame, _FEATURES, _TARGET)
    with zipfile.ZipFile(io.BytesIO(safe.dump(fitted.model))) as archive:
        assert not any(b"zanzibar" in archive.read(name) for name in archive.namelist())


def forged(data: bytes, change: Callable[[Any], None]) -> bytes:
    """Return a model's file with every node of our own changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as out:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                for node in _own_nodes(schema):
                    change(node)
                content = json.dumps(schema).encode()
            out.writestr(name, content)
    return buffer.getvalue()


def _own_nodes(value: Any) -> list[Any]:
    found = [value] if isinstance(value, dict) and str(value.get("__module__", "")).startswith("undrift") else []
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [node for item in below for node in _own_nodes(item)]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("undrift.estimators.prepare", "hashed"),
        ("undrift.estimators.prepare", "pl"),
        ("undrift.blobs.store", "BlobStore"),
        ("undrift.estimators", "prepare"),
        ("os", "system"),
        ("subprocess", "Popen"),
    ],
)
def test_a_package_whose_transformer_names_another_class_is_refused(linear: Fitted, module: str, name: str) -> None:
    """Only the classes on our list, not their neighbours in the same module."""

    def rename(node: Any) -> None:
        node["__module__"], node["__class__"] = module, name

    with pytest.raises(UntrustedModel, match="not on the list"):
        safe.load(forged(safe.dump(linear.model), rename))


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("parts_", '["year"]'),
        ("parts_", '[["__class__"]]'),
        ("parts_", "7"),
        ("places", "1000000000000"),
        ("places", "0"),
    ],
)
def test_a_transformer_of_ours_with_made_up_insides_is_refused(linear: Fitted, key: str, content: str) -> None:
    """What a file says of parts and places is checked before anything is scored."""

    def plant(node: Any) -> None:
        state = node["content"]["content"]
        if key in state:
            state[key] = {
                "__class__": "str",
                "__module__": "builtins",
                "__loader__": "JsonNode",
                "content": content,
                "is_json": True,
            }

    with pytest.raises(UntrustedModel):
        safe.load(forged(safe.dump(linear.model), plant))


def test_dates_at_the_ends_of_the_calendar_are_read_alike(linear: Fitted, tmp_path: Any) -> None:
    """Years 1 and 9999, leap days, the last microsecond."""
    built = build_package(parts_around(linear.model), tmp_path)
    package = open_package(built.path, built.digest)
    base = package.golden().rows[0]
    seen = [
        "0001-01-01T00:00:00",
        "1969-12-31T23:59:59.999999",
        "2000-02-29T12:00:00.000001Z",
        "9999-12-31T23:59:59.999999",
    ]
    rows = [{**base, "seen": one, "joined": None} for one in seen]
    decoded = package.decoder.decode(rows)
    answers = [package.load_engine(name).score(decoded, len(rows)) for name in ("compiled", "sklearn")]
    assert np.array_equal(*answers)
