"""Tables that are honest and oddly spelt: encodings, delimiters, dates, mixed cells, labels. All generated."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from tables.drawing import codes, csv, days, euro, holes, outcome, pick, rng_of, weighed, yes_no


def kunden(folder: Path) -> Path:
    """Write 3,000 customers as Excel exports them in Germany: a byte-order mark, semicolons, Umlauts in names."""
    rng, rows = rng_of("kunden"), 3_000
    year, usage = rng.integers(2005, 2024, rows), rng.gamma(3, 40, rows).round(1)
    place = pick(rng, rows, {"Köln": 30, "Düsseldorf": 25, "Łódź": 15, "Zürich": 20, "São Paulo": 10})
    signal = 0.12 * (year - 2014) - 0.008 * usage + weighed(place, {"Zürich": 0.8})
    columns = {
        "Größe": pick(rng, rows, {"klein": 50, "mittel": 35, "groß": 15}),
        "Straßenart": pick(rng, rows, {"Gasse": 20, "Straße": 60, "Allee": 20}),
        "Ort": place,
        "Kunde seit": year,
        "Verbrauch": euro(usage, 1),
        "Kündigung": yes_no(outcome(rng, signal, 0.3), "ja", "nein"),
    }
    return csv(folder, "kunden", columns, separator=";", include_bom=True)


def orders_utf16(folder: Path) -> Path:
    """Write 2,500 orders as Excel's "Unicode text": UTF-16 with tabs, in a file called .csv."""
    rng, rows = rng_of("orders_utf16"), 2_500
    value, city = rng.lognormal(4, 0.7, rows).round(2), pick(rng, rows, {"Αθήνα": 40, "Πάτρα": 30, "Χανιά": 30})
    paid = pick(rng, rows, {"card": 60, "cash": 25, "transfer": 15})
    signal = 0.014 * value + weighed(paid, {"transfer": 1.2}) + weighed(city, {"Χανιά": 0.9})
    columns = {
        "city": city,
        "paid_by": paid,
        "value": value,
        "items": rng.poisson(2, rows) + 1,
        "returned": yes_no(outcome(rng, signal, 0.3), "yes", "no"),
    }
    text = pl.DataFrame(columns).write_csv(separator="\t", line_terminator="\r\n")
    path = folder / "orders_utf16.csv"
    path.write_bytes(text.encode("utf-16"))
    return path


def clientes(folder: Path) -> Path:
    """Write 2,500 customers from a program of 1998: Windows-1252, semicolons."""
    rng, rows = rng_of("clientes"), 2_500
    debt, since = rng.lognormal(5, 0.9, rows).round().astype(int), rng.integers(1, 30, rows)
    columns = {
        "población": pick(rng, rows, {"Cádiz": 30, "A Coruña": 40, "León": 30}),
        "años": since,
        "deuda": debt,
        "dueño": yes_no(rng.random(rows) < 0.5, "sí", "no"),
        "moroso": yes_no(outcome(rng, 0.002 * debt - 0.07 * since, 0.28), "sí", "no"),
    }
    path = folder / "clientes.csv"
    path.write_bytes(pl.DataFrame(columns).write_csv(separator=";").encode("cp1252"))
    return path


def sessions(folder: Path) -> Path:
    """Write 3,000 sessions of a shop as JSON lines; a field that was not known is simply not there."""
    rng, rows = rng_of("sessions"), 3_000
    pages, mobile = rng.poisson(5, rows) + 1, rng.random(rows) < 0.6
    source = pick(rng, rows, {"search": 50, "mail": 20, "direct": 30})
    bought = outcome(rng, 0.3 * pages - 0.6 * mobile + weighed(source, {"mail": 0.8}), 0.27)
    columns = {
        "session": codes(rng, rows, "????########"),
        "pages": pages.tolist(),
        "seconds": holes(rng, rng.gamma(2, 90, rows).round(1), 0.1),
        "mobile": mobile.tolist(),
        "source": source.tolist(),
        "bought": bought.tolist(),
    }
    cells = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    path = folder / "sessions.jsonl"
    lines = [json.dumps({name: cell for name, cell in row.items() if cell is not None}) for row in cells]
    path.write_text("\n".join(lines) + "\n")
    return path


def bookings(folder: Path) -> Path:
    """Write 5,000 bookings of a hotel, dates as day/month/year: days after the 12th say which is which."""
    rng, rows = rng_of("bookings"), 5_000
    return _dated("bookings", folder, days(rng, rows, date(2023, 1, 2), date(2023, 12, 29)))


def bookings_ambiguous(folder: Path) -> Path:
    """Write 5,000 bookings of which nobody can say whether 03/04 is in March or in April."""
    rng, rows = rng_of("bookings_ambiguous"), 5_000
    made = [day.replace(day=(day.day - 1) % 12 + 1) for day in days(rng, rows, date(2023, 1, 2), date(2023, 12, 29))]
    return _dated("bookings_ambiguous", folder, made)


