"""Versions moved by hand while an endpoint answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

import undrift
from undrift.loop import hosting

from .doors import Shell, ask

X = pl.DataFrame({"fee": np.linspace(0, 10, 80)})
ROW = {"row": {"fee": 3.0}, "key": "customer-17"}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give a folder with two registered versions, the first of which is live and answers."""
    for limit in (4, 6):
        with undrift.run("churn", project=tmp_path) as run:
            model = LogisticRegression().fit(X, (X["fee"] > limit).to_list())
            run.log_model(model, name="churn", example=X)
    made = Shell(tmp_path)
    assert made.undrift("deploy", "churn@1", "--force", "--reason", "the first one").code == 0
    with undrift.Project.open(tmp_path) as project:
        hosting.start(project, "churn")
    yield made
    made.close()


def _answering(shell: Shell) -> str:
    url = shell.undrift("status", "--json").json["endpoints"][0]["url"]
    return str(ask(url, ROW)[0]["model_version"])


@pytest.mark.alone
def test_a_rollback_by_hand_takes_less_than_five_seconds(shell: Shell) -> None:
    """From the key being pressed until every worker answers with the version before."""
    assert shell.undrift("deploy", "churn@2", "--force", "--reason", "try", "--at-once").code == 0
    assert _answering(shell) == "model:churn@2"
    began = perf_counter()
    back = shell.undrift("rollback", "churn", "--reason", "complaints", "--json")
    took_s = perf_counter() - began
    assert (back.code, len(back.json["workers"])) == (0, 1)
    assert _answering(shell) == "model:churn@1"
    assert took_s < 5


def test_a_canary_is_promoted_and_the_status_never_forgets_the_force(shell: Shell) -> None:
    """What was forced is shown on trial, live, and by `why`, with its reason."""
    canary = shell.undrift("deploy", "churn@2", "--force", "--reason", "the desk wants it")
    assert canary.code == 0
    assert "model:churn@2 was forced past its gate: the desk wants it" in shell.undrift("status").out
    assert shell.undrift("promote", "churn", "--json").json["workers"] != []
    assert _answering(shell) == "model:churn@2"
    assert "model:churn@2 was forced past its gate: the desk wants it" in shell.undrift("status").out
    assert "went past the gate (approve): the desk wants it" in shell.undrift("why", "endpoint:churn").out
    assert shell.undrift("audit", "verify").code == 0
