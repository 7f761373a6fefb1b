"""The arguments of an expectation, read for a table with known columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from undrift.data.quality.expressions import Expression, as_text, column
from undrift.data.quality.suite import BadSuite, Expectation
from undrift.data.quality.values import Kind, Value, kind_of, value_of, values_of


class ColumnMissing(BadSuite):
    """An expectation names a column which the table does not have."""

    code = "column-missing"


class Arguments:
    """The arguments of an expectation on a table with a known schema.

    Parameters
    ----------
    expectation : Expectation
        Whose arguments.
    dtypes : mapping
        Types of the table's columns.

    Attributes
    ----------
    dtypes : mapping
        The same.
    """

    def __init__(self, expectation: Expectation, dtypes: Mapping[str, pl.DataType]) -> None:
        self._expectation = expectation
        self.dtypes = dtypes

    @property
    def type(self) -> str:
        """The name of the expectation."""
        return self._expectation.type

    def get(self, name: str) -> Any:  # Any: JSON whose form the caller knows
        """Return an argument, None when it is missing."""
        return self._expectation.kwargs.get(name)

    def need(self, name: str) -> Any:  # Any: as in get
        """Return an argument.

        Raises
        ------
        BadSuite
            If it is missing.
        """
        if name not in self._expectation.kwargs:
            raise BadSuite(f"{self.type} needs the argument {name!r}", cure="add it to the suite")
        return self._expectation.kwargs[name]

    def choice(self, name: str, *allowed: str) -> str:
        """Return an argument that is one of some words, the first when it is not given.

        Raises
        ------
        BadSuite
            If it is another word.
        """
        found = self.get(name)
        if found is not None and found not in allowed:
            raise BadSuite(f"{self.type} has {name}={found!r}", cure=f"write one of {', '.join(allowed)}")
        return str(found or allowed[0])

    def items(self, name: str) -> list[Any]:  # Any: JSON values
        """Return an argument that is a list.

        Raises
        ------
        BadSuite
            If it is none.
        """
        found = self.need(name)
        if not isinstance(found, list | tuple):
            raise BadSuite(f"{self.type}: {name} is no list", cure="write a list")
        return list(found)

    def number(self, name: str) -> float | None:
        """Return an argument that is a number, None when it is missing.

        Raises
        ------
        BadSuite
            If it is something else.
        """
        found = self.get(name)
        if found is not None and (isinstance(found, bool) or not isinstance(found, int | float)):
            raise BadSuite(f"{self.type} has {name}={found!r}, which is no number", cure="write a number")
        return found

    def name(self, argument: str = "column") -> str:
        """Return the name of the column that an argument gives.

        Raises
        ------
        ColumnMissing
            If the table has no such column.
        """
        name = self.need(argument)
        if name not in self.dtypes:
            raise ColumnMissing(f"the table has no column {name!r}", cure="deliver the column")
        return str(name)

    def column(self, argument: str = "column") -> Expression:
        """Return the values of the column that an argument names."""
        return column(self.name(argument))

    def names(self) -> list[str]:
        """Return the columns of ``column_list``, at least two.

        Raises
        ------
        BadSuite
            If there are fewer.
        ColumnMissing
            If the table has not all of them.
        """
        names = self.items("column_list")
        for name in names:
            if name not in self.dtypes:
                raise ColumnMissing(f"the table has no column {name!r}", cure="deliver the column")
        if len(names) < 2:  # noqa: PLR2004
            raise BadSuite(f"{self.type} needs two columns or more", cure="name them in column_list")
        return names

    def dtype(self, argument: str = "column") -> pl.DataType:
        """Return the type of the column that an argument names."""
        return self.dtypes[self.name(argument)]

    def kind(self, argument: str = "column") -> Kind:
        """Return what the column that an argument names can be compared with."""
        return kind_of(self.dtype(argument))

    def bound(self, name: str) -> Value | None:
        """Return a bound as a value of the column's kind, None when it is not given.

        Raises
        ------
        BadSuite
            If it is no value of that kind.
        """
        value = self.get(name)
        found = value_of(value, self.kind())
        if found is None and value is not None:
            raise BadSuite(
                f"{name}={value!r} is no bound for the column {self.need('column')!r} of type {self.dtype()}",
                cure="write numbers for numbers, ISO 8601 for dates and instants",
            )
        return found

    def values(self, name: str) -> list[Value]:
        """Return the values of a list which the column can hold; the others occur in no row of it."""
        return values_of(self.items(name), self.dtype())

    def text(self) -> Expression:
        """Return the column as text.

        Raises
        ------
        BadSuite
            If it holds neither text nor whole numbers.
        """
        dtype = self.dtype()
        if kind_of(dtype) != "text" and not dtype.is_integer():
            raise BadSuite(f"{self.type} is for text, {self.need('column')!r} is {dtype}", cure="drop it")
        return self.column() if dtype == pl.String else as_text(self.column())

    def only_text(self) -> Expression:
        """Return the column, which must hold text.

        Raises
        ------
        BadSuite
            If it does not.
        """
        if self.kind() != "text":
            raise BadSuite(f"{self.type} is for text, {self.need('column')!r} is {self.dtype()}", cure="drop it")
        return self.text()
