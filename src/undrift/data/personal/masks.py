"""What is personal in each dataset, and what takes its place where rows are kept or shown outside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from undrift.core.config import DatasetSettings
from undrift.core.masking import Mask
from undrift.data.personal.columns import Personal, personal_columns


def _nothing() -> Mask | None:
    return None


@dataclass(frozen=True, slots=True)
class Masks:
    """Finds personal columns and masks them.

    Attributes
    ----------
    datasets : mapping of str to DatasetSettings
        What the settings say of the columns of each dataset.
    open_mask : callable
        Gives the project's mask, None where nothing is masked; called when the first cell is masked.
    """

    datasets: Mapping[str, DatasetSettings] = field(default_factory=dict)
    open_mask: Callable[[], Mask | None] = _nothing

    def columns(self, dataset: str, frame: pl.DataFrame) -> dict[str, Personal]:
        """Return the columns of a table of a dataset that are personal, with the settings' last word."""
        return personal_columns(frame, self.datasets.get(dataset))

    def concealed(self, frame: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
        """Return a table with the cells of some columns replaced by their masks, as text; nulls stay."""
        named = [name for name in columns if name in frame.columns]
        mask = self.open_mask() if named else None
        if mask is None:
            return frame
        return frame.with_columns(concealed(frame[name], mask) for name in named)


def concealed(series: pl.Series, mask: Mask) -> pl.Series:
    """Return a column with its cells replaced by their masks; nulls stay."""
    cells = [None if cell is None else mask.text(str(cell)) for cell in series.to_list()]
    return pl.Series(series.name, cells, dtype=pl.String)
