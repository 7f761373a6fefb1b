"""Labels from a file: which endpoint, which column, which classes."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from undrift.core.errors import BadInput
from undrift.core.masking import known_mask
from undrift.data.tabular.table_files import read_columns
from undrift.data.workspace import missing
from undrift.endpoints import labels
from undrift.endpoints.labels import LabelReport, LabelSource
from undrift.project import Project


def add_labels(
    project: Project, endpoint: str, path: Path, *, on: str, actual: str | None = None, event_time: str | None = None
) -> LabelReport:
    """Write the labels of a table for an endpoint's predictions.

    Parameters
    ----------
    project : Project
        The project.
    endpoint : str
        Its name.
    path : Path
        A table: CSV in any dialect, JSON lines, Parquet.
    on : str
        The column with the caller's key, or ``prediction_id``.
    actual : str, optional
        The column with the truth; by default the target of the endpoint's model.
    event_time : str, optional
        The column with the predictions' event time.

    Raises
    ------
    BadInput
        If no column is named and the settings do not know the model's target.
    SourceNotFound, BadTable, AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter
        If the file cannot be read, or in two ways.
    BadLabels
        If a column is missing, or a truth is none that the model can answer; nothing is written then.
    """
    version = project.registry.get(project.endpoints.get(endpoint).stable.ref)
    known = project.settings.models.get(version.model)
    column = actual or (known.target if known else None)
    if column is None:
        raise BadInput(f"which column of {path.name} holds the truth?", cure="add --actual COLUMN")
    classes = project.registry.open(version).manifest.classes
    table = _read(path, [column, *([event_time] if event_time else [])])
    source = LabelSource(path, table, on=on, actual=column, classes=classes, event_time=event_time)
    return labels.add_labels(project.endpoint_rooms, endpoint, source, project.actor)


def keys_in(project: Project, path: Path, on: str) -> dict[str, str]:
    """Return the callers' keys in a table of labels by what stands for them in the log.

    Parameters
    ----------
    project : Project
        The project, which may mask keys.
    path : Path
        A table.
    on : str
        The column with the keys.
    """
    mask = known_mask(project.store)  # as readers of the log mask what lies there unmasked
    keys = labels.keys_of(path, _read(path, []), on)
    return {key if mask is None else mask.text(key): key for key in keys}


def _read(path: Path, typed: list[str]) -> pl.DataFrame:
    """Return a table of labels; a key is text, whatever it looks like: 007 is not 7."""
    if not path.is_file():
        raise missing(path)
    return read_columns(path, typed)
