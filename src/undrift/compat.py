"""The names of the chapter that undrift implements, on undrift's own records."""

from __future__ import annotations

from pathlib import Path

from undrift.core.errors import BadInput
from undrift.core.refs import Ref
from undrift.data.versions import DatasetVersion
from undrift.project import Project

_DATASET = "data"


class SimpleDataVersioning:
    """Versions of data files by tag; thin, over a project's dataset ``data``.

    Parameters
    ----------
    storage_dir : Path or str
        A folder that becomes a project (``undrift.toml`` and ``.undrift/`` in it), or is one.

    Notes
    -----
    What the chapter prints is returned. A tag never moves and follows a grammar, files are stored once, checkout
    verifies every byte: see ``docs/chapter.md``.
    """

    def __init__(self, storage_dir: Path | str = ".data_versions") -> None:
        self._project = Project.create(Path(storage_dir))

    def add(self, filepath: Path | str, version_tag: str) -> DatasetVersion:
        """Store a file under a tag and return its version.

        Raises
        ------
        SourceNotFound
            If there is no such file.
        TagTaken, BadName
            If the tag names another file's bytes, or is not a name.
        """
        data = self._project.data
        return data.add(Path(filepath), _DATASET, actor=self._project.actor, tag=version_tag, schema="later")

    def checkout(self, version_tag: str, output_path: Path | str | None = None) -> Path:
        """Write the file of a tag, every byte verified, and return where.

        Parameters
        ----------
        version_tag : str
            The tag.
        output_path : Path or str, optional
            A new file; by default the file's name, in the working folder.

        Raises
        ------
        DatasetNotFound
            If no version has the tag.
        BadTarget
            If there is a file already: it may hold work that is in no version.
        """
        ref = Ref("data", _DATASET, version_tag)
        parts = self._project.data.manifest(ref).parts
        if len(parts) != 1:
            raise BadInput(f"{ref} is a folder of {len(parts)} files", cure=f"undrift data checkout {ref} -o FOLDER")
        return self._project.data.checkout(ref, Path(output_path or parts[0].path))

    def list_versions(self) -> list[DatasetVersion]:
        """Return all versions, newest first, with tags, size, digest and time; empty when there are none."""
        data = self._project.data
        return data.log(_DATASET) if _DATASET in data.names() else []

    def close(self) -> None:
        """Close the database connections."""
        self._project.close()
