"""What a command gives back, and how it is shown."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

import click

from undrift.core.errors import UndriftError
from undrift.core.json import JSON

_TOLD_EVERY_BYTES = 50_000_000
_TOLD_EVERY_PIECES = 1000
_NARROWEST = 12
"""A last column is not cut to fewer letters than this."""
_NARROWEST_INNER = 10
"""Nor one before it than this."""


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
    if as_json:
        click.echo(json.dumps(answer.data, ensure_ascii=False, default=str))
    elif answer.text:
        click.echo(answer.text)


def show_error(error: UndriftError, *, as_json: bool) -> None:
    """Print an error: as JSON on standard output, else in words on standard error."""
    if as_json:
        click.echo(json.dumps({"error": error_json(error)}, ensure_ascii=False, default=str))
        return
    click.echo(error_text(error), err=True)


def error_json(error: UndriftError) -> dict[str, JSON]:
    """Return an error for machines."""
    fields = cast("dict[str, JSON]", error.fields)
    return {"code": error.code, "message": error.message, "cure": error.cure, **fields}


def error_text(error: UndriftError) -> str:
    """Return an error for a person: what happened, and the cure."""
    told = f"{click.style('error', fg='red', bold=True)}: {error.message}"
    return f"{told}\n {click.style('cure', fg='green', bold=True)}: {error.cure}" if error.cure else told


def say(line: str) -> None:
    """Tell a person about progress, on standard error."""
    click.echo(line, err=True)
    sys.stderr.flush()


class Progress:
    """Tells how far long work is: on a terminal in one line that changes, else a line for each part of it."""

    def __init__(self) -> None:
        self._part = ""
        self._is_open = False

    def __call__(self, words: str) -> None:
        """Tell how far it is."""
        if sys.stderr.isatty():
            room = shutil.get_terminal_size().columns - 1
            click.echo(f"\r\x1b[K{words[:room]}", err=True, nl=False)
            self._is_open = True
        elif (part := words.partition(",")[0]) != self._part:
            self._part = part
            click.echo(part, err=True)

    def close(self) -> None:
        """Leave the line."""
        if self._is_open:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._is_open = False


class Bytes:
    """Tells how many bytes of long work are done, on a terminal only and not for short work; a context manager.

    Parameters
    ----------
    done : str
        What happens to them, such as ``stored``.
    pieces : str
        What else is counted, such as ``packs done``; empty when nothing is.
    """

    def __init__(self, done: str, pieces: str = "") -> None:
        self._done = done
        self._pieces = pieces
        self._progress = Progress()
        self._size_bytes = 0
        self._count = 0
        self._told = (0, 0)

    def __call__(self, size_bytes: int, pieces: int = 0) -> None:
        """Count so many more."""
        self._size_bytes += size_bytes
        self._count += pieces
        is_more = self._size_bytes - self._told[0] >= _TOLD_EVERY_BYTES
        if (is_more or self._count - self._told[1] >= _TOLD_EVERY_PIECES) and sys.stderr.isatty():
            self._told = (self._size_bytes, self._count)
            counted = f", {self._count:,} {self._pieces}" if self._pieces else ""
            self._progress(f"{self._size_bytes / 1e6:,.0f} MB {self._done}{counted}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.close()


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, cut_any: bool = False) -> str:
    """Return rows under headers, columns aligned; numbers to the right.

    On a terminal the last column is cut at its edge, and where no cell is there to be copied (``cut_any``) the widest
    of the others, too; a pipe or a file gets all of them.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[at]) for row in [list(headers), *cells]) for at in range(len(headers))]
    numeric = [bool(cells) and all(_is_number(row[at]) for row in cells) for at in range(len(headers))]
    room = _room()
    if room is not None:
        widths = _fitted(widths, numeric, room, cut_any=cut_any)
        cells = [[_cut(cell, width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    lines = [_line(headers, widths, numeric)]
    lines += [_line(row, widths, numeric) for row in cells]
    return "\n".join(lines)


def _fitted(widths: Sequence[int], numeric: Sequence[bool], room: int, *, cut_any: bool) -> list[int]:
    """Return widths that fit into a line as far as they can; columns of numbers, which tell nothing when cut, stay."""
    fitted = list(widths)
    over = sum(fitted) + 2 * (len(fitted) - 1) - room
    last = max(min(fitted[-1], _NARROWEST), fitted[-1] - max(over, 0))
    over -= fitted[-1] - last
    fitted[-1] = last
    while cut_any and over > 0:
        cuttable = [at for at in range(len(fitted) - 1) if not numeric[at] and fitted[at] > _NARROWEST_INNER]
        if not cuttable:
            break
        fitted[max(cuttable, key=fitted.__getitem__)] -= 1
        over -= 1
    return fitted


def pairs(items: Iterable[tuple[str, object]]) -> str:
    """Return names and values, one pair a line, values aligned; on a terminal long values go on below."""
    kept = [(name, _cell(value)) for name, value in items]
    width = max((len(name) for name, _ in kept), default=0)
    return "\n".join(_folded(f"{name:<{width}}  ", value) for name, value in kept)


def _room() -> int | None:
    """Return how many letters a line of the terminal holds; None when nobody looks at one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _folded(head: str, value: str) -> str:
    room = _room()
    if room is None or len(head) + len(value) <= room:
        return f"{head}{value}".rstrip()
    return textwrap.fill(
        value,
        max(room, len(head) + _NARROWEST),
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _is_number(text: str) -> bool:
    return text == "-" or text.lstrip("-").replace(".", "", 1).replace(",", "").isdigit()


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = [
        f"{cell:>{width}}" if right else f"{cell:<{width}}"
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    ]
    return "  ".join(parts).rstrip()
