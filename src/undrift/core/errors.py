"""The error tree.

::

    UndriftError
    ├── Fault            exit 1  something of ours or of the machine broke
    │   ├── Corrupt              bytes do not match their digest
    │   ├── Conflict             somebody else changed it first
    │   └── MissingExtra         an optional dependency is not installed (also an ImportError)
    ├── BadInput         exit 2  the caller can mend it
    │   └── NotFound             the thing named does not exist
    ├── CheckFailed      exit 3  a check or a gate said no
    ├── DecisionNeeded   exit 4  a person must choose
    └── CannotTell       exit 5  there is not enough evidence

Every room derives its own errors from these.
"""

from __future__ import annotations

from typing import ClassVar


class UndriftError(Exception):
    """Any error that undrift raises on purpose.

    Parameters
    ----------
    message : str
        What happened, to which thing.
    cure : str, optional
        What to do about it, as a command where there is one.
    **fields
        Machine-readable details, kept in :attr:`fields`.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, cure: str = "", **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.fields = fields

    def __str__(self) -> str:
        return f"{self.message}\n  cure: {self.cure}" if self.cure else self.message


class Fault(UndriftError):
    """Something broke that the caller did not cause."""

    code = "fault"


class Corrupt(Fault):
    """Stored bytes do not match the digest that names them."""

    code = "corrupt"


class Conflict(Fault):
    """A compare-and-set was lost: the state changed since it was read."""

    code = "conflict"


class MissingExtra(Fault, ImportError):
    """An optional dependency is needed and not installed.

    Parameters
    ----------
    extra : str
        The extra that installs it.
    what : str
        The capability that needs it.
    """

    code = "missing-extra"

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(
            f"{what} needs the extra '{extra}', which is not installed",
            cure=f"pip install 'undrift[{extra}]'",
            extra=extra,
        )


class BadInput(UndriftError):
    """The caller's words, files or values cannot be used as they are."""

    code = "bad-input"
    exit_code = 2


class NotFound(BadInput):
    """The named thing does not exist."""

    code = "not-found"


class CheckFailed(UndriftError):
    """A check or a gate gave the answer no."""

    code = "check-failed"
    exit_code = 3


class DecisionNeeded(UndriftError):
    """A person must decide before this can go on."""

    code = "decision-needed"
    exit_code = 4


class CannotTell(UndriftError):
    """There is not enough evidence for an answer."""

    code = "cannot-tell"
    exit_code = 5
