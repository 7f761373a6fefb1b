"""Looking into a skops file before it is loaded, and writing it so that one model has one form."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from undrift.core.errors import BadInput
from undrift.models.formats.allowed import FUNCTIONS, LOADERS, TYPES

PROTOCOL = 2
_SCHEMA = "schema.json"
_MEMBER = re.compile(r"[0-9]{1,20}\.npy\Z")
MOST_BYTES = 4 << 30
_MOST_SCHEMA_BYTES = 1 << 30
_DEEPEST = 400
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CURE = (
    "store a pipeline of scikit-learn's own estimators and transformers, and of LightGBM's and XGBoost's; "
    "pickles and classes of your own are not loaded"
)


class UntrustedModel(BadInput):
    """A model's file names, or does, what our list does not allow; nothing of it was run."""

    code = "untrusted-model"

    def __init__(self, problem: str, cure: str = _CURE) -> None:
        super().__init__(f"this model file is refused: {problem}", cure=cure)


@dataclass(frozen=True, slots=True)
class _Node:
    """One node of a schema: its content and how deep it lies."""

    value: Any  # Any: parsed JSON, walked by type
    depth: int


def inspect(data: bytes) -> None:
    """Check the form of a skops file and every type that it names.

    Raises
    ------
    UntrustedModel
        If it is no such file, is put together in an unusual way, or names a type, function or
        kind of node that is not on our list.
    """
    with opened(data) as archive:
        _check_members(archive)
        _check_schema(_schema(archive))


def normalised(data: bytes) -> bytes:
    """Return the same model in the one form that does not depend on memory addresses or time.

    Objects and members are numbered in the order in which the schema names them, and the gaps
    between the fields of a tree's nodes, which hold whatever was in memory, are made zero.
    """
    with opened(data) as archive:
        schema = _schema(archive)
        members: dict[str, str] = {}
        schema = _renumbered(schema, {}, members)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
            put(out, _SCHEMA, json.dumps(schema, separators=(",", ":")).encode())
            for old, new in members.items():
                put(out, new, _without_gaps(archive.read(old)))
    return buffer.getvalue()


def _without_gaps(member: bytes) -> bytes:
    """Return an array's file with zeros wherever its records have no field."""
    values = np.load(io.BytesIO(member), allow_pickle=False)
    if values.dtype.names is None:
        return member
    clean = np.zeros(values.shape, values.dtype)
    for name in values.dtype.names:
        clean[name] = values[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def put(out: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Write one member in the form that does not depend on the time of day."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    out.writestr(entry, data)


def _renumbered(value: Any, ids: dict[int, int], members: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renumbered(item, ids, members) for item in value]
    if not isinstance(value, dict):
        return value
    shown: dict[str, Any] = {}
    for key, item in value.items():
        if key == "__id__" and isinstance(item, int):
            shown[key] = ids.setdefault(item, len(ids) + 1)
        elif key == "file" and "__loader__" in value:
            shown[key] = members.setdefault(item, f"{len(members) + 1}.npy")
        else:
            shown[key] = _renumbered(item, ids, members)
    return shown


def opened(data: bytes) -> zipfile.ZipFile:
    """Return the archive of some bytes.

    Raises
    ------
    UntrustedModel
        If they are none.
    """
    if not data.startswith(b"PK\x03\x04"):
        raise UntrustedModel("it is not a skops file" + (" but a pickle" if data[:1] == b"\x80" else ""))
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise UntrustedModel(f"its archive is damaged ({error})") from error


def _check_members(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise UntrustedModel("its archive holds two members of one name")
    if strange := [name for name in names if name != _SCHEMA and not _MEMBER.match(name)]:
        raise UntrustedModel(f"its archive holds {strange[0][:80]!r}")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise UntrustedModel("its archive is packed in an unusual way")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise UntrustedModel(f"it unpacks to more than {MOST_BYTES >> 30} GiB")


def _schema(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        if archive.getinfo(_SCHEMA).file_size > _MOST_SCHEMA_BYTES:
            raise UntrustedModel(f"its schema is larger than {_MOST_SCHEMA_BYTES >> 30} GiB")
        schema = json.loads(archive.read(_SCHEMA))
    except (KeyError, ValueError, RecursionError, RuntimeError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise UntrustedModel(f"its schema cannot be read ({type(error).__name__})") from error
    if not isinstance(schema, dict):
        raise UntrustedModel("its schema is not an object")
    return schema


def _check_schema(schema: Mapping[str, Any]) -> None:
    if schema.get("protocol") != PROTOCOL or type(schema.get("protocol")) is not int:
        raise UntrustedModel(f"its protocol is {schema.get('protocol')!r}, not {PROTOCOL}")
    for node in _dicts(schema):
        if "__loader__" in node or "__class__" in node or "__module__" in node:
            _check_node(node)


def _dicts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every object of a JSON value, without recursion: the depth is the file's choice."""
    waiting = [_Node(schema, 0)]
    while waiting:
        node = waiting.pop()
        if node.depth > _DEEPEST:
            raise UntrustedModel(f"it is nested more than {_DEEPEST} deep")
        if isinstance(node.value, Mapping):
            yield node.value
            waiting.extend(_Node(item, node.depth + 1) for item in node.value.values())
        elif isinstance(node.value, list):
            waiting.extend(_Node(item, node.depth + 1) for item in node.value)


def _check_node(node: Mapping[str, Any]) -> None:
    loader = node.get("__loader__")
    if not isinstance(loader, str) or loader not in LOADERS:
        raise UntrustedModel(f"a part of kind {str(loader)[:80]!r} is not allowed")
    name = f"{node.get('__module__')}.{node.get('__class__')}"
    if name not in TYPES:
        raise UntrustedModel(f"the type {name[:120]!r} is not on the list of allowed types", _cure_of(name))
    if (loader == "FunctionNode") != (name in FUNCTIONS):
        raise UntrustedModel(f"{name[:120]!r} stands where it does not belong")


def _cure_of(name: str) -> str:
    """Return what to do about a type that is not on the list."""
    if name.partition(".")[0] in ("sklearn", "numpy", "scipy"):
        return "use a part that is on the list, see docs/notebook.md; pickles and other classes are not loaded"
    what = "a function of your own" if "<" in name else f"{name[:120]}, which is code and not data,"
    return (
        f"put scikit-learn's parts in the place of {what} such as FunctionTransformer(np.log1p) in a "
        "ColumnTransformer, or do its work in the table before fitting"
    )
