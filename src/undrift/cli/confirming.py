"""Asking before something goes that nothing brings back."""

from __future__ import annotations

import sys

import click

from undrift.core.errors import DecisionNeeded


class NotConfirmed(DecisionNeeded):
    """Something that nothing brings back was not confirmed; nothing was changed."""

    code = "not-confirmed"


def asks() -> bool:
    """Say whether a person sits there who can be asked: on a terminal, and no program reads the answer."""
    return sys.stdin.isatty() and sys.stderr.isatty() and "--json" not in sys.argv


def confirmed(question: str) -> bool:
    """Ask a person on the terminal, and say whether the answer was yes; no is what Enter means."""
    return click.confirm(question, default=False, err=True)


def reason_for(what: str) -> str:
    """Ask a person on the terminal for the reason of something, until there is one."""
    return str(click.prompt(f"reason, {what}", err=True)).strip()