def bulk_orders(folder: Path) -> Path:
    """Write 2,000 orders whose quantities may be thousands or thousandths: ``1,250`` and nothing that tells."""
    rng, rows = rng_of("bulk_orders"), 2_000
    quantity = rng.integers(1_000, 99_000, rows)
    columns = {
        "grade": pick(rng, rows, {"A": 50, "B": 30, "C": 20}),
        "quantity": [f"{value:,}" for value in quantity.tolist()],
        "days": rng.integers(1, 40, rows),
        "complaint": yes_no(outcome(rng, quantity / 30_000, 0.3), "yes", "no"),
    }
    return csv(folder, "bulk_orders", columns)


def survey(folder: Path) -> Path:
    """Write 3,000 answers in which people typed what they liked: words among numbers, many ways to say nothing."""
    rng, rows = rng_of("survey"), 3_000
    income, age = rng.lognormal(10.4, 0.5, rows).round(-2).astype(int), rng.integers(18, 90, rows)
    nothing = pick(rng, rows, {"n/a": 3, "-": 3, "unknown": 2, "": 2})
    typed = np.where(rng.random(rows) > 0.08, income.astype(str), nothing)
    packs = rng.integers(0, 4, rows)
    columns = {
        "income": typed,
        "age": age,
        "height": [f"{value} cm" for value in rng.normal(171, 9, rows).round().astype(int).tolist()],
        "smokes": [("none", "1 pack", "2 packs", "some")[value] for value in packs.tolist()],
        "insured": yes_no(outcome(rng, 1.6 * np.log(income) + 0.03 * age - 0.5 * (packs > 0), 0.62), "yes", "no"),
    }
    return csv(folder, "survey", columns)


def applications(folder: Path) -> Path:
    """Write 3,000 applications whose label people typed: ' Yes', 'yes', 'YES ', and nothing where not yet decided."""
    rng, rows = rng_of("applications"), 3_000
    score, degree = rng.normal(600, 80, rows).round().astype(int), pick(rng, rows, {"BSc": 50, "MSc": 35, "PhD": 15})
    accepted = outcome(rng, 0.012 * score + weighed(degree, {"MSc": 0.4, "PhD": 0.9}), 0.45)
    spelt = {True: (" Yes", "yes", "YES ", "Yes"), False: ("No", "no ", "NO")}
    label = [str(rng.choice(spelt[bool(value)])) for value in accepted]
    columns = {
        "score": score,
        "degree": degree,
        "years": rng.poisson(4, rows),
        "remote": yes_no(rng.random(rows) < 0.4),
        "accepted": holes(rng, label, 0.05),
    }
    return csv(folder, "applications", columns)


def leads_doubled(folder: Path) -> Path:
    """Write 2,500 leads, 1,000 of which the export wrote twice."""
    rng, rows = rng_of("leads_doubled"), 2_500
    size, visits = rng.lognormal(3.2, 1.1, rows).round(3), rng.poisson(4, rows)
    source = pick(rng, rows, {"web": 50, "fair": 20, "referral": 30})
    signal = 0.25 * visits + 0.3 * np.log(size) + weighed(source, {"referral": 0.9})
    columns = {
        "source": source,
        "size": size,
        "visits": visits,
        "won": yes_no(outcome(rng, signal, 0.35), "won", "lost"),
    }
    frame = pl.DataFrame(columns)
    again = frame[rng.choice(rows, 1_000, replace=False).tolist()]
    path = folder / "leads_doubled.csv"
    pl.concat([frame, again])[rng.permutation(rows + 1_000).tolist()].write_csv(path)
    return path


def reviews(folder: Path) -> Path:
    """Write 2,000 reviews, quoted cells with commas, quotes and line breaks in them."""
    rng, rows = rng_of("reviews"), 2_000
    stars, words = rng.integers(1, 6, rows), rng.poisson(14, rows) + 1
    bits = ('It was "fine", really.', "Late,\nbut nice", "Würde ich wieder kaufen", "five stars; no less", "meh")
    notes = [" ".join(rng.choice(bits, 2).tolist()) + f" #{number}" for number in range(rows)]
    columns = {
        "review": notes,
        "stars": stars,
        "words": words,
        "verified": yes_no(rng.random(rows) < 0.7),
        "helpful": yes_no(outcome(rng, 0.12 * words - 0.5 * stars, 0.35)),
    }
    return csv(folder, "reviews", columns)


def _dated(name: str, folder: Path, made: list[date]) -> Path:
    rng, rows = rng_of(f"{name}, the rest"), len(made)
    nights, lead = rng.poisson(2.4, rows) + 1, np.round(rng.gamma(1.4, 30, rows)).astype(int)
    room = pick(rng, rows, {"single": 25, "double": 55, "suite": 20})
    deposit = rng.random(rows) < 0.3
    signal = 0.022 * lead - 1.4 * deposit + weighed(room, {"single": 0.4, "suite": -0.4})
    columns = {
        "booked": [day.strftime("%d/%m/%Y") for day in made],
        "room": room,
        "nights": nights,
        "lead_days": lead,
        "deposit": yes_no(deposit),
        "rate": np.round(rng.normal(118, 25, rows), 2),
        "cancelled": outcome(rng, signal, 0.3).astype(int),
    }
    return csv(folder, name, columns)
