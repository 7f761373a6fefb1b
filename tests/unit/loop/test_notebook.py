"""The doors for notebooks and scripts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import undrift
from undrift.core.errors import BadInput
from undrift.data.tabular.frames import NoNames
from undrift.data.workspace import SourceNotFound
from undrift.models.package import PackageCorrupt
from undrift.models.signature import BadRow
from undrift.models.version import UnknownVersion
from undrift.tracking.points import BadMetric

X = pl.DataFrame({"fee": np.linspace(0, 10, 80), "calls": np.arange(80) % 7})
Y = ["yes" if fee > 5 else "no" for fee in X["fee"]]
CLASSIFIER = LogisticRegression(C=0.5).fit(X, Y)


def _registered(folder: Path, model: object = CLASSIFIER, example: object = X) -> str:
    with undrift.run("churn", params={"C": 0.5}, project=folder) as run:
        return run.log_model(model, name="churn", example=example).ref


def test_two_lines_make_a_project_a_run_and_a_version(tmp_path: Path) -> None:
    """Nothing has to be set up before; parameters and metrics are kept with the run."""
    with undrift.run("churn", params={"C": 0.5}, project=tmp_path) as run:
        run.log(auc=0.81)
        version = run.log_model(CLASSIFIER, name="churn", example=X)
    with undrift.Project.open(tmp_path) as project:
        record = project.runs.get(run.ref)
        assert (record.run.status, record.facts.declared["C"], record.facts.metrics["auc"].value) == (
            "finished",
            0.5,
            0.81,
        )
        assert project.registry.get(version.ref).run == run.ref


def test_a_version_of_a_notebook_is_only_proposed(tmp_path: Path) -> None:
    """It has no gate report: it goes live by force or not at all."""
    ref = _registered(tmp_path)
    with undrift.Project.open(tmp_path) as project:
        found = project.registry.get(ref)
    assert (found.state, found.gate_outcome) == ("proposed", None)


@pytest.mark.parametrize("form", ["polars", "lazy", "rows", "pandas"])
def test_a_loaded_model_answers_as_the_original(tmp_path: Path, form: str) -> None:
    """Whatever frame the rows come in, and with other columns beside the inputs."""
    loaded = undrift.load(_registered(tmp_path), project=tmp_path)
    wide = X.with_columns(other=pl.lit("passed over"))
    tables = {"polars": lambda: wide, "lazy": wide.lazy, "rows": wide.to_dicts, "pandas": lambda: _pandas(wide)}
    assert loaded.predict(tables[form]()).tolist() == CLASSIFIER.predict(X).tolist()
    assert np.allclose(loaded.predict_proba(tables[form]()), CLASSIFIER.predict_proba(X), atol=1e-12)


def test_a_regression_answers_with_numbers(tmp_path: Path) -> None:
    """And has no probabilities."""
    model = LinearRegression().fit(X, X["fee"] * 2)
    loaded = undrift.load(_registered(tmp_path, model), project=tmp_path)
    assert np.allclose(loaded.predict(X), model.predict(X), atol=1e-9)
    with pytest.raises(BadInput, match="with a number"):
        loaded.predict_proba(X)


def test_a_table_without_names_is_refused(tmp_path: Path) -> None:
    """Columns are matched by name, never by place."""
    loaded = undrift.load(_registered(tmp_path), project=tmp_path)
    with pytest.raises(NoNames):
        loaded.predict(X.to_numpy())


def test_a_row_that_does_not_fit_is_named(tmp_path: Path) -> None:
    """Strict as the endpoint is, in the words of the caller's table and not of a request."""
    loaded = undrift.load(_registered(tmp_path), project=tmp_path)
    with pytest.raises(BadRow, match="the table has no column 'calls', with which model:churn@1") as caught:
        loaded.predict(X.rename({"calls": "Calls"}))
    assert "rename 'Calls'" in caught.value.cure
    bad = X.with_columns(fee=pl.when(pl.int_range(80) == 3).then(None).otherwise("fee"))
    with pytest.raises(BadRow, match=r"row 3 .*column 'fee' is null; expected is a finite") as caught:
        loaded.predict(bad)
    assert (caught.value.path, "request" in str(caught.value)) == ("$.rows[3].fee", False)
    with pytest.raises(BadRow, match="the table has no rows"):
        loaded.predict(X.clear())


