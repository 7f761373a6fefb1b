"""One peer on one table, run by ``automl.py`` with the interpreter of the peer's own environment.

Fits on ``train.csv``, answers the rows of ``test.csv`` and writes scores and seconds to ``answer.json``: for classes a
list of probabilities per row in the order that was asked for, for numbers one value.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd

AT_MOST_S = 300


def flaml(train: Any, test: Any, asked: argparse.Namespace) -> tuple[Any, list[str] | None]:
    """Search for ``--budget`` seconds, FLAML's way to be told when to stop; the winner is fitted on all rows."""
    from flaml import AutoML

    numbers = asked.task == "regression"
    model = AutoML()
    model.fit(
        train.drop(columns=asked.target),
        train[asked.target] if numbers else train[asked.target].astype(str),
        task="regression" if numbers else "classification",
        metric="mae" if numbers else "log_loss",
        time_budget=asked.budget,
        n_jobs=asked.threads,
        seed=0,
        verbose=0,
    )
    if numbers:
        return model.predict(test), None
    return model.predict_proba(test), [str(label) for label in model.classes_]


def autogluon(train: Any, test: Any, asked: argparse.Namespace) -> tuple[Any, list[str] | None]:
    """Fit the preset ``medium_quality``, AutoGluon's default, for as long as `undrift up` may take by default."""
    from autogluon.tabular import TabularPredictor

    numbers = asked.task == "regression"
    table = train if numbers else train.assign(**{asked.target: train[asked.target].astype(str)})
    predictor = TabularPredictor(
        label=asked.target,
        problem_type="multiclass" if asked.task == "multiclass" else asked.task,
        eval_metric="mean_absolute_error" if numbers else "log_loss",
        path=str(asked.folder / "autogluon"),
        verbosity=0,
    ).fit(table, presets="medium_quality", num_cpus=asked.threads, num_gpus=0, time_limit=AT_MOST_S)
    if numbers:
        return predictor.predict(test), None
    scores = predictor.predict_proba(test)
    return scores.to_numpy(), [str(label) for label in scores.columns]


def main() -> None:
    """Fit, answer, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=("flaml", "autogluon"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("target")
    parser.add_argument("task", choices=("binary", "multiclass", "regression"))
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    train, test = (pd.read_csv(asked.folder / f"{part}.csv") for part in ("train", "test"))
    began = time.perf_counter()
    scores, labels = {"flaml": flaml, "autogluon": autogluon}[asked.peer](train, test.drop(columns=asked.target), asked)
    answer = {
        "scores": pd.DataFrame(scores).to_numpy().tolist(),
        "labels": labels,
        "fit_s": time.perf_counter() - began,
    }
    (asked.folder / f"{asked.peer}.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    sys.exit(main())
