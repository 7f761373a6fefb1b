"""The one contract of every command.

Each command takes ``--json`` and ``-C/--project``, returns an :class:`Answer`, raises our
errors, and ends with the exit code of the answer or of the error.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias

import click

from undrift.cli.answer import Answer, show, show_error
from undrift.cli.fault import as_fault
from undrift.core.errors import UndriftError

P = ParamSpec("P")
Decorated: TypeAlias = Callable[[Callable[P, Answer]], click.Command]


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line, and imports them when they run.

    Parameters
    ----------
    entries : mapping of str to tuple of (str, str)
        Command name to its import path ``"module:attribute"`` and its one-line help.
    """

    def __init__(self, *args: Any, entries: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:  # Any: click's own
        super().__init__(*args, **kwargs)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the commands' names in the order of the table."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command."""
        if cmd_name not in self.entries:
            return None
        module, _, attribute = self.entries[cmd_name][0].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if not isinstance(found, click.Command):
            raise TypeError(f"{module}:{attribute} is not a command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command's name; a wrong one is told its nearest neighbour."""
        if args[0] not in self.entries and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], self.entries, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.entries.items()])


def command(name: str, *, example: str) -> Decorated[...]:
    """Return a decorator that makes a function a command under the contract.

    Parameters
    ----------
    name : str
        The command's name.
    example : str
        One command line that works, shown at the end of the help.
    """

    def decorate(function: Callable[..., Answer]) -> click.Command:
        @functools.wraps(function)
        def run(*args: Any, as_json: bool, project: Path, **kwargs: Any) -> None:  # Any: click passes its parameters
            _run(function, args, {**kwargs, "project": project}, as_json=as_json)

        run = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(run)
        run = click.option(
            "-C",
            "--project",
            default=".",
            type=click.Path(path_type=Path, file_okay=False),
            help="The project's folder.",
        )(run)
        return click.command(name, epilog=f"Example: {example}")(run)

    return decorate


def _run(
    function: Callable[..., Answer], args: tuple[object, ...], kwargs: dict[str, object], *, as_json: bool
) -> None:
    try:
        answer = function(*args, **kwargs)
    except UndriftError as error:
        show_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:  # noqa: BLE001  (the process's edge: nobody reads a traceback unasked)
        fault = as_fault(error)
        show_error(fault, as_json=as_json)
        sys.exit(fault.exit_code)
    show(answer, as_json=as_json)
    sys.exit(answer.exit_code)
