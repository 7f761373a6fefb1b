"""Damage at a remote is found by a push that verifies, and healed with what the project holds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from undrift.blobs.buckets import Bucket
from undrift.blobs.remote_packs import RemoteCorrupt
from undrift.data.remotes.push import Pushed
from undrift.data.stored import as_ref

from .conftest import Site, remote_files, rows


def verified(site: Site, *refs: str) -> Pushed:
    """Push and verify."""
    chosen = [as_ref(one) for one in refs]
    return site.project.data.transfer.push(site.remote(), chosen, lambda *_: None, is_verify=True)


def flip(file: Path, at: int = 100) -> None:
    data = bytearray(file.read_bytes())
    data[at % len(data)] ^= 1
    file.write_bytes(data)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def written(site: Site) -> dict[Path, int]:
    """Return when each object was written."""
    return {path: path.stat().st_mtime_ns for path in remote_files(site, "**/*") if path.is_file()}


def comes(ada: Site, ben: Site) -> bool:
    """Say whether both versions come, byte by byte."""
    pulled = ben.pull()
    return not pulled.failed and [ben.text(f"t@{n}") for n in (1, 2)] == [ada.text(f"t@{n}") for n in (1, 2)]


def test_a_sound_remote_is_read_and_left_alone(ada: Site) -> None:
    """What was read is counted."""
    before = written(ada)
    done = verified(ada)
    assert (done.healed, done.packs, done.known) == ([], 0, 2)
    assert done.compared_bytes == sum(toc.data_bytes for toc in ada.remote().packs.tocs().values())
    assert written(ada) == before


@pytest.mark.parametrize("spoil", [flip, truncate, Path.unlink])
@pytest.mark.parametrize("pattern", ["packs/*/*", "tocs/*/*", "manifests/*/*", "versions/*/*"])
def test_what_is_damaged_there_is_right_afterwards(ada: Site, ben: Site, pattern: str, spoil: object) -> None:
    """A push alone believes what it read before; one that verifies reads everything again."""
    for file in remote_files(ada, pattern):
        spoil(file)  # type: ignore[operator]  # one of three functions
    verified(ada)
    assert comes(ada, ben)
    assert verified(ada).healed == []


def test_the_finding_the_cure_and_the_next_pull(ada: Site, ben: Site) -> None:
    """The pull names the command that heals, and it does."""
    flip(remote_files(ada, "packs/*/*")[0])
    (error, *_) = ben.pull("t@1").failed
    assert isinstance(error, RemoteCorrupt)
    assert error.cure.startswith("undrift data push t@1 --verify --remote team, in a project that holds")
    assert verified(ada, "t@1").healed == [str(error.fields["object"]).removeprefix("team: ")]
    assert comes(ada, ben)


def test_a_storage_is_healed_as_a_folder_is(pair: tuple[Site, Site]) -> None:
    """A pack there is shorter, one of its bytes another."""
    ada, ben = pair
    ada.add(rows(3000))
    ada.add(rows(3000) + "1,2\n")
    ada.push()
    bucket = Bucket(ada.address)
    for one in [*bucket.list("packs")]:
        data = bytearray(bucket.read(one.path)[:-2000])
        data[7] ^= 1
        bucket.write(one.path, bytes(data))
    assert len(ben.pull().failed) == 2
    assert len(verified(ada).healed) == 1
    assert comes(ada, ben)


def test_only_the_damaged_chunk_is_sent_and_goes_from_its_pack(site: object, tmp_path: Path) -> None:
    """The other chunks of the pack stay, also those that this project does not hold."""
    ada, ben, cleo = (site(name) for name in ("ada", "ben", "cleo"))  # type: ignore[operator]
    for number in range(3):
        ada.add(rows(20_000, seed=number), f"d{number}")
    ada.push()
    ben.pull("d1")
    (pack,) = remote_files(ada, "packs/*/*")
    chunk = ben.project.data.manifest("d1").parts[0].contents.chunks[0]
    flip(pack, ada.remote().packs.places()[chunk.digest].offset)
    done = verified(ben)
    assert (done.chunks, done.healed) == (1, [f"packs/{pack.parent.name}/{pack.name}"])
    assert cleo.pull().failed == []
    assert [cleo.text(f"d{n}") for n in range(3)] == [rows(20_000, seed=n) for n in range(3)]
    assert not pack.exists()


def test_what_was_damaged_on_its_way_is_not_called_damaged(ada: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read once more."""
    honest, asked = Bucket.read_ranges, []

    def once_wrong(self: Bucket, path: str, starts: list[int], lengths: list[int]) -> list[bytes]:
        found = honest(self, path, starts, lengths)
        asked.append(path)
        return [bytes(len(one)) for one in found] if len(asked) == 1 else found

    monkeypatch.setattr(Bucket, "read_ranges", once_wrong)
    assert verified(ada).healed == []


@pytest.mark.parametrize("moment", range(6))
def test_whoever_is_killed_while_healing_leaves_it_no_worse(
    ada: Site, ben: Site, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """After any change at the remote: what could be pulled can be, and the next push that verifies heals."""
    ada.add(rows(20_000, seed=7), "other")
    ada.push()
    chunk = ada.project.data.manifest("t@1").parts[0].contents.chunks[0]
    place = ada.remote().packs.places()[chunk.digest]
    (pack,) = [one for one in remote_files(ada, "packs/*/*") if one.stem == place.pack]
    flip(pack, place.offset)
    changes: list[str] = []
    for name in ("write", "delete"):
        honest = getattr(Bucket, name)

        def counted(self: Bucket, *words: object, _honest: object = honest) -> object:
            if len(changes) == moment:
                raise KeyboardInterrupt
            changes.append(str(words[0]))
            return _honest(self, *words)  # type: ignore[operator]

        monkeypatch.setattr(Bucket, name, counted)
    with suppress(KeyboardInterrupt):
        verified(ada)
    monkeypatch.undo()
    assert ben.pull("other").failed == []
    verified(ada)
    assert comes(ada, ben)
