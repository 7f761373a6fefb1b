"""Models are judged on rows held out, with intervals, and show how they did in a cell of HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import undrift
from undrift.loop.notebook.evaluated import BadTest

ROWS = 260
HOSTILE = "<script>alert(1)</script>"
RNG = np.random.default_rng(5)
X = pd.DataFrame({"fee": RNG.normal(size=ROWS), "plan": pd.Categorical(RNG.choice(["basic", HOSTILE], ROWS))})
Y = np.where(X["fee"] + RNG.normal(size=ROWS) > 0.3, "leaves", "stays")
FIT, HELD = slice(0, 130), slice(130, ROWS)
BOOSTER = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(X[FIT], Y[FIT])


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, undrift.LoggedModel, undrift.NotebookRun]:
    """Give a project with a model that was logged with rows held out; read only."""
    folder = tmp_path_factory.mktemp("project")
    with undrift.run("churn", project=folder) as run:
        version = run.log_model(
            BOOSTER, name="churn", example=X[FIT], test=(X[HELD], Y[HELD]), positive="leaves", threshold=0.4
        )
    return folder, version, run


class _Strict(HTMLParser):
    """Fails when an element is closed that is not the one open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("br", "hr", "meta", "link", "col"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _checked(html: str) -> set[str]:
    """Return the elements of a cell, which is whole and names nothing from elsewhere."""
    parser = _Strict()
    parser.feed(html)
    assert not parser.open
    assert not re.search(r"https?://|url\(|@import", html)
    return parser.seen


def test_a_run_keeps_the_metrics_of_rows_held_out_with_their_intervals(
    logged: tuple[Path, undrift.LoggedModel, undrift.NotebookRun],
) -> None:
    """Of the positive class that was named, as scikit-learn computes them."""
    folder, version, run = logged
    with undrift.Project.open(folder) as project:
        auc = project.runs.get(run.ref.removeprefix("run:")).facts.metrics["auc"]
    wanted = roc_auc_score(Y[HELD] == "leaves", BOOSTER.predict_proba(X[HELD])[:, 0])
    assert auc.value == pytest.approx(wanted, abs=1e-12)
    assert auc.low is not None
    assert auc.low < auc.value
    assert version.evaluated is not None
    assert version.evaluated.metrics["auc"].units == 130


def test_a_cell_shows_a_logged_model_a_loaded_one_and_a_run(
    logged: tuple[Path, undrift.LoggedModel, undrift.NotebookRun],
) -> None:
    """Whole, without scripts, and with everything of the table escaped."""
    folder, version, run = logged
    loaded = undrift.load(version.ref, project=folder)
    for shown in (version, loaded, run, version.evaluated):
        html = shown._repr_html_()  # type: ignore[union-attr]  # evaluated: a test was given
        assert _checked(html) & {"table", "svg"}
        assert "<script" not in html
    assert "leaves" in version._repr_html_()
    assert "&lt;script&gt;" in version._repr_html_()


def test_a_card_shows_what_was_measured_on_rows_held_out(
    logged: tuple[Path, undrift.LoggedModel, undrift.NotebookRun],
) -> None:
    """With the interval."""
    folder, version, _ = logged
    card = undrift.load(version.ref, project=folder).package.read("MODEL_CARD.md").decode()
    assert re.search(r"\| auc \| 0\.\d+ \| 0\.\d+ to \d", card)


def test_numbers_and_several_classes_are_judged_too(tmp_path: Path) -> None:
    """Each by the metrics of its task."""
    table = pd.DataFrame({"fee": X["fee"], "calls": np.arange(ROWS) % 5})
    numbers = RandomForestRegressor(n_estimators=5, n_jobs=1).fit(table[["calls"]][FIT], table["fee"][FIT])
    classes = LogisticRegression().fit(table[["fee"]][FIT], table["calls"][FIT])
    with undrift.run("fee", project=tmp_path) as run:
        first = run.evaluate(numbers, table[["calls"]][HELD], table["fee"][HELD])
        second = run.evaluate(classes, table[["fee"]][HELD], table["calls"][HELD])
    assert set(first.metrics) == {"mae", "rmse", "r2"}
    assert "multiclass_log_loss" in second.metrics
    assert _checked(first._repr_html_())
    assert _checked(second._repr_html_())


def test_intervals_are_over_the_groups_that_are_given(tmp_path: Path) -> None:
    """Rows of one customer are one unit."""
    with undrift.run("churn", project=tmp_path) as run:
        found = run.evaluate(BOOSTER, X[HELD], Y[HELD], groups=np.arange(130) // 5)
    assert (found.metrics["auc"].units, found.metrics["auc"].unit) == (26, "group")


@pytest.mark.parametrize(
    ("labels", "problem"),
    [(Y[:5], "130 rows and 5 labels"), (np.full(130, "gone"), "row 0 is not a class"), (np.full(130, None), "row 0")],
)
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, labels: object, problem: str) -> None:
    """With the row, and without the cell."""
    with pytest.raises(BadTest, match=problem), undrift.run("churn", project=tmp_path) as run:
        run.evaluate(BOOSTER, X[HELD], labels)
