"""Making a published state ready to answer: packages are verified, loaded and warmed off the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from undrift.core.clock import Clock
from undrift.core.masking import read_mask
from undrift.models.package import open_package
from undrift.segments.endpoint_file import EndpointState, VariantState
from undrift.serving.batching import Batcher, Model, Outcome
from undrift.serving.live import Asking, Live, Loaded, Served

Finish = Callable[[list[tuple[Asking, Outcome]], float], None]


@dataclass(frozen=True, slots=True)
class Loader:
    """Makes packages ready.

    Attributes
    ----------
    store : Path
        Where relative paths start.
    clock : Clock
        Real time.
    finish : callable
        Takes what the batchers score.
    """

    store: Path
    clock: Clock
    finish: Finish

    async def load(self, state: EndpointState, before: Live | None) -> Live:
        """Return a state ready to answer; packages that are served already are used again.

        Raises
        ------
        PackageCorrupt, GoldenMismatch
            If a package's bytes or answers are not those that were packaged.
        PackageUnusable
            If no engine of a package can be loaded here.
        BadMaskingKey
            If the key of the masks cannot be read.
        """
        ready = {served.state.package: served.loaded for served in before.served} if before else {}
        for variant in state.variants:
            if variant.package not in ready:
                ready[variant.package] = await asyncio.to_thread(self._ready, variant)
        canary = state.canary
        return Live(
            state,
            Served.of(state.stable, ready[state.stable.package]),
            Served.of(canary, ready[canary.package]) if canary else None,
            read_mask(self.store / state.mask) if state.mask else None,
        )

    def _ready(self, variant: VariantState) -> Loaded:
        package = open_package(self.store / variant.path, variant.package)
        engine = package.load_engine()
        package.check_golden(engine)
        batcher = Batcher(Model(package.manifest, engine), self.clock, self.finish)
        first = package.golden().rows[:1]
        batcher.warm(package.decoder.decode(list(first)), len(first))
        return Loaded(package, batcher)
