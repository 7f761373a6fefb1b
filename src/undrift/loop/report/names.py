"""Metrics, candidates and arms as people call them."""

from __future__ import annotations

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
