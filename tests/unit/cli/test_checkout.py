"""`undrift data checkout`: the files of a version, and nothing heavy is loaded to find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.project import Project

from .running import HEAVY, invoke, run

NEWEST, FIRST = b"x\n2\n", b"x\n1\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the working folder, a project with two versions of a table."""
    Project.create(tmp_path / "project").close()
    monkeypatch.chdir(tmp_path / "project")
    Path("t.csv").write_bytes(FIRST)
    invoke("add", "t.csv", "--name", "t", "--tag", "june")
    Path("t.csv").write_bytes(NEWEST)
    invoke("add", "t.csv", "--name", "t")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("reference", "version", "content"),
    [
        ("t", 2, NEWEST),
        ("data:t", 2, NEWEST),
        ("t@1", 1, FIRST),
        ("t@v2", 2, NEWEST),
        ("t@june", 1, FIRST),
    ],
)
def test_a_version_by_number_or_tag_is_written_at_once(
    project: Path, reference: str, version: int, content: bytes
) -> None:
    """The status knows of it afterwards."""
    answer, loaded = run(project, "checkout", reference, "-o", "out.csv")
    assert answer == {"version": f"data:t@{version}", "path": "out.csv", "erased_rows": 0}
    assert (project / "out.csv").read_bytes() == content
    assert loaded & HEAVY == set()
    places = invoke("status", "out.csv")["places"]
    assert [(one["version"], one["unchanged"]) for one in places] == [(f"data:t@{version}", True)]


def test_what_only_the_ledger_can_tell_is_asked_of_it(project: Path) -> None:
    """A prefix of an id, a day, an instant: the same files."""
    shown = invoke("show", "t@1")
    digits = str(shown["version_id"]).removeprefix("b3:")[:12]
    for number, words in enumerate([(f"t@{digits}",), ("t@2999-01-01",), ("t", "--as-of", "2999-01-01T00:00Z")]):
        answer = invoke("checkout", *words, "-o", f"{number}.csv")
        assert (project / f"{number}.csv").read_bytes() == (FIRST if answer["version"] == "data:t@1" else NEWEST)


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("t@9",), 2, "dataset-not-found"),
        (("t@july",), 2, "dataset-not-found"),
        (("u",), 2, "dataset-not-found"),
        (("model:t",), 2, "bad-input"),
        (("t", "-o", "t.csv"), 2, "bad-target"),
        (("t", "-o", "nowhere/out.csv"), 2, "bad-target"),
    ],
)
def test_mistakes_are_told(project: Path, words: tuple[str, ...], code: int, error: str) -> None:
    """By the same errors, whichever way was taken."""
    given = words if "-o" in words else (*words, "-o", "out.csv")
    answer = invoke("checkout", *given, code=code)
    assert answer["error"]["code"] == error
    assert not (project / "out.csv").exists()
    assert (project / "t.csv").read_bytes() == NEWEST


def test_an_existing_file_is_replaced_when_asked(project: Path) -> None:
    """And only then."""
    (project / "t.csv").write_bytes(b"mine")
    invoke("checkout", "t@1", "-o", "t.csv", "--overwrite")
    assert (project / "t.csv").read_bytes() == FIRST


def test_damage_is_named_and_nothing_is_written(project: Path) -> None:
    """The dataset, the file, the chunk."""
    for pack in (project / ".undrift/blobs/packs").glob("*/*.pack"):
        pack.chmod(0o600)
        data = bytearray(pack.read_bytes())
        data[2] ^= 1
        pack.write_bytes(data)
    answer = invoke("checkout", "t", "-o", "out.csv", code=1)
    assert answer["error"]["code"] == "blob-corrupt"
    assert str(answer["error"]["message"]).startswith("data:t@2: t.csv: ")
    assert not (project / "out.csv").exists()


def test_missing_bytes_are_told_by_the_ledger(project: Path) -> None:
    """It knows where else they may be."""
    for pack in (project / ".undrift/blobs/packs").glob("*/*.pack"):
        pack.unlink()
    answer = invoke("checkout", "t", "-o", "out.csv", code=2)
    assert answer["error"]["code"] == "blob-missing"


def test_without_a_project_the_cure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of every command."""
    monkeypatch.chdir(tmp_path)
    answer = invoke("checkout", "t", "-o", "out.csv", code=2)
    assert answer["error"]["code"] == "no-project"


@pytest.fixture
def folders(project: Path) -> Path:
    """Give a project with two versions of a folder, of which the first was checked out."""
    for number in range(2):
        (project / "days").mkdir(exist_ok=True)
        (project / f"days/{number}.csv").write_text(f"x\n{number}\n")
        invoke("add", "days", "--name", "days")
    invoke("checkout", "days@1", "-o", "work/")
    return project


def test_a_slash_says_that_one_file_too_comes_in_a_folder(folders: Path) -> None:
    """Scripts need not know how many files a version has."""
    assert [path.name for path in (folders / "work").iterdir()] == ["0.csv"]
    invoke("checkout", "days@1", "-o", "plain")
    assert (folders / "plain").read_text() == "x\n0\n"


def test_a_folder_in_which_nothing_changed_is_replaced_when_asked(folders: Path) -> None:
    """And nothing is left beside it."""
    assert invoke("checkout", "days@2", "-o", "work", code=2)["error"]["code"] == "bad-target"
    invoke("checkout", "days@2", "-o", "work", "--overwrite")
    assert sorted(path.name for path in (folders / "work").iterdir()) == ["0.csv", "1.csv"]
    assert not list(folders.glob(".work*"))


@pytest.mark.parametrize("change", ["edit", "new"])
def test_a_folder_with_changes_that_no_version_has_is_kept(folders: Path, change: str) -> None:
    """Whatever was changed in it, with the flag too."""
    file = folders / "work" / ("new.csv" if change == "new" else "0.csv")
    file.write_text("mine")
    answer = invoke("checkout", "days@2", "-o", "work", "--overwrite", code=2)
    assert file.name in answer["error"]["message"]
    assert file.read_text() == "mine"
    assert not (folders / "work/1.csv").exists()


def test_files_that_were_deleted_come_back(folders: Path) -> None:
    """Nothing is lost by that."""
    invoke("checkout", "days@2", "-o", "both")
    (folders / "both/0.csv").unlink()
    invoke("checkout", "days@2", "-o", "both", "--overwrite")
    assert sorted(path.name for path in (folders / "both").iterdir()) == ["0.csv", "1.csv"]


def test_a_folder_that_undrift_does_not_know_is_kept(folders: Path) -> None:
    """It was neither added nor checked out."""
    (folders / "mine").mkdir()
    (folders / "mine/thesis.txt").write_text("years of work")
    invoke("checkout", "days@2", "-o", "mine", "--overwrite", code=2)
    assert (folders / "mine/thesis.txt").read_text() == "years of work"
