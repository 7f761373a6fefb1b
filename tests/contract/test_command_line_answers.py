"""What commands answer: exit codes, JSON, references, faults of our own."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import undrift.loop.status
from undrift.cli.main import cli

from .test_command_line import LEAVES

SETTINGS = '[project]\nname = "noise"\n\n[models.noise]\ndataset = "noise"\ntarget = "y"\ncandidates = ["linear"]\n'
TABLE = "noise.csv"
ARGUMENTS = {
    "init": [], "status": [], "history": ["model:noise"], "tick": [], "worker": ["--every", "0"], "demo": ["--no-such"],
    "up": [TABLE, "--target", "nothing"], "down": ["noise"], "train": ["nothing"],
    "approve": ["noise@1", "--reason", "a test"], "policy": ["auto", "--reason", "a test"],
    "retire": ["noise@1", "--reason", "a test"],
    "deploy": ["noise@1"], "promote": ["noise"], "rollback": ["noise"],
    "serve": ["noise"], "logs": ["noise"], "why": ["noise@1"],
    "data add": [TABLE, "--name", "noise"], "data check": ["noise"], "data profile": ["noise"], "data suite": ["noise"],
    "data status": [], "data diff": ["noise@1", "noise@1"], "data fsck": [], "data gc": ["--dry-run"],
    "data branch": ["noise@1", "beside"], "data branches": [], "data merge": ["beside", "noise"],
    "data anomalies": ["noise"], "data metric": ["noise", "complaints", "12"],
    "data list": [], "data log": ["noise"], "data show": ["noise@1"], "data tag": ["noise@1", "first"],
    "data checkout": ["noise@1", "-o", "out"], "run list": [], "run show": ["00000000"], "model list": ["noise"],
    "model show": ["noise@1"], "model report": ["noise@1"], "model verify": ["noise@1"],
    "data push": ["noise"], "data pull": [], "data remote add": ["team", "elsewhere"], "data remote list": [],
    "data remote remove": ["team"], "data watch": ["noise", "--off"],
    "data erase": ["noise", "--on", "a", "--value", "0.5", "--plan"],
    "endpoint list": [], "endpoint show": ["noise"],
    "incident list": ["--open"], "incident show": ["00"], "label add": [TABLE, "--on", "a"], "label learn": [],
    "pipeline list": [], "pipeline show": ["00"], "pipeline resume": ["00"],
    "pipeline cancel": ["00", "--reason", "a test"], "audit verify": [],
}  # fmt: skip


def _typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "undrift", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def _invoked(folder: Path, *words: str, **environment: str) -> Result:
    """Run a command in this process: the imports are paid for once."""
    return CliRunner().invoke(cli, [*words, "-C", str(folder)], env=environment)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Give a project with one trained version that its gate cannot judge, and the exit code of the training."""
    folder = tmp_path_factory.mktemp("noise")
    random.seed(2)  # the gate at 5 % lets one table of noise in twenty pass
    lines = [f"{random.random()},{random.choice(['yes', 'no'])}" for _ in range(200)]
    (folder / TABLE).write_text("a,y\n" + "\n".join(lines) + "\n")
    (folder / "undrift.toml").write_text(SETTINGS)
    for words in (["init"], ["data", "add", TABLE, "--name", "noise"], ["data", "check", "noise", "--freeze"]):
        assert _typed(folder, *words).returncode == 0
    return folder, _typed(folder, "train", "noise").returncode


@pytest.fixture
def project(trained: tuple[Path, int], tmp_path: Path) -> Path:
    """Give a copy of it that a test may change."""
    return shutil.copytree(trained[0], tmp_path / "project")


def test_0_is_success(project: Path) -> None:
    """The answer stands on standard output."""
    answer = _typed(project, "status")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_1_is_a_fault(project: Path) -> None:
    """A byte of a package was changed."""
    file = next((project / ".undrift" / "packages").glob("*/golden.json"))
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"0", b"1", 1))
    answer = _typed(project, "model", "verify", "noise@1")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "golden.json" in answer.stderr


@pytest.mark.parametrize("words", [["model", "show", "nothing@1"], ["deploy"], ["history", "-n", "none"], ["data"]])
def test_2_is_for_the_caller_to_mend(project: Path, words: list[str]) -> None:
    """A name that is not there, words that are missing or wrong."""
    answer = _typed(project, *words)
    assert (answer.returncode, answer.stdout) == (2, "")


def test_3_is_a_gate_that_said_no(project: Path) -> None:
    """Nobody approves what did not pass without saying so."""
    answer = _typed(project, "approve", "noise@1", "--reason", "I like it")
    assert answer.returncode == 3
    assert "--force --reason" in answer.stderr


def test_4_is_a_decision_that_waits(project: Path) -> None:
    """A proposed version waits for somebody to approve it."""
    answer = _typed(project, "deploy", "noise@1")
    assert answer.returncode == 4
    assert "undrift approve model:noise@1" in answer.stderr


def test_5_is_not_enough_evidence(trained: tuple[Path, int]) -> None:
    """The training ended well; its gate cannot tell."""
    assert trained[1] == 5


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_json_is_one_document_whatever_happens(project: Path, path: tuple[str, ...]) -> None:
    """Nothing else is on standard output, also when the command fails."""
    words = [str(project / word) if word in (TABLE, "out") else word for word in ARGUMENTS[" ".join(path)]]
    if path in (("worker",), ("demo",)):  # they would wait or play: told something impossible, click answers
        answer = _typed(project, *path, *words, "--json")
        code, out = answer.returncode, answer.stdout
    else:
        result = _invoked(project, *path, *words, "--json")
        code, out = result.exit_code, result.stdout
    document = json.loads(out)
    assert 0 <= code <= 5
    assert code == 0 or "error" not in document or {"code", "message", "cure"} <= set(document["error"])


def test_an_ambiguous_name_lists_what_it_can_mean(project: Path) -> None:
    """Dataset and model bear the name: both references are told, nothing is guessed."""
    answer = _typed(project, "history", "noise", "--json")
    error = json.loads(answer.stdout)["error"]
    assert (answer.returncode, error["code"]) == (2, "ambiguous-name")
    assert error["candidates"] == ["data:noise", "model:noise"]


def test_an_unexpected_error_is_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback unasked; exit code 1 and the way to see it."""
    monkeypatch.setattr(undrift.loop.status, "status", _burst)
    result = _invoked(project, "status")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "error: internal fault: RuntimeError: the pipe burst"
    assert "Traceback" not in result.stderr
    assert "UNDRIFT_TRACEBACK=1" in result.stderr
    assert "Traceback" in _invoked(project, "status", UNDRIFT_TRACEBACK="1").stderr


def test_an_unexpected_error_is_json_where_json_was_asked_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its traceback: whoever reads a document is a program."""
    monkeypatch.setattr(undrift.loop.status, "status", _burst)
    error = json.loads(_invoked(project, "status", "--json").stdout)["error"]
    assert (error["code"], error["exception"]) == ("internal-fault", "RuntimeError")
    assert "_burst" in "".join(error["traceback"])


def test_a_reader_that_has_seen_enough_is_no_error(project: Path) -> None:
    """`undrift history | head -1` ends quietly."""
    line = f"{sys.executable} -m undrift history -n 1000 | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=project, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pipe_gets_whole_lines_without_colour(project: Path) -> None:
    """Columns are cut at the edge of a terminal only."""
    answer = _typed(project, "history", "-n", "1000")
    assert "…" not in answer.stdout
    assert "\x1b" not in answer.stdout


def _burst(*_: object) -> None:
    raise RuntimeError("the pipe burst")
