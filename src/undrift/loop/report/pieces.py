"""The pieces that sections of the page are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from undrift.loop.report.markup import Child, Html, el
from undrift.loop.report.svg import captioned
from undrift.loop.report.words import NOTHING

Stored: TypeAlias = Mapping[str, Any]  # Any: JSON read back
Cell: TypeAlias = "Child"

METRICS = {
    "auc": "AUC",
    "pr_auc": "PR AUC",
    "log_loss": "log loss",
    "brier": "Brier score",
    "multiclass_log_loss": "log loss",
    "multiclass_brier": "Brier score",
    "multiclass_accuracy": "accuracy",
    "mae": "mean absolute error",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "r2": "R\N{SUPERSCRIPT TWO}",
    "median_absolute_error": "median absolute error",
}
CANDIDATES = {
    "baseline": "baseline",
    "linear": "linear model",
    "random_forest": "random forest",
    "gradient_boosting": "gradient boosting",
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
}


def metric_name(name: object) -> str:
    """Return a metric's name in words."""
    return METRICS.get(str(name), str(name).replace("_", " "))


def candidate_name(kind: object) -> str:
    """Return a candidate's name in words."""
    return CANDIDATES.get(str(kind), str(kind).replace("_", " "))


def arm_name(name: object) -> str:
    """Return what a version was compared with, in words: a reference, or what the baseline always answers."""
    text = str(name)
    return f"the {text.removeprefix('baseline: ')}" if text.startswith("baseline: ") else text


def section(anchor: str, title: str, *children: Child | Iterable[Child]) -> Html:
    """Return a section under a heading of its own, which the contents lead to."""
    return el("section", el("h2", title, id=anchor), *children, aria_labelledby=anchor)


def said(*children: Child | Iterable[Child], quiet: bool = False) -> Html:
    """Return a paragraph."""
    return el("p", *children, class_="quiet" if quiet else None)


def code(text: object) -> Html:
    """Return a name of the table, or a reference, as such."""
    return el("code", str(text))


def facts_list(items: Iterable[tuple[str, Child | Iterable[Child]]]) -> Html:
    """Return names with what is known of them; what is None or empty is said to be not recorded."""
    parts = []
    for name, value in items:
        shown = el("span", "not recorded", class_="quiet") if value in (None, "") else value
        parts += [el("dt", name), el("dd", shown)]
    return el("dl", parts, class_="facts")


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    caption: str = "",
    numeric: Sequence[int] = (),
    optional: Sequence[int] = (),
) -> Html:
    """Return a table whose first column names the row.

    Parameters
    ----------
    headings : sequence of str
        Of the columns.
    rows : iterable of sequences
        Cells; None is shown as a dash.
    caption : str
        One sentence that says what is seen.
    numeric : sequence of int
        Columns that hold numbers.
    optional : sequence of int
        Columns that a phone does not show.
    """
    classes = [_class(at, numeric, optional) for at in range(len(headings))]
    head = el("tr", (el("th", one, scope="col", class_=kind) for one, kind in zip(headings, classes, strict=True)))
    body = [
        el("tr", (_cell(at, cell, kind) for at, (cell, kind) in enumerate(zip(row, classes, strict=True))))
        for row in rows
    ]
    return captioned(caption, el("thead", head), el("tbody", body))


def figure(title: str, picture: Html, caption: Child | Iterable[Child]) -> Html:
    """Return a picture with its title and the sentence that says what it shows."""
    return el("figure", el("h3", title), picture, el("figcaption", caption))


def _cell(at: int, cell: Cell, kind: str | None) -> Html:
    shown = NOTHING if cell is None else cell
    return el("th", shown, scope="row") if at == 0 else el("td", shown, class_=kind)


def _class(at: int, numeric: Sequence[int], optional: Sequence[int]) -> str | None:
    kinds = [name for name, those in (("num", numeric), ("opt", optional)) if at in those]
    return " ".join(kinds) or None
