"""The composition root: opens a project's ledger, files and clocks and hands them to the rooms."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Self

from undrift.core import config
from undrift.core.clock import Clocks, RealClock, SimulatedClock
from undrift.core.config import Settings
from undrift.core.errors import BadInput, NotFound
from undrift.core.files import PRIVATE_FOLDER, make_private, write_atomic
from undrift.core.ids import IdSource
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

if TYPE_CHECKING:  # rooms are imported when they are first used, so that a command loads only its own
    from undrift.blobs.store import BlobStore
    from undrift.data.service import Data
    from undrift.endpoints.publisher import Publisher
    from undrift.endpoints.rooms import EndpointRooms
    from undrift.endpoints.service import Endpoints
    from undrift.endpoints.state import VersionRef
    from undrift.ledger.change import Change
    from undrift.ledger.verify import Verification
    from undrift.models.registry import Registry
    from undrift.monitoring.monitor import Monitor
    from undrift.pipelines.journal import Journal
    from undrift.tracking.runs import Runs

CLOCK_FILE = "clock.json"
FIRST_SETTINGS = """\
# This project's settings. Every key is documented in docs/settings.md.

[project]
name = "{name}"

# Who promotes a model version that passed its gate: a person ("ask"), or this policy ("auto").
[policy]
promotion = "ask"
"""


class NoProject(NotFound):
    """No project lies here or above."""

    code = "no-project"


class ProjectExists(BadInput):
    """The folder is a project already."""

    code = "project-exists"


class ClockMismatch(BadInput):
    """The settings ask for another kind of clock than the project was created with."""

    code = "clock-mismatch"


class Project:
    """An open project; a context manager that closes what it opened.

    Use :meth:`open` or :meth:`create`.

    Attributes
    ----------
    root : Path
        The folder that holds ``undrift.toml`` and the store.
    store : Path
        ``root/.undrift``: everything that undrift writes, mode 0700, ignored by git.
    settings : Settings
        What ``undrift.toml`` says.
    clocks : Clocks
        Business and real time.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = root / config.STORE
        self.settings = config.load(root / config.FILE_NAME)
        self.clocks = _clocks(self.store, self.settings)
        self.actor = Actor.current()

    @classmethod
    def open(cls, folder: Path | str = ".") -> Self:
        """Return the project in a folder or the nearest one above it, by default the one we are in.

        Raises
        ------
        NoProject
            If there is none.
        ClockMismatch
            If the settings ask for another clock than the project was created with.
        """
        found = config.root_of(Path(folder))
        if found is not None:
            return cls(found)
        raise NoProject(
            f"there is no undrift project in {folder} or above it",
            cure="run `undrift init` in your project's folder, or `undrift up TABLE --target COLUMN`",
        )

    @classmethod
    def create(cls, folder: Path | str, settings: str = "") -> Self:
        """Make a folder a project and return it; a second call on the same folder changes nothing.

        Parameters
        ----------
        folder : Path or str
            Made when it is missing.
        settings : str, optional
            Text of ``undrift.toml``, written when there is none yet.

        Notes
        -----
        Writes ``undrift.toml`` and ``.undrift/`` with a ``.gitignore`` that ignores all of it.
        """
        folder = Path(folder).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / config.FILE_NAME
        if not path.exists():
            text = settings or FIRST_SETTINGS.format(name=_name_from(folder))
            config.parse(text)
            write_atomic(path, text.encode(), 0o644)
        store = make_private(folder / config.STORE)
        store.chmod(PRIVATE_FOLDER)
        write_atomic(store / ".gitignore", b"*\n")
        project = cls(folder)
        project.ledger.head()
        return project

    @cached_property
    def ledger(self) -> Ledger:
        """The project's ledger, created or migrated when it is first used."""
        url = self.settings.store.url
        target = url or self.store
        checkpoint = self.store / "ledger.head" if url else None
        ledger = Ledger.open(target, clock=self.clocks.business, real=self.clocks.real, checkpoint=checkpoint)
        self._refuse_other_clock(ledger)
        return ledger

    @cached_property
    def blobs(self) -> BlobStore:
        """The content-addressed store of bytes."""
        from undrift.blobs.store import BlobStore

        return BlobStore(self.store / "blobs", int(self.settings.store.cache_gb * 1e9))

    @cached_property
    def data(self) -> Data:
        """The datasets."""
        from undrift.core.masking import mask_to_show
        from undrift.data.personal.masks import Masks
        from undrift.data.service import Data

        privacy = self.settings.privacy
        masks = Masks(self.settings.datasets, lambda: mask_to_show(self.store) if privacy.mask else None)
        return Data(self.ledger, self.blobs, self.clocks, self.store, masks)

    @cached_property
    def runs(self) -> Runs:
        """The recorded runs."""
        from undrift.tracking.runs import Runs

        return Runs(self.ledger, self.blobs, self.store, self.clocks)

    @cached_property
    def journal(self) -> Journal:
        """Which pipeline runs there are and how far each has come."""
        from undrift.pipelines.journal import Journal

        return Journal(self.ledger, self.clocks)

    @cached_property
    def registry(self) -> Registry:
        """The versions of all models."""
        from undrift.models.registry import Registry

        return Registry(self.ledger, self.store / "packages")

    @cached_property
    def endpoint_rooms(self) -> EndpointRooms:
        """What endpoints work with; the registry follows what they serve."""
        from undrift.endpoints.rooms import EndpointRooms, Publishing

        publishing = {name: Publishing(log_mode=found.log_mode) for name, found in self.settings.endpoints.items()}

        def on_live(change: Change, endpoint: str, old: VersionRef | None, new: VersionRef) -> None:
            _follow_live(self.registry, change, endpoint, old, new)

        is_masked = self.settings.privacy.mask
        return EndpointRooms(self.ledger, self.store, self.clocks, on_live, publishing, self._rollout_ids(), is_masked)

    @cached_property
    def endpoints(self) -> Endpoints:
        """What is served where."""
        from undrift.endpoints.service import Endpoints

        return Endpoints(self.endpoint_rooms)

    @cached_property
    def publisher(self) -> Publisher:
        """Brings the endpoints' state to their workers."""
        from undrift.endpoints.publisher import Publisher

        return Publisher(self.endpoint_rooms)

    @cached_property
    def monitor(self) -> Monitor:
        """What watches the endpoints."""
        from undrift.monitoring.monitor import Monitor

        return Monitor(self.ledger, self.store, self.clocks)

    def verify(self, expected_head: str | None = None) -> Verification:
        """Return whether the chain of events holds and the stored state is what the events say.

        Parameters
        ----------
        expected_head : str, optional
            A head that was kept elsewhere.
        """
        from undrift.data.repository import VersionsProjection
        from undrift.endpoints.projection import EndpointProjection
        from undrift.models.projection import ModelProjection

        return self.ledger.verify(
            [VersionsProjection(), ModelProjection(), EndpointProjection()], expected_head=expected_head
        )

    def reload_settings(self) -> None:
        """Read ``undrift.toml`` again; what was made from the old settings is made anew."""
        self.settings = config.load(self.root / config.FILE_NAME)
        for made in ("data", "endpoint_rooms", "endpoints", "publisher"):
            self.__dict__.pop(made, None)

    def _rollout_ids(self) -> IdSource:
        """Return what makes the ids of rollouts, which deal their arms: the same ones again in a replay."""
        if self.settings.clock.kind == "real":
            return IdSource(self.clocks.real)
        return IdSource(self.clocks.business, Random(self.settings.project.name).randbytes)  # noqa: S311  (no secret)

    def close(self) -> None:
        """Close the database connections."""
        if "ledger" in self.__dict__:
            self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_other_clock(self, ledger: Ledger) -> None:
        first = ledger.events(limit=1)
        born = first[0].body.get("clock", "real") if first else "real"
        asked = self.settings.clock.kind
        if born != asked:
            raise ClockMismatch(
                f"this project was created with a {born} clock and its settings ask for a {asked} one",
                cure=f'set kind = "{born}" under [clock] in undrift.toml, or create another project',
            )


