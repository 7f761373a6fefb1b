"""What `undrift up --plan` says of every table is what an experienced colleague expects of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tables.catalogue import WRITERS, Expectation, expectation
from undrift.cli.main import cli

JSON = Any  # Any: a JSON document


@pytest.mark.parametrize("name", WRITERS)
def test_a_tables_sheet_is_the_expected_one(name: str, tmp_path: Path) -> None:
    """Exit code, and either the facts of the sheet or the error with its place and cure."""
    wanted = expectation(name)
    table = WRITERS[name](tmp_path)
    words = ["up", str(table), "--target", wanted.target, *wanted.words, "--plan", "--json", "-C", str(tmp_path)]
    answer = CliRunner().invoke(cli, words)
    assert answer.exit_code == wanted.exit, answer.output
    found = json.loads(answer.stdout)
    if "error" in found:
        assert error_facts(found["error"], wanted) == {"code": wanted.error, "says": wanted.says}
    if wanted.sheet:
        assert sheet_facts(found.get("sheet", found), wanted) == wanted_facts(wanted)
    assert [path.name for path in tmp_path.iterdir()] == [table.name]


def error_facts(error: JSON, wanted: Expectation) -> Mapping[str, JSON]:
    """Return the error's code, and which of the expected texts it holds."""
    text = f"{error['message']} {error['cure']}"
    assert error["cure"]
    return {"code": error["code"], "says": [word for word in wanted.says if word in text]}


def wanted_facts(wanted: Expectation) -> Mapping[str, JSON]:
    """Return the expectation in the form of :func:`sheet_facts`."""
    roles = {**dict.fromkeys(wanted.features, "feature"), **wanted.columns, wanted.target: "target"}
    return {
        **wanted.sheet,
        "columns": roles,
        "types": dict(wanted.types),
        "personal": dict(wanted.personal),
        "suspicions": dict(wanted.suspicions),
    }


def sheet_facts(sheet: JSON, wanted: Expectation) -> Mapping[str, JSON]:
    """Return of a sheet what the expectation speaks of."""
    target, scheme = sheet["target"], sheet["scheme"]
    facts = {
        "rows": sheet["table"]["rows"],
        "task": target["task"],
        "positive": target["positive"],
        "classes": len(target["classes"]),
        "rows_without": target["rows_without"],
        "metric": sheet["metric"]["name"],
        "also": sheet["metric"]["also"],
        "scheme": scheme["kind"],
        "time": scheme["time"],
        "unit": scheme["unit"],
        "duplicates": sheet["duplicates"]["rows"],
    }
    by_name = {column["name"]: column for column in sheet["columns"]}
    listed = {name: column for name, column in by_name.items() if wanted.features or column["role"] != "feature"}
    return {
        **{name: facts[name] for name in wanted.sheet},
        "columns": {
            name: role_of(column, wanted.columns.get(name, ""))
            for name, column in listed.items()
            if name not in wanted.suspicions
        },
        "types": {name: by_name[name]["type"] for name in wanted.types},
        "personal": {name: column["personal"] for name, column in by_name.items() if column["personal"]},
        "suspicions": {one["column"]: one["kind"] for one in sheet["suspicions"]},
    }


def role_of(column: JSON, expected: str) -> str:
    """Return a column's role; as it was expected when its reason holds the expected word, else with its reason."""
    role, _, word = expected.partition(": ")
    if word and column["role"] == role and word in column["reason"].lower():
        return expected
    return str(column["role"]) if column["role"] != "dropped" else f"dropped: {column['reason']}"
