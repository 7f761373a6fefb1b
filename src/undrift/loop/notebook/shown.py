"""Results as a notebook shows them: self-contained HTML for one cell, in light and dark, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from undrift.drawing.markup import Child, Html, el, join
from undrift.drawing.svg import STYLE as PICTURES
from undrift.drawing.words import count, number
from undrift.loop.report.behaviour import importance, slices
from undrift.loop.report.names import metric_name
from undrift.loop.report.pictures import calibrated, confusion, precision_recall, residuals, roc
from undrift.models.version import ModelVersion
from undrift.tracking.facts import MetricValue, RunRecord
from undrift.tracking.source import CELLS, SCRIPT

if TYPE_CHECKING:
    from undrift.loop.notebook.evaluated import Evaluated
    from undrift.loop.notebook.loaded import LoadedModel
    from undrift.loop.notebook.logged import LoggedModel
    from undrift.loop.up import Up

Stored = Mapping[str, Any]  # Any: JSON
_MOST_PARAMS = 40
_MOST_INPUTS = 60
# a cell stands on the page of somebody else: colours come from there, and nothing leaks out
_STYLE = """\
.undrift-cell{--ud-accent:#2f6db5;--ud-warn:#a84a12;max-width:60rem;font:14px/1.5 ui-sans-serif,system-ui,sans-serif}
@media (prefers-color-scheme:dark){.undrift-cell{--ud-accent:#6fa8e6;--ud-warn:#eb9a5e}}
[data-jp-theme-light="true"] .undrift-cell{--ud-accent:#2f6db5;--ud-warn:#a84a12}
[data-jp-theme-light="false"] .undrift-cell{--ud-accent:#6fa8e6;--ud-warn:#eb9a5e}
.undrift-cell .ud-head{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline;margin:.3rem 0 .6rem}
.undrift-cell .ud-head strong{font-size:1.15em}
.undrift-cell code,.undrift-cell pre{font-size:.92em}
.undrift-cell pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0;background:none}
.undrift-cell h2,.undrift-cell h3{font-size:1em;font-weight:650;margin:1.2rem 0 .3rem;padding:0;border:0}
.undrift-cell p,.undrift-cell figcaption{margin:.3rem 0;max-width:46rem;opacity:.8;font-size:.95em}
.undrift-cell figure{margin:0;min-width:0}
.undrift-cell .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:1rem 2rem}
.undrift-cell .one{max-width:28rem}
.undrift-cell table{border-collapse:collapse;font-size:.95em;margin:.3rem 0;border:0;background:none}
.undrift-cell tr{background:none!important}
.undrift-cell th,.undrift-cell td{text-align:left!important;padding:.25rem 1.2rem .25rem 0;border:0;
vertical-align:middle;white-space:normal;max-width:none;
border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}
.undrift-cell thead th{font-weight:500;opacity:.75}
.undrift-cell tbody th{font-weight:500}
.undrift-cell .num{text-align:right!important;font-variant-numeric:tabular-nums;white-space:nowrap}
.undrift-cell table.ud-heat td{text-align:right!important;padding:.35em .6em}
.undrift-cell table.ud-heat th{padding:.35em .8em}
.undrift-cell table.ud-intervals,.undrift-cell table.drawn{width:100%}
.undrift-cell td.ud-drawn{min-width:8rem}
.undrift-cell .warn,.undrift-cell .ud-no{color:var(--ud-warn)}
.undrift-cell th small{display:block;font-weight:400}
.undrift-cell details{margin:.4rem 0}
.undrift-cell summary{cursor:pointer;color:var(--ud-accent)}
"""


def evaluated(found: Evaluated) -> str:
    """Return metrics with intervals and how a model behaves."""
    values = found.values()
    diagnosis: Stored = found.diagnosis
    about = f"judged on {count(diagnosis['rows'], 'row')}"
    return _cell(_head("Results", about), _metrics(values), *_behaviour(diagnosis, found.positive))


def logged(version: LoggedModel) -> str:
    """Return a registered version with its results."""
    parts: list[Child] = [_head(version.ref, version.state), _gate(version)]
    if version.evaluated is not None:
        parts += [
            _metrics(version.evaluated.values()),
            *_behaviour(version.evaluated.diagnosis, version.evaluated.positive),
        ]
    return _cell(*parts)


def loaded(model: LoadedModel) -> str:
    """Return what a loaded model answers, and is asked."""
    version, manifest, diagnosis = model.version, model.package.manifest, model.diagnosis
    answers = "a number" if manifest.task == "regression" else ", ".join(str(label) for label in manifest.classes)
    positive = None if manifest.positive is None else manifest.classes[manifest.positive]
    facts = [
        ("answers", answers),
        ("threshold", number(manifest.threshold) if manifest.threshold is not None else None),
        ("scored by", model.engine.name),
        ("from", version.run or None),
    ]
    inputs = [(one.name, one.type, "yes" if one.nullable else "no") for one in manifest.inputs]
    shown = _table(("column", "type", "null allowed"), inputs[:_MOST_INPUTS])
    more = f" ({len(inputs) - _MOST_INPUTS} more)" if len(inputs) > _MOST_INPUTS else ""
    return _cell(
        _head(version.ref, version.state),
        _gate(version),
        _table(("", ""), [fact for fact in facts if fact[1]]),
        _folded(f"{count(len(inputs), 'input')}{more}", shown),
        *(_behaviour(diagnosis, positive) if diagnosis else ()),
    )


def brought_up(found: Up) -> str:
    """Return what is served where, what waits, and how it is asked."""
    facts = [
        ("answers at", found.url),
        ("learnt from", found.data.ref),
        ("on trial beside it", found.canary),
        ("waits for you", f"{found.proposed}: undrift status" if found.proposed else ""),
        ("all of it", f"undrift model report {found.version.model}"),
    ]
    return _cell(
        _head(found.version.ref, found.version.state),
        _gate(found.version),
        _table(("", ""), [(what, el("code", told)) for what, told in facts if told]),
        _folded("a request", el("pre", found.curl)),
    )


def recorded(record: RunRecord) -> str:
    """Return a run: how far it is, parameters, results, code."""
    run, facts = record.run, record.facts
    fitted = [(name, _shown(value)) for name, value in {**facts.declared, **facts.fitted}.items()]
    artifacts = [(name, number(one.bytes), one.digest) for name, one in facts.artifacts.items()]
    warnings = [el("p", warning.text, class_="warn") for warning in facts.warnings]
    return _cell(
        _head(run.ref, f"{run.name}: {run.status}"),
        el("p", run.error, class_="warn") if run.error else None,
        *warnings,
        _metrics(facts.metrics),
        _folded(count(len(fitted), "parameter"), _table(("parameter", "value"), fitted[:_MOST_PARAMS])),
        _folded(count(len(artifacts), "artifact"), _table(("artifact", "bytes", "digest"), artifacts)),
        el("p", "Code: ", _code(record)),
    )


def _code(record: RunRecord) -> Html:
    """Return the commit and what was kept beside it; why nothing is known when nothing is."""
    known = [record.run.code.ref, *(name for name in (CELLS, SCRIPT) if name in record.facts.artifacts)]
    return el("code", ", ".join(part for part in known if part) or record.run.code.problem)


def _behaviour(diagnosis: Stored, positive: object = None) -> Iterator[Html]:
    """Yield curves, confusion, calibration, importance and slices, as far as they are known."""
    facts = {"diagnosis": diagnosis, "asked": {"task": diagnosis["task"], "positive": positive}}
    if diagnosis["task"] == "regression":
        yield join(residuals(diagnosis))
    elif diagnosis["curves"]:
        yield el("div", precision_recall(diagnosis, facts), roc(diagnosis, facts), class_="pair")
    if diagnosis["confusion"]:
        yield confusion(diagnosis)
    if diagnosis["calibration"]:
        yield join(el("h3", "Calibration"), calibrated(diagnosis))
    yield importance(facts)
    yield slices(facts)


def _metrics(values: Mapping[str, MetricValue]) -> Html | None:
    if not values:
        return None
    rows = [(metric_name(name), number(one.value), _interval(one)) for name, one in values.items()]
    if all(row[2] is None for row in rows):
        return _table(("metric", "value"), [row[:2] for row in rows])
    return _table(("metric", "value", "interval"), rows)


def _interval(one: MetricValue) -> str | None:
    if one.low is None or one.high is None or one.alpha is None:
        return None
    return f"{number(one.low)} to {number(one.high)} ({number(100 * (1 - one.alpha))} %, {_over(one)})"


def _over(one: MetricValue) -> str:
    return count(one.units, one.unit or "unit") if one.units is not None else "units not stated"


def _gate(version: ModelVersion) -> Html:
    if version.gate_outcome is None:
        return el("p", "No gate has judged it: it goes live only by ", el("code", "undrift deploy --force"), ".")
    words = {"pass": "Its gate passed.", "fail": "Its gate did not pass.", "cannot_tell": "Its gate cannot tell."}
    return el("p", words[version.gate_outcome], class_=None if version.gate_outcome == "pass" else "ud-no")


def _head(title: str, about: str) -> Html:
    return el("div", el("strong", title), el("span", about), class_="ud-head")


def _folded(title: str, inner: Html) -> Html | None:
    return None if title.startswith(("no ", "0 ")) else el("details", el("summary", title), inner)


def _table(headings: Sequence[str], rows: Iterable[Sequence[Child]]) -> Html:
    head = el("thead", el("tr", (el("th", one, scope="col") for one in headings))) if any(headings) else None
    body = [el("tr", el("th", row[0], scope="row"), (el("td", cell) for cell in row[1:])) for row in rows]
    return el("table", head, el("tbody", body))


def _shown(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _cell(*parts: Child | Iterable[Child]) -> str:
    style = el("style", Html(PICTURES + _STYLE))
    return str(el("div", style, *parts, class_="undrift undrift-cell"))
