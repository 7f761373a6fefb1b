"""Databases: SQLite files and PostgreSQL, read in one snapshot and in batches, by SQLAlchemy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from undrift.core.addresses import BadAddress, scrubbed, without_secrets
from undrift.core.errors import BadInput, MissingExtra
from undrift.data.connectors.declared import Declared, of_postgres, of_sqlite

_BATCH_ROWS = 50_000
_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
_TEXT_TYPES = ("json", "jsonb")


class BadQuery(BadInput):
    """A database refused what it was asked, or cannot be asked that."""

    code = "bad-query"


class SourceUnreachable(BadInput):
    """The database does not answer, or does not let this user in."""

    code = "source-unreachable"


@dataclass(frozen=True, slots=True)
class Question:
    """What a database is asked.

    Attributes
    ----------
    table : str
        A table or view, with its schema where that is not the usual one.
    query : str
        One SELECT, in place of a table.
    order_by : tuple of str
        Columns that order the rows.

    Raises
    ------
    BadQuery
        If neither or both of table and query are given.
    """

    table: str = ""
    query: str = ""
    order_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.table) == bool(self.query):
            raise BadQuery("a database needs a table or a query", cure='say --table NAME, or --query "select ..."')


@dataclass(frozen=True, slots=True)
class Statement:
    """What is sent to the database.

    Attributes
    ----------
    text : str
        One SELECT.
    order : tuple of str
        The columns that order its rows; none where the database decides.
    """

    text: str
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """An open result.

    Attributes
    ----------
    names : tuple of str
        The columns.
    declared : tuple of Declared
        What the database says of their types.
    statement : Statement
        What was asked.
    batches : iterator of list of tuple
        The rows, as the driver gives them.
    """

    names: tuple[str, ...]
    declared: tuple[Declared, ...]
    statement: Statement
    batches: Iterator[Sequence[Sequence[Any]]]  # Any: cells


@contextmanager
def opened(address: str, question: Question) -> Iterator[Result]:
    """Ask a database and give the open result; it is read in one read-only snapshot.

    Parameters
    ----------
    address : str
        ``sqlite:///FILE`` or ``postgresql://...``.
    question : Question
        What to ask.

    Raises
    ------
    BadQuery
        If the database refuses the question, or a row cannot be told.
    SourceUnreachable
        If it does not answer.
    MissingExtra
        If the driver is not installed.
    """
    engine = _engine(address)
    try:
        with _connected(engine, address) as connection:
            statement = _statement(connection, question)
            declared = _declared_before(connection, statement)
            result = connection.exec_driver_sql(statement.text)
            description = result.cursor.description if result.cursor is not None else None
            if description is None:
                raise BadQuery("the query gives no rows", cure="ask one SELECT")
            names = tuple(str(column[0]) for column in description)
            _check_distinct(names)
            types = declared or tuple(of_postgres(column) for column in description)
            yield Result(names, types, statement, _batches(result, address))
    except NoSuchTableError as error:
        raise BadQuery(f"there is no table {error}", cure="say its schema, too: --table SCHEMA.NAME") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _refused(error, address) from error
    finally:
        engine.dispose()


def _batches(result: Any, address: str) -> Iterator[Sequence[Sequence[Any]]]:  # Any: SQLAlchemy's result, cells
    while True:
        try:
            rows = result.fetchmany(_BATCH_ROWS)
        except (DBAPIError, sqlite3.Error) as error:
            raise _refused(error, address) from error
        if not rows:
            return
        yield rows


def _engine(address: str) -> Engine:
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise BadAddress(
            f"{without_secrets(address)} is no address of a database", cure="write sqlite:///FILE or postgresql://..."
        ) from error
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    if url.drivername not in _POSTGRES:
        raise BadAddress(f"there is no driver for {url.drivername}", cure="write sqlite:///FILE or postgresql://...")
    try:
        engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise MissingExtra("postgres", "reading from PostgreSQL") from error
    return engine.execution_options(
        stream_results=True,
        no_parameters=True,
        max_row_buffer=_BATCH_ROWS,
        isolation_level="REPEATABLE READ",
        postgresql_readonly=True,
    )


def _sqlite(url: URL) -> Engine:
    """Return an engine that opens the file for reading only: a name typed wrong makes no new database."""
    path = Path(url.database or "")
    if not path.is_file():
        raise SourceUnreachable(f"there is no SQLite file {path}", cure="four slashes begin an absolute path")
    name = f"file:{quote(str(path.resolve()))}?mode=ro"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(name, uri=True), poolclass=NullPool)


@contextmanager
def _connected(engine: Engine, address: str) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise SourceUnreachable(
            f"{without_secrets(address)} does not answer: {_first_line(error, address)}",
            cure="check the address; user and password come from PGUSER, PGPASSWORD or ~/.pgpass",
        ) from error
    with connection:
        if engine.dialect.name == "postgresql":
            _prepare(connection)
        yield connection


def _prepare(connection: Connection) -> None:
    """Have moments told in UTC, so that the same question gives the same rows from anywhere, and JSON as its text."""
    from psycopg.types.string import TextLoader

    driver: Any = connection.connection.dbapi_connection  # Any: SQLAlchemy's type has no driver methods
    driver.execute("SET TIME ZONE 'UTC'")
    for name in _TEXT_TYPES:
        driver.adapters.register_loader(name, TextLoader)


def _statement(connection: Connection, question: Question) -> Statement:
    quoted = connection.dialect.identifier_preparer.quote_identifier
    order = question.order_by
    if question.table:
        schema, _, table = question.table.rpartition(".")
        inspector = inspect(connection)
        columns = [column["name"] for column in inspector.get_columns(table, schema or None)]
        order = order or tuple(inspector.get_pk_constraint(table, schema or None)["constrained_columns"])
        place = ".".join(quoted(part) for part in (schema, table) if part)
        _check_order(order, columns)
        text = f"SELECT * FROM {place}"  # noqa: S608  (quoted names of a table that exists)
    else:
        text = question.query.strip().rstrip(";").rstrip()
        if order:
            text = f"SELECT * FROM (\n{text}\n) AS asked"  # noqa: S608  (the caller's own statement)
    ordered = ", ".join(map(quoted, order))
    return Statement(f"{text} ORDER BY {ordered}" if order else text, order)


def _check_distinct(names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadQuery(f"two columns are called {twice!r}", cure="name one of them otherwise: SELECT a AS b")


def _check_order(order: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in order if name not in columns]
    if missing:
        raise BadQuery(f"there is no column {missing[0]!r} to order by", cure=f"the columns are: {', '.join(columns)}")


def _declared_before(connection: Connection, statement: Statement) -> tuple[Declared, ...]:
    """Return what SQLite says of the columns: its results tell no types, a view of the statement does."""
    if connection.dialect.name != "sqlite":
        return ()
    connection.exec_driver_sql(f"CREATE TEMP VIEW undrift_asked AS {statement.text}")
    told = connection.exec_driver_sql("SELECT type FROM pragma_table_info('undrift_asked') ORDER BY cid").scalars()
    found = tuple(of_sqlite(text) for text in told)
    connection.exec_driver_sql("DROP VIEW temp.undrift_asked")
    return found


def _refused(error: Exception, address: str) -> BadQuery:
    return BadQuery(
        f"{without_secrets(address)} refused the question: {_first_line(error, address)}",
        cure="mend the query, or cast what cannot be told to text in it",
    )


def _first_line(error: Exception, address: str) -> str:
    told = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return scrubbed(next(iter(str(told).splitlines()), type(told).__name__), address)
