"""What a name that a person typed means."""

from __future__ import annotations

from collections.abc import Sequence

from undrift.core import refs
from undrift.core.errors import BadInput, NotFound
from undrift.core.refs import Ref
from undrift.project import Project

KINDS: tuple[refs.Kind, ...] = ("data", "model", "endpoint")


class NothingOfThatName(NotFound):
    """No dataset, model or endpoint has this name."""

    code = "nothing-of-that-name"


class AmbiguousName(BadInput):
    """A short name fits things of several kinds."""

    code = "ambiguous-name"


def endpoint_name(text: str) -> str:
    """Return the name in ``delay`` or ``endpoint:delay``.

    Raises
    ------
    BadReference
        If the text names another kind of thing.
    """
    found = refs.parse(text, default="endpoint")
    if found.kind != "endpoint" or found.selector:
        raise refs.BadReference(f"{text!r} does not name an endpoint", cure="write NAME or endpoint:NAME")
    return found.name


def only_endpoint(project: Project, text: str | None) -> str:
    """Return the named endpoint, or the only one there is.

    Raises
    ------
    AmbiguousName
        If there are several and none is named.
    NothingOfThatName
        If there is none.
    """
    if text is not None:
        return endpoint_name(text)
    names = [state.name for state in project.endpoints.all()]
    if not names:
        raise NothingOfThatName("there is no endpoint yet", cure="undrift deploy MODEL@VERSION")
    if len(names) > 1:
        raise AmbiguousName(f"there are several endpoints: {', '.join(names)}", cure="add --endpoint NAME")
    return names[0]


def resolve(project: Project, text: str, among: Sequence[refs.Kind] = KINDS) -> Ref:
    """Return the reference that a text means; a bare name is looked for among all things.

    Parameters
    ----------
    project : Project
        The open project.
    text : str
        ``model:delay@3``, ``delay@3`` or ``delay``.
    among : sequence of str
        The kinds that make sense here.

    Raises
    ------
    AmbiguousName
        If several things have that name; the message lists their references.
    NothingOfThatName
        If nothing has.
    """
    if ":" in text:
        return refs.parse(text)
    short = refs.parse(text, default="model")
    kinds = [kind for kind in among if not (kind == "endpoint" and short.selector)]  # endpoints have no versions
    named = [Ref(kind, short.name, short.selector) for kind in kinds if short.name in _names(project, kind)]
    found = [ref for ref in named if _is_there(project, ref)] or named
    if not found:
        raise NothingOfThatName(
            f"nothing is called {short.name!r}", cure="see undrift status, or write KIND:NAME", name=short.name
        )
    if len(found) > 1:
        listed = " or ".join(map(str, found))
        raise AmbiguousName(f"{text!r} can mean {listed}", cure=f"write {listed}", candidates=[*map(str, found)])
    return found[0]


def _names(project: Project, kind: refs.Kind) -> list[str]:
    if kind == "data":
        return project.data.names()
    return project.registry.names() if kind == "model" else [state.name for state in project.endpoints.all()]


def _is_there(project: Project, ref: Ref) -> bool:
    """Say whether the version exists that a selector names."""
    if not ref.selector:
        return True
    try:
        return bool(project.data.get(ref) if ref.kind == "data" else project.registry.get(ref))
    except NotFound:
        return False
