"""Checks as they may be told: of versions and of files that nobody added, personal cells concealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl

from undrift.data.personal.columns import sampled
from undrift.data.personal.masks import Masks
from undrift.data.quality.check import Asked, CheckReport, check
from undrift.data.quality.results import Conceal, ResultFormat, validation
from undrift.data.quality.suite import Suite
from undrift.data.tabular.reading import Reading
from undrift.data.tabular.table_files import scan_file


@dataclass(frozen=True, slots=True)
class Checked:
    """A report, and what its reader may see of cells.

    Attributes
    ----------
    report : CheckReport
        The report.
    suite : Suite
        What was expected.
    conceal : callable
        Gives for a column and a cell what may be shown: of a personal column its mask.
    """

    report: CheckReport
    suite: Suite
    conceal: Conceal

    def validation(self, form: ResultFormat) -> object:
        """Return the report in the form of Great Expectations, personal cells masked."""
        return validation(self.report, self.suite, form, self.conceal)


def check_file(path: Path, reading: Reading, suite: Suite, masks: Masks, asked: Asked) -> Checked:
    """Return how a table file stands against a suite; nothing is added, nothing is written.

    Parameters
    ----------
    path : Path
        A file with the ending of a table. Parquet is read piece by piece, however large it is.
    reading : Reading
        How it is written.
    suite : Suite
        What is expected.
    masks : Masks
        Finds and masks personal columns.
    asked : Asked
        What the report is to tell, and who makes it.

    Raises
    ------
    BadTable, AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter, BadSchema
        If it cannot be read as a table, or in two ways.
    """
    found = scan_file(path, reading)
    report = check(path if found.is_streamed else found.table, suite, asked)
    return Checked(report, suite, concealer(lambda: sampled(found.table.lazy(), found.rows), suite, masks))


def concealer(sample: Callable[[], pl.DataFrame], suite: Suite, masks: Masks, dataset: str = "") -> Conceal:
    """Return what hides the cells of personal columns: those of a table, and those that its suite names.

    Parameters
    ----------
    sample : callable
        Gives some rows of the table; asked only if a cell is to be shown.
    suite : Suite
        Its ``meta`` may name personal columns of the table that suggested it.
    masks : Masks
        Finds and masks personal columns.
    dataset : str
        Whose table it is; the settings may say which of its columns are personal.
    """

    @cache
    def personal() -> frozenset[str]:
        return suite.personal | frozenset(masks.columns(dataset, sample()))

    def conceal(column: str, cell: object) -> object:
        if cell is None or column not in personal():
            return cell
        mask = masks.open_mask()
        return mask.text(str(cell)) if mask is not None else cell

    return conceal
