"""Tables with a leak, one of each kind. The rest of each table is honest, so that without the leak it comes up."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tables.drawing import Rng, csv, days, outcome, pick, rng_of, weighed, yes_no

ROWS = 3_000


def leak_predicts(folder: Path) -> Path:
    """Write subscribers with the score of an old model that was told the outcome: it predicts nearly perfectly."""
    rng, columns, left = _subscribers("leak_predicts")
    columns["winback_score"] = np.round(np.where(left, 78, 22) + rng.normal(0, 11, ROWS), 1)
    return csv(folder, "leak_predicts", {**columns, "cancelled": yes_no(left)})


def leak_filled(folder: Path) -> Path:
    """Write subscribers with the reason why they left: filled only for those who did."""
    rng, columns, left = _subscribers("leak_filled")
    reasons = pick(rng, ROWS, {"price": 4, "moved": 2, "service": 3})
    known = left & (rng.random(ROWS) < 0.9)
    columns["reason_given"] = [text if told else None for text, told in zip(reasons.tolist(), known, strict=True)]
    return csv(folder, "leak_filled", {**columns, "cancelled": yes_no(left)})


def leak_copies(folder: Path) -> Path:
    """Write subscribers with the same fact in other words in another column."""
    _, columns, left = _subscribers("leak_copies")
    columns["account_state"] = np.where(left, "closed", "open")
    return csv(folder, "leak_copies", {**columns, "cancelled": yes_no(left)})


def leak_derived(folder: Path) -> Path:
    """Write orders whose total is to be predicted, with the tax that was computed from it."""
    rng = rng_of("leak_derived")
    items, express = rng.poisson(3, ROWS) + 1, rng.random(ROWS) < 0.3
    category = pick(rng, ROWS, {"books": 30, "toys": 25, "garden": 25, "hi-fi": 20})
    mean = items * weighed(category, {"books": 14.0, "toys": 19.0, "garden": 33.0, "hi-fi": 90.0}) + 7 * express
    total = np.round(mean * np.exp(rng.normal(0, 0.4, ROWS)), 2)
    columns = {
        "category": category,
        "items": items,
        "express": yes_no(express),
        "new_customer": yes_no(rng.random(ROWS) < 0.35),
        "tax": np.round(total * 0.19, 2),
        "total": total,
    }
    return csv(folder, "leak_derived", columns)


def leak_after(folder: Path) -> Path:
    """Write repairs by day of arrival, with the day on which each was closed: after what is asked is known."""
    rng, rows = rng_of("leak_after"), 6_000
    arrived = sorted(days(rng, rows, date(2024, 1, 8), date(2024, 12, 20)))
    device = pick(rng, rows, {"phone": 45, "laptop": 30, "tablet": 25})
    age = np.round(rng.gamma(2, 1.4, rows), 1)
    overrun = outcome(rng, 0.5 * age + weighed(device, {"laptop": 0.9}), 0.32)
    took = rng.poisson(np.where(overrun, 9, 4)) + 1
    columns = {
        "arrived": [day.isoformat() for day in arrived],
        "device": device,
        "device_age_years": age,
        "warranty": yes_no(rng.random(rows) < 0.4, "yes", "no"),
        "closed": [(day + timedelta(days=int(wait))).isoformat() for day, wait in zip(arrived, took, strict=True)],
        "overrun": yes_no(overrun, "yes", "no"),
    }
    return csv(folder, "leak_after", columns)


def _subscribers(name: str) -> tuple[Rng, dict[str, Any], Any]:  # Any: columns of any type, an array of booleans
    """Return honest columns about subscribers and who of them left."""
    rng = rng_of(name)
    months, hours = rng.integers(1, 60, ROWS), np.round(rng.gamma(2, 5, ROWS), 1)
    plan = pick(rng, ROWS, {"basic": 50, "family": 30, "premium": 20})
    signal = -0.03 * months - 0.08 * hours + weighed(plan, {"basic": 0.6, "premium": -0.3})
    columns = {
        "plan": plan,
        "months": months,
        "hours_watched": hours,
        "devices": rng.poisson(1.8, ROWS) + 1,
        "country": pick(rng, ROWS, {"FR": 40, "ES": 35, "IT": 25}),
    }
    return rng, columns, outcome(rng, signal, 0.3)
