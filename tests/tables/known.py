"""Real tables: scikit-learn's own, the demo's flights, and two small files in ``real/``."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import polars as pl
from sklearn import datasets

_REAL = Path(__file__).parent / "real"


def breast_cancer(folder: Path) -> Path:
    """Write 569 tumours: strong and honest measurements."""
    return _of_sklearn("breast_cancer", folder)


def wine(folder: Path) -> Path:
    """Write 178 wines of three growers."""
    return _of_sklearn("wine", folder)


def diabetes(folder: Path) -> Path:
    """Write 442 patients and how their illness went on, as a number."""
    return _of_sklearn("diabetes", folder)


def penguins(folder: Path) -> Path:
    """Write 344 penguins of three species, some not measured."""
    return Path(copyfile(_REAL / "penguins.csv", folder / "penguins.csv"))


def anes96(folder: Path) -> Path:
    """Write 944 voters of 1996, whose party tells much of their vote, and honestly."""
    return Path(copyfile(_REAL / "anes96.csv", folder / "anes96.csv"))


def flights(folder: Path) -> Path:
    """Write 8,000 flights of ninety days of 2013 as Parquet, with weather and what came of each."""
    from undrift.demo import flights as demo

    table = demo.load().sort(demo.EVENT_TIME)
    first = table[demo.EVENT_TIME][0]
    early = table.filter(pl.col(demo.EVENT_TIME) < first + pl.duration(days=90)).sample(8_000, seed=4)
    path = folder / "flights.parquet"
    kept = (demo.KEY, demo.EVENT_TIME, *demo.FEATURES, demo.TARGET)
    early.sort(demo.EVENT_TIME).select(kept).write_parquet(path)
    return path


def _of_sklearn(name: str, folder: Path) -> Path:
    bunch = getattr(datasets, f"load_{name}")()
    target = pl.Series(bunch.target if name == "diabetes" else bunch.target_names[bunch.target])
    path = folder / f"{name}.csv"
    pl.DataFrame(bunch.data, schema=list(bunch.feature_names)).with_columns(target=target).write_csv(path)
    return path
