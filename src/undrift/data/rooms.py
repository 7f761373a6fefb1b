"""The parts of the data room, each imported when it is first used, so that a command loads only its own."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from undrift.core.clock import Clocks
from undrift.data.additions import Adder
from undrift.data.personal.masks import Masks
from undrift.data.places import Places
from undrift.data.stored import StoredVersions
from undrift.data.tabular.reading import NOTHING_SAID, Reading
from undrift.data.versions import DatasetVersion

if TYPE_CHECKING:
    from undrift.data.admission import Admissions
    from undrift.data.anomalies.history import History
    from undrift.data.branches.service import Branches
    from undrift.data.erasing import DatasetErasure
    from undrift.data.intake import Intake
    from undrift.data.keeping import Keeping
    from undrift.data.remotes.transfer import Transfer


class DataParts:
    """What works on the versions of a project's datasets.

    Parameters
    ----------
    stored : StoredVersions
        The versions that exist.
    clocks : Clocks
        The project's clocks.
    store_dir : Path
        The project's store.
    masks : Masks
        Finds and masks personal columns.

    Attributes
    ----------
    masks : Masks
        The same.
    places : Places
        Which files and folders of the workspace are which version.
    """

    def __init__(self, stored: StoredVersions, clocks: Clocks, store_dir: Path, masks: Masks) -> None:
        self.masks = masks
        self.places = Places(store_dir)
        self._stored = stored
        self._clocks = clocks
        self._store_dir = store_dir
        self._adder = Adder(stored.ledger, stored.blobs, stored, self.places)

    @cached_property
    def keeping(self) -> Keeping:
        """Checks and repairs what is stored, and lets go of it."""
        from undrift.data.keeping import Keeping

        return Keeping(self._stored)

    @cached_property
    def erasure(self) -> DatasetErasure:
        """Finds what must change so that a subject's rows are gone."""
        from undrift.data.erasing import DatasetErasure

        return DatasetErasure(self._stored, self._store_dir / "quarantine")

    @cached_property
    def transfer(self) -> Transfer:
        """Pushes versions to remotes and pulls them from there."""
        from undrift.data.remotes.transfer import Transfer

        return Transfer(self._stored)

    @cached_property
    def history(self) -> History:
        """Compares each version with those before it."""
        from undrift.data.anomalies.history import History

        return History(self._stored, self._clocks.business, self.masks)

    @cached_property
    def intake(self) -> Intake:
        """Adds from databases, object storage and Delta tables, and keeps tables for sharing."""
        from undrift.data.intake import Intake

        return Intake(self._stored, self._adder, lambda: self._admissions, self._store_dir / "scratch")

    @cached_property
    def branches(self) -> Branches:
        """Begins branches of datasets and merges them."""
        from undrift.data.branches.service import Branches

        return Branches(self._stored, self.masks, self._store_dir / "scratch")

    def holding(self, name: str, source: Path, reading: Reading = NOTHING_SAID) -> DatasetVersion | None:
        """Return the newest version of a dataset when it holds exactly the rows of a file, however each is written."""
        from undrift.data.same_rows import holding

        return holding(self._stored, name, source, reading)

    @cached_property
    def _admissions(self) -> Admissions:
        from undrift.data.admission import Admissions

        return Admissions(self._adder, self._stored, self._clocks, self._store_dir / "quarantine", self.history)
