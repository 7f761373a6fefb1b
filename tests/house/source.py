"""A Python file of the project, parsed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[2]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Exceptions: TypeAlias = Mapping[str, Mapping[str, str]]  # rule, then place, then reason


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of the project."""

    path: str
    text: str
    tree: ast.Module

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Give every function with its qualified name."""
        yield from _functions(self.tree, "")

    def classes(self) -> Iterator[ast.ClassDef]:
        """Give every class."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, Function):
            yield f"{prefix}{child.name}", child
            inner = f"{prefix}{child.name}.<locals>."
        elif isinstance(child, ast.ClassDef):
            inner = f"{prefix}{child.name}."
        yield from _functions(child, inner)


def parsed(*folders: str) -> list[Source]:
    """Return the files below some folders of the project."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    texts = [(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]
    return [Source(path, text, ast.parse(text)) for path, text in texts]
