"""Tables about customers: churn, campaigns, loans, cards. All generated."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from tables.drawing import codes, csv, days, holes, outcome, pick, rng_of, weighed, yes_no


def telco_churn(folder: Path) -> Path:
    """Write 7,043 telecom customers: words for booleans, blanks for the charges of new customers."""
    rng, rows = rng_of("telco_churn"), 7_043
    tenure = np.minimum(rng.gamma(1.1, 32, rows).astype(int), 72)
    contract = pick(rng, rows, {"Month-to-month": 55, "One year": 21, "Two year": 24})
    internet = pick(rng, rows, {"DSL": 34, "Fiber optic": 44, "No": 22})
    payment = pick(rng, rows, {"Electronic check": 34, "Mailed check": 23, "Bank transfer": 22, "Credit card": 21})
    monthly = 20 + weighed(internet, {"DSL": 28.0, "Fiber optic": 55.0}) + rng.normal(0, 6, rows)
    support = np.where(internet == "No", "No internet service", pick(rng, rows, {"Yes": 37, "No": 63}))
    signal = (
        weighed(contract, {"One year": -1.3, "Two year": -2.6})
        + weighed(internet, {"Fiber optic": 0.9, "No": -0.9})
        + weighed(payment, {"Electronic check": 0.5})
        + weighed(support, {"No": 0.4})
        - 0.035 * tenure
    )
    total = [f"{value:.2f}" if months else " " for value, months in zip(monthly * tenure, tenure, strict=True)]
    churn = outcome(rng, signal, 0.265)
    columns = {
        "customerID": codes(rng, rows, "####-?????"),
        "gender": pick(rng, rows, {"Male": 1, "Female": 1}),
        "SeniorCitizen": (rng.random(rows) < 0.16).astype(int),
        "Partner": yes_no(rng.random(rows) < 0.48),
        "tenure": tenure,
        "InternetService": internet,
        "TechSupport": support,
        "Contract": contract,
        "PaperlessBilling": yes_no(rng.random(rows) < 0.59),
        "PaymentMethod": payment,
        "MonthlyCharges": monthly.round(2),
        "TotalCharges": total,
        "Churn": yes_no(churn),
    }
    return csv(folder, "telco_churn", columns)


def campaign(folder: Path) -> Path:
    """Write 4,000 contacts of a campaign: percentages, thousands separators, Y and N, a constant column."""
    rng, rows = rng_of("campaign"), 4_000
    balance = np.round(rng.lognormal(7.4, 1.9, rows)).astype(int)
    opened = rng.beta(1.6, 4, rows)
    owner = rng.random(rows) < 0.55
    segment = pick(rng, rows, {"Retail": 60, "Affluent": 25, "Student": 15})
    signal = 5 * opened + 0.5 * owner + weighed(segment, {"Affluent": 0.7, "Student": -0.5}) + 0.2 * np.log1p(balance)
    columns = {
        "segment": segment,
        "balance": [f"{value:,}" for value in balance.tolist()],
        "open_rate": [f"{100 * value:.1f}%" for value in opened.tolist()],
        "home_owner": yes_no(owner, "Y", "N"),
        "contacts": rng.poisson(2.2, rows),
        "bank": ["Northern Savings"] * rows,
        "responded": yes_no(outcome(rng, signal, 0.24), "Y", "N"),
    }
    return csv(folder, "campaign", columns)


def loans(folder: Path) -> Path:
    """Write 12,000 loans of two years, by day of issue; the economy gets worse, codes have leading zeros."""
    rng, rows = rng_of("loans"), 12_000
    issued = sorted(days(rng, rows, date(2022, 1, 3), date(2023, 12, 30)))
    grade = pick(rng, rows, {"A": 22, "B": 30, "C": 26, "D": 15, "E": 7})
    amount = np.round(rng.lognormal(9.2, 0.55, rows), -2)
    income = np.round(rng.lognormal(10.9, 0.5, rows), -2)
    rate = weighed(grade, {"A": 7.1, "B": 10.6, "C": 13.9, "D": 17.8, "E": 22.4}) + rng.normal(0, 0.7, rows)
    length = pick(rng, rows, {"< 1 year": 8, "1 year": 7, "2-4 years": 25, "5-9 years": 28, "10+ years": 32})
    worse = np.linspace(0, 0.5, rows)
    signal = 0.13 * rate + 1.4 * amount / income + weighed(length, {"< 1 year": 0.4}) + worse
    columns = {
        "loan_id": rng.permutation(rows) + 1_000_000,
        "issue_date": [day.isoformat() for day in issued],
        "amount": amount,
        "term": pick(rng, rows, {"36 months": 70, "60 months": 30}),
        "interest_rate": [f"{value:.2f}%" for value in rate.tolist()],
        "grade": grade,
        "employment_length": holes(rng, length, 0.05),
        "annual_income": holes(rng, income, 0.03),
        "branch": [f"{value:04d}" for value in rng.integers(1, 40, rows).tolist()],
        "purpose": pick(rng, rows, {"debt_consolidation": 55, "car": 12, "home": 18, "medical": 7, "other": 8}),
        "defaulted": outcome(rng, signal, 0.15).astype(int),
    }
    return csv(folder, "loans", columns)


def card_fraud(folder: Path) -> Path:
    """Write 25,000 card payments, 1 % of them fraud."""
    rng, rows = rng_of("card_fraud"), 25_000
    amount = np.round(rng.lognormal(3.4, 1.1, rows), 2)
    abroad = rng.random(rows) < 0.07
    hour = rng.integers(0, 24, rows)
    entry = pick(rng, rows, {"chip": 55, "contactless": 25, "online": 18, "magstripe": 2})
    recent = rng.poisson(1.3, rows)
    signal = (
        0.7 * np.log(amount)
        + 1.8 * abroad
        + 0.9 * ((hour < 5) | (hour > 22))
        + weighed(entry, {"online": 1.2, "magstripe": 2.0})
        + 0.35 * recent
    )
    columns = {
        "amount": amount,
        "merchant_category": pick(
            rng, rows, {"grocery": 30, "fuel": 15, "restaurant": 18, "travel": 7, "electronics": 9, "other": 21}
        ),
        "entry_mode": entry,
        "hour": hour,
        "abroad": [str(value).lower() for value in abroad.tolist()],
        "payments_last_hour": recent,
        "card_age_months": holes(rng, rng.integers(0, 120, rows), 0.02),
        "is_fraud": outcome(rng, signal, 0.0104).astype(int),
    }
    return csv(folder, "card_fraud", columns)


def loyalty(folder: Path) -> Path:
    """Write 3,000 members with all that a shop knows of a person: none of it teaches anything."""
    rng, rows = rng_of("loyalty"), 3_000
    first = pick(rng, rows, dict.fromkeys(("Anna", "Ben", "Chloe", "David", "Emma", "Farid", "Grace", "Hugo"), 1.0))
    last = pick(rng, rows, dict.fromkeys(("Smith", "Müller", "Rossi", "Novak", "Dubois", "Jansen", "Kaya"), 1.0))
    visits, basket = rng.poisson(6, rows), np.round(rng.lognormal(3.3, 0.5, rows), 2)
    who = [f"{a} {b}" for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    mails = [f"{name.lower().replace(' ', '.')}{number}@example.com" for number, name in enumerate(who)]
    columns = {
        "full_name": who,
        "email": [mail.replace("ü", "ue") for mail in mails],
        "contact": [f"+49 151 {value:08d}" for value in rng.integers(10**7, 10**8, rows).tolist()],
        "account": [_iban(value) for value in rng.integers(10**9, 10**10, rows).tolist()],
        "card": [_card(value) for value in rng.integers(10**13, 10**14, rows).tolist()],
        "ssn": [_ssn(value) for value in rng.integers(0, 10**8, rows).tolist()],
        "visits": visits,
        "average_basket": basket,
        "store": pick(rng, rows, {"Centre": 40, "Station": 35, "Outskirts": 25}),
        "renewed": yes_no(outcome(rng, 0.35 * visits + 0.01 * basket, 0.55)),
    }
    return csv(folder, "loyalty", columns)


def coin_toss(folder: Path) -> Path:
    """Write 1,200 leads whose outcome has nothing to do with what is known of them."""
    rng, rows = rng_of("coin_toss"), 1_200
    columns = {
        "source": pick(rng, rows, {"web": 50, "fair": 20, "referral": 30}),
        "employees": np.round(rng.lognormal(3, 1, rows)).astype(int),
        "won": yes_no(rng.random(rows) < 0.45, "won", "lost"),
    }
    return csv(folder, "coin_toss", columns)


def _iban(account: int) -> str:
    """Return a German IBAN with the right check digits."""
    bban = f"37040044{account:010d}"
    check = 98 - int(f"{bban}131400") % 97
    return f"DE{check:02d}{bban}"


def _ssn(number: int) -> str:
    """Return a US social security number as they are written."""
    return f"{number % 664 + 1:03d}-{number // 664 % 98 + 1:02d}-{number // 7919 % 9998 + 1:04d}"


def _card(middle: int) -> str:
    """Return a card number with the right last digit (Luhn)."""
    digits = f"4{middle:014d}"
    doubled = [int(sign) * (2 if place % 2 == 0 else 1) for place, sign in enumerate(digits)]
    return f"{digits}{-sum(value - 9 if value > 9 else value for value in doubled) % 10}"
