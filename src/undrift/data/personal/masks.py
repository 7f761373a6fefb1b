"""What is personal in each dataset, and what takes its place where rows are kept or shown outside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import polars as pl

from undrift.core.config import DatasetSettings
from undrift.core.masking import Mask
from undrift.data.personal.columns import Personal, personal_columns


def _nothing() -> Mask | None:
    return None


def _none_before(_: str) -> str | None:
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
    left_from : callable
        Gives the dataset that a branch left from, None for one that is no branch.
    """

    datasets: Mapping[str, DatasetSettings] = field(default_factory=dict)
    open_mask: Callable[[], Mask | None] = _nothing
    left_from: Callable[[str], str | None] = _none_before

    def settings(self, dataset: str) -> DatasetSettings:
        """Return what the settings say of a dataset; of a branch also what they say of what it left from.

        A branch without settings of its own has those. One that has some takes over which columns are personal:
        a person does not become a stranger because somebody repairs a table beside the line.
        """
        own, seen = self.datasets.get(dataset), {dataset}
        before = self.left_from(dataset)
        while before is not None and before not in seen:
            theirs = self.datasets.get(before)
            own = _with_personal(own, theirs) if own and theirs else own or theirs
            seen.add(before)
            before = self.left_from(before)
        return own or DatasetSettings()

    def columns(self, dataset: str, frame: pl.DataFrame) -> dict[str, Personal]:
        """Return the columns of a table of a dataset that are personal, with the settings' last word."""
        return personal_columns(frame, self.settings(dataset))

    def concealed(self, frame: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
        """Return a table with the cells of some columns replaced by their masks, as text; nulls stay."""
        named = [name for name in columns if name in frame.columns]
        mask = self.open_mask() if named else None
        if mask is None:
            return frame
        return frame.with_columns(concealed(frame[name], mask) for name in named)


def _with_personal(own: DatasetSettings, theirs: DatasetSettings) -> DatasetSettings:
    """Return settings with what others say of columns that they do not speak of."""
    spoken = {*own.personal, *own.not_personal}
    return msgspec.structs.replace(
        own,
        personal=(*own.personal, *(name for name in theirs.personal if name not in spoken)),
        not_personal=(*own.not_personal, *(name for name in theirs.not_personal if name not in spoken)),
    )


def concealed(series: pl.Series, mask: Mask) -> pl.Series:
    """Return a column with its cells replaced by their masks; nulls stay."""
    cells = [None if cell is None else mask.text(str(cell)) for cell in series.to_list()]
    return pl.Series(series.name, cells, dtype=pl.String)
