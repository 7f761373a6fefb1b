"""Public things say what they take, return and raise (numpydoc)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from house.source import Exceptions, Function, Source

_MANY = 4
_SELF = {"self", "cls", "change", "connection"}  # what writes or reads rows takes one of these first


def test_public_functions_with_several_arguments_describe_them(product: list[Source], exceptions: Exceptions) -> None:
    """From four arguments on, names alone do not say shape, unit and range."""
    found = {place for place, function, doc in _public(product) if _takes_many(function) and "Parameters\n" not in doc}
    assert sorted(found - set(exceptions["undocumented"])) == []


def test_public_functions_say_what_they_raise(product: list[Source], exceptions: Exceptions) -> None:
    """A caller learns the errors of ours from the docstring."""
    found = {place for place, function, doc in _public(product) if _raises(function) and "Raises\n" not in doc}
    assert sorted(found - set(exceptions["undocumented"])) == []


def test_every_exception_is_still_needed(product: list[Source], exceptions: Exceptions) -> None:
    """An exception for a thing that is gone is taken off the list."""
    assert set(exceptions["undocumented"]) - {place for place, _, _ in _public(product)} == set()


def _public(product: list[Source]) -> Iterator[tuple[str, Function, str]]:
    """Give public functions; commands are documented by their help text, migrations by their tables."""
    for source in product:
        if "/cli/" in source.path or "/migrations/" in source.path:
            continue
        for name, function in source.functions():
            if not any(part.startswith(("_", "<")) for part in name.split(".")):
                yield f"{source.path}:{name}", function, ast.get_docstring(function) or ""


def _takes_many(function: Function) -> bool:
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return len([argument for argument in arguments if argument.arg not in _SELF]) >= _MANY


def _raises(function: Function) -> bool:
    raised = (node for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc is not None)
    return any(
        ast.unparse(node.exc or node) not in {"AssertionError", "NotImplementedError", "error"} for node in raised
    )
