"""Tables whose target is a number: cars, flats, claims. All generated."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tables.drawing import csv, euro, holes, pick, rng_of, weighed

_MAKES = {"Volkswagen": 21.0, "Opel": 15.0, "BMW": 29.0, "Toyota": 19.0, "Skoda": 17.0, "Fiat": 11.0, "Audi": 27.0}


def used_cars(folder: Path) -> Path:
    """Write 5,000 offers of used cars; in a hundredth of them somebody mistyped the price."""
    rng, rows = rng_of("used_cars"), 5_000
    make = pick(rng, rows, dict.fromkeys(_MAKES, 1.0))
    year = rng.integers(2004, 2024, rows)
    km = np.round(np.maximum(rng.normal((2024 - year) * 13_500, 22_000), 500), -2)
    power = np.round(rng.gamma(9, 13, rows) + 40).astype(int)
    fuel = pick(rng, rows, {"petrol": 52, "diesel": 38, "hybrid": 7, "electric": 3})
    worth = weighed(make, _MAKES) * 1000 * np.exp(-0.085 * (2024 - year) - km / 420_000) + 55 * power
    price = np.round(worth * np.exp(rng.normal(0, 0.16, rows)), -1)
    odd = rng.random(rows)
    price = np.where(odd < 0.004, 1, np.where(odd < 0.008, price * 100, np.where(odd < 0.01, 999_999, price)))
    columns = {
        "make": make,
        "year": year,
        "km": km.astype(int),
        "power_ps": holes(rng, power, 0.06),
        "fuel": fuel,
        "gearbox": holes(rng, pick(rng, rows, {"manual": 70, "automatic": 30}), 0.08),
        "damage": pick(rng, rows, {"no": 88, "yes": 12}),
        "country": ["DE"] * rows,
        "price": price,
    }
    return csv(folder, "used_cars", columns)


def wohnungen(folder: Path) -> Path:
    """Write 3,500 flats as a German spreadsheet exports them: semicolons, decimal commas, points for thousands."""
    rng, rows = rng_of("wohnungen"), 3_500
    area = np.round(rng.gamma(7, 11, rows) + 18, 1)
    district = pick(rng, rows, {"Altstadt": 15, "Süd": 25, "Nord": 30, "Grünau": 20, "Hafen": 10})
    year = rng.integers(1900, 2023, rows)
    rent = area * (9.5 + weighed(district, {"Altstadt": 4.0, "Süd": 2.0, "Hafen": 3.0, "Grünau": -1.5}))
    rent = (rent + 1.1 * np.maximum(year - 1990, 0)) * np.exp(rng.normal(0, 0.09, rows))
    columns = {
        "Stadtteil": district,
        "Fläche": euro(area, 1),
        "Baujahr": year,
        "Zimmer": np.maximum(np.round(area / 28 + rng.normal(0, 0.6, rows)), 1).astype(int),
        "Nebenkosten": euro(holes(rng, (area * 2.3 + rng.normal(0, 18, rows)).round(2), 0.07)),
        "Aufzug": pick(rng, rows, {"ja": 40, "nein": 60}),
        "Kaltmiete": euro(rent),
    }
    return csv(folder, "wohnungen", columns, separator=";")


def claims(folder: Path) -> Path:
    """Write 4,000 claims; of two fields that are mostly empty one tells by being so, the other nothing."""
    rng, rows = rng_of("claims"), 4_000
    injured = rng.random(rows) < 0.2
    age, value = rng.integers(18, 90, rows), np.round(rng.lognormal(9.4, 0.6, rows))
    kind = pick(rng, rows, {"collision": 50, "glass": 20, "theft": 10, "storm": 20})
    cost = 0.12 * value * np.exp(weighed(kind, {"collision": 0.4, "theft": 1.2, "glass": -1.0})) + 6_000 * injured
    hospital = [int(days) if hurt else None for days, hurt in zip(rng.poisson(3, rows) + 1, injured, strict=True)]
    columns = {
        "kind": kind,
        "driver_age": age,
        "car_value": value,
        "hospital_days": hospital,
        "trailer_length_m": holes(rng, rng.gamma(9, 0.4, rows).round(1), 0.93),
        "witnesses": rng.poisson(0.6, rows),
        "cost": np.round(cost * np.exp(rng.normal(0, 0.45, rows)), 2),
    }
    return csv(folder, "claims", columns)
