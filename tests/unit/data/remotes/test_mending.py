"""What was lost or let go of here comes back from a remote."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from undrift.data.gc import Keep
from undrift.data.remotes.mending import RemoteChunks
from undrift.data.remotes.pull import NotAtRemote
from undrift.data.versions import BytesGone

from .conftest import ADA, Site, remote_files


def test_a_version_whose_bytes_went_comes_back_by_a_pull(ada: Site) -> None:
    """Byte by byte, and the ledger tells both."""
    data, before = ada.project.data, ada.text("t@1")
    data.keeping.gc(Keep(is_everything=False), ADA)
    with pytest.raises(BytesGone):
        data.read("t@1")
    assert ada.push().versions == []
    assert ada.pull("t@1").mended == ["data:t@1"]
    assert ada.text("t@1") == before
    kinds = [event.kind for event in ada.project.ledger.events("data:t@1")]
    assert [kind for kind in kinds if "bytes" in kind] == ["data.bytes-dropped", "data.bytes-restored"]
    assert data.keeping.fsck().faults == ()


def test_lost_packs_and_lists_of_files_are_repaired_from_a_remote(ada: Site) -> None:
    """A check names what is lost, a repair fetches it: first the lists of files, which tell what else is missing."""
    data, blobs = ada.project.data, ada.project.store / "blobs"
    before = [ada.text(f"t@{n}") for n in (1, 2)]
    shutil.rmtree(blobs / "packs")
    shutil.rmtree(blobs / "whole", ignore_errors=True)
    for version in data.log("t"):
        (blobs / "objects" / version.version_id[3:5] / version.version_id[3:]).unlink()
    assert not data.keeping.fsck().is_sound
    assert data.keeping.fsck([RemoteChunks(ada.remote())], is_repair=True).is_sound
    assert data.keeping.fsck().faults == ()
    assert [ada.text(f"t@{n}") for n in (1, 2)] == before


def test_a_remote_with_wrong_bytes_repairs_nothing(ada: Site) -> None:
    """What it gives is compared with its name."""
    data, blobs = ada.project.data, ada.project.store / "blobs"
    shutil.rmtree(blobs / "packs")
    for path in remote_files(ada, "packs/**/*"):
        if path.is_file():
            path.write_bytes(bytes(path.stat().st_size))
    report = data.keeping.fsck([RemoteChunks(ada.remote())], is_repair=True)
    assert not report.is_sound
    assert all(fault.needed_by and not fault.is_repaired for fault in report.faults)


def test_a_version_that_no_remote_has_is_told(site: Callable[..., Site]) -> None:
    """Also where the first digits of another version's id are the number that was asked for."""
    ada = site("ada")
    ids = [ada.project.data.get(ada.add(f"a\n{number}\n")).version_id for number in range(40)]
    number = next(at for at, one in enumerate(ids, 1) if any(other[3:].startswith(str(at)) for other in ids[at:]))
    ada.push(*[f"t@{at}" for at in range(number + 1, 41)])
    ada.project.data.keeping.gc(Keep(is_everything=False, used={f"data:t@{at}" for at in range(number + 1, 41)}), ADA)
    with pytest.raises(NotAtRemote, match=f"no remote has data:t@{number}"):
        ada.pull(f"t@{number}")
