"""Which engines there are. They are imported only when a package names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, assert_never, cast

from undrift.models.engines.base import Engine
from undrift.models.signature import InputColumn

EngineName: TypeAlias = Literal["compiled", "sklearn"]
KNOWN: frozenset[str] = frozenset({"compiled", "sklearn"})


def load(name: str, data: bytes, inputs: Sequence[InputColumn]) -> Engine:
    """Return the engine of a name, loaded from the bytes of its file.

    Parameters
    ----------
    name : str
        One of :data:`KNOWN`.
    data : bytes
        Verified content of the engine's file.
    inputs : sequence of InputColumn
        What the package is asked.
    """
    known = cast(EngineName, name)
    match known:
        case "compiled":
            from undrift.models.engines import compiled

            return compiled.load(data)
        case "sklearn":
            from undrift.models.engines import sklearn

            return sklearn.load(data, inputs)
        case _:
            assert_never(known)
