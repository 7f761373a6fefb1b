"""References: the short typed names that people and events use for things.

``data:flights@3``, ``data:flights@june``, ``model:delay@12``, ``model:delay@champion``,
``run:7f3a``, ``endpoint:delay``, ``incident:01j...``. Version numbers may be typed as ``v3``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from undrift.core.errors import BadInput
from undrift.core.ids import check_name

Kind: TypeAlias = Literal["data", "model", "run", "endpoint", "rollout", "incident", "prediction", "pipeline"]
KINDS: tuple[str, ...] = get_args(Kind)
_NUMBER = re.compile(r"v?([1-9][0-9]*)\Z")


class BadReference(BadInput):
    """A text is not a reference."""

    code = "bad-reference"


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference.

    Attributes
    ----------
    kind : str
        The kind of thing.
    name : str
        Its name or id.
    selector : str
        Version number, tag or alias; empty when none was given.
    """

    kind: Kind
    name: str
    selector: str = ""

    @property
    def number(self) -> int | None:
        """The version number, if the selector is one."""
        found = _NUMBER.match(self.selector)
        return int(found[1]) if found else None

    def __str__(self) -> str:
        shown = str(self.number) if self.number else self.selector
        return f"{self.kind}:{self.name}@{shown}" if shown else f"{self.kind}:{self.name}"


def parse(text: str, default: Kind | None = None) -> Ref:
    """Return the reference that a text holds.

    Parameters
    ----------
    text : str
        A full reference, or a short form when ``default`` is given.
    default : str, optional
        The kind of a short form such as ``delay@3``.

    Raises
    ------
    BadReference
        If the kind is unknown or missing.
    BadName
        If the name does not follow the grammar.
    """
    kind, colon, rest = text.partition(":")
    if not colon:
        kind, rest = default or "", text
    if kind not in KINDS:
        raise BadReference(
            f"{text[:80]!r} does not say what kind of thing it names",
            cure="write one of " + ", ".join(f"{known}:NAME" for known in ("data", "model", "run", "endpoint")),
        )
    name, _, selector = rest.partition("@")
    check_name(name, kind)
    if selector:
        check_name(selector, "version, tag or alias")
    return Ref(kind, name, selector)  # type: ignore[arg-type]  # checked against KINDS above
