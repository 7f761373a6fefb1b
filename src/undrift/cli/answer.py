"""What a command gives back, and how it is shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

from undrift.core.errors import UndriftError
from undrift.core.json import JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a command.

    Attributes
    ----------
    data : JSON
        What ``--json`` prints, one document.
    text : str
        What a person reads.
    exit_code : int
        0 ok, 3 a check or gate failed, 4 a decision is needed, 5 cannot tell.
    """

    data: JSON
    text: str
    exit_code: int = 0


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer on standard output: nothing else is ever printed there."""
    click.echo(json.dumps(answer.data, ensure_ascii=False, default=str) if as_json else answer.text)


def show_error(error: UndriftError, *, as_json: bool) -> None:
    """Print an error: as JSON on standard output, else in words on standard error."""
    if as_json:
        body = {"code": error.code, "message": error.message, "cure": error.cure, **error.fields}
        click.echo(json.dumps({"error": body}, ensure_ascii=False, default=str))
        return
    click.echo(f"{click.style('error', fg='red', bold=True)}: {error.message}", err=True)
    if error.cure:
        click.echo(f" {click.style('cure', fg='green', bold=True)}: {error.cure}", err=True)


def say(line: str) -> None:
    """Tell a person about progress, on standard error."""
    click.echo(line, err=True)
    sys.stderr.flush()


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows under headers, columns aligned; numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[at]) for row in [list(headers), *cells]) for at in range(len(headers))]
    numeric = [bool(cells) and all(_is_number(row[at]) for row in cells) for at in range(len(headers))]
    lines = [_line(headers, widths, numeric)]
    lines += [_line(row, widths, numeric) for row in cells]
    return "\n".join(lines)


def pairs(items: Iterable[tuple[str, object]]) -> str:
    """Return names and values, one pair a line, values aligned."""
    kept = [(name, _cell(value)) for name, value in items]
    width = max((len(name) for name, _ in kept), default=0)
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in kept)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    return text == "-" or text.lstrip("-").replace(".", "", 1).replace(",", "").isdigit()


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = [
        f"{cell:>{width}}" if right else f"{cell:<{width}}"
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    ]
    return "  ".join(parts).rstrip()
