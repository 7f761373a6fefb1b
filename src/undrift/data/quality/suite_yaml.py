"""A suite as YAML that people review: each column under what was seen of it, each bound with its reason.

The text is plain YAML of the suite's own keys (``name``, ``bad_row_limit``, ``meta``, ``expectations`` with
``type``, ``kwargs``, ``severity``, ``meta``): whoever loads it has the same suite again, reasons included
(``meta: {because: ...}``). What was seen of each column stands in comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from undrift.core.json import JSON
from undrift.data.profile import ColumnProfile, Profile
from undrift.data.quality.suite import Expectation, Suite

_WIDEST = 10**9
_TABLE = "the table"


def write_yaml(suite: Suite, profile: Profile | None = None, source: str = "") -> str:
    """Return a suite as commented YAML.

    Parameters
    ----------
    suite : Suite
        The suite.
    profile : Profile, optional
        What it was suggested from; it is told in comments above each column. Cells of personal columns
        are not in it.
    source : str
        Which version that was, for the first line.

    Notes
    -----
    Deterministic: one suite and profile give one text. Nothing is enforced by it.
    """
    lines = [
        *_head(suite, profile, source),
        *_pairs({"name": suite.name}),
        *_pairs({"bad_row_limit": suite.bad_row_limit}),
    ]
    lines[-1] += "  # a batch goes on without its bad rows up to this share; beyond it, it is refused whole"
    if suite.meta:
        lines += ["meta:", *_pairs(suite.meta, "  ")]
    lines.append("expectations:" if suite.expectations else "expectations: []")
    seen = {column.name: column for column in profile.columns} if profile else {}
    rows = profile.rows if profile else 0
    for about, group in groupby(_in_order(suite.expectations), key=_about):
        lines += ["", f"  # {_comment(about)}{_told(seen.get(about), rows)}"]
        for expectation in group:
            lines += _item(expectation)
    return "\n".join(lines) + "\n"


def _head(suite: Suite, profile: Profile | None, source: str) -> Iterator[str]:
    if profile is not None:
        yield f"# Suggested by {source or 'a table'}, {profile.rows:,} rows. Nothing is enforced by this file."
        yield "# Review it: are these bounds true of every good batch, or only of this one? Then freeze it:"
        yield f"#   undrift data suite {suite.name} --freeze FILE --reason TEXT"
        yield "# Severity fail: a row that breaks it goes to quarantine; with mostly, or on the whole table, it refuses"
        yield "# the batch. Severity warn: it is told, and nothing else happens."


def _in_order(expectations: Iterable[Expectation]) -> list[Expectation]:
    """Return those of the table first, then by column in the order of their first mention, each in its order."""
    kept = list(expectations)
    order = {name: at for at, name in enumerate(dict.fromkeys([_TABLE, *map(_about, kept)]))}
    return sorted(kept, key=lambda one: order[_about(one)])


def _about(expectation: Expectation) -> str:
    pair = [str(expectation.kwargs[key]) for key in ("column_A", "column_B") if key in expectation.kwargs]
    return expectation.column or " and ".join(pair) or _TABLE


def _item(expectation: Expectation) -> Iterator[str]:
    yield f"  - type: {_flow(expectation.type)}"
    if expectation.kwargs:
        yield "    kwargs:"
        yield from _pairs(expectation.kwargs, "      ")
    yield f"    severity: {_flow(expectation.severity)}"
    if expectation.meta:
        yield f"    meta: {_flow(expectation.meta)}"


def _told(column: ColumnProfile | None, rows: int) -> str:
    if column is None:
        return ""
    told = [column.type, f"{column.distinct:,} different values"]
    if column.missing:
        told.append(f"{column.missing:,} of {rows:,} missing")
    if column.personal:
        told.append(f"personal ({column.personal}): its cells are not told")
    elif column.quantiles:
        _, q05, q25, middle, q75, q95, _ = column.quantiles
        told.append(f"{column.minimum} to {column.maximum}, median {middle:.6g}, mean {column.mean:.6g}")
        told.append(f"half between {q25:.6g} and {q75:.6g}, nine of ten between {q05:.6g} and {q95:.6g}")
    elif column.minimum is not None and column.type != "string":
        told.append(f"{column.minimum} to {column.maximum}")
    return _comment(f": {', '.join(told)}")


def _pairs(values: Mapping[str, JSON], indent: str = "") -> Iterator[str]:
    for key, value in values.items():
        yield f"{indent}{_flow(key)}: {_flow(value)}"


def _flow(value: JSON) -> str:
    """Return a value on one line, quoted where YAML would read it as something else."""
    import yaml

    text: str = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=_WIDEST, sort_keys=False)
    return text.strip().removeprefix("[").removesuffix("]")


def _comment(text: str) -> str:
    """Return text that ends no comment: without line breaks and letters that nobody can see."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
