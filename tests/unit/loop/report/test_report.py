"""The report: what it says is what is recorded, whatever the columns are called, and it needs nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression

from undrift.cli.main import cli
from undrift.drawing.words import interval, number
from undrift.ledger.actor import Actor
from undrift.loop.notebook import run
from undrift.loop.report.facts import report_facts
from undrift.loop.report.names import candidate_name
from undrift.loop.report.page import page
from undrift.project import Project
from unit.loop.report.conftest import HOSTILE, TABLES

Facts = Callable[[str], dict[str, Any]]
_VOID = {"meta", "br", "hr", "link", "col"}
_BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


class Page(HTMLParser):
    """Reads a page: its elements in order, and whether each is closed by its own end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("name", TABLES)
def test_the_page_is_well_formed_and_needs_nothing_else(facts: Facts, name: str) -> None:
    """No script, no request, every element closed, links lead to headings of the page."""
    read = Page(page(facts(name)))
    assert read.open == []
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in read.elements}
    anchors = {attributes.get("id") for _, attributes in read.elements}
    for _, attributes in read.elements:
        assert not {"src", "srcset", "xlink:href"} & set(attributes)
        assert (attributes.get("href") or "#").removeprefix("#") in {*anchors, ""}
        assert not any(key.startswith("on") for key in attributes)


@pytest.mark.parametrize("name", TABLES)
def test_a_screen_reader_finds_its_way(facts: Facts, name: str) -> None:
    """One title, sections under headings, pictures with a sentence, headings of tables with a scope."""
    read = Page(page(facts(name)))
    assert len(read.of("h1")) == 1
    assert read.of("html")[0]["lang"] == "en"
    assert all(one.get("aria-label") or one.get("aria-hidden") for one in read.of("svg"))
    assert all(one.get("scope") for one in read.of("th"))
    assert len(read.of("section")) == len([one for one in read.of("h2") if one.get("id")])


def test_pictures_are_proper_xml(facts: Facts) -> None:
    """Each SVG stands by itself."""
    found = re.findall(r"<svg.*?</svg>", page(facts("timed")), re.DOTALL)
    assert len(found) > 8
    for one in found:
        ET.fromstring(one)


def test_numbers_are_the_recorded_ones(facts: Facts) -> None:
    """Gate, candidates, importance, threshold, rows: as the ledger and the run have them."""
    known, text = facts("timed"), " ".join(Page(page(facts("timed"))).text)
    arm = known["gate"]["challenger"]["metrics"]
    expected = [interval(arm[metric]) for metric in arm]
    expected += [number(known["split"]["fit_rows"]), number(known["asked"]["threshold"])]
    expected += [candidate_name(one["kind"]) for one in known["comparison"]["comparison"]["results"]]
    expected += [str(one["column"]) for one in known["diagnosis"]["importance"]["columns"]]
    expected += [str(known["lineage"]["package"]), str(known["data"]["version_id"])]
    assert [one for one in expected if one not in text] == []


def test_the_recorded_facts_are_those_of_the_run(facts: Facts, trained: Callable[[str], Path]) -> None:
    """What the report calls the gate's metric is what the run holds."""
    known = facts("timed")
    with Project.open(trained("timed")) as project:
        version = project.registry.get("model:m@1")
        metric = project.runs.get(version.run).facts.metrics["auc"]
        assert known["gate"] == version.gate
    assert known["gate"]["challenger"]["metrics"]["auc"]["estimate"] == pytest.approx(metric.value)


def test_names_that_are_markup_stay_text(facts: Facts) -> None:
    """A column and a category called <script>."""
    text = page(facts("hostile"))
    assert "<script" not in text
    assert HOSTILE in "".join(Page(text).text)


def test_who_decided_is_said_and_not_claimed(facts: Facts) -> None:
    """An account of the system is unverified."""
    (registered,) = facts("timed")["decisions"]
    assert registered["by"]["words"].endswith("(os-user, unverified)")


def test_what_a_reader_must_know_stands_at_the_top(facts: Facts) -> None:
    """The kept column against which something speaks, and the field that nobody filled in."""
    known = facts("timed")
    known["overrides"]["kept"].append({"column": "leak", "evidence": "it alone ranks 99.9 % right"})
    top = " ".join(Page(page(known).split("<nav", maxsplit=1)[0]).text)
    assert "leak , which the settings keep: it alone ranks 99.9 % right." in top
    assert "rare" not in top
    assert "1 field is not stated: excluded use. Set it under [models.m] in undrift.toml." in top


def test_a_forced_version_says_so(registered: Any) -> None:
    """By whom and why, at the top and under overrides."""
    version = registered.version("fail")
    project: Project = registered.project
    with project.ledger.change(Actor("os-user", "ada")) as change:
        project.registry.approve(change, version.ref, "no time", force_reason="the boss <b>wants</b> it")
    text = page(report_facts(project, project.registry.get(version.ref)))
    assert text.count("the boss &lt;b&gt;wants&lt;/b&gt; it") == 2
    assert "ada (os-user, unverified)" in text


