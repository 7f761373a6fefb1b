"""Expectations on what is written in a column of text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from undrift.core.errors import MissingExtra
from undrift.data.quality.arguments import Arguments
from undrift.data.quality.expressions import Expression, Predicate, all_of, any_of, judged, matches
from undrift.data.quality.regexes import found_in, like, portable
from undrift.data.quality.rows import Make, judged_by
from undrift.data.quality.rules import RowRule
from undrift.data.quality.suite import BadSuite

_EXTRA = "checks"


def _regex(arguments: Arguments, where: Expression) -> RowRule:
    return judged_by(arguments, where, found_in(arguments.text(), _pattern(arguments.need("regex"))))


def _not_regex(arguments: Arguments, where: Expression) -> RowRule:
    return judged_by(arguments, where, ~found_in(arguments.text(), _pattern(arguments.need("regex"))))


def _regex_list(arguments: Arguments, where: Expression) -> RowRule:
    found = [found_in(arguments.text(), _pattern(one)) for one in _several(arguments, "regex_list")]
    return judged_by(arguments, where, any_of(found) if _any(arguments) else all_of(found))


def _not_regex_list(arguments: Arguments, where: Expression) -> RowRule:
    found = [found_in(arguments.text(), _pattern(one)) for one in _several(arguments, "regex_list")]
    return judged_by(arguments, where, ~any_of(found))


def _like(arguments: Arguments, where: Expression) -> RowRule:
    return judged_by(arguments, where, _is_like(arguments, arguments.need("like_pattern")))


def _not_like(arguments: Arguments, where: Expression) -> RowRule:
    return judged_by(arguments, where, ~_is_like(arguments, arguments.need("like_pattern")))


def _like_list(arguments: Arguments, where: Expression) -> RowRule:
    found = [_is_like(arguments, one) for one in _several(arguments, "like_pattern_list")]
    return judged_by(arguments, where, any_of(found) if _any(arguments) else all_of(found))


def _not_like_list(arguments: Arguments, where: Expression) -> RowRule:
    found = [_is_like(arguments, one) for one in _several(arguments, "like_pattern_list")]
    return judged_by(arguments, where, ~any_of(found))


def _is_like(arguments: Arguments, pattern: object) -> Expression:
    expression = like(_pattern(pattern), arguments.get("escape"))
    shared = portable(expression)
    if shared is not None:
        return matches(arguments.text(), shared)
    compiled = re.compile(expression)
    return judged(arguments.text(), Predicate("like", lambda text: compiled.search(text) is not None))


def _pattern(found: object) -> str:
    if not isinstance(found, str):
        raise BadSuite(f"{found!r} is no pattern", cure="write it as text")
    return found


def _several(arguments: Arguments, name: str) -> list[Any]:  # Any: JSON values
    found = arguments.items(name)
    if not found:
        raise BadSuite(f"{arguments.type}: {name} is empty", cure="give at least one pattern")
    return found


def _any(arguments: Arguments) -> bool:
    return arguments.choice("match_on", "any", "all") == "any"


def _strftime(arguments: Arguments, where: Expression) -> RowRule:
    form = _pattern(arguments.need("strftime_format"))
    try:
        datetime.strptime(datetime(2013, 1, 31).strftime(form), form)  # noqa: DTZ001, DTZ007
    except ValueError as error:
        raise BadSuite(f"{form!r} is no format of a date: {error}", cure="see Python's strptime") from error
    return _by(arguments, where, f"strftime {form}", lambda text: _is_date(text, form))


def _is_date(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007
    except ValueError:
        return False
    return True


def _dateutil(arguments: Arguments, where: Expression) -> RowRule:
    try:
        from dateutil import parser
    except ImportError as error:
        raise MissingExtra(_EXTRA, arguments.type) from error

    def parses(text: str) -> bool:
        try:
            parser.parse(text)
        except (ValueError, OverflowError):
            return False
        return True

    return _by(arguments, where, "dateutil", parses)


def _json(arguments: Arguments, where: Expression) -> RowRule:
    return _by(arguments, where, "json", _is_json)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json_schema(arguments: Arguments, where: Expression) -> RowRule:
    try:
        import jsonschema
    except ImportError as error:
        raise MissingExtra(_EXTRA, arguments.type) from error
    schema = arguments.need("json_schema")
    try:
        kind = jsonschema.validators.validator_for(schema)
        kind.check_schema(schema)
    except (jsonschema.SchemaError, TypeError, AttributeError) as error:
        raise BadSuite("json_schema is no JSON schema", cure="see json-schema.org") from error
    validator = kind(schema)

    def fits(text: str) -> bool:
        try:
            return bool(validator.is_valid(json.loads(text)))
        except (ValueError, RecursionError):
            return False

    return _by(arguments, where, "json schema", fits)


def _by(arguments: Arguments, where: Expression, name: str, holds: Callable[[str], bool]) -> RowRule:
    return judged_by(arguments, where, judged(arguments.only_text(), Predicate(name, holds)))


TEXT_RULES: Mapping[str, Make] = {
    "expect_column_values_to_match_regex": _regex,
    "expect_column_values_to_not_match_regex": _not_regex,
    "expect_column_values_to_match_regex_list": _regex_list,
    "expect_column_values_to_not_match_regex_list": _not_regex_list,
    "expect_column_values_to_match_like_pattern": _like,
    "expect_column_values_to_not_match_like_pattern": _not_like,
    "expect_column_values_to_match_like_pattern_list": _like_list,
    "expect_column_values_to_not_match_like_pattern_list": _not_like_list,
    "expect_column_values_to_match_strftime_format": _strftime,
    "expect_column_values_to_be_dateutil_parseable": _dateutil,
    "expect_column_values_to_be_json_parseable": _json,
    "expect_column_values_to_match_json_schema": _json_schema,
}
