from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from undrift.blobs.store import BlobStore
from undrift.tracking.code import capture_code


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def blobs(tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    return BlobStore(tmp_path_factory.mktemp("store"))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "train.py").write_text("a = 1\n")
    git(tmp_path, "add", "train.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_clean_tree_is_its_commit(work: Path, blobs: BlobStore) -> None:
    """The commit says everything."""
    found = capture_code(work, blobs)
    assert found.is_clean
    assert found.ref == git(work, "rev-parse", "HEAD")


def test_changes_are_kept_as_a_diff_that_applies(work: Path, blobs: BlobStore) -> None:
    """Commit and diff together give the code back."""
    (work / "train.py").write_text("a = 2\n")
    found = capture_code(work, blobs)
    assert found.ref.endswith("+")
    git(work, "checkout", "-q", "train.py")
    (work.parent / "kept.diff").write_bytes(blobs.read_bytes(found.diff))
    git(work, "apply", str(work.parent / "kept.diff"))
    assert (work / "train.py").read_text() == "a = 2\n"


def test_files_that_git_does_not_know_are_listed(work: Path, blobs: BlobStore) -> None:
    """An untracked module may be what the run imported."""
    (work / "new.py").write_text("b = 1\n")
    assert capture_code(work, blobs).untracked == ("new.py",)


def test_without_a_repository_the_run_goes_on_and_says_so(tmp_path: Path, blobs: BlobStore) -> None:
    """No git is no error; what is not known is said."""
    found = capture_code(tmp_path, blobs)
    assert not found.commit
    assert "not in a git repository" in found.problem


def test_without_git_the_run_goes_on_and_says_so(work: Path, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git can train."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert "git is not installed" in capture_code(work, blobs).problem
