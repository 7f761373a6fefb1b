"""``undrift data check`` and ``undrift data suite``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import command
from undrift.cli.reading import masks_at, reading_options, refuse_missing, refuse_reading, telling_folder
from undrift.cli.versions import broken
from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.data.tabular.reading import Reading
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.data.checking import Checked
    from undrift.data.quality.check import Asked
    from undrift.data.quality.engines import EngineName
    from undrift.data.quality.results import ResultFormat
    from undrift.data.quality.suite import Suite

_FORMATS = ("boolean_only", "basic", "summary", "complete")
_FILE = click.Path(path_type=Path, dir_okay=False)
_ENDINGS = (".yaml", ".yml", ".json")  # of suites
_EXAMPLES = 3
_SOME, _ALL = 20, 200  # breaking values of one expectation, as many as Great Expectations tells


@command("check", example="undrift data check june.csv --suite churn.yaml")
@click.argument("what", metavar="REF|FILE")
@click.option("--suite", "suite_file", type=_FILE, help="A suite in YAML or JSON, in place of the dataset's.")
@click.option("--freeze", is_flag=True, help="First make the suite suggested by REF the dataset's suite.")
@click.option("--set", "given", metavar="NAME=VALUE", multiple=True, help="A parameter of the suite. Repeatable.")
@click.option("--engine", type=click.Choice(["auto", "polars", "duckdb"]), default="auto", help="What runs the check.")
@click.option(
    "--result-format",
    "form",
    type=click.Choice(_FORMATS, case_sensitive=False),
    help="Show breaking values, in JSON as Great Expectations does; personal ones are masked.",
)
@reading_options
def check(
    project: Path,
    what: str,
    *,
    suite_file: Path | None,
    freeze: bool,
    given: tuple[str, ...],
    engine: str,
    form: str | None,
    reading: Reading,
) -> Answer:
    """Check a version, or a table file that is not added, against a suite, in one scan; exit code 3 when it fails.

    A file needs --suite, and no project; nothing of it is recorded.
    """
    from undrift.data.quality.check import Asked
    from undrift.data.quality.suite_files import read_suite

    asked = Asked(
        row_numbers=form is not None,
        examples=_ALL if form == "complete" else _SOME if form else 0,
        parameters=_parameters(given),
        engine=cast("EngineName", engine),
    )
    refuse_missing(what)
    suite = read_suite(suite_file) if suite_file else None
    if Path(what).is_file():
        if suite is None or freeze:
            raise BadInput("a file that is not added has no suite", cure="--suite FILE, or add it and name the dataset")
        return _answer(what, _check_file(project, Path(what), suite, asked, reading), form)
    refuse_reading(what, reading)
    with telling_folder(what), Project.open(project) as opened:
        version = opened.data.get(what)
        if freeze:
            opened.data.freeze_suite(version.name, opened.data.suggest_suite(version.ref), actor=opened.actor)
        return _answer(version.ref, _check_version(opened, version.ref, suite, asked), form)


def _check_file(project: Path, path: Path, suite: Suite, asked: Asked, reading: Reading) -> Checked:
    from undrift.data.checking import check_file

    with masks_at(project) as masks:
        return check_file(path, reading, suite, masks, asked)


def _check_version(project: Project, ref: str, suite: Suite | None, asked: Asked) -> Checked:
    from undrift.data.checking import Checked, concealer
    from undrift.data.personal.columns import sampled

    version = project.data.get(ref)
    report = project.data.check(ref, actor=project.actor, suite=suite, asked=asked)
    used = suite or project.data.suite(version.name)
    if used is None:
        raise AssertionError("a version was checked against nothing")
    rows = version.rows or 0
    conceal = concealer(lambda: sampled(project.data.scan(ref), rows), used, project.data.masks, version.name)
    return Checked(report, used, conceal)


def _answer(what: str, checked: Checked, form: str | None) -> Answer:
    report = checked.report
    data: dict[str, JSON] = {"version": what, **report.as_json()}
    lines = [f"{what}: {report.verdict}, {len(report.results)} expectations, {report.rows:,} rows"]
    lines += [f"  {line}" for line in broken(report)]
    if report.not_recorded:
        data["not_recorded"] = report.not_recorded
        lines.append(f"note: the check is not recorded: {report.not_recorded}")
    if form is not None:
        told = cast("dict[str, Any]", checked.validation(cast("ResultFormat", form.upper())))
        data["validation"] = told
        lines += _examples(told)
    return Answer(data, "\n".join(lines), 3 if report.verdict == "fail" else 0)


def _examples(told: dict[str, Any]) -> list[str]:
    """Return lines with breaking values, of each expectation that has any."""
    lines = []
    for one in told["results"]:
        values = one["result"].get("partial_unexpected_list") or ()
        if not one["success"] and values:
            shown = ", ".join(json.dumps(value, ensure_ascii=False) for value in values[:_EXAMPLES])
            kwargs = one["expectation_config"]["kwargs"]
            about = kwargs.get("column") or ", ".join(str(kwargs.get(name)) for name in ("column_A", "column_B"))
            lines.append(f"  {one['expectation_config']['type']} ({about}): {shown}")
    return ["breaking values:", *lines] if lines else []


def _parameters(given: tuple[str, ...]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for one in given:
        name, sign, text = one.partition("=")
        if not sign:
            raise BadInput(f"--set {one!r} has no '='", cure="write --set NAME=VALUE")
        try:
            found[name] = json.loads(text)
        except json.JSONDecodeError:
            found[name] = text
    return found


@command("suite", example="undrift data suite customers --freeze churn.yaml --reason 'reviewed by Ada'")
@click.argument("name", metavar="NAME")
@click.option("--suggest", is_flag=True, help="Write what the newest version suggests, as YAML for review.")
@click.option(
    "--freeze", "source", metavar="FILE|REF", help="Make a file's suite, or what REF suggests, the dataset's."
)
@click.option("--reason", default="", help="Why the suite changes; needed when one is frozen already.")
def suite(project: Path, name: str, *, suggest: bool, source: str | None, reason: str) -> Answer:
    """Show what batches of a dataset must pass, or say it anew."""
    with Project.open(project) as opened:
        if source is not None:
            return _frozen(opened, name, source, reason)
        if suggest:
            return _suggested(opened, name)
        found = opened.data.suite(name)
        if found is None:
            opened.data.get(name)  # a dataset that is not there is told as such
    if found is None:
        review = f"to review one: undrift data suite {name} --suggest > {name}.yaml"
        at_once = f"to freeze what is suggested: undrift data check {name} --freeze"
        return Answer({"suite": None}, f"{name} has no suite\n  {review}\n  {at_once}")
    rows = [(one.severity, one.describe()) for one in found.expectations]
    return Answer({"suite": found.as_json()}, table(("level", "expectation"), rows))


def _frozen(project: Project, name: str, source: str, reason: str) -> Answer:
    from undrift.data.quality.suite_files import read_suite
    from undrift.data.suites import Freezing

    before = project.data.suite(name)
    is_file = Path(source).is_file() or source.lower().endswith(_ENDINGS)
    new = read_suite(Path(source)) if is_file else project.data.suggest_suite(source)
    if before is not None and not reason:
        raise BadInput(f"the dataset {name!r} has a suite; why does it change?", cure="--reason TEXT")
    digest = project.data.freeze_suite(name, new, actor=project.actor, reason=reason)
    freezing = Freezing(new, digest, before, reason)
    lines = [f"data:{name}: batches must pass {new.name} from now on, {len(new.expectations)} expectations"]
    if before is not None:
        lines += [f"  - {one.severity}: {one.describe()}" for one in freezing.removed]
        lines += [f"  + {one.severity}: {one.describe()}" for one in freezing.added]
    data: dict[str, JSON] = {
        "suite": new.as_json(),
        "digest": digest,
        "before": before.digest if before else None,
        "added": len(freezing.added) if before else None,
        "removed": len(freezing.removed) if before else None,
    }
    return Answer(data, "\n".join(lines))


def _suggested(project: Project, name: str) -> Answer:
    from undrift.data.quality.infer import infer_suite
    from undrift.data.quality.suite_yaml import write_yaml

    version = project.data.get(name)
    found = project.data.profile(version.ref)
    suggested = infer_suite(version.name, found)
    return Answer({"suite": suggested.as_json()}, write_yaml(suggested, found, version.ref).rstrip("\n"))
