"""A profile as one HTML page that people like to read: what to know first, an index, a card for each column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from undrift.data.profile.cards import STYLE as CARDS
from undrift.data.profile.cards import card, kind_of, span_of
from undrift.data.profile.facts import MOMENTS, NUMBERS, Association, Profile
from undrift.data.profile.notices import Notice, notices
from undrift.data.profile.pictures import STYLE as PICTURES
from undrift.data.profile.pictures import gap, share_of, small
from undrift.data.schema import LogicalType
from undrift.drawing.document import document
from undrift.drawing.markup import Child, Html, el
from undrift.drawing.pieces import code, said, section
from undrift.drawing.svg import Mark, captioned, strip
from undrift.drawing.words import count, listed, number, percent

_SHOWN_NOTICES = 10
_SHOWN_PAIRS = 12
_NAMED = 6
_KILO = 1000.0
_GROUPS: dict[LogicalType, tuple[str, str]] = {
    **dict.fromkeys(NUMBERS, ("number", "numbers")),
    "string": ("text", "texts"),
    **dict.fromkeys(MOMENTS, ("date or moment", "dates or moments")),
    "bool": ("yes-or-no", "yes-or-nos"),
    "bytes": ("column of bytes", "columns of bytes"),
}
_MEASURES = {"pearson": "correlation", "cramers_v": "Cramér's V", "correlation_ratio": "correlation ratio"}


@dataclass(frozen=True, slots=True)
class Source:
    """What was profiled.

    Attributes
    ----------
    name : str
        A reference, or the name of a file.
    bytes : int or None
        Its size.
    command : str
        What prints the same for machines.
    digest : str
        Of the file's bytes, or the id of the version.
    at : str
        When it was profiled, UTC.
    made_by : str
        The program and its version.
    """

    name: str
    bytes: int | None
    command: str
    digest: str = ""
    at: str = ""
    made_by: str = ""

    def evidence(self) -> dict[str, str]:
        """Return what tells later of which bytes, when and by what the profile was made."""
        named = {"digest": self.digest, "profiled_at": self.at, "made_by": self.made_by}
        return {name: told for name, told in named.items() if told}


def page(profile: Profile, source: Source) -> str:
    """Return the page.

    Parameters
    ----------
    profile : Profile
        The profile; of a concealed one no personal cell is on the page.
    source : Source
        What was profiled.

    Notes
    -----
    Self-contained: no script, no request; light and dark, fit for print.
    """
    places = {column.name: f"c{at}" for at, column in enumerate(profile.columns, 1)}
    found = notices(profile)
    return document(
        f"{source.name}: profile",
        el("header", _opening(profile, source), _notices(found, places), _contents(profile)),
        el("main", _index(profile, places), _together(profile, places), _cards(profile, found, places)),
        el(
            "footer",
            el("p", _how(profile)),
            _evidence(source),
            el("p", "The same for machines: ", code(source.command)),
        ),
        style=PICTURES + CARDS,
    )


def _opening(profile: Profile, source: Source) -> list[Html]:
    kinds = [_GROUPS[column.type] for column in profile.columns]
    told = [count(kinds.count(kind), *kind) for kind in dict.fromkeys(_GROUPS.values()) if kind in kinds]
    lead = f"{count(profile.rows, 'row')} of {count(len(kinds), 'column')}: {listed(told)}."
    return [
        el("h1", source.name),
        el("p", "Data profile", class_="quiet"),
        el("p", lead, class_="lead"),
        el(
            "dl",
            (el("div", el("dt", name), el("dd", value)) for name, value in _figures(profile, source)),
            class_="figures",
        ),
    ]


def _evidence(source: Source) -> Html | None:
    told = source.evidence()
    if not told:
        return None
    names = {"digest": "Of", "profiled_at": "profiled at", "made_by": "by"}
    words = [(f"{', ' if at else ''}{names[name]} ", code(value)) for at, (name, value) in enumerate(told.items())]
    return el("p", *words, ".")


def _figures(profile: Profile, source: Source) -> Iterator[tuple[str, list[Child]]]:
    cells = profile.rows * len(profile.columns)
    missing = sum(column.missing for column in profile.columns)
    gaps = sum(column.missing > 0 for column in profile.columns)
    yield "rows", [number(profile.rows)]
    yield "columns", [number(len(profile.columns))]
    in_columns = f"in {count(gaps, 'column')}" if gaps else "every cell is filled"
    yield "missing", [percent(missing / cells if cells else 0.0), el("small", in_columns)]
    about = "about " if profile.repeated_error else ""
    shown = profile.repeated if profile.repeated > 3 * profile.repeated_error else 0
    few = f"fewer than {number(round(3 * profile.repeated_error))}" if profile.repeated_error and not shown else ""
    yield (
        "repeated rows",
        [few or f"{about}{number(shown)}", el("small", percent(shown / profile.rows) if shown else "")],
    )
    if source.bytes is not None:
        yield "size", [_size(source.bytes)]


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < _KILO or unit == "GB":
            return f"{number(size) if unit == 'bytes' else f'{size:.3g}'} {unit}"
        size /= _KILO
    raise AssertionError(size)


def _notices(found: list[Notice], places: dict[str, str]) -> Html | None:
    lines = [_line(list(alike), places) for _, alike in groupby(found, key=_sort)]
    if not lines:
        return el("p", "Nothing about it is out of the ordinary.", class_="lead")
    more = lines[_SHOWN_NOTICES:]
    rest = el("details", el("summary", f"{len(more)} more"), el("ul", more)) if more else None
    return el("div", el("h2", "Know this first"), el("ul", lines[:_SHOWN_NOTICES]), rest, class_="notices")


def _sort(one: Notice) -> tuple[str, str]:
    """Return what notices are told together: those of one kind that say the same."""
    return one.kind, one.text if one.kind in {"empty", "constant", "unique"} else f"{one.columns}{one.text}"


def _line(alike: list[Notice], places: dict[str, str]) -> Html:
    first = alike[0]
    if not first.columns:
        return el("li", f"{first.text[:1].upper()}{first.text[1:]}.")
    if len(first.columns) > 1 or len(alike) == 1:
        return el("li", _links(list(first.columns), places), f": {first.text}.")
    named = [name for one in alike for name in one.columns]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return el("li", _links(named[:_NAMED], places), f"{more}: {first.text}.")


def _links(names: list[str], places: dict[str, str]) -> list[Child]:
    told: list[Child] = []
    for at, name in enumerate(names):
        told += [", " if at else None, el("a", code(name), href=f"#{places[name]}")]
    return told


def _contents(profile: Profile) -> Html:
    named = [("index", "All columns"), ("together", "What goes together"), ("columns", "Column by column")]
    kept = [one for one in named if one[0] != "together" or profile.associations]
    items = (el("li", el("a", title, href=f"#{anchor}")) for anchor, title in kept)
    return el("nav", el("ol", items), aria_label="Contents")


def _index(profile: Profile, places: dict[str, str]) -> Html:
    rows = []
    for column in profile.columns:
        share = column.missing / profile.rows if profile.rows else 0.0
        about = "~" if column.distinct_error else ""
        rows.append(
            el(
                "tr",
                el("th", el("a", column.name, href=f"#{places[column.name]}"), scope="row"),
                el("td", kind_of(column), class_="quiet"),
                el("td", small(column)),
                el("td", f"{about}{number(column.distinct)}", class_="num"),
                el(
                    "td",
                    gap(share),
                    " ",
                    share_of(column.missing, profile.rows) if share else el("span", "none", class_="quiet"),
                    class_="pd-missing",
                ),
                el("td", span_of(column), class_="opt"),
            )
        )
    heads = ("column", "kind", "distribution", "different", "missing", "from, to")
    kinds = (None, None, None, "num", None, "opt")
    head = el("tr", (el("th", name, scope="col", class_=kind) for name, kind in zip(heads, kinds, strict=True)))
    return section("index", "All columns", captioned("", el("thead", head), el("tbody", rows), class_="pd-index"))


def _together(profile: Profile, places: dict[str, str]) -> Html | None:
    if not profile.associations:
        return None
    shown, more = profile.associations[:_SHOWN_PAIRS], profile.associations[_SHOWN_PAIRS:]
    caption = "How much one column tells of another; the line is zero, the strongest stand first."
    rest = el("details", el("summary", count(len(more), "weaker pair")), _pairs(more, places, "")) if more else None
    return section("together", "What goes together", _pairs(shown, places, caption), rest)


def _pairs(pairs: tuple[Association, ...], places: dict[str, str], caption: str) -> Html:
    rows, least = [], -1.0 if any(one.strength < 0 for one in pairs) else 0.0
    for one in pairs:
        low, high = sorted((0.0, one.strength))
        drawn = strip(Mark(estimate=one.strength, low=low, high=high), least, 1.0, at=0.0)
        rows.append(
            el(
                "tr",
                el("th", _links([one.first, one.second], places), scope="row"),
                el("td", _MEASURES[one.measure], class_="quiet opt"),
                el("td", f"{one.strength:.2f}".replace("-", "\N{MINUS SIGN}"), class_="num"),
                el("td", drawn, class_="ud-drawn"),
            )
        )
    heads = (("columns", None), ("measure", "opt"), ("strength", "num"), ("drawn", "ud-drawn"))
    head = el("tr", (el("th", name, scope="col", class_=kind) for name, kind in heads))
    return captioned(caption, el("thead", head), el("tbody", rows), class_="drawn")


def _cards(profile: Profile, found: list[Notice], places: dict[str, str]) -> Html:
    cards = []
    for column in profile.columns:
        mine = [one for one in found if one.columns == (column.name,)]
        pairs = [one for one in profile.associations if column.name in (one.first, one.second)]
        cards.append(card(column, profile.rows, places, (mine, pairs)))
    return section("columns", "Column by column", cards or said("The table has no columns."))


def _how(profile: Profile) -> str:
    if profile.is_exact:
        return "Every figure is counted over all rows."
    return (
        "Counts, extremes, means and lengths are of all rows. Distributions, quantiles, patterns and what goes "
        f"together come from a random sample of {count(profile.sampled, 'row')}; figures with ~ are estimates, within "
        "2.4 % of the truth in 99.7 % of cases."
    )
