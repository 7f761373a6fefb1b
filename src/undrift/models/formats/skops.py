"""scikit-learn objects as skops files: data and type names, no code.

skops rebuilds objects from their state. It reads arrays with ``allow_pickle=False`` and calls no
stored function; our list is checked before it is asked at all.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from typing import TypeVar

from undrift.models.formats.allowed import TYPES
from undrift.models.formats.archive import UntrustedModel, inspect, normalised
from undrift.models.formats.trees import check_parts

T = TypeVar("T")
_ANYTHING_A_MADE_UP_FILE_RAISES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,  # also RecursionError
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def dump(model: object) -> bytes:
    """Return a scikit-learn object as bytes, the same bytes for the same fitted object.

    Raises
    ------
    UntrustedModel
        If it holds a type that is not on our list, so that it could not be loaded again.
    """
    import skops.io

    try:
        data = skops.io.dumps(model)
    except _ANYTHING_A_MADE_UP_FILE_RAISES as error:
        raise UntrustedModel(f"a {type(model).__name__} cannot be stored as data ({error})") from error
    stored = normalised(data)
    inspect(stored)
    return stored


def load(data: bytes) -> object:
    """Return the scikit-learn object of some bytes; see ``model_file`` for models with other members.

    Raises
    ------
    UntrustedModel
        For every fault: bytes of another kind, types not on our list, broken structure.
    """
    inspect(data)
    import skops.io

    from undrift.estimators.errors import BadTransformer

    def rebuilt() -> object:
        model: object = skops.io.loads(data, trusted=sorted(TYPES))
        try:
            check_parts(model)
        except BadTransformer as error:
            raise UntrustedModel(error.message) from error
        return model

    return guarded(rebuilt)


def guarded(read: Callable[[], T]) -> T:
    """Return what reading a stranger's file gives.

    Raises
    ------
    UntrustedModel
        In the place of everything that a made-up file can make a reader raise.
    """
    try:
        return read()
    except UntrustedModel:
        raise
    except _ANYTHING_A_MADE_UP_FILE_RAISES as error:
        raise UntrustedModel(f"it cannot be rebuilt ({type(error).__name__}: {str(error)[:200]})") from error
