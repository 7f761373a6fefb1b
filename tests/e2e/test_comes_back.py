"""A served endpoint is watched, ends with its supervisor, and comes back after a reboot as it was."""

from __future__ import annotations

import json
import os
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

from .doors import Shell, ask
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
    passes = shell.folder / ".undrift" / "run" / "pass.json"
    old = json.loads(passes.read_text())
    passes.write_text(json.dumps({**old, "ended_us": 1}))
    assert "nobody watches" in shell.undrift("status").out


def test_two_endpoints_never_share_a_port(shell: Shell) -> None:
    """The second one is refused with the first one's name, not joined to it."""
    port = int(_start(shell)["url"].rpartition(":")[2])
    second = shell.undrift("deploy", "churn@1", "--endpoint", "other", "--force", "--reason", "a second one")
    assert second.code == 0, second.err
    refused = shell.undrift("serve", "other", "--port", str(port), "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "address-taken")
    assert f"endpoint:churn of the project {shell.folder}" in refused.json["error"]["message"]
