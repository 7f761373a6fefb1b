"""Tables of daily work: tickets, visits, rentals, machines, deliveries. All generated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tables.drawing import codes, csv, holes, outcome, pick, rng_of, weighed, yes_no

QUEUES = (
    *("Billing", "Refunds", "Shipping", "Returns", "Login", "Password", "Mobile app", "Website", "Orders", "Catalogue"),
    *("Warranty", "Repairs", "Partners", "Press", "Careers", "Legal", "Privacy", "Vouchers", "Stores", "Other"),
)


def tickets(folder: Path) -> Path:
    """Write 8,000 support tickets for twenty queues: a subject line of free text, and codes that tell the queue."""
    rng, rows = rng_of("tickets"), 8_000
    queue = rng.choice(len(QUEUES), rows, p=_falling(len(QUEUES)))
    right = rng.random((3, rows)) < np.array([[0.55], [0.45], [0.35]])
    form = np.where(right[0], queue % 7, rng.integers(0, 7, rows))
    product = np.where(right[1], queue // 2, rng.integers(0, 10, rows))
    channel = np.where(right[2], queue % 4, rng.integers(0, 4, rows))
    words = (
        "please",
        "help",
        "again",
        "order",
        "not",
        "working",
        "since",
        "monday",
        "urgent",
        "invoice",
        "thanks",
        "my",
    )
    subjects = [
        " ".join(rng.choice(words, 4).tolist()) + f" {QUEUES[which].lower()} {number}"
        for number, which in enumerate(queue.tolist())
    ]
    columns = {
        "ticket": codes(rng, rows, "T-######"),
        "subject": subjects,
        "form": [f"form-{value}" for value in form.tolist()],
        "product_line": [f"line {chr(65 + value)}" for value in product.tolist()],
        "channel": np.array(["mail", "phone", "chat", "web"])[channel],
        "customer_since_years": np.round(rng.gamma(2, 2.2, rows), 1),
        "attachments": rng.poisson(0.4, rows),
        "queue": [QUEUES[which] for which in queue.tolist()],
    }
    return csv(folder, "tickets", columns)


def clinic_visits(folder: Path) -> Path:
    """Write 6,000 appointments of 1,500 patients, each with habits of their own; who came and who did not."""
    rng, rows, patients = rng_of("clinic_visits"), 6_000, 1_500
    who = np.sort(rng.integers(0, patients, rows))
    habit = rng.normal(0, 0.8, patients)[who]
    age = rng.integers(1, 95, patients)[who]
    lead = np.round(rng.gamma(1.3, 9, rows)).astype(int)
    reminder = rng.random(rows) < 0.6
    before = np.maximum(rng.poisson(np.exp(0.5 * habit - 0.8)), 0)
    signal = habit + 0.045 * lead - 0.6 * reminder - 0.012 * age + 0.45 * before
    columns = {
        "patient_id": [f"P{value:05d}" for value in (who * 7 + 10_000).tolist()],
        "age": age,
        "insurance": pick(rng, patients, {"public": 70, "private": 20, "none": 10})[who],
        "department": pick(rng, rows, {"Cardiology": 20, "Dermatology": 30, "Orthopaedics": 28, "ENT": 22}),
        "lead_days": lead,
        "weekday": pick(rng, rows, dict.fromkeys(("Mon", "Tue", "Wed", "Thu", "Fri"), 1.0)),
        "reminder_sent": [str(value).lower() for value in reminder.tolist()],
        "missed_before": before,
        "no_show": yes_no(outcome(rng, signal, 0.22), "yes", "no"),
    }
    return csv(folder, "clinic_visits", columns)


def bike_rentals(folder: Path) -> Path:
    """Write 200 days of hourly rentals: a demand that follows hour and weather, and grows."""
    rng, rows = rng_of("bike_rentals"), 4_800
    start = datetime(2024, 3, 1, tzinfo=UTC)
    when = [start + timedelta(hours=hour) for hour in range(rows)]
    hour = np.array([moment.hour for moment in when])
    free = np.array([moment.weekday() >= 5 for moment in when])
    season = np.sin(np.arange(rows) / rows * np.pi)
    warm = 9 + 13 * season + 5 * np.sin((hour - 9) / 24 * 2 * np.pi) + rng.normal(0, 2, rows)
    rain = np.round(np.maximum(rng.gamma(0.15, 6, rows) - 1, 0), 1)
    rush = np.where(
        free,
        np.exp(-(((hour - 15) / 4) ** 2)),
        np.exp(-(((hour - 8) / 1.5) ** 2)) + np.exp(-(((hour - 17.5) / 2) ** 2)),
    )
    mean = np.exp(2.6 + 1.7 * rush + 0.035 * warm - 0.35 * np.minimum(rain, 4) + 0.25 * np.arange(rows) / rows)
    columns = {
        "timestamp": [moment.strftime("%Y-%m-%d %H:%M:%S") for moment in when],
        "hour": hour,
        "weekend": free.astype(int),
        "temperature": holes(rng, warm.round(1), 0.01),
        "rain_mm": rain,
        "wind": np.round(rng.gamma(3, 3.5, rows), 1),
        "rentals": rng.negative_binomial(12, 12 / (12 + mean)),
    }
    return csv(folder, "bike_rentals", columns)


def sensors(folder: Path) -> Path:
    """Write 2,400 cycles of a press, 200 sensors each, twelve of which tell of a faulty part."""
    rng, rows, width = rng_of("sensors"), 2_400, 200
    load = rng.normal(size=(rows, 6))
    values = load @ rng.normal(size=(6, width)) * 0.6 + rng.normal(size=(rows, width))
    signal = 0.8 * values[:, :12].sum(axis=1) / np.sqrt(12) + 0.8 * (values[:, 3] > 1.5) + rng.normal(0, 0.5, rows)
    columns = {f"s{number:03d}": values[:, number].round(4) for number in range(width)}
    faulty = outcome(rng, signal, 0.28)
    return csv(folder, "sensors", {**columns, "part_ok": yes_no(~faulty, "OK", "NOK")})


def pilot_study(folder: Path) -> Path:
    """Write 80 people of a pilot study: too few to be sure of anything."""
    rng, rows = rng_of("pilot_study"), 80
    dose, weight = rng.choice([0, 5, 10, 20], rows), rng.normal(74, 12, rows)
    columns = {
        "arm": np.where(dose == 0, "placebo", "drug"),
        "dose_mg": dose,
        "weight_kg": weight.round(1),
        "smoker": yes_no(rng.random(rows) < 0.25, "yes", "no"),
        "responded": yes_no(outcome(rng, 0.08 * dose - 0.02 * weight, 0.45), "yes", "no"),
    }
    return csv(folder, "pilot_study", columns)


def machine_failures(folder: Path) -> Path:
    """Write 5,000 shifts of machines with honest, strong signs of a failure: nothing here is a leak."""
    rng, rows = rng_of("machine_failures"), 5_000
    wear, torque = rng.uniform(0, 250, rows), rng.normal(40, 10, rows)
    heat = rng.normal(10, 1, rows)
    signal = 0.055 * wear + 0.24 * torque - 1.6 * heat
    columns = {
        "type": pick(rng, rows, {"L": 60, "M": 30, "H": 10}),
        "tool_wear_min": wear.round().astype(int),
        "torque_nm": torque.round(1),
        "heat_difference_k": heat.round(2),
        "speed_rpm": rng.normal(1540, 180, rows).round().astype(int),
        "failed": [str(value) for value in outcome(rng, signal, 0.3).tolist()],
    }
    return csv(folder, "machine_failures", columns)


def deliveries(folder: Path) -> Path:
    """Write 5,000 deliveries: postcodes and article numbers with leading zeros, which are no numbers."""
    rng, rows = rng_of("deliveries"), 5_000
    area = rng.integers(0, 12, rows)
    postcodes = [f"{value * 817 % 100000:05d}" for value in (area * 3 + rng.integers(0, 3, rows)).tolist()]
    distance = np.round(rng.gamma(2.2, 60, rows), 1)
    carrier = pick(rng, rows, {"01": 45, "02": 35, "07": 20})
    signal = 0.008 * distance + weighed(carrier, {"02": 0.7, "07": 1.3}) + 0.8 * np.isin(area, [2, 5, 9])
    columns = {
        "shipment": [f"{value:010d}" for value in rng.permutation(10**6)[:rows].tolist()],
        "postcode": postcodes,
        "carrier": carrier,
        "article": [f"{value:06d}" for value in rng.integers(1, 30, rows).tolist()],
        "distance_km": distance,
        "weight_kg": np.round(rng.lognormal(1, 0.8, rows), 2),
        "late": [str(value).lower() for value in outcome(rng, signal, 0.3).tolist()],
    }
    return csv(folder, "deliveries", columns)


def _falling(count: int) -> list[float]:
    weights = [1 / (place + 4) for place in range(count)]
    return [weight / sum(weights) for weight in weights]
