"""Expectations in Python: one function for each that Great Expectations' core judges, so that editors complete them.

What all of a kind take is keyword-only: ``mostly``, ``row_condition``, ``severity`` and ``because``, for instance. A
wrong argument is refused where it is written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Unpack

from undrift.core.json import JSON
from undrift.data.quality.expecting import (
    BetweenNumbers,
    BetweenRows,
    BetweenSchema,
    Bound,
    Divergence,
    LikeRows,
    Noted,
    OnNumbers,
    OnRows,
    PairRows,
    RecordRows,
    Value,
    Values,
    made,
)  # fmt: skip
from undrift.data.quality.suite import Expectation


def column_values_to_not_be_null(column: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect a value in every row."""
    return made("expect_column_values_to_not_be_null", more, column=column)


def column_values_to_be_null(column: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect no value in any row."""
    return made("expect_column_values_to_be_null", more, column=column)


def column_values_to_be_unique(column: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect no value twice."""
    return made("expect_column_values_to_be_unique", more, column=column)


def column_values_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenRows]
) -> Expectation:
    """Expect values between two bounds, which belong to it unless they are strict."""
    return made("expect_column_values_to_be_between", more, column=column, min_value=min_value, max_value=max_value)


def column_values_to_be_in_set(column: str, value_set: Values, **more: Unpack[OnRows]) -> Expectation:
    """Expect only these values."""
    return made("expect_column_values_to_be_in_set", more, column=column, value_set=value_set)


def column_values_to_not_be_in_set(column: str, value_set: Values, **more: Unpack[OnRows]) -> Expectation:
    """Expect none of these values."""
    return made("expect_column_values_to_not_be_in_set", more, column=column, value_set=value_set)


def column_values_to_be_increasing(column: str, *, strictly: bool = False, **more: Unpack[OnRows]) -> Expectation:
    """Expect each value to be no less, strictly: greater, than the one before."""
    return made("expect_column_values_to_be_increasing", more, column=column, strictly=strictly)


def column_values_to_be_decreasing(column: str, *, strictly: bool = False, **more: Unpack[OnRows]) -> Expectation:
    """Expect each value to be no greater, strictly: less, than the one before."""
    return made("expect_column_values_to_be_decreasing", more, column=column, strictly=strictly)


def column_value_lengths_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenRows]
) -> Expectation:
    """Expect texts whose number of characters lies between two bounds."""
    return made(
        "expect_column_value_lengths_to_be_between", more, column=column, min_value=min_value, max_value=max_value
    )


def column_value_lengths_to_equal(column: str, value: int, **more: Unpack[OnRows]) -> Expectation:
    """Expect texts of so many characters."""
    return made("expect_column_value_lengths_to_equal", more, column=column, value=value)


