"""Who did it: a person, a policy or a service."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

from undrift.core.errors import BadInput
from undrift.core.ids import check_name

_LONGEST_NAME = 120


class BadActor(BadInput):
    """An actor's name is empty, too long or not printable."""

    code = "bad-actor"


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change, written ``kind:name``.

    Attributes
    ----------
    kind : str
        ``os-user``, ``policy`` or ``service``; other kinds follow the grammar of names.
    name : str
        1 to 120 printable characters.

    Raises
    ------
    BadActor
        If the name is not of that form.
    """

    kind: str
    name: str

    def __post_init__(self) -> None:
        check_name(self.kind, "kind of actor")
        if not (0 < len(self.name) <= _LONGEST_NAME and self.name.isprintable()):
            raise BadActor(f"{self.name[:80]!r} cannot name an actor", cure="use 1 to 120 printable characters")

    @classmethod
    def current(cls) -> Actor:
        """Return the person whose system account runs this process.

        The account is asked of the system, not of the environment, which anybody can set.
        """
        number = os.getuid()
        try:
            return cls("os-user", pwd.getpwuid(number).pw_name)
        except KeyError:  # containers run under numbers which have no name
            return cls("os-user", f"uid-{number}")

    @classmethod
    def parse(cls, text: str) -> Actor:
        """Return the actor written as ``kind:name``."""
        kind, _, name = text.partition(":")
        return cls(kind, name)

    @property
    def is_policy(self) -> bool:
        """Whether a rule acted and no person."""
        return self.kind == "policy"

    @property
    def shown(self) -> str:
        """The actor for a reader: a person whose account nobody but this machine vouches for is unverified."""
        return f"{self} (unverified)" if self.kind == "os-user" else str(self)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"
