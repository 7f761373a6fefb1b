"""One column on the page: its distribution drawn, its figures, what is remarkable about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from undrift.data.profile.facts import MOMENTS, NUMBERS, Association, ColumnProfile
from undrift.data.profile.notices import Notice
from undrift.data.profile.pictures import beyond, frequent, gap, histogram, share_of
from undrift.drawing.markup import Child, Html, el, join
from undrift.drawing.pieces import code, said
from undrift.drawing.words import compact, count, number, percent

_SHOWN_PATTERNS = 5
_SHOWN_PAIRS = 4
_DAY = len("2013-01-31")
_FEW, _TOLD_SHARE = 12, 0.01
_SCATTERED, _MANY = 0.005, 50
_KINDS = {
    "int": "whole number", "float64": "number", "decimal": "exact number", "string": "text", "bool": "yes or no",
    "date": "date", "timestamp": "moment", "timestamp-utc": "instant", "bytes": "bytes",
}  # fmt: skip
_CLASSES = ("digits", "spaces", "letters beyond ASCII", "space at an end", "numbers", "empty")

_LARGE = 10_000_000

STYLE = """\
.figures{grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}
.wide{background:linear-gradient(to right,var(--page) 30%,transparent) left/2.5rem 100% no-repeat local,
linear-gradient(to left,var(--page) 30%,transparent) right/2.5rem 100% no-repeat local,
linear-gradient(to right,var(--rule),transparent) left/.4rem 100% no-repeat scroll,
linear-gradient(to left,var(--rule),transparent) right/.5rem 100% no-repeat scroll}
.pd-index{width:100%}
.pd-index td,.pd-index th{padding-right:1.2rem;white-space:nowrap}
.pd-index th a{text-decoration:none;overflow:hidden;text-overflow:ellipsis;display:inline-block;max-width:13rem;
vertical-align:bottom}
.pd-index th a:hover{text-decoration:underline}
@media (max-width:46rem){.pd-index th a{max-width:9rem}.pd-index td,.pd-index th{padding-right:.7rem}}
.pd-missing{font-variant-numeric:tabular-nums}
.pd-card{border-top:1px solid var(--rule);padding:1.3rem 0 1.5rem;scroll-margin-top:.5rem;break-inside:avoid}
.pd-card h3{margin:0 0 .8rem;font-size:1.08rem;overflow-wrap:anywhere}
.pd-card h3 .pd-kind{font-weight:400;font-size:.85rem;color:var(--quiet);margin-left:.6rem}
.pd-card h3 .pd-personal{font-weight:600;font-size:.78rem;border:1px solid currentColor;border-radius:1rem;
padding:.05rem .5rem;margin-left:.6rem;color:var(--ud-warn)}
.pd-two{display:grid;grid-template-columns:minmax(0,27rem) minmax(15rem,1fr);gap:1rem 2.6rem;align-items:start}
.pd-card dl{display:grid;grid-template-columns:max-content 1fr;gap:.16rem 1.2rem;margin:0;font-size:.92rem}
.pd-card dt{color:var(--quiet)}.pd-card dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.pd-card ul{margin:.8rem 0 0;font-size:.92rem;padding-left:1.1rem}
.pd-card ul.pd-warn{list-style:none;padding:0}
.pd-card ul.pd-warn li{padding-left:.9rem;border-left:3px solid var(--ud-warn)}
.pd-card .pd-shapes{font-size:.92rem;margin-top:.8rem}
.pd-shapes code{background:var(--soft);padding:.05rem .35rem;border-radius:3px;white-space:pre-wrap}
@media (max-width:46rem){.pd-two{grid-template-columns:minmax(0,1fr)}}
"""


def kind_of(column: ColumnProfile) -> str:
    """Return a column's type as people call it."""
    return _KINDS[column.type]


def span_of(column: ColumnProfile) -> Html | None:
    """Return the extremes of numbers and moments, for the index."""
    if column.minimum is None or column.type not in NUMBERS | MOMENTS:
        return el("span", f"personal: {column.personal}", class_="warn") if column.personal else None
    ends = _briefly(column.minimum), _briefly(column.maximum)
    if column.type in MOMENTS and ends[0][:_DAY] != ends[1][:_DAY]:
        ends = ends[0][:_DAY], ends[1][:_DAY]
    return el("span", f"{ends[0]} to {ends[1]}", class_="num")


def _briefly(value: object) -> str:
    """Return an extreme for a narrow column; the card tells a large one in full."""
    is_large = isinstance(value, int | float) and abs(value) >= _LARGE
    return compact(float(f"{value:.3g}")) if is_large else _shown(value)


def card(
    column: ColumnProfile,
    rows: int,
    places: dict[str, str],
    told: tuple[Sequence[Notice], Sequence[Association]],
) -> Html:
    """Return the card of a column.

    Parameters
    ----------
    column : ColumnProfile
        The column.
    rows : int
        Of the table.
    places : dict of str to str
        Anchors of all columns.
    told : tuple of (notices, associations)
        Those that concern it.
    """
    mine, pairs = told
    title = [column.name, el("span", kind_of(column), class_="pd-kind")]
    if column.personal:
        title.append(el("span", f"personal: {column.personal}", class_="pd-personal"))
    facts = [part for name, value in _facts(column, rows) for part in (el("dt", name), el("dd", value))]
    return el(
        "article",
        el("h3", title),
        el(
            "div",
            el("div", _drawn(column, rows), _shapes(column)),
            el("div", el("dl", facts), _warned(mine), _goes_with(column.name, pairs, places)),
            class_="pd-two",
        ),
        class_="pd-card",
        id=places[column.name],
    )


