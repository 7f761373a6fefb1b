"""What nobody expected: told in one line, with the way to see all of it."""

from __future__ import annotations

import os
import traceback

import click

from undrift.core.errors import Fault
from undrift.core.process import UNWATCHED

SHOW = "UNDRIFT_TRACEBACK"


class InternalFault(Fault):
    """Something broke that no error of ours names."""

    code = "internal-fault"


def as_fault(error: Exception) -> InternalFault:
    """Return an unexpected exception as an error of ours; with ``UNDRIFT_TRACEBACK=1`` its traceback is printed.

    Parameters
    ----------
    error : Exception
        What was raised.

    Notes
    -----
    The traceback goes to standard error, so that ``--json`` still prints one document.
    """
    if os.environ.get(SHOW, "") not in ("", "0"):
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if os.environ.get(UNWATCHED) and os.environ.get(SHOW, "") in ("", "0"):
        return InternalFault(
            f"internal fault: {type(error).__name__}, whose words may quote a cell and are not kept",
            cure="undrift pipeline resume ID shows them on a terminal",
        )
    first = next(iter(str(error).splitlines()), "")
    return InternalFault(
        f"internal fault: {type(error).__name__}: {first}" if first else f"internal fault: {type(error).__name__}",
        cure=f"this is a mistake in undrift; {SHOW}=1 shows where",
        exception=type(error).__name__,
        traceback=traceback.format_exception(error),
    )
