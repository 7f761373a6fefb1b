"""Rows as tensors and answers as tensors, in the words of the Open Inference Protocol (V2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from undrift.core.json import JSON
from undrift.models.package import Manifest
from undrift.models.signature import ColumnType, InputColumn
from undrift.serving.predictor import Answered
from undrift.serving.problem import BAD_REQUEST, UNPROCESSABLE, Problem

Parameters: TypeAlias = dict[str, bool | int | float | str]

_INTEGERS = frozenset(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
_ACCEPTED: Mapping[ColumnType, frozenset[str]] = {
    "float": frozenset({"FP64", "FP32", "FP16"}) | _INTEGERS,
    "int": _INTEGERS,
    "bool": frozenset({"BOOL"}),
    "string": frozenset({"BYTES"}),
    "date": frozenset({"BYTES"}),
    "datetime": frozenset({"BYTES"}),
}
_STATED: Mapping[ColumnType, str] = {
    "float": "FP64",
    "int": "INT64",
    "bool": "BOOL",
    "string": "BYTES",
    "date": "BYTES",
    "datetime": "BYTES",
}
_BINARY = "binary_data_size"


class InputTensor(msgspec.Struct, forbid_unknown_fields=True):
    """One column: a tensor of shape [n] or [n, 1]."""

    name: str
    shape: list[int]
    datatype: str
    data: list[object] | None = None
    parameters: Parameters | None = None


class OutputTensor(msgspec.Struct, omit_defaults=True):
    """A tensor of the answer, or its description when it has no data."""

    name: str
    datatype: str
    shape: list[int]
    data: Sequence[object] | None = None


def rows_of(tensors: Sequence[InputTensor], inputs: Sequence[InputColumn]) -> list[object]:
    """Return tensors as rows by column name.

    Raises
    ------
    Problem
        400 if the tensors are not one per input, of one length, with acceptable types.
    """
    known = {column.name: column for column in inputs}
    columns: dict[str, list[object]] = {}
    for place, tensor in enumerate(tensors):
        path = f"$.inputs[{place}]"
        if tensor.name not in known or tensor.name in columns:
            raise Problem(
                BAD_REQUEST, "unknown-input", "this input is not asked for, or comes twice", path=f"{path}.name"
            )
        columns[tensor.name] = _cells(tensor, known[tensor.name], path)
    missing = [name for name in known if name not in columns]
    if missing:
        raise Problem(BAD_REQUEST, "missing-input", f"the input {missing[0]!r} is missing", path="$.inputs")
    if len({len(cells) for cells in columns.values()}) != 1:
        raise Problem(BAD_REQUEST, "wrong-shape", "the inputs do not have one length", path="$.inputs")
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def described_inputs(inputs: Iterable[InputColumn]) -> list[OutputTensor]:
    """Return what the model's metadata says of its inputs."""
    return [OutputTensor(column.name, _STATED[column.type], [-1]) for column in inputs]


def described_outputs(manifest: Manifest) -> list[OutputTensor]:
    """Return what the model's metadata says of its outputs."""
    return [OutputTensor(name, datatype, [-1, *rest]) for name, datatype, rest in _outputs(manifest)]


def outputs_of(answered: Sequence[Answered], manifest: Manifest, wanted: Sequence[str] | None) -> list[OutputTensor]:
    """Return answers as tensors.

    Parameters
    ----------
    answered : sequence of Answered
        The rows' answers.
    manifest : Manifest
        Says the task and the classes.
    wanted : sequence of str, optional
        Names of the outputs; all without it.

    Raises
    ------
    Problem
        400 if an unknown output is wanted.
    """
    outputs = {name: (datatype, rest) for name, datatype, rest in _outputs(manifest)}
    for name in wanted or ():
        if name not in outputs:
            raise Problem(BAD_REQUEST, "unknown-output", "there is no such output", path="$.outputs")
    count = len(answered)
    return [
        OutputTensor(name, datatype, [count, *rest], _values(name, answered, manifest))
        for name, (datatype, rest) in outputs.items()
        if wanted is None or name in wanted
    ]


def _outputs(manifest: Manifest) -> Iterator[tuple[str, str, list[int]]]:
    if manifest.task == "regression":
        yield "prediction", "FP64", []
    else:
        kinds = {type(label) for label in manifest.classes}
        yield "prediction", {bool: "BOOL", int: "INT64"}.get(kinds.pop(), "BYTES") if len(kinds) == 1 else "BYTES", []
        if manifest.positive is not None:
            yield "probability", "FP64", []
        else:
            yield "probabilities", "FP64", [len(manifest.classes)]
    yield "prediction_id", "BYTES", []
    yield "variant", "BYTES", []


def _values(name: str, answered: Sequence[Answered], manifest: Manifest) -> Sequence[JSON]:
    match name:
        case "prediction":
            return [one.answer for one in answered]
        case "probability":
            return [one.scores[manifest.positive or 0] for one in answered]
        case "probabilities":
            return [score for one in answered for score in one.scores]
        case "prediction_id":
            return [one.id for one in answered]
        case _:
            return [one.served.state.name for one in answered]


def _cells(tensor: InputTensor, column: InputColumn, path: str) -> list[object]:
    if tensor.data is None or _BINARY in (tensor.parameters or {}):
        raise Problem(
            BAD_REQUEST, "no-data", "this server takes tensors as JSON data", path=path, cure="send binary_data=False"
        )
    if tensor.datatype not in _ACCEPTED[column.type]:
        raise Problem(
            UNPROCESSABLE, "wrong-type", f"{column.name!r} is {_STATED[column.type]}", path=f"{path}.datatype"
        )
    cells = list(_flat(tensor.data))
    if len(tensor.shape) not in (1, 2) or tensor.shape[0] != len(cells) or tensor.shape[1:] not in ([], [1]):
        raise Problem(
            BAD_REQUEST, "wrong-shape", f"{len(cells)} values do not have this shape", path=f"{path}.shape", cure="[n]"
        )
    return cells


def _flat(data: Sequence[object]) -> Iterator[object]:
    """Yield the values of a tensor's data, which may be nested once: [[1], [2]]."""
    for item in data:
        if isinstance(item, list):
            yield from item
        else:
            yield item
