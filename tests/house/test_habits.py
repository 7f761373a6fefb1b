"""Habits that reviews would otherwise have to find."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from house.source import Exceptions, Function, Source

_CLOCK = "src/undrift/core/clock.py"
_TIME_READERS = {"now", "utcnow", "today"}
_DATES = {"datetime", "date", "datetime.datetime", "datetime.date", "dt.datetime", "dt.date"}
_BROAD = {"Exception", "BaseException"}


def test_only_the_clock_reads_the_time(product: list[Source]) -> None:
    """A demo, a test or a replay can run faster only when all time comes from one object."""
    found = [
        f"{source.path}:{node.lineno}"
        for source in product
        if source.path != _CLOCK
        for node in _time_uses(source.tree)
    ]
    assert found == []


def test_broad_excepts_stand_only_at_process_edges(product: list[Source], exceptions: Exceptions) -> None:
    """A loop that must not die may catch everything; it is listed with its reason."""
    found = {
        f"{source.path}:{name}"
        for source in product
        for name, function in source.functions()
        if any(_is_broad(node) for node in _own_nodes(function))
    }
    assert sorted(found ^ set(exceptions["broad-except"])) == []


def test_no_import_cycles(exceptions: Exceptions) -> None:
    """Modules can be read, tested and loaded one after the other."""
    import grimp

    graph = grimp.build_graph("undrift", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert sorted(_in_cycles(imports) - set(exceptions["import-cycle"])) == []


def test_a_todo_names_its_issue(everything: list[Source]) -> None:
    """A wish without an address is lost."""
    word = "TO" + "DO"
    found = [
        f"{source.path}:{number}"
        for source in everything
        for number, line in enumerate(source.text.splitlines(), 1)
        if f"# {word}" in line and f"{word}(#" not in line
    ]
    assert found == []


def _time_uses(tree: ast.Module) -> Iterator[ast.stmt | ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and "time" in _imported(node):
            yield node
        if isinstance(node, ast.Attribute) and node.attr in _TIME_READERS and ast.unparse(node.value) in _DATES:
            yield node


def _imported(node: ast.Import | ast.ImportFrom) -> set[str | None]:
    return {node.module} if isinstance(node, ast.ImportFrom) else {alias.name for alias in node.names}


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Give the nodes of a function that do not belong to a function inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, Function):
            yield child
            yield from _own_nodes(child)


def _is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    if node.type is None:
        return True
    names = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(isinstance(name, ast.Name) and name.id in _BROAD for name in names)


def _in_cycles(imports: dict[str, set[str]]) -> set[str]:
    """Return the modules that can reach themselves."""
    left = {module: set(targets) for module, targets in imports.items()}
    while True:  # take away what imports nothing that is left, then what nobody left imports
        wanted = set().union(*left.values()) if left else set()
        idle = {module for module, targets in left.items() if not targets & left.keys() or module not in wanted}
        if not idle:
            return set(left)
        left = {module: targets & left.keys() for module, targets in left.items() if module not in idle}
