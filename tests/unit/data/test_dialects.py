"""Any table in a stated dialect is read back to equal values, or refused; never silently to others."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from undrift.core.errors import UndriftError
from undrift.data.tabular.table_files import ReadTable, read, read_table

LETTERS = "bxZé"
DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d", "%Y/%m/%d", "%b %d, %Y", "%d %B %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S")


@dataclass(frozen=True)
class Dialect:
    """How a table is written, all of it."""

    delimiter: str
    encoding: str
    line_end: str
    quote_all: bool
    point: str
    thousands: str
    day: str
    clock: str


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    point = draw(st.sampled_from(".,"))
    thousands = draw(st.sampled_from(["", " ", "\u202f", "'", "." if point == "," else ","]))
    dialect = Dialect(
        delimiter=draw(st.sampled_from(",;\t|")),
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
        line_end=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quote_all=draw(st.booleans()),
        point=point,
        thousands=thousands,
        day=draw(st.sampled_from(DAYS)),
        clock=draw(st.sampled_from(CLOCKS)),
    )
    # Points between three digits are thousands only where semicolons divide the cells: documented.
    assume(thousands != "." or dialect.delimiter == ";")
    assume(thousands != "\u202f" or dialect.encoding != "cp1252")
    return dialect


def number(value: int, places: int, dialect: Dialect, unit: str) -> str:
    whole, fraction = divmod(abs(value), 10**places)
    text = f"{whole:,}".replace(",", dialect.thousands)
    text += f"{dialect.point}{fraction:0{places}}" if places else ""
    return f"{'-' if value < 0 else ''}{text}{unit}"


@st.composite
def columns(draw: st.DrawFn, dialect: Dialect, rows: int) -> tuple[list[Any], list[str | None]]:
    """Return the values of a column and their texts."""
    kind = draw(st.sampled_from(["number", "percent", "day", "text", "bool"]))
    if kind in ("number", "percent"):
        places, unit = draw(st.integers(0, 4)), " %" if kind == "percent" else ""
        drawn = draw(st.lists(st.integers(-(10**9), 10**9) | st.integers(-9999, 9999), min_size=rows, max_size=rows))
        return [one / 10**places for one in drawn], [number(one, places, dialect, unit) for one in drawn]
    if kind == "day":
        minutes = draw(st.lists(st.integers(0, 10**8), min_size=rows, max_size=rows))
        moments = [datetime(1900, 1, 1) + timedelta(minutes=one) for one in minutes]  # noqa: DTZ001
        written = [one.strftime(dialect.day + dialect.clock) for one in moments]
        return [one if dialect.clock else one.date() for one in moments], list(written)
    if kind == "bool":
        flags = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
        return flags, [str(flag).lower() for flag in flags]
    # Without quotes Python's writer leaves a CR in a cell bare, which is then no cell but the end of a line.
    ends = "\r\n" if dialect.quote_all else "\n"
    text = st.text(alphabet=f"{LETTERS}{dialect.delimiter}{ends}\"',; ", min_size=1, max_size=6)
    missing = st.nothing() if dialect.quote_all else st.none()
    texts = draw(st.lists(text | missing, min_size=rows, max_size=rows))
    return texts, texts


def write(path: Path, dialect: Dialect, texts: list[list[str | None]]) -> Path:
    buffer = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if dialect.quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(buffer, delimiter=dialect.delimiter, lineterminator=dialect.line_end, quoting=quoting)
    writer.writerow([f"é{place}" for place in range(len(texts))])
    writer.writerows(zip(*texts, strict=True))
    path.write_bytes(buffer.getvalue().encode(dialect.encoding))
    return path


def same(values: list[Any], texts: list[str | None], found: pl.Series) -> bool:
    """Say whether a column has the values that were meant, or was left as the text that was written."""
    read_back = found.to_list()
    if found.dtype == pl.String:
        return read_back == texts
    return read_back == values and all(isinstance(one, date) == isinstance(values[0], date) for one in read_back)


def read_or_refusal(path: Path) -> ReadTable | UndriftError:
    try:
        return read_table(path)
    except UndriftError as error:
        return error


@settings(max_examples=100, deadline=None)
@given(data=st.data(), dialect=dialects(), rows=st.integers(1, 8), width=st.integers(2, 4))
def test_a_table_comes_back_or_is_refused(
    tmp_path_factory: Any, data: st.DataObject, dialect: Dialect, rows: int, width: int
) -> None:
    """Values equal to those that were written; text stays as it was."""
    made = [data.draw(columns(dialect, rows)) for _ in range(width)]
    path = write(tmp_path_factory.getbasetemp() / "any.csv", dialect, [texts for _, texts in made])
    found = read_or_refusal(path)
    if isinstance(found, UndriftError):
        event(f"refused: {found.code}")
        assert (found.exit_code in (2, 4), bool(found.cure)) == (True, True)
        return
    event("read")
    assert found.frame.shape == (rows, width)
    for (values, texts), column in zip(made, found.frame, strict=True):
        assert same(values, texts, column), (values, texts, column.to_list())
    assert read(path, "csv", found.schema).equals(found.frame)


_PIECES = (
    *(b"a", b"1", b",", b";", b"\t", b'"', b"\n", b"\r", b"\r\n", b" ", b".", b"%", b"-", b"\x00", b"\xe9", b"\xff"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"{", b"}", b'"a":', b"[", b"null", b"01/02/2013", b"1,234"),
)


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(_PIECES), max_size=25),
    ending=st.sampled_from(["csv", "tsv", "jsonl", "csv.gz", "parquet"]),
)
def test_no_bytes_are_too_strange(tmp_path_factory: Any, pieces: list[bytes], ending: str) -> None:
    """A table or an error of ours, which has a cure; never one of a library's."""
    path = tmp_path_factory.getbasetemp() / f"any.{ending}"
    path.write_bytes(b"".join(pieces))
    found = read_or_refusal(path)
    assert isinstance(found, ReadTable) or found.cure
