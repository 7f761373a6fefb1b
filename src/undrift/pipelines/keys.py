"""When may an earlier result stand for running a step: the key, and the words that explain it.

The key holds everything that a step can depend on: the code of its whole package, the
parameters and inputs that it declared, and the versions of the libraries. It errs on one
side: a part that cannot be computed is a miss and says so, and never silently left out.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from sqlalchemy import insert, select

from undrift.core import canonical
from undrift.core.clock import to_us
from undrift.core.digest import blake3_bytes
from undrift.core.errors import UndriftError
from undrift.core.json import JSON
from undrift.ledger.ledger import Change, Ledger
from undrift.pipelines import tables
from undrift.pipelines.graph import Outputs, Step, StepContext


@dataclass(frozen=True, slots=True)
class Key:
    """The key of one execution of a step.

    Attributes
    ----------
    parts : mapping
        What it is made of, by name.
    digest : str or None
        Names the result; None when a part could not be computed.
    problem : str
        Why there is no digest.
    """

    parts: Mapping[str, JSON]
    digest: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Reusable:
    """An earlier result that stands for running a step."""

    run: str
    outputs: Outputs


class StepCache:
    """Remembers the results of cacheable steps.

    Parameters
    ----------
    ledger : Ledger
        Where they are remembered.
    exists : callable
        Says whether the bytes of a digest are still stored: a result that names bytes which
        are gone is a miss.
    """

    def __init__(self, ledger: Ledger, exists: Callable[[str], bool]) -> None:
        self._ledger = ledger
        self._exists = exists

    def find(self, key: Key) -> Reusable | None:
        """Return the earlier result of a key."""
        if key.digest is None:
            return None
        with self._ledger.read() as connection:
            row = connection.execute(select(tables.cache).where(tables.cache.c.key == key.digest)).one_or_none()
        if row is None:
            return None
        outputs = cast(Outputs, canonical.loads(row.outputs))
        return Reusable(row.run, outputs) if all(map(self._exists, _digests(outputs))) else None

    def remember(self, change: Change, step: str, key: Key, result: Reusable) -> None:
        """Keep a result; the first of a key stays."""
        if key.digest is None:
            return
        query = select(tables.cache.c.key).where(tables.cache.c.key == key.digest)
        if change.connection.scalar(query) is not None:
            change.connection.execute(tables.cache.delete().where(tables.cache.c.key == key.digest))
        row = {
            "key": key.digest,
            "step": step,
            "run": result.run,
            "key_parts": canonical.text(key.parts),
            "outputs": canonical.text(result.outputs),
            "made_us": to_us(change.at),
        }
        change.connection.execute(insert(tables.cache).values(**row))

    def explain(self, step: str, key: Key) -> str:
        """Return why a step would run or not, in one sentence."""
        if key.digest is None:
            return f"runs: {key.problem}"
        found = self.find(key)
        if found:
            return f"reused from run {found.run}: code, parameters, inputs and libraries are the same"
        query = select(tables.cache.c.key_parts).where(tables.cache.c.step == step)
        with self._ledger.read() as connection:
            newest = connection.scalar(query.order_by(tables.cache.c.made_us.desc()).limit(1))
        if newest is None:
            return "runs: it has not run before"
        return f"runs: {differences(cast(Outputs, canonical.loads(newest)), key.parts)}"


def key_of(pipeline: str, step: Step[Any], context: StepContext) -> Key:
    """Return the key of one execution of a step.

    Notes
    -----
    The code part is the digest of every source file of the step's top-level package: wider
    than what the step reaches, so that an edit may rerun too much and never too little.
    """
    parts: dict[str, JSON] = {
        "step": f"{pipeline}.{step.name}",
        "params": dict(context.params),
        "inputs": {name: dict(outputs) for name, outputs in context.inputs.items()},
        "python": platform.python_version(),
        "machine": f"{sys.platform}-{platform.machine()}",
        "libraries": dict(_libraries()),
    }
    code = _package_code(step.run.__module__)
    if code is None:
        return Key(parts, None, f"the source of {step.run.__module__} cannot be read, so nothing can be reused")
    parts["code"] = code
    try:
        return Key(parts, blake3_bytes(canonical.dumps(parts)))
    except UndriftError as error:
        return Key({}, None, f"its parameters or inputs have no canonical form ({error.message})")


def differences(before: Outputs, now: Outputs) -> str:
    """Return which parts of two keys differ, in words."""
    changed = []
    for name in sorted({*before, *now} - {"step"}):
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            names = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
            changed.append(f"{name} changed ({', '.join(names[:5])})")
        else:
            changed.append(f"{name} changed")
    return "; ".join(changed) or "its earlier result is gone"


@cache
def _libraries() -> Mapping[str, JSON]:
    found = {dist.name.lower(): dist.version for dist in metadata.distributions() if dist.name}
    return dict(sorted(found.items()))


@cache
def _package_code(module: str) -> str | None:
    """Return the digest of all sources of a module's top-level package, None without sources."""
    root = sys.modules.get(module.partition(".")[0])
    files = _sources(root) if root is not None and module != "__main__" else []
    if not files:
        return None
    listing: dict[str, JSON] = {str(name): blake3_bytes(path.read_bytes()) for name, path in files}
    return blake3_bytes(canonical.dumps(listing))


def _sources(root: ModuleType) -> list[tuple[str, Path]]:
    """Return names and paths of a package's source files; none for anything without a file."""
    if hasattr(root, "__path__"):  # a package, also one without an __init__
        folders = [Path(folder) for folder in root.__path__]
        return [(file.relative_to(top).as_posix(), file) for top in folders for file in sorted(top.rglob("*.py"))]
    file = Path(root.__file__ or "")
    return [(file.name, file)] if file.suffix == ".py" else []


def _digests(value: JSON) -> list[str]:
    if isinstance(value, str):
        return [value] if value.startswith("b3:") else []
    if isinstance(value, Mapping):
        return [found for item in value.values() for found in _digests(item)]
    if isinstance(value, list | tuple):
        return [found for item in value for found in _digests(item)]
    return []
