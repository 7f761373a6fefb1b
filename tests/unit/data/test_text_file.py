"""Text in whatever encoding, and what stands between its cells."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from undrift.data.tabular import text_file
from undrift.data.tabular.delimiters import AmbiguousDelimiter, delimiter_for, find_delimiter
from undrift.data.tabular.text_file import BadTable, TextFile, open_text

GERMAN = "größe,ort\n1,Zürich\n2,“Köln”\n"
POLISH = "miasto,kwota\nŁódź,1\nWałbrzych,2\n"
RUSSIAN = "город,число\nМосква,1\n"  # noqa: RUF001  (it is Cyrillic)


def opened(folder: Path, data: bytes | str, encoding: str = "", fallback: str = "") -> TextFile:
    path = folder / "t.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return open_text(path, encoding, fallback)


def text_of(file: TextFile) -> str:
    return file.head.decode()


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (GERMAN.encode(), "utf-8"),
        (codecs.BOM_UTF8 + GERMAN.encode(), "utf-8"),
        (GERMAN.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be"), "utf-16"),
        (GERMAN.encode("utf-32"), "utf-32"),
        (GERMAN.encode("cp1252"), "cp1252"),
        (gzip.compress(GERMAN.encode(), mtime=0), "utf-8"),
    ],
)
def test_an_encoding_is_found(tmp_path: Path, data: bytes, encoding: str) -> None:
    """By its mark, by being UTF-8, or by reading like Western European text."""
    found = opened(tmp_path, data)
    assert text_of(found) == GERMAN
    assert found.encoding == encoding


@pytest.mark.parametrize("block", [1, 2, 7])
def test_small_blocks_cut_no_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """A file is decoded piece by piece."""
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", block)
    assert text_of(opened(tmp_path, GERMAN)) == GERMAN
    assert text_of(opened(tmp_path, GERMAN.encode("utf-16"))) == GERMAN
    with pytest.raises(BadTable, match="line 3 is not UTF-8"):
        opened(tmp_path, b"a,\xc3\xa4\n1,2\n3,\xff\n", "utf-8")


@pytest.mark.parametrize(
    "data", [POLISH.encode("cp1250"), RUSSIAN.encode("cp1251"), "名,a\n東京,1\n".encode("shift_jis")]
)
def test_letters_that_are_not_western_are_refused_and_not_garbled(tmp_path: Path, data: bytes) -> None:
    """With the line, and the option that names the encoding."""
    with pytest.raises(BadTable, match=r"line [123] is neither UTF-8 nor Western European") as caught:
        opened(tmp_path, data)
    assert "--encoding" in caught.value.cure


def test_an_encoding_that_is_named_is_used(tmp_path: Path) -> None:
    """And one found for an earlier file where a later one is not UTF-8."""
    assert text_of(opened(tmp_path, POLISH.encode("cp1250"), "cp1250")) == POLISH
    assert text_of(opened(tmp_path, POLISH.encode("cp1250"), fallback="cp1250")) == POLISH
    assert text_of(opened(tmp_path, POLISH, fallback="cp1250")) == POLISH


@pytest.mark.parametrize(
    ("data", "encoding", "told"),
    [
        (b"", "", "empty"),
        (codecs.BOM_UTF8 + b"\r\n", "", "empty"),
        (b"PK\x03\x04rest", "", "workbook"),
        (gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], "", "cannot be unpacked"),
        ("a,b\n1,2\n".encode("utf-16-le"), "", "zero bytes"),
        (b"a,b\n1,2\n\xff,1\n", "ascii", "line 3 is not ASCII"),
        (codecs.BOM_UTF8 + b"a,b\n", "cp1252", "byte-order mark of utf-8, not of cp1252"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, encoding: str, told: str) -> None:
    """With its place where it has one, and a cure."""
    with pytest.raises(BadTable, match=told) as caught:
        opened(tmp_path, data, encoding)
    assert caught.value.cure


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2\n", ";"),
        ("a\tb\n1,5\tx;y\n", "\t"),
        ("a|b|c\n1|2,5|3\n", "|"),
        ('"a;b",c\n"1;2",3\n', ","),
        ("a;b\r1;2\r", ";"),
        ("one\n1\n", ","),
        ("a;b;c\n1;2;3\n4;5\n", ";"),
        ("\n\na;b\n1;2\n", ";"),
        ("sep=;\na,b;c\n1;2\n", ";"),
        ("id,a|b,c,d\n1,x|y,2,3\n", ","),
    ],
)
def test_a_delimiter_is_found_from_header_and_rows(tmp_path: Path, data: str, delimiter: str) -> None:
    """Quotes are respected; a ragged line is for the reader to refuse."""
    file = opened(tmp_path, data)
    assert (file.delimiter or find_delimiter(file, ",")) == delimiter


def test_two_delimiters_that_do_equally_well_ask(tmp_path: Path) -> None:
    """Both readings are shown."""
    with pytest.raises(AmbiguousDelimiter, match=r"by commas .*'Name'.* by semicolons .*'Name, Vorname'") as caught:
        find_delimiter(opened(tmp_path, "Name, Vorname;Ort\nMüller, Hans;Berlin\n"), ",")
    assert caught.value.exit_code == 4


def test_a_name_that_says_tabs_is_believed(tmp_path: Path) -> None:
    """Where tabs divide the cells, too."""
    assert find_delimiter(opened(tmp_path, "a,b\tc\n1,2\t3\n"), "\t") == "\t"


def test_known_names_tell_the_delimiter(tmp_path: Path) -> None:
    """What was found for an earlier file comes first, but the header decides."""
    file = opened(tmp_path, "Name, Vorname;Ort\nMüller, Hans;Berlin\n")
    assert delimiter_for(file, ["Ort", "Name, Vorname"], ",") == ";"
    assert delimiter_for(file, ["Ort"], ",") is None
    assert delimiter_for(opened(tmp_path, ",b\n0,1\n"), ["b"], ",") == ","
