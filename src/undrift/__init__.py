"""undrift keeps machine-learning models true in production.

Doors for notebooks and scripts, on the same records as the command line::

    import undrift

    undrift.up(frame, target="churned", name="churn").url

    with undrift.run("churn", params={"C": 0.5}) as run:
        model.fit(X, y)
        run.log_model(model, name="churn", example=X, test=(X_test, y_test))

    undrift.load("model:churn@champion").predict(frame)

Everything is imported when it is first used: ``import undrift`` itself is light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from undrift import quality
    from undrift.loop.door import up
    from undrift.loop.notebook import Evaluated, LoadedModel, LoggedModel, NotebookRun, load, run
    from undrift.project import Project

_HOMES = {
    "Evaluated": "undrift.loop.notebook",
    "LoadedModel": "undrift.loop.notebook",
    "LoggedModel": "undrift.loop.notebook",
    "NotebookRun": "undrift.loop.notebook",
    "Project": "undrift.project",
    "load": "undrift.loop.notebook",
    "run": "undrift.loop.notebook",
    "up": "undrift.loop.door",
}
__all__ = ["Evaluated", "LoadedModel", "LoggedModel", "NotebookRun", "Project", "load", "quality", "run", "up"]


def __getattr__(name: str) -> Any:  # Any: whatever the name stands for
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "quality":
        return import_module("undrift.quality")
    if name == "__version__":
        from importlib.metadata import version

        return version("undrift")
    raise AttributeError(f"module 'undrift' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
