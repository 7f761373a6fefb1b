"""All expectations of Great Expectations' core by name, with the arguments that each takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from undrift.data.quality.suite import BadSuite, Expectation

Family: TypeAlias = Literal["rows", "number", "schema", "refused"]
_ON_ROWS = frozenset({"row_condition", "condition_parser"})
# Older suites carry these: how to answer, not what is expected.
_ANSWERING = frozenset(
    {
        "result_format",
        "include_config",
        "catch_exceptions",
        "batch_id",
        "parse_strings_as_datetimes",
        "output_strftime_format",
        "allow_cross_type_comparisons",
        "windows",
    }
)


class UnknownExpectation(BadSuite):
    """An expectation, or one of its arguments, has a name that nobody knows."""

    code = "unknown-expectation"


@dataclass(frozen=True, slots=True)
class Signature:
    """What an expectation takes.

    Attributes
    ----------
    family : {"rows", "number", "schema", "refused"}
        Whether it judges rows, a number of the table, its schema, or cannot be judged here.
    required, optional : tuple of str
        Names of its arguments, besides the common ones.
    why : str
        Why it is refused, and what does it instead.
    """

    family: Family
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    why: str = ""

    @property
    def common(self) -> frozenset[str]:
        """Names of the arguments that all of its family take."""
        if self.family == "rows":
            return _ON_ROWS | {"mostly"}
        return _ON_ROWS if self.family == "number" else frozenset()

    @property
    def names(self) -> list[str]:
        """All names, the required ones first."""
        return [*self.required, *self.optional, *sorted(self.common)]


_BOUNDS = ("min_value", "max_value", "strict_min", "strict_max")
_NOWHERE = "Great Expectations 1.x lists it and judges it on no engine; see expect_column_kl_divergence_to_be_less_than"
_SQL = "it asks a database; put the query's answer into a table of its own and check that"


def _rows(*required: str, optional: tuple[str, ...] = ()) -> Signature:
    return Signature("rows", required, optional)


def _number(*required: str, optional: tuple[str, ...] = ()) -> Signature:
    return Signature("number", required, optional)


_COLUMN_ROWS: dict[str, Signature] = {
    "expect_column_values_to_not_be_null": _rows("column"),
    "expect_column_values_to_be_null": _rows("column"),
    "expect_column_values_to_be_unique": _rows("column"),
    "expect_column_values_to_be_between": _rows("column", optional=_BOUNDS),
    "expect_column_values_to_be_in_set": _rows("column", "value_set"),
    "expect_column_values_to_not_be_in_set": _rows("column", "value_set"),
    "expect_column_values_to_be_increasing": _rows("column", optional=("strictly",)),
    "expect_column_values_to_be_decreasing": _rows("column", optional=("strictly",)),
    "expect_column_value_lengths_to_be_between": _rows("column", optional=_BOUNDS),
    "expect_column_value_lengths_to_equal": _rows("column", "value"),
    "expect_column_values_to_match_regex": _rows("column", "regex"),
    "expect_column_values_to_not_match_regex": _rows("column", "regex"),
    "expect_column_values_to_match_regex_list": _rows("column", "regex_list", optional=("match_on",)),
    "expect_column_values_to_not_match_regex_list": _rows("column", "regex_list"),
    "expect_column_values_to_match_like_pattern": _rows("column", "like_pattern", optional=("escape",)),
    "expect_column_values_to_not_match_like_pattern": _rows("column", "like_pattern", optional=("escape",)),
    "expect_column_values_to_match_like_pattern_list": _rows(
        "column", "like_pattern_list", optional=("match_on", "escape")
    ),
    "expect_column_values_to_not_match_like_pattern_list": _rows("column", "like_pattern_list", optional=("escape",)),
    "expect_column_values_to_match_strftime_format": _rows("column", "strftime_format"),
    "expect_column_values_to_be_dateutil_parseable": _rows("column"),
    "expect_column_values_to_be_json_parseable": _rows("column"),
    "expect_column_values_to_match_json_schema": _rows("column", "json_schema"),
    "expect_column_values_to_be_of_type": _rows("column", "type_"),
    "expect_column_values_to_be_in_type_list": _rows("column", "type_list"),
    "expect_column_value_z_scores_to_be_less_than": _rows("column", "threshold", "double_sided"),
    "expect_column_values_to_not_be_outliers": _rows("column", optional=("method", "multiplier")),
}
_RECORDS: dict[str, Signature] = {
    "expect_column_pair_values_a_to_be_greater_than_b": _rows(
        "column_A", "column_B", optional=("or_equal", "ignore_row_if")
    ),
    "expect_column_pair_values_to_be_equal": _rows("column_A", "column_B", optional=("ignore_row_if",)),
    "expect_column_pair_values_to_be_in_set": _rows(
        "column_A", "column_B", "value_pairs_set", optional=("ignore_row_if",)
    ),
    "expect_compound_columns_to_be_unique": _rows("column_list", optional=("ignore_row_if",)),
    "expect_select_column_values_to_be_unique_within_record": _rows("column_list", optional=("ignore_row_if",)),
    "expect_multicolumn_sum_to_equal": _rows("column_list", "sum_total", optional=("ignore_row_if",)),
    "expect_multicolumn_values_to_be_equal": _rows("column_list", optional=("ignore_row_if",)),
}
_NUMBERS: dict[str, Signature] = {
    "expect_column_min_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_max_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_sum_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_mean_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_median_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_stdev_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_unique_value_count_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_proportion_of_unique_values_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_proportion_of_non_null_values_to_be_between": _number("column", optional=_BOUNDS),
    "expect_column_quantile_values_to_be_between": _number(
        "column", "quantile_ranges", optional=("allow_relative_error",)
    ),
    "expect_column_distinct_values_to_be_in_set": _number("column", "value_set"),
    "expect_column_distinct_values_to_contain_set": _number("column", "value_set"),
    "expect_column_distinct_values_to_equal_set": _number("column", "value_set"),
    "expect_column_most_common_value_to_be_in_set": _number("column", "value_set", optional=("ties_okay",)),
    "expect_column_kl_divergence_to_be_less_than": _number(
        "column",
        "partition_object",
        optional=("threshold", "internal_weight_holdout", "tail_weight_holdout", "bucketize_data", *_BOUNDS[:2]),
    ),
    "expect_table_row_count_to_be_between": _number(optional=_BOUNDS),
    "expect_table_row_count_to_equal": _number("value"),
}
_SCHEMA: dict[str, Signature] = {
    "expect_column_to_exist": Signature("schema", ("column",), ("column_index",)),
    "expect_column_type_to_be": Signature("schema", ("column", "type_")),
    "expect_table_column_count_to_be_between": Signature("schema", (), _BOUNDS),
    "expect_table_column_count_to_equal": Signature("schema", ("value",)),
    "expect_table_columns_to_match_ordered_list": Signature("schema", ("column_list",)),
    "expect_table_columns_to_match_set": Signature("schema", ("column_set",), ("exact_match",)),
}
_REFUSED: dict[str, Signature] = {
    "expect_table_row_count_to_equal_other_table": Signature(
        "refused",
        ("other_table_name",),
        why="a check sees one table; use expect_table_row_count_to_equal with the other table's count",
    ),
    "expect_query_results_to_match_comparison": Signature(
        "refused", ("base_query", "comparison_data_source_name", "comparison_query"), why=_SQL
    ),
    "unexpected_rows_expectation": Signature("refused", ("unexpected_rows_query",), why=_SQL),
    "expect_column_chisquare_test_p_value_to_be_greater_than": Signature("refused", ("column",), why=_NOWHERE),
    "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than": Signature("refused", ("column",), why=_NOWHERE),
    "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than": Signature(
        "refused", ("column",), why=_NOWHERE
    ),
    "expect_column_pair_cramers_phi_value_to_be_less_than": Signature(
        "refused", ("column_A", "column_B"), why=_NOWHERE
    ),
    "expect_multicolumn_values_to_be_unique": Signature(
        "refused", ("column_list",), why="use expect_select_column_values_to_be_unique_within_record"
    ),
}
SIGNATURES: Mapping[str, Signature] = {**_COLUMN_ROWS, **_RECORDS, **_NUMBERS, **_SCHEMA, **_REFUSED}


def signature_of(name: str) -> Signature:
    """Return what an expectation takes.

    Raises
    ------
    UnknownExpectation
        If there is no such expectation; the nearest name is told.
    """
    found = SIGNATURES.get(name)
    if found is None:
        raise UnknownExpectation(
            f"{name} is not known here{_nearest(name, SIGNATURES)}", cure="see the list in docs/quality.md"
        )
    return found


def check_arguments(expectation: Expectation) -> Signature:
    """Return the signature of an expectation whose arguments all have names that it takes.

    Raises
    ------
    UnknownExpectation
        If its name or that of an argument is not known; the nearest one is told.
    BadSuite
        If an argument is missing.
    """
    signature = signature_of(expectation.type)
    if signature.family == "refused":
        return signature
    for name in expectation.kwargs:
        if name not in signature.names and name not in _ANSWERING and expectation.kwargs[name] is not None:
            raise UnknownExpectation(
                f"{expectation.type} has no argument {name!r}{_nearest(name, signature.names)}",
                cure=f"it takes {', '.join(signature.names)}",
            )
    for name in signature.required:
        if name not in expectation.kwargs:
            raise BadSuite(f"{expectation.type} needs the argument {name!r}", cure="add it to the suite")
    return signature


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6) or [one for one in names if name in one]
    return f"; the nearest name is {near[0]}" if near else ""