def column_values_to_match_regex(column: str, regex: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect texts in which a regular expression of Python is found."""
    return made("expect_column_values_to_match_regex", more, column=column, regex=regex)


def column_values_to_not_match_regex(column: str, regex: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect texts in which a regular expression of Python is not found."""
    return made("expect_column_values_to_not_match_regex", more, column=column, regex=regex)


def column_values_to_match_regex_list(
    column: str, regex_list: Sequence[str], match_on: Literal["any", "all"] = "any", **more: Unpack[OnRows]
) -> Expectation:
    """Expect texts in which any, or all, of some regular expressions are found."""
    return made(
        "expect_column_values_to_match_regex_list", more, column=column, regex_list=regex_list, match_on=match_on
    )


def column_values_to_not_match_regex_list(
    column: str, regex_list: Sequence[str], **more: Unpack[OnRows]
) -> Expectation:
    """Expect texts in which none of some regular expressions is found."""
    return made("expect_column_values_to_not_match_regex_list", more, column=column, regex_list=regex_list)


def column_values_to_match_like_pattern(
    column: str, like_pattern: str, escape: str | None = None, **more: Unpack[OnRows]
) -> Expectation:
    """Expect texts like a pattern of SQL: ``%`` for any text, ``_`` for one character."""
    return made(
        "expect_column_values_to_match_like_pattern", more, column=column, like_pattern=like_pattern, escape=escape
    )


def column_values_to_not_match_like_pattern(
    column: str, like_pattern: str, escape: str | None = None, **more: Unpack[OnRows]
) -> Expectation:
    """Expect texts unlike a pattern of SQL."""
    return made(
        "expect_column_values_to_not_match_like_pattern", more, column=column, like_pattern=like_pattern, escape=escape
    )


def column_values_to_match_like_pattern_list(
    column: str, like_pattern_list: Sequence[str], match_on: Literal["any", "all"] = "any", **more: Unpack[LikeRows]
) -> Expectation:
    """Expect texts like any, or all, of some patterns of SQL."""
    return made(
        "expect_column_values_to_match_like_pattern_list",
        more,
        column=column,
        like_pattern_list=like_pattern_list,
        match_on=match_on,
    )


def column_values_to_not_match_like_pattern_list(
    column: str, like_pattern_list: Sequence[str], escape: str | None = None, **more: Unpack[OnRows]
) -> Expectation:
    """Expect texts like none of some patterns of SQL."""
    return made(
        "expect_column_values_to_not_match_like_pattern_list",
        more,
        column=column,
        like_pattern_list=like_pattern_list,
        escape=escape,
    )


def column_values_to_match_strftime_format(column: str, strftime_format: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect texts that are dates in a format of Python's ``strptime``."""
    return made("expect_column_values_to_match_strftime_format", more, column=column, strftime_format=strftime_format)


def column_values_to_be_dateutil_parseable(column: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect texts that dateutil reads as dates (extra ``checks``)."""
    return made("expect_column_values_to_be_dateutil_parseable", more, column=column)


def column_values_to_be_json_parseable(column: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect texts that are JSON."""
    return made("expect_column_values_to_be_json_parseable", more, column=column)


def column_values_to_match_json_schema(
    column: str, json_schema: Mapping[str, JSON], **more: Unpack[OnRows]
) -> Expectation:
    """Expect texts that are JSON of a JSON schema (extra ``checks``)."""
    return made("expect_column_values_to_match_json_schema", more, column=column, json_schema=json_schema)


def column_values_to_be_of_type(column: str, type_: str, **more: Unpack[OnRows]) -> Expectation:
    """Expect a column of a type."""
    return made("expect_column_values_to_be_of_type", more, column=column, type_=type_)


def column_values_to_be_in_type_list(column: str, type_list: Sequence[str], **more: Unpack[OnRows]) -> Expectation:
    """Expect a column of one of some types."""
    return made("expect_column_values_to_be_in_type_list", more, column=column, type_list=type_list)


def column_value_z_scores_to_be_less_than(
    column: str, threshold: float, *, double_sided: bool = True, **more: Unpack[OnRows]
) -> Expectation:
    """Expect values within so many standard deviations of the mean."""
    return made(
        "expect_column_value_z_scores_to_be_less_than",
        more,
        column=column,
        threshold=threshold,
        double_sided=double_sided,
    )


def column_values_to_not_be_outliers(
    column: str, method: Literal["iqr", "std"] = "iqr", multiplier: float = 1.5, **more: Unpack[OnRows]
) -> Expectation:
    """Expect values near the middle half, or near the mean."""
    return made("expect_column_values_to_not_be_outliers", more, column=column, method=method, multiplier=multiplier)


def column_pair_values_a_to_be_greater_than_b(
    column_A: str, column_B: str, *, or_equal: bool = False, **more: Unpack[PairRows]
) -> Expectation:
    """Expect the first of two columns to be greater than the second."""
    return made(
        "expect_column_pair_values_a_to_be_greater_than_b",
        more,
        column_A=column_A,
        column_B=column_B,
        or_equal=or_equal,
    )


def column_pair_values_to_be_equal(column_A: str, column_B: str, **more: Unpack[PairRows]) -> Expectation:
    """Expect two columns to be equal."""
    return made("expect_column_pair_values_to_be_equal", more, column_A=column_A, column_B=column_B)


def column_pair_values_to_be_in_set(
    column_A: str, column_B: str, value_pairs_set: Sequence[tuple[Value | None, Value | None]], **more: Unpack[PairRows]
) -> Expectation:
    """Expect only these pairs of values in two columns."""
    return made(
        "expect_column_pair_values_to_be_in_set",
        more,
        column_A=column_A,
        column_B=column_B,
        value_pairs_set=value_pairs_set,
    )


def compound_columns_to_be_unique(column_list: Sequence[str], **more: Unpack[RecordRows]) -> Expectation:
    """Expect no combination of values twice."""
    return made("expect_compound_columns_to_be_unique", more, column_list=column_list)


def select_column_values_to_be_unique_within_record(
    column_list: Sequence[str], **more: Unpack[RecordRows]
) -> Expectation:
    """Expect different values in the columns of each row."""
    return made("expect_select_column_values_to_be_unique_within_record", more, column_list=column_list)


def multicolumn_sum_to_equal(column_list: Sequence[str], sum_total: float, **more: Unpack[RecordRows]) -> Expectation:
    """Expect columns that add up to a number in each row."""
    return made("expect_multicolumn_sum_to_equal", more, column_list=column_list, sum_total=sum_total)


def multicolumn_values_to_be_equal(column_list: Sequence[str], **more: Unpack[RecordRows]) -> Expectation:
    """Expect equal values in the columns of each row."""
    return made("expect_multicolumn_values_to_be_equal", more, column_list=column_list)


def column_min_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect the least value between two bounds."""
    return made("expect_column_min_to_be_between", more, column=column, min_value=min_value, max_value=max_value)


def column_max_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect the greatest value between two bounds."""
    return made("expect_column_max_to_be_between", more, column=column, min_value=min_value, max_value=max_value)


def column_sum_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect the sum between two bounds."""
    return made("expect_column_sum_to_be_between", more, column=column, min_value=min_value, max_value=max_value)


def column_mean_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect the mean between two bounds."""
    return made("expect_column_mean_to_be_between", more, column=column, min_value=min_value, max_value=max_value)


def column_median_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect the median between two bounds."""
    return made("expect_column_median_to_be_between", more, column=column, min_value=min_value, max_value=max_value)


def column_stdev_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect the standard deviation of the sample between two bounds."""
    return made("expect_column_stdev_to_be_between", more, column=column, min_value=min_value, max_value=max_value)


def column_unique_value_count_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect so many different values."""
    return made(
        "expect_column_unique_value_count_to_be_between", more, column=column, min_value=min_value, max_value=max_value
    )


def column_proportion_of_unique_values_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect such a share of different values among those that are there."""
    return made(
        "expect_column_proportion_of_unique_values_to_be_between",
        more,
        column=column,
        min_value=min_value,
        max_value=max_value,
    )


def column_proportion_of_non_null_values_to_be_between(
    column: str, min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect such a share of rows with a value."""
    return made(
        "expect_column_proportion_of_non_null_values_to_be_between",
        more,
        column=column,
        min_value=min_value,
        max_value=max_value,
    )


def column_quantile_values_to_be_between(
    column: str,
    quantile_ranges: Mapping[str, Sequence[JSON]],
    allow_relative_error: bool | str = False,
    **more: Unpack[OnNumbers],
) -> Expectation:
    """Expect quantiles between bounds: ``{"quantiles": [0.5], "value_ranges": [[1, 2]]}``."""
    return made(
        "expect_column_quantile_values_to_be_between",
        more,
        column=column,
        quantile_ranges=quantile_ranges,
        allow_relative_error=allow_relative_error,
    )


def column_distinct_values_to_be_in_set(column: str, value_set: Values, **more: Unpack[OnNumbers]) -> Expectation:
    """Expect no value but these."""
    return made("expect_column_distinct_values_to_be_in_set", more, column=column, value_set=value_set)


def column_distinct_values_to_contain_set(column: str, value_set: Values, **more: Unpack[OnNumbers]) -> Expectation:
    """Expect each of these values in some row."""
    return made("expect_column_distinct_values_to_contain_set", more, column=column, value_set=value_set)


def column_distinct_values_to_equal_set(column: str, value_set: Values, **more: Unpack[OnNumbers]) -> Expectation:
    """Expect each of these values in some row, and no other."""
    return made("expect_column_distinct_values_to_equal_set", more, column=column, value_set=value_set)


def column_most_common_value_to_be_in_set(
    column: str, value_set: Values, *, ties_okay: bool = False, **more: Unpack[OnNumbers]
) -> Expectation:
    """Expect the most common value to be one of these."""
    return made(
        "expect_column_most_common_value_to_be_in_set", more, column=column, value_set=value_set, ties_okay=ties_okay
    )


def column_kl_divergence_to_be_less_than(
    column: str,
    partition_object: Mapping[str, Sequence[JSON]],
    threshold: float | None = None,
    **more: Unpack[Divergence],
) -> Expectation:
    """Expect a distribution near another one."""
    return made(
        "expect_column_kl_divergence_to_be_less_than",
        more,
        column=column,
        partition_object=partition_object,
        threshold=threshold,
    )


def table_row_count_to_be_between(
    min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenNumbers]
) -> Expectation:
    """Expect so many rows."""
    return made("expect_table_row_count_to_be_between", more, min_value=min_value, max_value=max_value)


def table_row_count_to_equal(value: int, **more: Unpack[OnNumbers]) -> Expectation:
    """Expect exactly so many rows."""
    return made("expect_table_row_count_to_equal", more, value=value)


def column_to_exist(column: str, column_index: int | None = None, **more: Unpack[Noted]) -> Expectation:
    """Expect a column, perhaps at a place."""
    return made("expect_column_to_exist", more, column=column, column_index=column_index)


def column_type_to_be(column: str, type_: str, **more: Unpack[Noted]) -> Expectation:
    """Expect a column of a type."""
    return made("expect_column_type_to_be", more, column=column, type_=type_)


def table_column_count_to_be_between(
    min_value: Bound = None, max_value: Bound = None, **more: Unpack[BetweenSchema]
) -> Expectation:
    """Expect so many columns."""
    return made("expect_table_column_count_to_be_between", more, min_value=min_value, max_value=max_value)


def table_column_count_to_equal(value: int, **more: Unpack[Noted]) -> Expectation:
    """Expect exactly so many columns."""
    return made("expect_table_column_count_to_equal", more, value=value)


def table_columns_to_match_ordered_list(column_list: Sequence[str], **more: Unpack[Noted]) -> Expectation:
    """Expect exactly these columns in this order."""
    return made("expect_table_columns_to_match_ordered_list", more, column_list=column_list)


def table_columns_to_match_set(
    column_set: Collection[str], *, exact_match: bool = True, **more: Unpack[Noted]
) -> Expectation:
    """Expect these columns, and no others unless it need not be exact."""
    return made("expect_table_columns_to_match_set", more, column_set=column_set, exact_match=exact_match)
