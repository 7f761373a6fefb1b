"""Tables that cannot be used as they are. All generated; each is refused with the place and the cure."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tables.drawing import codes, csv, pick, rng_of, yes_no

_HEAD = "region,visits,spend,won\n"


def constant_target(folder: Path) -> Path:
    """Write 600 contracts of which none was ever cancelled."""
    rng, rows = rng_of("constant_target"), 600
    columns = {
        "region": pick(rng, rows, {"N": 1, "S": 1}),
        "value": rng.gamma(2, 300, rows),
        "cancelled": ["no"] * rows,
    }
    return csv(folder, "constant_target", columns)


def no_target(folder: Path) -> Path:
    """Write 400 leads of which no outcome is known yet."""
    rng, rows = rng_of("no_target"), 400
    columns = {"region": pick(rng, rows, {"N": 1, "S": 1}), "visits": rng.poisson(3, rows), "won": [None] * rows}
    return csv(folder, "no_target", columns)


def names_as_target(folder: Path) -> Path:
    """Write 600 customers whose target is a name of their own each."""
    rng, rows = rng_of("names_as_target"), 600
    columns = {
        "region": pick(rng, rows, {"N": 1, "S": 1}),
        "visits": rng.poisson(3, rows),
        "won": codes(rng, rows, "???-##"),
    }
    return csv(folder, "names_as_target", columns)


def only_identifiers(folder: Path) -> Path:
    """Write 600 rows in which there is nothing to learn from: a key, a constant, the target."""
    rng, rows = rng_of("only_identifiers"), 600
    columns = {"id": codes(rng, rows, "??####"), "unit": ["kg"] * rows, "won": yes_no(rng.random(rows) < 0.5)}
    return csv(folder, "only_identifiers", columns)


def ragged(folder: Path) -> Path:
    """Write leads, on line 41 of which a comma too many was typed."""
    lines = _leads(90)
    lines[39] = "north, west,4,18.20,yes"
    return _written(folder, "ragged", _HEAD + "\n".join(lines) + "\n")


def same_names(folder: Path) -> Path:
    """Write leads with two columns called spend."""
    return _written(folder, "same_names", "region,spend,spend,won\n" + "\n".join(_leads(90)) + "\n")


def nameless(folder: Path) -> Path:
    """Write leads whose first column has no name, as pandas writes its index."""
    lines = [f"{number},{line}" for number, line in enumerate(_leads(90))]
    return _written(folder, "nameless", f",{_HEAD}" + "\n".join(lines) + "\n")


def empty(folder: Path) -> Path:
    """Write nothing."""
    return _written(folder, "empty", "")


def only_a_header(folder: Path) -> Path:
    """Write the names of columns and no row."""
    return _written(folder, "only_a_header", _HEAD)


def not_parquet(folder: Path) -> Path:
    """Write CSV under a name that says Parquet."""
    path = folder / "not_parquet.parquet"
    path.write_text(_HEAD + "\n".join(_leads(90)) + "\n")
    return path


def half_a_line(folder: Path) -> Path:
    """Write JSON lines, the last of which a full disk cut off."""
    path = folder / "half_a_line.jsonl"
    cells = (line.split(",") for line in _leads(90))
    lines = [f'{{"region":"{a}","visits":{b},"spend":{c},"won":"{d}"}}' for a, b, c, d in cells]
    path.write_text("\n".join(lines)[:-9])
    return path


def _leads(rows: int) -> list[str]:
    rng = rng_of("leads")
    region, won = pick(rng, rows, {"north": 1, "south": 1}), yes_no(rng.random(rows) < 0.4, "yes", "no")
    visits, spend = rng.poisson(4, rows).tolist(), np.round(rng.gamma(2, 9, rows), 2).tolist()
    return [f"{a},{b},{c},{d}" for a, b, c, d in zip(region.tolist(), visits, spend, won, strict=True)]


def _written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.csv"
    path.write_text(text)
    return path
