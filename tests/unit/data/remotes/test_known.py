"""Whoever reads bytes that are only at a remote is told the command that brings them, and nothing is asked for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from undrift.blobs.errors import BlobMissing
from undrift.core.errors import NotFound
from undrift.data.gc import Keep
from undrift.data.quality.suite import Suite, expect
from undrift.data.repository import set_gone
from undrift.data.versions import BytesGone, DatasetNotFound
from undrift.loop.remotes import name_remote

from .conftest import ADA, Site, rows

READERS: dict[str, Callable[[Site], object]] = {
    "checkout": lambda site: site.text("t@1"),
    "read": lambda site: site.project.data.read("t@1"),
    "scan": lambda site: site.project.data.scan("t@1"),
    "profile": lambda site: site.project.data.profile("t@1"),
    "check": lambda site: site.project.data.check("t@1", actor=ADA, suite=Suite("s", [expect("row_count", min=1)])),
    "diff": lambda site: site.project.data.keeping.diff(
        site.project.data.get("t@1"), site.project.data.get("t@2"), has_rows=True
    ),
}


@pytest.fixture
def away(ada: Site) -> Site:
    """Give a project that pushed two versions to a folder which does not answer any more."""
    shutil.rmtree(ada.address)
    return ada


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_bytes_that_were_let_go_of_names_the_pull(away: Site, reader: str) -> None:
    """Without a word to the remote, which is away."""
    away.project.data.keeping.gc(Keep(is_everything=False), ADA)
    with pytest.raises(BytesGone, match="data:t@1") as caught:
        READERS[reader](away)
    assert caught.value.cure == "undrift data pull t@1 --remote team"


@pytest.mark.parametrize("what", ["packs", "objects"])
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_bytes_that_were_lost_names_the_version_and_the_pull(
    away: Site, reader: str, what: str
) -> None:
    """Chunks of its files, or its list of files."""
    _lose(away, what)
    with pytest.raises(BlobMissing, match=r"^data:t@1: ") as caught:
        READERS[reader](away)
    assert caught.value.cure == "undrift data pull t@1 --remote team"
    assert caught.value.message.count("data:t@1") == 1


def _lose(site: Site, what: str) -> None:
    shutil.rmtree(site.project.store / "blobs" / what)
    shutil.rmtree(site.project.store / "blobs/whole", ignore_errors=True)


def test_the_command_brings_them_back(ada: Site) -> None:
    """It is exact."""
    _lose(ada, "packs")
    assert ada.pull("t@1").mended == ["data:t@1"]
    assert ada.project.data.read("t@1").height == 3000


def test_a_version_with_another_number_there_is_named_by_its_id(ada: Site, ben: Site) -> None:
    """Its number there names another version here."""
    ben.add(rows(5, seed=9))
    ben.pull("t@1")
    moved = next(one for one in ben.project.data.log("t") if one.version_id == ada.project.data.get("t@1").version_id)
    assert moved.number != 1
    _lose(ben, "packs")
    with pytest.raises(BlobMissing) as caught:
        ben.project.data.read(moved.ref)
    ref = caught.value.cure.removeprefix("undrift data pull ").removesuffix(" --remote team")
    assert ref == f"t@{moved.version_id[3:15]}"
    assert ben.pull(ref).mended == [moved.ref]


def test_what_no_remote_is_known_to_hold_keeps_its_cure(site: Callable[..., Site]) -> None:
    """Nobody is sent to a remote in vain."""
    ada = site("ada")
    ada.add(rows(5))
    _lose(ada, "packs")
    with pytest.raises(BlobMissing) as caught:
        ada.project.data.read("t@1")
    assert "pull" not in caught.value.cure


def test_a_version_that_is_only_there_is_found_by_its_pull(ada: Site, ben: Site) -> None:
    """Once the remote was looked at."""
    ben.pull("t@1")
    with pytest.raises(DatasetNotFound) as caught:
        ben.project.data.get("t@2")
    assert caught.value.cure == "undrift data pull t@2 --remote team"
    with pytest.raises(DatasetNotFound) as other:
        ben.project.data.get("t@9")
    assert "pull" not in other.value.cure


def test_a_remote_that_the_settings_forgot_is_named_by_nobody(ada: Site, tmp_path: Path) -> None:
    """Its pull would be refused."""
    name_remote(ada.project, "team", str(tmp_path / "remote"))
    ada.project.reload_settings()
    assert name_remote(ada.project, "team", None)
    _lose(ada, "packs")
    with pytest.raises(NotFound) as caught:
        ada.project.data.read("t@1")
    assert "pull" not in caught.value.cure


def test_the_audit_compares_versions_with_what_the_events_tell(ada: Site, ben: Site) -> None:
    """Of versions that were added, pulled, let go of and brought back; a row that was altered is found."""
    ben.pull()
    ben.project.data.keeping.gc(Keep(is_everything=False), ADA)
    assert ben.project.verify().ok
    ben.pull("t")
    assert ben.project.verify().ok
    assert ada.project.verify().ok
    with ben.project.ledger.change(ADA) as change:
        set_gone(change.connection, ben.project.data.get("t@1"), is_gone=True)
        change.record("data.noted", "data:t@1", {})
    assert not ben.project.verify().ok
