"""What the documents tell a reader to type works, in the order in which they tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.blocks import REPOSITORY, RUN, SHOWN, Folder, blocks, free_port

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
ANY_TABLE = REPOSITORY / "docs" / "up.md"
NOTEBOOK = REPOSITORY / "docs" / "notebook.md"
README = REPOSITORY / "README.md"
_DATA_PAGES = ("profile", "anomalies", "chapter", "sources", "remotes", "store", "branches", "quality")
RUN_PAGES = [
    TUTORIAL,
    ANY_TABLE,
    NOTEBOOK,
    README,
    *(REPOSITORY / "docs" / f"{name}.md" for name in _DATA_PAGES),
]
PAGES = sorted([README, REPOSITORY / "CHANGELOG.md", REPOSITORY / "CONTRIBUTING.md", *REPOSITORY.glob("docs/*.md")])
_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)?(?:#([^)\s]+))?\)")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """Give an empty folder; what was started in it is stopped afterwards."""
    made = Folder(tmp_path, free_port())
    yield made
    made.close()


@pytest.mark.parametrize("document", RUN_PAGES, ids=lambda path: path.name)
def test_every_block_runs_in_its_order(document: Path, folder: Folder) -> None:
    """A reader who types all of it meets no error."""
    for block in blocks(document):
        if block.is_run:
            done = folder.run(block)
            assert done.returncode == 0, f"{document.name}:{block.line}\n{block.text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("document", RUN_PAGES, ids=lambda path: path.name)
def test_few_blocks_are_not_run(document: Path) -> None:
    """What cannot be run is marked with its reason, and there is little of it."""
    found = list(blocks(document))
    assert {block.language for block in found} <= {*RUN, *SHOWN}
    assert sum(block.language in RUN and not block.is_run for block in found) <= 2


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every file and heading that a page links to is there."""
    lost = []
    for found in _LINK.finditer(page.read_text(encoding="utf-8")):
        target = page.parent / found[1] if found[1] else page
        if not target.exists() or (found[2] and found[2] not in _anchors(target)):
            lost.append(found[0])
    assert lost == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
