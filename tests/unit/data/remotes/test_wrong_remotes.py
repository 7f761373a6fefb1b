"""What is wrong or hostile at a remote does not come in."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from undrift.blobs.buckets import Bucket
from undrift.blobs.remote_packs import RemoteCorrupt
from undrift.core import canonical
from undrift.core.digest import blake3_bytes
from undrift.data.remotes.records import Record
from undrift.data.remotes.remote import NoRemote, Remote

from .conftest import Site, remote_files, rows


def _flip(file: Path, at: int = 100) -> None:
    data = bytearray(file.read_bytes())
    data[at % len(data)] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("pattern", ["packs/*/*", "tocs/*/*", "manifests/*/*"])
def test_wrong_bytes_are_refused_with_their_names(ada: Site, ben: Site, pattern: str) -> None:
    """Object, dataset and file; nothing of the version becomes known."""
    for file in remote_files(ada, pattern):
        _flip(file)
    pulled = ben.pull()
    assert pulled.versions == []
    assert ben.project.data.names() == []
    for error in pulled.failed:
        assert isinstance(error, RemoteCorrupt)
        assert "data:t@" in error.message
        assert pattern.partition("/")[0] in f"{error.message} {error.fields}"


def test_a_damaged_record_does_not_keep_others_away(ada: Site, ben: Site) -> None:
    """It is told by its name."""
    (first, _) = remote_files(ada, "versions/t/*")
    _flip(first)
    pulled = ben.pull()
    assert pulled.versions == ["data:t@2"]
    assert [error.code for error in pulled.failed] == ["bad-record"]
    assert first.name in pulled.failed[0].message


def test_what_one_remote_holds_wrong_comes_from_another(ada: Site, ben: Site, tmp_path: Path) -> None:
    """Chunk by chunk."""
    good = Remote("good", str(tmp_path / "good"), tmp_path / "cache", make=True)
    ada.project.data.transfer.push(good, [], lambda *_: None)
    for file in [*remote_files(ada, "packs/*/*"), *remote_files(ada, "manifests/*/*")]:
        _flip(file)
    pulled = ben.pull(remotes=[ben.remote(), ben.remote(str(tmp_path / "good"), "good")])
    assert (pulled.failed, len(pulled.versions)) == ([], 2)
    assert ben.text("t@2") == rows(3000) + "1,2\n"


def test_a_remote_that_is_away_does_not_matter_when_another_answers(ada: Site, ben: Site, tmp_path: Path) -> None:
    """It is told, and makes the pull incomplete; alone it is an error."""
    empty = ben.remote(str(tmp_path / "empty"), "empty")
    pulled = ben.pull(remotes=[empty, ben.remote()])
    assert (len(pulled.versions), [one.code for one in pulled.failed]) == (2, ["no-remote"])
    with pytest.raises(NoRemote, match="undrift data push"):
        ben.pull(remotes=[empty])


def _plant(site: Site, files: list[dict[str, object]]) -> None:
    """Put a version with a manifest of a hostile hand at the remote, with all digests right."""
    data = canonical.dumps({"format": "undrift.data-manifest/1", "files": cast("list[object]", files)})  # type: ignore[arg-type]
    digest = blake3_bytes(data)
    bucket = Bucket(site.address, make=True)
    bucket.write(f"manifests/{digest[3:5]}/{digest[3:]}", data)
    sample = site.project.data.get("t@1")
    record = Record("evil", 1, digest, None, sample.created_at, None, None, None, None)
    site.remote().write_record(record)


def _file(path: str, chunk: tuple[str, int] | None = None, size: int | None = None) -> dict[str, object]:
    digest, length = chunk or (blake3_bytes(b"x"), 1)
    return {"path": path, "bytes": length if size is None else size, "digest": digest, "chunks": [[digest, length]]}


@pytest.mark.parametrize(
    "paths",
    [
        ["../pwned"],
        ["a/../../pwned"],
        ["/tmp/pwned"],
        ["C:/pwned"],
        ["C:pwned"],
        ["a\\..\\pwned"],
        ["a\x00b"],
        [".git/hooks/pre-commit"],
        ["a/.GIT/config"],
        [".undrift/ledger.db"],
        ["a", "a"],
        ["readme", "README"],
        ["a", "a/b"],
        ["CON"],
        [""],
    ],
)
def test_a_hostile_manifest_is_refused_before_anything_is_written(ada: Site, ben: Site, paths: list[str]) -> None:
    """Whatever its digests say."""
    _plant(ada, [_file(path) for path in paths])
    before = sorted(path for path in (ben.project.store / "blobs").rglob("*") if path.is_file())
    pulled = ben.pull("evil")
    assert [type(error) for error in pulled.failed] == [RemoteCorrupt]
    assert "data:evil@1" in pulled.failed[0].message
    assert sorted(path for path in (ben.project.store / "blobs").rglob("*") if path.is_file()) == before
    assert ben.project.data.names() == []


def test_a_chunk_that_lies_about_its_size_is_refused(ada: Site, ben: Site) -> None:
    """Against the table of contents, before it is fetched."""
    chunk = ada.project.data.manifest("t@1").parts[0].contents.chunks[0]
    _plant(ada, [_file("x.csv", (chunk.digest, chunk.size_bytes + 1))])
    (error,) = ben.pull("evil").failed
    assert "not as long as is said" in error.message
    assert ben.project.data.names() == []


def test_right_chunks_of_another_file_are_refused(ada: Site, ben: Site) -> None:
    """Each is what its digest says; together they are not the file."""
    chunk = ada.project.data.manifest("t@1").parts[0].contents.chunks[0]
    _plant(ada, [{**_file("x.csv", (chunk.digest, chunk.size_bytes)), "digest": blake3_bytes(b"another")}])
    (error,) = ben.pull("evil").failed
    assert isinstance(error, RemoteCorrupt)
    assert "x.csv" in error.message
    assert ben.project.data.names() == []