def test_a_word_that_is_logged_as_a_metric_is_refused(tmp_path: Path) -> None:
    """It has a code and a cure, and nothing of the call is written."""
    with undrift.run("churn", project=tmp_path) as run:
        run.log(loss=0.5)
        with pytest.raises(BadMetric, match="'acc' is 'high', which is no number") as caught:
            run.log(loss=0.25, acc="high")  # type: ignore[arg-type]
    assert "run.params(acc='high')" in caught.value.cure
    with undrift.Project.open(tmp_path) as project:
        assert [point.value for point in project.runs.points(run.ref.removeprefix("run:"))] == [0.5]


def test_a_file_that_is_not_there_is_told_with_its_neighbour(tmp_path: Path) -> None:
    """In Python as on the command line; no project is made."""
    X.write_csv(tmp_path / "churn.csv")
    suite = undrift.quality.suite("any")
    for ask in (
        lambda path: undrift.up(path, target="fee", project=tmp_path),
        lambda path: undrift.quality.check(path, suite),
    ):
        with pytest.raises(SourceNotFound, match="no file") as caught:
            ask(tmp_path / "churm.csv")
        assert "churn.csv" in caught.value.cure
    assert [path.name for path in tmp_path.iterdir()] == ["churn.csv"]


def test_what_comes_back_is_told_in_a_few_words(tmp_path: Path) -> None:
    """As text: versions, loaded models, results and reports of checks say what a person reads first, and no wall."""
    with undrift.run("churn", project=tmp_path) as run:
        version = run.log_model(CLASSIFIER, name="churn", example=X, test=(X, Y))
    loaded = undrift.load("churn", project=tmp_path)
    expected = undrift.quality.expect.column_values_to_be_between("fee", 0, 5)
    report = undrift.quality.check(X, undrift.quality.suite("any", expected))
    assert repr(version) == "<LoggedModel model:churn@1: proposed, no gate report>"
    assert repr(loaded).startswith("<LoadedModel model:churn@1 (proposed): answers no, yes from 2 columns, by ")
    assert "fail: 80 rows, 1 of 1 expectations broken, 40 bad rows" in repr(report)
    assert "40 of 80 rows break it" in repr(report)
    assert "auc: 1" in repr(version.evaluated)
    assert max(len(repr(one)) for one in (version, loaded, report, version.evaluated, *report.results)) < 400


def test_a_cell_may_be_run_again_before_the_model_is_loaded_by_name(tmp_path: Path) -> None:
    """The second run makes a second version, and the bare name means the newest while none is live."""
    _registered(tmp_path)
    second = _registered(tmp_path, LogisticRegression(C=0.1).fit(X, Y))
    assert undrift.load("churn", project=tmp_path).version.ref == second == "model:churn@2"


def test_a_changed_byte_stops_the_load(tmp_path: Path) -> None:
    """The package is what was registered, or it is not loaded."""
    ref = _registered(tmp_path)
    file = next((tmp_path / ".undrift" / "packages").glob("*/model/sklearn.skops"))
    changed = bytearray(file.read_bytes())
    changed[len(changed) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(changed)
    with pytest.raises(PackageCorrupt):
        undrift.load(ref, project=tmp_path)


def test_an_unknown_version_is_told(tmp_path: Path) -> None:
    """With what there is."""
    _registered(tmp_path)
    with pytest.raises(UnknownVersion) as refused:
        undrift.load("churn@7", project=tmp_path)
    assert "1" in refused.value.cure


def test_a_block_that_fails_leaves_a_failed_run(tmp_path: Path) -> None:
    """The error goes on to the caller, and the record says what it was."""
    with pytest.raises(ZeroDivisionError), undrift.run("churn", project=tmp_path) as run:
        _ = 1 / 0
    with undrift.Project.open(tmp_path) as project:
        found = project.runs.get(run.ref).run
    assert found.status == "failed"
    assert "ZeroDivisionError" in found.error


def _pandas(frame: pl.DataFrame) -> object:
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(frame.to_dict(as_series=False))