def _drawn(column: ColumnProfile, rows: int) -> Html:
    if column.missing == rows:
        return said("There is nothing to draw.", quiet=True)
    if column.histogram is not None:
        left = beyond(column)
        return join(histogram(column), el("p", left, class_="quiet pd-shapes") if left else None)
    if column.personal and not column.quantiles and column.minimum is None:
        return said("Its cells are personal and are not shown.", quiet=True)
    return frequent(column, rows) if _is_drawn(column, rows) else said(_scattered(column), quiet=True)


def _is_drawn(column: ColumnProfile, rows: int) -> bool:
    """Say whether some values are frequent enough to be drawn."""
    often = column.top[0][1] if column.top else 0
    return often > 1 and (column.distinct <= _MANY or often / (rows - column.missing) >= _SCATTERED)


def _scattered(column: ColumnProfile) -> str:
    if not column.top:
        return "Its values have no order to draw."
    often = column.top[0][1]
    return (
        f"Scattered: the most frequent value occurs {count(often, 'time')}." if often > 1 else "No value occurs twice."
    )


def _facts(column: ColumnProfile, rows: int) -> Iterator[tuple[str, list[Child]]]:
    share = column.missing / rows if rows else 0.0
    missing: list[Child] = [el("span", "none", class_="quiet")]
    if column.missing:
        nan = ""
        if column.nan:
            nan = ", not a number" if column.nan == column.missing else f", {number(column.nan)} of them not a number"
        missing = [
            gap(share),
            f" {share_of(column.missing, rows)} ",
            el("span", f"{number(column.missing)}{nan}", class_="quiet"),
        ]
    yield "missing", missing
    about = "about " if column.distinct_error else ""
    share = column.distinct / max(rows - column.missing, 1)
    of = percent(share) if share >= _TOLD_SHARE else ""
    yield "different", [f"{about}{number(column.distinct)} ", el("span", of, class_="quiet")]
    if column.type in NUMBERS and column.minimum is not None:
        yield from _number_facts(column, rows)
    elif column.type in MOMENTS and column.minimum is not None:
        yield "first", [_shown(column.minimum)]
        yield "last", [_shown(column.maximum)]
    if column.text is not None:
        shape = column.text
        ends = (
            number(shape.shortest)
            if shape.shortest == shape.longest
            else f"{shape.shortest} to {number(shape.longest)}"
        )
        mean = "" if shape.shortest == shape.longest else f", {shape.mean:.3g} on average"
        yield "letters", [f"{ends}{mean}"]
    if column.order:
        yield "row by row", [{"constant": "always the same"}.get(column.order, column.order)]


def _number_facts(column: ColumnProfile, rows: int) -> Iterator[tuple[str, list[Child]]]:
    if column.quantiles:
        _, five, quarter, middle, three, ninety, _ = column.quantiles
        yield "smallest", [_shown(column.minimum)]
        yield "5 to 95 %", [f"{number(five)} to {number(ninety)}"]
        yield "middle half", [f"{number(quarter)} to {number(three)}"]
        yield "median", [number(middle)]
        yield (
            "mean",
            [number(column.mean), el("span", f" ± {number(column.sd)}", class_="quiet") if column.sd else None],
        )
        yield "largest", [_shown(column.maximum)]
    else:
        yield "from, to", [f"{_shown(column.minimum)} to {_shown(column.maximum)}"]
    known = max(rows - column.missing, 1)
    for name, many in (("zero", column.zeros), ("below zero", column.negatives)):
        if many:
            yield name, [f"{share_of(many, known)} ", el("span", number(many), class_="quiet")]


def _shapes(column: ColumnProfile) -> Html | None:
    shape = column.text
    if shape is None or not shape.looked_at or column.distinct <= _FEW:
        return None
    parts: list[Child] = ["Written like "]
    for at, (pattern, many) in enumerate(shape.patterns[:_SHOWN_PATTERNS]):
        parts += [", " if at else None, code(pattern or "(empty)"), f" {percent(many / shape.looked_at)}"]
    forms = [f"{percent(shape.share(name))} with {_form(name)}" for name in _CLASSES if shape.share(name)]
    return el("p", parts, ". " if forms else ".", f"{', '.join(forms)}." if forms else None, class_="quiet pd-shapes")


def _form(name: str) -> str:
    return {"numbers": "nothing but a number", "empty": "no letter at all", "space at an end": "a space at an end"}.get(
        name, name
    )


def _warned(mine: Sequence[Notice]) -> Html | None:
    if not mine:
        return None
    return el("ul", (el("li", f"{one.text[:1].upper()}{one.text[1:]}.") for one in mine), class_="pd-warn")


def _goes_with(name: str, pairs: Sequence[Association], places: dict[str, str]) -> Html | None:
    if not pairs:
        return None
    told: list[Child] = ["Goes with "]
    for at, one in enumerate(pairs[:_SHOWN_PAIRS]):
        other = one.second if one.first == name else one.first
        strength = f" {one.strength:.2f}".replace("-", "\N{MINUS SIGN}")
        told += [", " if at else None, el("a", code(other), href=f"#{places[other]}"), strength]
    more = f" and {count(len(pairs) - _SHOWN_PAIRS, 'other')}" if len(pairs) > _SHOWN_PAIRS else ""
    return el("p", told, f"{more}.", class_="quiet pd-shapes")


def _shown(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).replace("T", " ").removesuffix("+00:00")
    return number(value)
