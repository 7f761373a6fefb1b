"""Trees in treelite's shared library, called without its Python package.

Importing ``treelite`` would import scipy, which the scoring process does without; the library
itself needs only the C runtime. The calls are those of treelite's C API (``c_api.h``, 4.x).
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from undrift.models.engines.base import EngineUnavailable

_NAMES = {"darwin": "libtreelite.dylib", "win32": "treelite.dll"}
_TYPE = b"float64"


class Trees:
    """A tree ensemble, loaded once and then only read.

    Parameters
    ----------
    data : bytes
        What treelite serialised; float64 in and out.
    per_tree : bool
        Whether each tree answers for itself, or the library adds them and finishes.

    Raises
    ------
    EngineUnavailable
        If the library is not there, or does not take these bytes.
    """

    def __init__(self, data: bytes, *, per_tree: bool) -> None:
        self._library = _library()
        self._model = ctypes.c_void_p()
        self._config = ctypes.c_void_p()
        call = self._library.TreeliteDeserializeModelFromBytes
        _check(self._library, call(data, ctypes.c_size_t(len(data)), ctypes.byref(self._model)))
        asked = {"predict_type": "score_per_tree" if per_tree else "default", "nthread": 1}
        _check(
            self._library,
            self._library.TreeliteGTILParseConfig(json.dumps(asked).encode(), ctypes.byref(self._config)),
        )
        self._check_types()
        self.features = self._number_of_features()
        self._row_shape = self._shape_of_one_row()

    def __del__(self) -> None:
        if getattr(self, "_config", None):
            self._library.TreeliteGTILDeleteConfig(self._config)
        if getattr(self, "_model", None):
            self._library.TreeliteFreeModel(self._model)

    def predict(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the trees answer.

        Parameters
        ----------
        matrix : ndarray of float64, shape (rows, features), C order
            The prepared rows.

        Returns
        -------
        ndarray of float64
            Shape (rows, trees, outputs of a tree) per tree, else (rows, targets, classes).
        """
        rows = matrix.shape[0]
        out = np.empty((rows, *self._row_shape))
        _check(
            self._library,
            self._library.TreeliteGTILPredict(
                self._model,
                ctypes.c_void_p(matrix.ctypes.data),
                _TYPE,
                ctypes.c_uint64(rows),
                ctypes.c_void_p(out.ctypes.data),
                self._config,
            ),
        )
        return out

    def _shape_of_one_row(self) -> tuple[int, ...]:
        shape = ctypes.POINTER(ctypes.c_uint64)()
        dimensions = ctypes.c_uint64()
        call = self._library.TreeliteGTILGetOutputShape
        _check(
            self._library,
            call(self._model, ctypes.c_uint64(1), self._config, ctypes.byref(shape), ctypes.byref(dimensions)),
        )
        return tuple(int(shape[index]) for index in range(1, dimensions.value))

    def _number_of_features(self) -> int:
        count = ctypes.c_int()
        _check(self._library, self._library.TreeliteQueryNumFeature(self._model, ctypes.byref(count)))
        return count.value

    def _check_types(self) -> None:
        for query in (self._library.TreeliteGetInputType, self._library.TreeliteGetOutputType):
            found = ctypes.c_char_p()
            _check(self._library, query(self._model, ctypes.byref(found)))
            if found.value != _TYPE:
                raise EngineUnavailable(f"these trees speak {found.value!r}, not float64")


@lru_cache(maxsize=1)
def _library() -> Any:  # Any: functions of a shared library have no types
    found = importlib.util.find_spec("treelite")
    places = found.submodule_search_locations if found else None
    if not places:
        raise EngineUnavailable("treelite is not installed", cure="pip install treelite")
    path = Path(places[0], "lib", _NAMES.get(sys.platform, "libtreelite.so"))
    try:
        library = ctypes.CDLL(str(path))
        library.TreeliteGetLastError.restype = ctypes.c_char_p
        for name in ("TreeliteGTILPredict", "TreeliteGTILParseConfig", "TreeliteDeserializeModelFromBytes"):
            getattr(library, name)
    except (OSError, AttributeError) as error:
        raise EngineUnavailable(f"treelite's library cannot be used: {error}", cure="reinstall treelite") from error
    return library


def _check(library: Any, status: int) -> None:  # Any: see _library
    if status != 0:
        problem = (library.TreeliteGetLastError() or b"").decode(errors="replace")
        raise EngineUnavailable(f"treelite refuses: {problem[:300]}")
