"""The doors for notebooks and scripts: record a run, register its model, load a model and ask it."""

from undrift.loop.notebook.evaluated import Evaluated
from undrift.loop.notebook.loaded import LoadedModel, load
from undrift.loop.notebook.logged import LoggedModel
from undrift.loop.notebook.run import NotebookRun, run

__all__ = ["Evaluated", "LoadedModel", "LoggedModel", "NotebookRun", "load", "run"]
