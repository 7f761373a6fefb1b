"""What a caller is told when a request cannot be answered."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import ClassVar

from undrift.core.errors import UndriftError
from undrift.core.json import JSON
from undrift.models.signature import BadRow, Fault

BAD_REQUEST = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
NOT_ALLOWED = 405
TIMED_OUT = 408
TOO_LARGE = 413
UNPROCESSABLE = 422
TOO_MANY = 429
SERVER_ERROR = 500
UNAVAILABLE = 503

_ADVICE: dict[int, tuple[tuple[bytes, bytes], ...]] = {
    UNAUTHORIZED: ((b"www-authenticate", b"Bearer"),),
    TIMED_OUT: ((b"connection", b"close"),),
    TOO_LARGE: ((b"connection", b"close"),),
    TOO_MANY: ((b"retry-after", b"1"),),
    UNAVAILABLE: ((b"retry-after", b"1"),),
}


class Problem(UndriftError):
    """A request that gets no answer, and why.

    Parameters
    ----------
    status : int
        The HTTP status.
    what : str
        A stable code, for programs: ``"bad-json"``.
    message : str
        One sentence, for people. It never repeats a value of the request.
    path : str
        Where the fault is, as a JSON path; empty when it is nowhere in particular.
    cure : str
        What to do about it.
    """

    code: ClassVar[str] = "request-refused"

    def __init__(self, status: int, what: str, message: str, *, path: str = "", cure: str = "") -> None:
        super().__init__(message, cure=cure)
        self.status = status
        self.what = what
        self.path = path
        self.faults: Sequence[Fault] = ()
        self.headers: tuple[tuple[bytes, bytes], ...] = _ADVICE.get(status, ())

    def as_json(self) -> dict[str, JSON]:
        """Return the body that the caller gets."""
        told: dict[str, JSON] = {
            "code": self.what,
            "message": self.message,
            "path": self.path or None,
            "cure": self.cure or None,
        }
        if len(self.faults) > 1:
            told["faults"] = [{"path": f.path, "code": f.code, "expected": f.expected} for f in self.faults]
        return {"error": told}

    def as_text(self) -> str:
        """Return one line, for protocols whose errors are text."""
        where = f"{self.path}: " if self.path and not self.message.startswith(self.path) else ""
        return f"{where}{self.message}"


def of_bad_row(error: BadRow) -> Problem:
    """Return the problem of rows that do not fit a model's inputs."""
    first = error.faults[0]
    problem = Problem(
        UNPROCESSABLE,
        first.code,
        f"{first.path}: {first.code}, expected {first.expected}",
        path=first.path,
        cure="GET /v2/models/NAME lists the inputs with their types",
    )
    problem.faults = error.faults
    return problem


def trace_of(error: BaseException) -> str:
    """Return where an error came from, without its words: a library's message may quote a cell of the row."""
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    return "\n".join(f"{type(one).__name__}\n{''.join(traceback.format_tb(one.__traceback__))}" for one in causes)
