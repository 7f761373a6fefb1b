"""What adds tables of the columns id and x to datasets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from undrift.data.service import Data
from undrift.ledger.actor import Actor


@pytest.fixture
def write(data: Data, ada: Actor, tmp_path: Path) -> Callable[..., str]:
    """Give what adds rows, or files by name, as a version of a dataset and returns its reference."""

    def add(name: str, *rows: str, append: bool = False, header: str = "id,x", **files: str) -> str:
        folder = tmp_path / f"in-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for stem, text in (files or {"t": "".join(f"{row}\n" for row in rows)}).items():
            (folder / f"{stem}.csv").write_text(f"{header}\n{text}")
        source = folder if files else folder / "t.csv"
        return data.add(source, name, actor=ada, append=append).ref

    return add
