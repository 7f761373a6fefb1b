"""A suite: what is expected of a table, named and spelt as Great Expectations does.

Stored as canonical JSON. A suite file of Great Expectations 1.x loads as it is: its severities
``critical`` means fail, ``warning`` and ``info`` mean warn.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from undrift.core import canonical
from undrift.core.digest import blake3_bytes
from undrift.core.errors import BadInput
from undrift.core.json import JSON

Severity: TypeAlias = Literal["fail", "warn"]
_SEVERITIES: dict[str, Severity] = {
    "fail": "fail",
    "critical": "fail",
    "warn": "warn",
    "warning": "warn",
    "info": "warn",
}
DEFAULT_BAD_ROW_LIMIT = 0.05
_LONGEST_SHOWN = 60
_FIRST = {"column": 0, "column_A": 1, "column_B": 2, "min_value": 3, "max_value": 4}


class BadSuite(BadInput):
    """A suite, or one of its expectations, cannot be used; the message says which."""

    code = "bad-suite"


class Expectation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing expected.

    Attributes
    ----------
    type : str
        Its name, for instance ``expect_column_values_to_be_between``.
    kwargs : dict
        Its arguments, JSON values.
    severity : {"fail", "warn"}
        What breaking it means. A broken ``fail`` expectation on rows without ``mostly`` puts those rows
        in quarantine; any other broken ``fail`` expectation fails the whole table.
    meta : dict
        Notes of the author; ``because`` tells where an inferred bound comes from.
    """

    type: str
    kwargs: dict[str, Any] = {}  # Any: arguments differ by expectation and are checked when compiled
    severity: str = "fail"
    meta: dict[str, Any] = {}  # Any: free notes

    @property
    def column(self) -> str | None:
        """The column concerned, None for expectations on several columns and on tables."""
        found = self.kwargs.get("column")
        return found if isinstance(found, str) else None

    @property
    def mostly(self) -> float:
        """The share of values which must be as expected, in [0, 1]."""
        given = self.kwargs.get("mostly")
        return 1.0 if given is None else float(given)

    def describe(self) -> str:
        """Return the expectation on one line, with the number of values in place of a set of them."""
        # Stored suites have their arguments in the order of the alphabet: what it is about first, the lower bound next.
        names = sorted(self.kwargs, key=lambda name: (_FIRST.get(name, len(_FIRST)), name == "mostly"))
        arguments = ", ".join(f"{name}={_short(self.kwargs[name])}" for name in names)
        return f"{self.type}({arguments})"


class Suite(msgspec.Struct, frozen=True, omit_defaults=True):
    """Expectations on one table.

    Attributes
    ----------
    name : str
        What it is called.
    expectations : tuple of Expectation
        In the order in which they are reported.
    bad_row_limit : float
        The largest share of bad rows with which the rest of a batch goes on, in [0, 1].
    meta : dict
        Notes.
    """

    name: str
    expectations: tuple[Expectation, ...] = ()
    bad_row_limit: float = DEFAULT_BAD_ROW_LIMIT
    meta: dict[str, Any] = {}  # Any: free notes

    def as_json(self) -> dict[str, JSON]:
        """Return the suite as it is stored."""
        plain: dict[str, JSON] = {
            "name": self.name,
            "bad_row_limit": self.bad_row_limit,
            "expectations": [_plain(expectation) for expectation in self.expectations],
        }
        return {**plain, "meta": self.meta} if self.meta else plain

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonical.dumps(self.as_json())

    @property
    def digest(self) -> str:
        """Digest of the canonical bytes."""
        return blake3_bytes(self.encode())

    @property
    def personal(self) -> frozenset[str]:
        """Columns that the notes call personal: those of the table that suggested the suite."""
        named = self.meta.get("personal", ())
        return frozenset(map(str, named)) if isinstance(named, list) else frozenset()

    @classmethod
    def decode(cls, data: bytes | str) -> Suite:
        """Return the suite that a JSON text holds.

        Raises
        ------
        BadSuite
            If it is not JSON or not a suite.
        """
        try:
            suite = msgspec.json.decode(data, type=cls)
        except msgspec.MsgspecError as error:
            raise BadSuite(f"this is not a suite: {error}", cure="see docs/formats.md for the form") from error
        if not 0 <= suite.bad_row_limit <= 1:
            raise BadSuite(f"bad_row_limit is {suite.bad_row_limit:g}", cure="give a share between 0 and 1")
        expectations = tuple(normal(expectation) for expectation in suite.expectations)
        return msgspec.structs.replace(suite, expectations=expectations)


def expect(kind: str, severity: Severity = "fail", because: str = "", /, **kwargs: JSON) -> Expectation:
    """Return an expectation.

    Parameters
    ----------
    kind : str
        Its name.
    severity : {"fail", "warn"}
        What breaking it means.
    because : str
        Where it comes from.
    **kwargs
        Its arguments.
    """
    return Expectation(kind, dict(kwargs), severity, {"because": because} if because else {})


def normal(expectation: Expectation) -> Expectation:
    """Return an expectation with our word for its severity.

    Raises
    ------
    BadSuite
        If its severity is no such word, or its share is none.
    """
    severity = _SEVERITIES.get(expectation.severity)
    if severity is None:
        raise BadSuite(f"{expectation.type} has the severity {expectation.severity!r}", cure="write 'fail' or 'warn'")
    given = expectation.kwargs.get("mostly")
    if isinstance(given, dict):
        return msgspec.structs.replace(expectation, severity=severity)  # a parameter, known when it is checked
    if isinstance(given, bool) or not (given is None or (isinstance(given, int | float) and 0 <= given <= 1)):
        raise BadSuite(f"{expectation.type} has mostly={given!r}", cure="give a share between 0 and 1")
    return msgspec.structs.replace(expectation, severity=severity)


def _plain(expectation: Expectation) -> dict[str, JSON]:
    plain: dict[str, JSON] = {
        "type": expectation.type,
        "kwargs": expectation.kwargs,
        "severity": expectation.severity,
    }
    return {**plain, "meta": expectation.meta} if expectation.meta else plain


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} value{'s' * (len(value) != 1)}"
    text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