def _clocks(store: Path, settings: Settings) -> Clocks:
    real = RealClock()
    if settings.clock.kind == "real":
        return Clocks(business=real, real=real)
    return Clocks(business=SimulatedClock(store / CLOCK_FILE, settings.clock.start), real=real)


def _name_from(folder: Path) -> str:
    kept = [letter if letter.isalnum() and letter.isascii() else "-" for letter in folder.name.lower()]
    return "".join(kept).strip("-")[:63] or "project"


def _follow_live(registry: Registry, change: Change, endpoint: str, old: VersionRef | None, new: VersionRef) -> None:
    """Move the registry's states and the champion with an endpoint, in the endpoint's own change."""
    reason = f"live at endpoint:{endpoint}"
    # The old one first: whoever folds the events one by one never sees two live versions.
    if old is not None and old.ref != new.ref and registry.get(old.ref, change.connection).state == "live":
        registry.retire(change, old.ref, f"replaced at endpoint:{endpoint} by {new.ref}")
    version = registry.get(new.ref, change.connection)
    if version.state != "live":
        registry.go_live(change, new.ref, reason, force_reason=new.forced_reason)
    champion = registry.aliases(new.model, change.connection).get("champion")
    if champion != new.number:
        registry.move_alias(change, f"model:{new.model}@champion", to=new.number, expected=champion, reason=reason)