def test_parts_that_a_notebook_does_not_record_are_said_to_be_missing(tmp_path: Path) -> None:
    """Named with the reason, not left blank."""
    x = pl.DataFrame({"x": np.arange(40.0)})
    with run("m", project=tmp_path) as recorded:
        recorded.log(auc=0.7)
        recorded.log_model(LogisticRegression().fit(x, np.arange(40) > 19), name="m", example=x)
    with Project.open(tmp_path) as project:
        known: Any = report_facts(project, project.registry.get("model:m@1"))
    parts = [one["part"] for one in known["missing"]]
    assert parts == [
        "candidates compared",
        "curves, errors, importance and slices",
        "how its rows were split",
        "the gate's report",
        "the data",
    ]
    text = " ".join(Page(page(known)).text)
    assert text.count("Not recorded: ") == 5


def test_the_card_of_a_notebooks_model_holds_what_the_settings_state(tmp_path: Path) -> None:
    """The same three fields as for a trained one."""
    settings = '[models.m]\ndataset = "d"\ntarget = "y"\nowner = "Ada"\n'
    x = pl.DataFrame({"x": np.arange(40.0), "y": np.arange(40) > 19})
    with Project.create(tmp_path, settings) as project:
        project.data.add_frame(x, "d", actor=project.actor)
    with run("m", project=tmp_path) as recorded:
        version = recorded.log_model(LogisticRegression().fit(x[["x"]], x["y"]), name="m", example=x[["x"]])
    with Project.open(tmp_path) as project:
        card = project.registry.open(project.registry.get(version.ref)).read("MODEL_CARD.md").decode()
    assert "2 fields are not stated: intended use, excluded use." in card
    assert "## Owner\n\nAda" in card


def test_why_the_gate_cannot_tell_is_said(facts: Facts) -> None:
    """A pass on rows that the model may have seen is none, and the page says so."""
    known = facts("timed")
    decision = {**known["gate"]["decision"], "outcome": "cannot_tell", "reason": "its rows are not known"}
    text = " ".join(Page(page({**known, "gate": {**known["gate"], "decision": decision}})).text)
    assert "The data cannot tell. It is better, by " in text
    assert "The reason: its rows are not known." in text


def test_the_page_can_be_made_from_the_stored_json(facts: Facts) -> None:
    """``--json`` holds all of it."""
    known = facts("timed")
    assert page(json.loads(json.dumps(known))) == page(known)


def _undrift(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments])


def test_the_command_writes_the_page_and_prints_the_facts(trained: Callable[[str], Path], tmp_path: Path) -> None:
    """To FILE; with --json the facts, and no file that nobody asked for."""
    folder, out = str(trained("timed")), tmp_path / "report.html"
    written = _undrift("model", "report", "m@1", "-C", folder, "--out", str(out))
    assert written.exit_code == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    told = _undrift("model", "report", "m", "-C", folder, "--json")
    assert json.loads(told.stdout)["version"]["ref"] == "model:m@1"


def test_show_says_what_is_not_stated(trained: Callable[[str], Path]) -> None:
    """A count, the names, and where to set them."""
    shown = _undrift("model", "show", "m@1", "-C", str(trained("numbers")))
    assert "3 fields are not stated: owner, intended use, excluded use. Set them under [models.m]" in shown.stdout


def test_the_card_says_what_was_stated_kept_and_left_out(trained: Callable[[str], Path]) -> None:
    """Intended use, override, exclusions with counts, threshold with its basis, limits."""
    with Project.open(trained("timed")) as project:
        card = project.registry.open(project.registry.get("model:m@1")).read("MODEL_CARD.md").decode()
    assert card.startswith("# m\n\n> 1 field is not stated: excluded use.")
    assert "## Owner\n\nAda & Co" in card
    assert "- `rare` is kept by the settings: nothing speaks against it in the rows learnt from" in card
    assert "The threshold's basis: the likelier class." in card
    assert re.search(r"- \d+ rows: ", card)
    assert "- Drift is looked for window by window" in card


@pytest.mark.skipif(_BROWSER is None and os.environ.get("CI") != "true", reason="chromium is not installed")
@pytest.mark.parametrize("name", ["timed", "numbers"])
def test_a_browser_shows_it_without_a_complaint(facts: Facts, tmp_path: Path, name: str) -> None:
    """No error, no warning, no blocked request on its console."""
    assert _BROWSER is not None, "CI must have chromium"
    path = tmp_path / "report.html"
    path.write_text(page(facts(name)), encoding="utf-8")
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
    still = ("--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'chrome'}")
    told = ("--enable-logging=stderr", "--v=0", "--dump-dom", path.as_uri())
    done = subprocess.run([_BROWSER, *quiet, *still, *told], capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    assert "Lineage" in done.stdout
