"""The page of a profile stands alone, tells no personal cell, and is not broken by what is in a table."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.core.masking import Mask
from undrift.data.profile import profile
from undrift.data.profile.notices import notices
from undrift.data.profile.page import Source, page
from undrift.data.profile.pictures import beyond

_BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
_VOID = {"br", "circle", "col", "hr", "line", "link", "meta", "path", "polygon", "polyline", "rect"}
SOURCE = Source("people.csv", 12_345, "undrift data profile people.csv --json")
HOSTILE = '<script>alert("1")</script>&"\x00'
ROWS = 400
TABLE = pl.DataFrame(
    {
        "id": range(ROWS),
        "email": [f"user{n}@example.org" for n in range(ROWS)],
        "born": [date(1970, 1, 1) + timedelta(days=31 * n) for n in range(ROWS)],
        "seen": [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=n) if n % 3 else None for n in range(ROWS)],
        HOSTILE: [HOSTILE, "plain"] * (ROWS // 2),
        "amount": [float(n % 37) for n in range(ROWS - 1)] + [float("inf")],
        "far": [float(n % 7) for n in range(ROWS - 1)] + [1e9],
        "same": ["x"] * ROWS,
        "nothing": pl.Series([None] * ROWS, dtype=pl.Float64),
        "raw": [b"\x00"] * ROWS,
        "flag": [True, False, None, True] * (ROWS // 4),
    }
)


class _Balanced(HTMLParser):
    """Fails where an element is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.targets: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        found = dict(attrs)
        self.targets |= {found["id"] or ""} if "id" in found else set()
        self.links |= {found["href"] or ""} if "href" in found else set()
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _parsed(text: str) -> _Balanced:
    parser = _Balanced()
    parser.feed(text)
    assert parser.open == []
    return parser


def test_the_page_needs_nothing_else() -> None:
    """No script, no request, and every link leads to a place on the page."""
    text = page(profile(TABLE), SOURCE)
    parsed = _parsed(text)
    assert "script" not in parsed.seen
    assert "default-src 'none'" in html.unescape(text)
    assert not re.search(r"https?://", text)
    assert {f"#{target}" for target in parsed.targets} >= parsed.links


def test_every_picture_says_what_it_shows() -> None:
    """A reader who sees nothing is told where most values lie."""
    text = page(profile(TABLE), SOURCE)
    assert text.count('role="img"') == text.count('aria-label="Histogram of ')
    assert "Histogram of id: " in text
    assert "<title>" in text


def test_a_personal_cell_is_nowhere_on_the_page() -> None:
    """Neither in pictures, lengths, patterns, nor among frequent values."""
    personal = {"email": "e-mail", "born": "date of birth", "id": "stated"}
    text = page(profile(TABLE).concealed(personal, Mask(bytes(32))), SOURCE)
    assert "@" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert "Histogram of born" not in text
    assert "2004" not in text
    assert "Its cells are personal and are not shown." in text


@given(st.text(max_size=30), st.lists(st.text(max_size=20), min_size=1, max_size=20))
def test_no_name_and_no_value_breaks_the_page(name: str, values: list[str]) -> None:
    """Whatever letters they hold."""
    table = pl.DataFrame({name or "x": values * 3}, schema={name or "x": pl.String})
    assert _parsed(page(profile(table), SOURCE)).seen.count("article") == 1


@pytest.mark.parametrize("table", [TABLE.clear(), TABLE[:1], TABLE.select("nothing")])
def test_small_tables_have_a_page(table: pl.DataFrame) -> None:
    """Also one without rows."""
    assert _parsed(page(profile(table), SOURCE)).seen.count("article") == table.width


def test_two_hundred_columns_have_an_index() -> None:
    """Each column is one line of it, and the page stays below two megabytes."""
    wide = pl.DataFrame({f"column_{n}": [(n * m) % 97 for m in range(500)] for n in range(200)})
    text = page(profile(wide), SOURCE)
    assert len(re.findall(r'<th scope="row"><a href="#c\d+">column_', text)) == 200
    assert len(text) < 2_000_000


