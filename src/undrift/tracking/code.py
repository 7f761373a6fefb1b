"""The code of a run: commit, changes that are not in it, and files that git does not know."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from undrift.blobs.store import BlobStore
from undrift.core.json import JSON

MOST_UNTRACKED = 200
MOST_DIFF_BYTES = 32 * 1024 * 1024
_TIMEOUT_S = 20
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


@dataclass(frozen=True, slots=True)
class CodeState:
    """What code a run was made with.

    Attributes
    ----------
    commit : str
        Hash of the commit that is checked out; empty when there is none.
    diff : str
        Digest of the stored changes since that commit; empty when there are none.
    untracked : tuple of str
        Files below the project that git does not know and does not ignore, at most 200.
    problem : str
        Why less is known than could be: no git, no repository, no commit, a diff too large.
    """

    commit: str = ""
    diff: str = ""
    untracked: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether the commit alone is the code."""
        return bool(self.commit) and not (self.diff or self.untracked or self.problem)

    @property
    def ref(self) -> str:
        """The commit, with ``+`` when there was more than it; empty when nothing is known."""
        return self.commit if self.is_clean or not self.commit else f"{self.commit}+"

    def as_json(self) -> dict[str, JSON]:
        """Return the state as it is stored."""
        return {**asdict(self), "untracked": list(self.untracked)}


def capture_code(root: Path, blobs: BlobStore) -> CodeState:
    """Return the state of the code below a folder; a run never fails because git does.

    Parameters
    ----------
    root : Path
        The project's folder.
    blobs : BlobStore
        Where the changes are kept.
    """
    git = shutil.which("git")
    if git is None:
        return CodeState(problem="git is not installed, so the code of this run is not known")
    try:
        return _captured(git, root, blobs)
    except subprocess.TimeoutExpired:
        return CodeState(problem=f"git did not answer within {_TIMEOUT_S} s")


def _captured(git: str, root: Path, blobs: BlobStore) -> CodeState:
    if _git(git, root, "rev-parse", "--is-inside-work-tree") is None:
        return CodeState(problem="the project is not in a git repository, so the code of this run is not known")
    commit = (_git(git, root, "rev-parse", "--verify", "HEAD") or b"").decode().strip()
    untracked = (_git(git, root, "ls-files", "--others", "--exclude-standard", "-z", ".") or b"").split(b"\0")
    names = tuple(os.fsdecode(name) for name in untracked if name)[:MOST_UNTRACKED]
    if not commit:
        return CodeState(untracked=names, problem="the repository has no commit yet")
    diff = _git(git, root, "diff", "--binary", "--no-ext-diff", "--no-textconv", "HEAD", "--", ".") or b""
    if len(diff) > MOST_DIFF_BYTES:
        return CodeState(commit, "", names, f"the changes since the commit are {len(diff)} bytes: not kept")
    return CodeState(commit, blobs.put_bytes(diff) if diff else "", names)


def _git(git: str, root: Path, *arguments: str) -> bytes | None:
    """Return what git prints, None when it refuses."""
    # No shell; the program was looked up, and the arguments are ours.
    done = subprocess.run(  # noqa: S603
        [git, "-C", str(root), *arguments],
        capture_output=True,
        check=False,
        timeout=_TIMEOUT_S,
        env={**os.environ, **_QUIET},
    )
    return done.stdout if done.returncode == 0 else None
