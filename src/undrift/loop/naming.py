"""What a name that a person typed means."""

from __future__ import annotations

from undrift.core import refs
from undrift.core.errors import BadInput, NotFound
from undrift.core.refs import Ref
from undrift.project import Project


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


def resolve(project: Project, text: str) -> Ref:
    """Return the reference that a text means; a bare name is looked for among all things.

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
    kinds = [kind for kind, names in _names(project).items() if short.name in names]
    if not kinds:
        raise NothingOfThatName(
            f"nothing is called {short.name!r}", cure="see undrift status, or write KIND:NAME", name=short.name
        )
    if len(kinds) > 1:
        listed = " or ".join(str(Ref(kind, short.name, short.selector)) for kind in kinds)
        raise AmbiguousName(f"{text!r} can mean {listed}", cure=f"write {listed}", candidates=listed)
    return Ref(kinds[0], short.name, short.selector)


def _names(project: Project) -> dict[refs.Kind, list[str]]:
    return {
        "data": project.data.names(),
        "model": project.registry.names(),
        "endpoint": [state.name for state in project.endpoints.all()],
    }
