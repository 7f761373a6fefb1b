"""The error tree."""

from __future__ import annotations

import importlib
import pkgutil

import undrift
from undrift.core import errors
from undrift.core.errors import MissingExtra, UndriftError


def every_error() -> list[type[UndriftError]]:
    """Return every class of error of the package."""
    for module in pkgutil.walk_packages(undrift.__path__, "undrift."):
        if module.name.endswith("errors"):
            importlib.import_module(module.name)
    found, queue = [], [UndriftError]
    while queue:
        error = queue.pop()
        found.append(error)
        queue.extend(error.__subclasses__())
    return found


def test_every_error_has_an_exit_code_of_the_contract() -> None:
    """0 is success, 1 to 5 say what kind of no it is."""
    assert {error.exit_code for error in every_error()} <= {1, 2, 3, 4, 5}


def test_every_error_has_a_code_of_its_own() -> None:
    """Scripts can tell errors apart by it."""
    found = [error for error in every_error() if error.__module__ == errors.__name__]
    assert len({error.code for error in found} | {"fault", "decision-needed"}) >= len(found) - 1


def test_an_error_says_its_cure() -> None:
    """Message, then what to do; fields for machines."""
    error = UndriftError("it broke", cure="mend it", thing="x")
    assert (str(error), error.message, error.fields) == ("it broke\n  cure: mend it", "it broke", {"thing": "x"})


def test_a_missing_extra_is_an_import_error_that_names_what_to_install() -> None:
    """So that optional imports can be caught as usual."""
    error = MissingExtra("postgres", "a ledger on Postgres")
    assert isinstance(error, ImportError)
    assert "pip install 'undrift[postgres]'" in str(error)
