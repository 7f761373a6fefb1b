"""Tables with strong honest columns, and columns that leak the target, made from one seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
import polars as pl

from undrift.evaluation.suspicion import Suspicion, suspects
from undrift.evaluation.target import read_target

Rng: TypeAlias = np.random.Generator
Cells: TypeAlias = "np.ndarray | pl.Series | list[object]"
START = datetime(2024, 1, 1, tzinfo=UTC)


def customers(rows: int = 2000, seed: int = 0, *, rate: float = 0.25) -> pl.DataFrame:
    """Return customers who leave or stay: the score has an AUC of about .98, notes tend to be missing."""
    rng = np.random.default_rng(seed)
    left = rng.random(rows) < rate
    return pl.DataFrame(
        {
            "signed": [START + timedelta(hours=int(hour)) for hour in np.sort(rng.integers(0, 24 * 300, rows))],
            "score": 2.9 * left + rng.normal(size=rows),
            "visits": rng.poisson(np.where(left, 2, 6)),
            "plan": np.where(rng.random(rows) < np.where(left, 0.7, 0.2), "monthly", rng.choice(["one", "two"], rows)),
            "region": rng.choice(list("abcdef"), rows),
            "note": [None if gone else "x" for gone in rng.random(rows) < 0.3 + 0.4 * left],
            "born": [
                datetime(1950, 1, 1, tzinfo=UTC) + timedelta(days=int(day)) for day in rng.integers(0, 18000, rows)
            ],
            "churn_flag": left,
        }
    )


def houses(rows: int = 1500, seed: int = 0) -> pl.DataFrame:
    """Return houses with a price of which the size explains about nine tenths; a few cost a hundred times as much."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(4.5, 0.4, rows)
    price = 3000 * size * rng.lognormal(0, 0.12, rows) + 20_000 * rng.normal(size=rows)
    price = np.where(rng.random(rows) < 0.002, 100 * price, price)
    return pl.DataFrame(
        {
            "size": size,
            "rooms": np.maximum(1, (size / 25 + rng.normal(size=rows)).astype(int)),
            "distance": rng.gamma(2, 3, rows),
            "year": rng.integers(1900, 2024, rows),
            "heating": rng.choice(["gas", "oil", "heat pump"], rows),
            "price_eur": np.round(price, 2),
        }
    )


def _flips(y: np.ndarray, rng: Rng, share: float) -> np.ndarray:
    return np.where(rng.random(len(y)) < share, ~y, y)


def _some(y: np.ndarray, rng: Rng, share: float, cell: Callable[[int], object]) -> list[object]:
    return [cell(place) if yes and rng.random() < share else None for place, yes in enumerate(y)]


def leaks_of_customers(frame: pl.DataFrame, seed: int = 0) -> dict[str, tuple[str, Cells]]:
    """Return leaking columns by name, each with the kind that it must be found as."""
    rng = np.random.default_rng(seed + 1000)
    y, signed = frame["churn_flag"].to_numpy(), frame["signed"].to_list()
    rows, delay = len(y), rng.exponential(200, len(y)) + 1
    return {
        "churned": ("copies", np.where(y, "yes", "no")),
        "stays": ("copies", (~y).astype(int)),
        "state": ("copies", np.where(_flips(y, rng, 0.03), "gone", "here")),
        "cancelled_on": ("filled", _some(y, rng, 0.6, lambda place: signed[place] + timedelta(hours=delay[place]))),
        "win_back_amount": ("filled", _some(y, rng, 0.9, lambda place: float(place % 97))),
        "renewed_plan": ("filled", _some(~y, rng, 0.95, lambda place: "ab"[place % 2])),
        "balance": ("predicts", np.where(y, 0.0, 50.0) + rng.normal(size=rows)),
        "reason": ("predicts", np.where(y, rng.choice(["price", "moved"], rows), rng.choice(["-", "none"], rows))),
        "odd": (
            "predicts",
            np.where(y, rng.normal(0, 0.1, rows), rng.choice([-2, 2], rows) + rng.normal(0, 0.1, rows)),
        ),
        "risk": ("derived", np.where(y, rng.uniform(0.5, 1, rows), rng.uniform(0, 0.5, rows))),
        "called_on": ("after-event", [at + timedelta(hours=h) for at, h in zip(signed, delay, strict=True)]),
        "rating": ("after-event", [None if place > 0.93 * rows else float(place % 5) for place in range(rows)]),
        "final_contacts": ("after-event", rng.poisson(np.where(y, 9, 2))),
    }


def leaks_of_houses(frame: pl.DataFrame, seed: int = 0) -> dict[str, tuple[str, Cells]]:
    """Return leaking columns by name, each with the kind that it must be found as."""
    rng = np.random.default_rng(seed + 1000)
    y = frame["price_eur"].to_numpy()
    return {
        "paid": ("copies", np.where(rng.random(len(y)) < 0.03, np.median(y), y)),
        "paid_text": ("copies", [f"{price:.2f} EUR" for price in y]),
        "minus": ("copies", 1000 - y),
        "price_usd": ("derived", np.round(y * 1.08, 2)),
        "price_by_day": ("derived", y * rng.normal(1.08, 0.01, len(y))),
        "log_price": ("derived", np.log(np.maximum(y, 1.0))),
        "bracket": ("derived", np.array(list("vwxyz"))[np.searchsorted(np.quantile(y, [0.2, 0.4, 0.6, 0.8]), y)]),
        "estimate": ("predicts", y + 0.035 * np.std(np.sort(y)[:-10]) * rng.standard_t(3, len(y))),
    }


def with_column(frame: pl.DataFrame, name: str, cells: Cells) -> pl.DataFrame:
    """Return the table with one more column."""
    return frame.with_columns(pl.Series(name, cells))


def found_in(frame: pl.DataFrame, target: str, time: str | None = None) -> tuple[Suspicion, ...]:
    """Return what is suspicious of all columns."""
    columns = [name for name in frame.columns if name not in (target, time)]
    return suspects(frame, read_target(frame, target), columns, time=time)
