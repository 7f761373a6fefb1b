"""Suites in files: YAML for people, JSON of undrift, and Great Expectations' own JSON, unchanged.

YAML is read as version 1.2 has it: only ``true`` and ``false`` are truth values, so that the country ``NO`` stays
a text, and days stay texts, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from undrift.core.errors import NotFound
from undrift.data.quality.signatures import check_arguments
from undrift.data.quality.suite import DEFAULT_BAD_ROW_LIMIT, BadSuite, Expectation, Suite, normal
from undrift.data.workspace import missing

_Plain: TypeAlias = dict[str, Any]  # Any: what a file holds, checked here
_FORM = "see docs/quality.md for the form of suites"
_SUITE_KEYS = {"name", "bad_row_limit", "expectations", "meta"}
_EXPECTATION_KEYS = {"type", "kwargs", "severity", "meta", "because"}
# Great Expectations' own: identities, texts for its pages, results of earlier runs.
_THEIR_KEYS = {
    "id", "notes", "description", "rendered_content", "expectation_context", "success_on_last_run", "windows",
    "suite_parameters", "evaluation_parameters", "ge_cloud_id", "data_asset_type", "expectation_suite_name",
    "expectation_type",
}  # fmt: skip


class SuiteNotFound(NotFound):
    """There is no file with the suite."""

    code = "suite-not-found"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something stands in a file."""

    file: str
    line: int | None = None
    what: str = ""

    def fault(self, message: str, cure: str = _FORM) -> BadSuite:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return BadSuite(": ".join(part for part in (place, self.what, message) if part), cure=cure)


def read_suite(path: Path) -> Suite:
    """Return the suite in a file.

    Parameters
    ----------
    path : Path
        ``.yaml`` or ``.yml``, or ``.json`` of undrift or of Great Expectations (1.x or older).

    Raises
    ------
    SuiteNotFound
        If there is no such file.
    BadSuite
        If it holds no suite; line and cure are told.
    UnknownExpectation
        If it expects what nobody knows; the nearest name is told.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SuiteNotFound(f"there is no file {path}", cure=missing(path).cure) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadSuite(f"{path} cannot be read as text", cure=_FORM) from error
    return parse_suite(text, path.name)


def parse_suite(text: str, file: str) -> Suite:
    """Return the suite that a text holds.

    Parameters
    ----------
    text : str
        YAML or JSON.
    file : str
        The file's name, whose ending tells which, and which errors name.

    Raises
    ------
    BadSuite
        As for :func:`read_suite`.
    UnknownExpectation
        As for :func:`read_suite`.
    """
    is_json = file.lower().endswith(".json")
    plain, lines = _json(text, file) if is_json else _yaml(text, file)
    place = _Place(file)
    if not isinstance(plain, dict) or not isinstance(plain.get("expectations"), list):
        raise place.fault("this is no suite", "a suite is a mapping with name and a list of expectations")
    _check_keys(plain, _SUITE_KEYS, place)
    name = plain.get("name") or plain.get("expectation_suite_name") or Path(file).stem
    limit = plain.get("bad_row_limit", DEFAULT_BAD_ROW_LIMIT)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit <= 1:
        raise place.fault(f"bad_row_limit is {limit!r}", "give a share between 0 and 1")
    expectations = tuple(
        _expectation(found, _Place(file, lines.get(number), "" if lines else f"expectation {number + 1}"))
        for number, found in enumerate(plain["expectations"])
    )
    meta = plain.get("meta") or {}
    return Suite(str(name), expectations, float(limit), dict(meta) if isinstance(meta, Mapping) else {})


def _expectation(found: object, place: _Place) -> Expectation:
    if not isinstance(found, dict):
        raise place.fault("this is no expectation", "write its name and, indented, its arguments")
    plain = _long_form(found, place)
    _check_keys(plain, _EXPECTATION_KEYS, place)
    kind = plain.get("type") or plain.get("expectation_type")
    kwargs, meta = plain.get("kwargs") or {}, dict(plain.get("meta") or {})
    if not isinstance(kind, str) or not isinstance(kwargs, dict):
        raise place.fault("an expectation needs a type and kwargs")
    if plain.get("because"):
        meta["because"] = str(plain["because"])
    expectation = Expectation(kind, kwargs, str(plain.get("severity") or "fail"), meta)
    try:
        expectation = normal(expectation)
        check_arguments(expectation)
    except BadSuite as error:
        told = place.fault(error.message, error.cure)
        raise type(error)(told.message, cure=told.cure) from error
    return expectation


def _long_form(found: _Plain, place: _Place) -> _Plain:
    """Return an expectation with type and kwargs where its name is the key of its arguments."""
    if "type" in found or "expectation_type" in found:
        return found
    names = [name for name in found if name not in _EXPECTATION_KEYS]
    if len(names) != 1:
        raise place.fault("an expectation has one name", "begin each expectation with its own '-'")
    rest = {name: value for name, value in found.items() if name in _EXPECTATION_KEYS}
    return {"type": names[0], "kwargs": found[names[0]] or {}, **rest}


def _check_keys(plain: _Plain, known: set[str], place: _Place) -> None:
    for name in plain:
        if name in known or name in _THEIR_KEYS:
            continue
        near = get_close_matches(str(name), sorted(known), n=1)
        raise place.fault(f"{name!r} is not known here" + (f"; did you mean {near[0]}?" if near else ""))


def _json(text: str, file: str) -> tuple[Any, dict[int, int]]:  # Any: whatever the file holds
    try:
        return json.loads(text), {}
    except json.JSONDecodeError as error:
        raise _Place(file, error.lineno).fault(f"this is no JSON: {error.msg}", "mend the file") from error


def _yaml(text: str, file: str) -> tuple[Any, dict[int, int]]:  # Any: whatever the file holds
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        plain = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise _Place(file, line).fault(f"this is no YAML: {error.problem}", "mend the line") from error
    except yaml.YAMLError as error:
        raise _Place(file).fault("this is no YAML", "mend the file") from error
    return plain, _lines(node)


def _lines(node: yaml.Node | None) -> dict[int, int]:
    """Return on which line each expectation begins."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    listed = next((value for key, value in node.value if key.value == "expectations"), None)
    if not isinstance(listed, yaml.SequenceNode):
        return {}
    return {number: one.start_mark.line + 1 for number, one in enumerate(listed.value)}


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core types, no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # Any: YAML's
        """Return a mapping; a key that comes twice is refused."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} comes twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", "-+.0123456789"),  # noqa: E501
):  # fmt: skip
    _letters = [*(letter for letter in _first if letter != "\0"), *([""] if "\0" in _first else [])]
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _letters)


def _whole_number(_: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    """Return a number as it is written: a zero in front does not make it octal."""
    return int(node.value)


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)
