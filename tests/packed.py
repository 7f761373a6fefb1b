"""What lies in pack files, for tests that look for words in everything a project keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from undrift.blobs.packs.toc import toc_of

_PARQUET = b"PAR1"


def files_in(path: Path) -> Iterator[bytes]:
    """Give the bytes of a file; of a pack all of them, and each Parquet file whose chunks lie in it one by one."""
    data = path.read_bytes()
    yield data
    if path.suffix != ".pack":
        return
    pending = b""
    for place in toc_of(path).places:
        chunk = data[place.offset : place.offset + place.length]
        pending = chunk if chunk[:4] == _PARQUET else pending + chunk
        if pending[:4] == _PARQUET == pending[-4:]:
            yield pending
            pending = b""
