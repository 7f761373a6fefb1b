"""Arrays and JSON between steps, kept as blobs and named by digest."""

from __future__ import annotations

import io
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from undrift.blobs.store import BlobStore
from undrift.core import canonical
from undrift.core.json import JSON


def put_array(blobs: BlobStore, values: npt.NDArray[Any]) -> str:  # Any: positions, ids or scores
    """Store an array of numbers and return its digest."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(values), allow_pickle=False)
    return blobs.put_bytes(buffer.getvalue())


def get_array(blobs: BlobStore, digest: JSON) -> npt.NDArray[Any]:  # Any: as it was put
    """Return a stored array; its bytes are verified."""
    return cast("npt.NDArray[Any]", np.load(io.BytesIO(blobs.read_bytes(str(digest))), allow_pickle=False))


def put_json(blobs: BlobStore, value: JSON) -> str:
    """Store a JSON value and return its digest."""
    return blobs.put_bytes(canonical.dumps(value))


def get_json(blobs: BlobStore, digest: JSON) -> dict[str, Any]:  # Any: JSON that this room wrote
    """Return a stored JSON object; its bytes are verified."""
    return cast("dict[str, Any]", canonical.loads(blobs.read_bytes(str(digest))))
