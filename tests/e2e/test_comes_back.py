"""A served endpoint is watched, ends with its supervisor, and comes back after a reboot as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

import undrift
from undrift.loop import hosting
from undrift.project import Project

from .doors import Shell, ask, known_table
from .served import gone, kill, until

X = pl.DataFrame({"fee": np.linspace(0, 10, 80)})
ROW = {"row": {"fee": 3.0}, "key": "customer-17"}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give a folder with one version that is deployed and not served."""
    with undrift.run("churn", project=tmp_path) as run:
        model = LogisticRegression().fit(X, (X["fee"] > 4).to_list())
        run.log_model(model, name="churn", example=X)
    made = Shell(tmp_path)
    assert made.undrift("deploy", "churn@1", "--force", "--reason", "the first one").code == 0
    yield made
    made.close()


def _file(shell: Shell) -> Path:
    return shell.folder / ".undrift" / "run" / "endpoints" / "churn.supervisor.json"


def _endpoints(shell: Shell) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shell.undrift("status", "--json").json["endpoints"]
    return found


def _start(shell: Shell, *words: str) -> dict[str, Any]:
    with Project.open(shell.folder) as project:
        hosting.start(project, "churn", *words)
    said: dict[str, Any] = json.loads(_file(shell).read_text())
    return said


def test_after_a_reboot_the_same_endpoint_comes_back(shell: Shell) -> None:
    """All processes are dead, their ids belong to strangers, their files lie about: same port, same version."""
    before = _start(shell)
    answer = ask(before["url"], ROW)[0]
    for pid in (before["pid"], *before["workers"]):
        kill(pid)
    until(lambda: gone([before["pid"], *before["workers"]]))
    stranger = os.getpid()  # alive, ours, and no worker
    left = {**before, "pid": stranger, "workers": [stranger]}
    _file(shell).write_text(json.dumps(left))
    ack = next(_file(shell).parent.glob("churn.worker-*.json"))
    told = json.loads(ack.read_text())
    ack.with_name(f"churn.worker-{stranger}.json").write_text(json.dumps({**told, "pid": stranger, "generation": 0}))
    assert shell.undrift("status", "--json").json["endpoints"][0]["health"] == "down"
    after = _start(shell)
    assert after["url"] == before["url"]
    again = ask(after["url"], ROW)[0]
    assert (again["probability"], again["model_version"]) == (answer["probability"], "model:churn@1")


def test_an_endpoint_is_watched_and_nobody_watches_after_its_supervisor(shell: Shell) -> None:
    """Passes are made beside it; with the supervisor killed they end, and the status says so."""
    said = _start(shell, "--watch-every", "0.2")
    until(lambda: shell.undrift("status", "--json").json["watch"]["last_pass"])
    assert shell.undrift("status", "--json").json["watch"]["by"] == "serve"
    kill(said["pid"])
    until(lambda: gone([said["pid"], *said["workers"]]))
    assert "nobody watches" in shell.undrift("status").out


@pytest.mark.parametrize("end", ["ctrl-c", "killed", "down"])
def test_all_that_is_wanted_is_served_in_the_foreground(shell: Shell, end: str) -> None:
    """Ctrl-C stops it all cleanly and leaves it wanted; what ends by itself is a fault; what is taken down is not."""
    second = shell.undrift("deploy", "churn@1", "--endpoint", "other", "--force", "--reason", "a second one")
    assert second.code == 0, second.err
    command = [sys.executable, "-m", "undrift", "serve"]
    with subprocess.Popen(command, cwd=shell.folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("endpoint:other is healthy"):  # it follows both from then on
            assert process.poll() is None
        if end == "ctrl-c":
            process.send_signal(signal.SIGINT)
        elif end == "killed":
            kill(json.loads(_file(shell).read_text())["pid"])
        else:
            assert len(shell.undrift("down", "--json").json["endpoints"]) == 2
        said = process.communicate(timeout=60)[1]
    assert process.returncode == (1 if end == "killed" else 0), said
    assert [one["health"] for one in _endpoints(shell)] == ["down", "down"], said
    with Project.open(shell.folder) as project:
        assert hosting.wanted_up(project) == ([] if end == "down" else ["churn", "other"])


def test_a_training_that_is_interrupted_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Ctrl-C: exit code 130, nobody goes on with it unasked, and resumed it does only what is missing."""
    shell = Shell(tmp_path)
    known_table("wine", tmp_path)
    (tmp_path / "undrift.toml").write_text('[models.wine]\ndataset = "wine"\ntarget = "target"\n')
    for words in (["init"], ["data", "add", "wine.csv", "--name", "wine"]):
        assert shell.undrift(*words).code == 0
    command = [sys.executable, "-m", "undrift", "train", "wine"]
    with Project.open(tmp_path) as project:
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
            until(lambda: len(project.ledger.events(kinds=["pipeline.step-finished"])) >= 3)  # it compares now
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
        assert (process.returncode, "interrupted" in said) == (130, True), said
        assert project.journal.pending() == []
        run = project.ledger.events(kinds=["pipeline.submitted"])[0].subject.partition("@")[2]
    done = shell.undrift("pipeline", "resume", run, "--json")
    assert done.code == 0, done.err
    assert done.json["version"] == "model:wine@1"
    steps = {one["step"]: one["attempt"] for one in shell.undrift("pipeline", "show", run, "--json").json["steps"]}
    assert steps["split"] == 1


def test_two_endpoints_never_share_a_port(shell: Shell) -> None:
    """The second one is refused with the first one's name, not joined to it."""
    port = int(_start(shell)["url"].rpartition(":")[2])
    second = shell.undrift("deploy", "churn@1", "--endpoint", "other", "--force", "--reason", "a second one")
    assert second.code == 0, second.err
    refused = shell.undrift("serve", "other", "--port", str(port), "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "address-taken")
    assert f"endpoint:churn of the project {shell.folder}" in refused.json["error"]["message"]