def test_large_extremes_are_short_in_the_index_and_whole_on_the_card() -> None:
    """Else the column with them is pushed out of the page."""
    text = page(profile(pl.DataFrame({"big": [-12_345_678_901 * n for n in range(100)]})), SOURCE)
    index, cards = text.split('id="columns"')
    minus = "\N{MINUS SIGN}"
    assert f"{minus}1.22T to 0" in index
    assert f"{minus}1,222,222,211,199" in cards


def test_what_to_know_first_is_told_by_gravity() -> None:
    """What makes a column useless before what makes it awkward; no ordinary column is mentioned."""
    told = [(one.kind, *one.columns) for one in notices(profile(TABLE))]
    assert told[0] == ("empty", "nothing")
    assert told.index(("constant", "same")) < told.index(("infinite", "amount")) < told.index(("far-extremes", "far"))
    assert not [one for one in told if "flag" in one[1:] and one[0] != "missing"]


def test_of_two_columns_the_one_that_lacks_more_is_told_first() -> None:
    """Whatever their order in the table."""
    table = pl.DataFrame({"less": [None] * 10 + [1.0] * 90, "more": [None] * 12 + [1.0] * 88})
    assert [one.columns for one in notices(profile(table)) if one.kind == "missing"] == [("more",), ("less",)]


def test_what_is_not_drawn_is_told_with_its_own_ends() -> None:
    """Not with those of the column, most of which is drawn."""
    text = beyond(profile(pl.DataFrame({"v": [n / 1000 for n in range(1000)] + [500.0, 982.0]})).column("v"))
    assert text == "Not drawn: 2 above 1, up to 982."


def test_a_page_says_of_which_bytes_it_is() -> None:
    """And when and by what it was made."""
    source = Source("people.csv", 1, "c", "b3:0123", "2026-11-30T10:00:00Z", "undrift 0.1.0")
    text = page(profile(TABLE), source)
    assert all(told in text for told in source.evidence().values())


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([1.0] * 60 + [None] * 61, "mostly-missing"),
        (["1", "2", "x", "4"] * 20, "mixed"),
        ([" a", "b"] * 30, "spaces"),
        (["a"] * 97 + ["b"] * 3, "imbalanced"),
        ([0] * 60 + list(range(1, 41)), "mostly-zero"),
        ([f"text {n % 90}" for n in range(100)], "many-values"),
        ([0.1] * 30 + [1.0] * 15 + [9.0] * 15, "skewed"),
    ],
)
def test_each_kind_of_notice_is_found_where_it_belongs(column: list[object], kind: str) -> None:
    """And only there: an ordinary column raises none."""
    kinds = [one.kind for one in notices(profile(pl.DataFrame({"v": column}))) if one.columns]
    assert kind in kinds
    ordinary = pl.DataFrame({"v": [float((n * 7919) % 101) for n in range(200)]})
    yes_and_no = pl.DataFrame({"v": [0] * 84 + [1] * 16})
    for table in (ordinary, yes_and_no):
        assert [one.kind for one in notices(profile(table)) if one.columns] == []


@pytest.mark.skipif(_BROWSER is None and os.environ.get("CI") != "true", reason="chromium is not installed")
def test_a_browser_shows_it_without_a_complaint(tmp_path: Path) -> None:
    """No error, no warning, no blocked request on its console."""
    assert _BROWSER is not None, "CI must have chromium"
    path = tmp_path / "page.html"
    path.write_text(page(profile(TABLE), SOURCE), encoding="utf-8")
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
    still = ("--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'chrome'}")
    told = ("--enable-logging=stderr", "--v=0", "--dump-dom", path.as_uri())
    done = subprocess.run([_BROWSER, *quiet, *still, *told], capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    assert "Column by column" in done.stdout
