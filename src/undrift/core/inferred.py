"""Who decided a setting: `undrift up`, which found it in the table, or somebody who wrote it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Inferred(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice that nobody made: ``undrift up`` did.

    Attributes
    ----------
    setting : str
        Which key of ``[models.NAME]``; ``split`` stands for the keys that say how rows are split.
    value : str
        What was chosen, as text; of a list one item.
    reason : str
        Why, as the table showed it.
    """

    setting: str
    value: str
    reason: str


def decided(inferred: Iterable[Inferred], setting: str, value: object) -> str:
    """Return who decided that a setting has its value.

    Parameters
    ----------
    inferred : iterable of Inferred
        What ``undrift up`` chose. A value that was edited since is not among it: then the file says so.
    setting : str
        Which one.
    value : object
        What it is now.
    """
    for one in inferred:
        if (one.setting, one.value) == (setting, str(value)):
            return f"{one.reason}, inferred by `undrift up`"
    return "as undrift.toml says"
