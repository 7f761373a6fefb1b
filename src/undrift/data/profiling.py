"""Profiles as they may be told: of versions and of files that nobody added, personal cells concealed."""

from __future__ import annotations

import secrets
from pathlib import Path

import polars as pl

from undrift.core.masking import Mask
from undrift.data.personal.columns import sampled
from undrift.data.personal.masks import Masks
from undrift.data.profile import Profile, profile
from undrift.data.tabular.reading import Reading
from undrift.data.tabular.table_files import scan_file

_KEY_BYTES = 32


def profile_table(table: pl.DataFrame | pl.LazyFrame, rows: int, masks: Masks, dataset: str = "") -> Profile:
    """Return the profile of a table with the cells of its personal columns concealed.

    Parameters
    ----------
    table : polars.DataFrame or LazyFrame
        The table, of logical types only.
    rows : int
        How many it has.
    masks : Masks
        Finds and masks personal columns.
    dataset : str
        Whose table it is; the settings may say which of its columns are personal.
    """
    sample = sampled(table.lazy(), rows)
    personal = {name: one.kind for name, one in masks.columns(dataset, sample).items()}
    found = profile(table)
    return found.concealed(personal, masks.open_mask()) if personal else found


def profile_file(path: Path, reading: Reading, masks: Masks) -> Profile:
    """Return the profile of a table file; nothing is added, nothing is written.

    Parameters
    ----------
    path : Path
        A file with the ending of a table.
    reading : Reading
        How it is written.
    masks : Masks
        Finds and masks personal columns.

    Raises
    ------
    BadTable, AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter, BadSchema
        If it cannot be read as a table, or in two ways.
    """
    found = scan_file(path, reading)
    return profile_table(found.table, found.rows, masks)


def passing_masks() -> Masks:
    """Return masks under a key that is forgotten: for a file outside of any project."""
    mask = Mask(secrets.token_bytes(_KEY_BYTES))
    return Masks(open_mask=lambda: mask)
