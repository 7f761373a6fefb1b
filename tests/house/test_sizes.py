"""Nothing grows beyond what a reader can hold."""

from __future__ import annotations

import ast

from house.source import Exceptions, Function, Source

LONGEST_FILE = 500
LONGEST_FUNCTION = 50
MOST_METHODS = 20
MOST_ARGUMENTS = 5
NOT_A_NAME = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def test_no_file_is_too_long(everything: list[Source], exceptions: Exceptions) -> None:
    """500 lines."""
    found = {source.path for source in everything if source.text.count("\n") > LONGEST_FILE}
    assert sorted(found ^ set(exceptions["file-too-long"])) == []


def test_no_function_is_too_long(everything: list[Source], exceptions: Exceptions) -> None:
    """50 lines, its docstring apart."""
    found = {
        f"{source.path}:{name}"
        for source in everything
        for name, function in source.functions()
        if _lines(function) > LONGEST_FUNCTION
    }
    assert sorted(found ^ set(exceptions["function-too-long"])) == []


def test_no_class_has_too_many_methods(everything: list[Source], exceptions: Exceptions) -> None:
    """20 methods, special ones included."""
    found = {
        f"{source.path}:{node.name}"
        for source in everything
        for node in source.classes()
        if sum(isinstance(child, Function) for child in node.body) > MOST_METHODS
    }
    assert sorted(found ^ set(exceptions["too-many-methods"])) == []


def test_no_function_takes_too_many_arguments(product: list[Source], exceptions: Exceptions) -> None:
    """5 arguments before they become a dataclass; a command's options are not counted."""
    found = {
        f"{source.path}:{name}"
        for source in product
        for name, function in source.functions()
        if _arguments(function) > MOST_ARGUMENTS and not _is_command(function)
    }
    assert sorted(found ^ set(exceptions["too-many-arguments"])) == []


def test_modules_are_named_for_what_they_hold(everything: list[Source]) -> None:
    """No utils, helpers, common, manager."""
    parts = {(source.path, part) for source in everything for part in source.path.removesuffix(".py").split("/")}
    assert [path for path, part in sorted(parts) if NOT_A_NAME & set(part.split("_"))] == []


def test_every_exception_has_a_reason(exceptions: Exceptions) -> None:
    """A bare exception is a broken rule."""
    assert [place for rule in exceptions.values() for place, reason in rule.items() if len(reason) < 10] == []


def _lines(function: Function) -> int:
    first = function.body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if text else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def _arguments(function: Function) -> int:
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in {"self", "cls"}])


def _is_command(function: Function) -> bool:
    return any(
        "option" in ast.unparse(decorator) or "argument" in ast.unparse(decorator)
        for decorator in function.decorator_list
    )
