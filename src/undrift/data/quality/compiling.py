"""From an expectation to a rule, for a table with known columns."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from undrift.core.errors import MissingExtra
from undrift.data.quality.arguments import Arguments
from undrift.data.quality.conditions import compile_condition
from undrift.data.quality.distributions import DISTRIBUTIONS
from undrift.data.quality.expressions import TRUE
from undrift.data.quality.facts import FACTS
from undrift.data.quality.measures import MEASURES
from undrift.data.quality.records import RECORD_RULES
from undrift.data.quality.rows import ROW_RULES
from undrift.data.quality.rules import Rule
from undrift.data.quality.signatures import check_arguments
from undrift.data.quality.suite import BadSuite, Expectation
from undrift.data.quality.texts import TEXT_RULES

_ON_ROWS = {**ROW_RULES, **TEXT_RULES, **RECORD_RULES}
_ON_NUMBERS = {**MEASURES, **DISTRIBUTIONS}
RULED = frozenset({*_ON_ROWS, *_ON_NUMBERS, *FACTS})


def compile_expectation(expectation: Expectation, dtypes: Mapping[str, pl.DataType]) -> Rule:
    """Return the rule of an expectation.

    Raises
    ------
    BadSuite
        If its name or an argument is not known, does not fit the table, or it cannot be judged here.
    """
    signature = check_arguments(expectation)
    if signature.family == "refused":
        raise BadSuite(f"{expectation.type} is not judged here", cure=signature.why)
    arguments = Arguments(expectation, dtypes)
    if arguments.get("parse_strings_as_datetimes") and "column" in expectation.kwargs and arguments.kind() == "text":
        raise BadSuite(
            f"{expectation.type}: parse_strings_as_datetimes is for a column of text",
            cure="read the column as dates (docs/reading.md); columns of dates take bounds that are ISO texts",
        )
    if expectation.type in FACTS:
        return FACTS[expectation.type](arguments)
    where = compile_condition(arguments.get("row_condition"), arguments.get("condition_parser"), dtypes)
    if expectation.type in _ON_NUMBERS:
        return _ON_NUMBERS[expectation.type](arguments, where)
    try:
        return _ON_ROWS[expectation.type](arguments, TRUE if where is None else where)
    except MissingExtra as error:
        raise BadSuite(error.message, cure=error.cure) from error
