"""Parameters of a suite: ``{"$PARAMETER": name}`` stands for a value that is given with each check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from undrift.data.quality.suite import BadSuite, Expectation, Suite

PARAMETER = "$PARAMETER"
_PIECE = re.compile(r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][\w.:]*)|(?P<sign>[-+*/()]))")


class ParameterMissing(BadSuite):
    """A suite has a parameter for which no value was given."""

    code = "parameter-missing"


def check_complete(suite: Suite) -> None:
    """Check that a suite can be judged without anybody giving values.

    Raises
    ------
    ParameterMissing
        If one of its expectations has a parameter.
    """
    for expectation in suite.expectations:
        if any(_holds_parameter(value) for value in expectation.kwargs.values()):
            raise ParameterMissing(
                f"{expectation.type} has a parameter, and nobody gives values when batches are checked",
                cure="write the value into the suite",
            )


def with_parameters(expectation: Expectation, given: Mapping[str, Any]) -> Expectation:
    """Return an expectation with values in place of its parameters.

    Parameters
    ----------
    expectation : Expectation
        What is expected.
    given : mapping
        The values by name. A parameter may be a calculation with them: ``"rows * 0.9"``.

    Raises
    ------
    ParameterMissing
        If a value is not given.
    BadSuite
        If a calculation cannot be read.
    """
    if not any(_holds_parameter(value) for value in expectation.kwargs.values()):
        return expectation
    kwargs = {name: _filled(value, given) for name, value in expectation.kwargs.items()}
    return msgspec.structs.replace(expectation, kwargs=kwargs)


def _holds_parameter(value: object) -> bool:
    if isinstance(value, dict):
        return PARAMETER in value or any(map(_holds_parameter, value.values()))
    return isinstance(value, list) and any(map(_holds_parameter, value))


def _filled(value: Any, given: Mapping[str, Any]) -> Any:  # Any: JSON values
    if isinstance(value, list):
        return [_filled(one, given) for one in value]
    if not isinstance(value, dict):
        return value
    if PARAMETER not in value:
        return {name: _filled(one, given) for name, one in value.items()}
    name = str(value[PARAMETER])
    kept = value.get(f"{PARAMETER}.{name}")  # older suites keep the value of their last run beside the name
    if name in given or kept is not None:
        return given.get(name, kept)
    return _Calculation(name, given).result()


class _Calculation:
    """Reads sums and products of numbers and parameters, by recursive descent."""

    def __init__(self, text: str, given: Mapping[str, Any]) -> None:
        self._text, self._given = text, given
        self._pieces = self._read()

    def result(self) -> float:
        found = self._sum()
        if self._pieces:
            raise self._fault()
        return found

    def _read(self) -> list[tuple[str, str]]:
        found, place = [], 0
        while place < len(self._text.rstrip()):
            match = _PIECE.match(self._text, place)
            if match is None:
                raise self._fault()
            kind = str(match.lastgroup)
            found.append((kind, match[kind]))
            place = match.end()
        return found

    def _sum(self) -> float:
        found = self._product()
        while self._pieces and self._pieces[0][1] in {"+", "-"}:
            _, sign = self._pieces.pop(0)
            other = self._product()
            found = found + other if sign == "+" else found - other
        return found

    def _product(self) -> float:
        found = self._value()
        while self._pieces and self._pieces[0][1] in {"*", "/"}:
            _, sign = self._pieces.pop(0)
            other = self._value()
            if sign == "/" and other == 0:
                raise self._fault()
            found = found * other if sign == "*" else found / other
        return found

    def _value(self) -> float:
        kind, text = self._pieces.pop(0) if self._pieces else ("", "")
        if kind == "number":
            return float(text) if set(text) & set(".eE") else int(text)
        if kind == "name":
            return self._parameter(text)
        if text == "-":
            return -self._value()
        if text == "(":
            found = self._sum()
            if self._pieces and self._pieces.pop(0)[1] == ")":
                return found
        raise self._fault()

    def _parameter(self, name: str) -> float:
        if name not in self._given:
            raise ParameterMissing(f"the suite's parameter {name!r} has no value", cure=f"give it: --set {name}=VALUE")
        value = self._given[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._fault()
        return value

    def _fault(self) -> BadSuite:
        return BadSuite(
            f"the parameter {self._text!r} cannot be calculated", cure="write names and numbers with + - * / and ( )"
        )
