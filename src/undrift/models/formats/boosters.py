"""LightGBM and XGBoost members of a model: native text for the trees, plain values for the rest.

The libraries' own classes are pickles at heart. Here a fitted member is taken apart into the text
that its library writes for other languages, and the plain attributes of the estimator around it;
it is put together again through the library's own loader, after the text was checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from undrift.core.errors import MissingExtra
from undrift.models.formats import lightgbm_text, xgboost_json
from undrift.models.formats.archive import UntrustedModel
from undrift.models.formats.trees import reachable

_ATTRIBUTE = re.compile(r"_?[A-Za-z][A-Za-z0-9_]{0,99}\Z")
# what is learnt while fitting and asked for by nobody who predicts, or made again from the rest
_LEFT_OUT = frozenset({"_Booster", "_class_map", "_evals_result", "_best_score", "evals_result_", "callbacks"})


class Standin:
    """Where a member stood in a model: which kind it is, which text is its own, and its plain attributes."""

    def __init__(self, kind: str, number: int, state: Mapping[str, object]) -> None:
        self.kind = kind
        self.number = number
        self.state = dict(state)


@dataclass(frozen=True, slots=True)
class Library:
    """A library of boosters.

    Attributes
    ----------
    extra : str
        Its module, and the extra that installs it.
    suffix : str
        How the name of a member's text ends.
    kinds : frozenset of str
        Its estimators that can be stored.
    write : callable
        Gives the native text of a fitted estimator.
    read : callable
        Gives the booster of a text that was checked, for an estimator's plain attributes.
    """

    extra: str
    suffix: str
    kinds: frozenset[str]
    write: Callable[[Any], bytes]  # Any: the libraries' estimators are not typed
    read: Callable[[bytes, Mapping[str, object]], object]

    def estimator(self, kind: str) -> type:
        """Return the class of a kind.

        Raises
        ------
        MissingExtra
            If the library is not installed.
        """
        try:
            found: type = getattr(import_module(self.extra), kind.rpartition(".")[2])
        except ImportError as error:
            raise MissingExtra(self.extra, f"reading a model with a {kind}") from error
        return found


LIGHTGBM = frozenset({"lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor"})
LIBRARIES = (
    Library(
        "lightgbm",
        "lightgbm.txt",
        LIGHTGBM,
        lightgbm_text.write,
        lightgbm_text.read,
    ),
    Library(
        "xgboost",
        "xgboost.json",
        frozenset(
            {"xgboost.XGBClassifier", "xgboost.XGBRegressor", "xgboost.XGBRFClassifier", "xgboost.XGBRFRegressor"}
        ),
        xgboost_json.write,
        xgboost_json.read,
    ),
)


def library_of(kind: str) -> Library:
    """Return the library of a kind of member.

    Raises
    ------
    UntrustedModel
        If it is not one that can be stored.
    """
    for library in LIBRARIES:
        if kind in library.kinds:
            return library
    raise UntrustedModel(f"a member of kind {kind[:80]!r} is not known")


def members(model: object) -> list[object]:
    """Return the LightGBM and XGBoost estimators inside a model, each once, in the order of finding.

    Raises
    ------
    UntrustedModel
        If one is of a kind that cannot be stored.
    """
    found = []
    for _, item in reachable(model):
        kind = kind_of(item)
        if kind is None:
            continue
        if not any(kind in library.kinds for library in LIBRARIES):
            raise UntrustedModel(f"it holds a {kind}", cure=f"store one of {', '.join(sorted(_kinds(kind)))}")
        found.append(item)
    return found


def kind_of(item: object) -> str | None:
    """Return the kind of a LightGBM or XGBoost object, ``library.Class``; None for anything else."""
    module = type(item).__module__.partition(".")[0]
    known = any(module == library.extra for library in LIBRARIES)
    return f"{module}.{type(item).__name__}" if known else None


def taken_apart(member: object, number: int) -> tuple[Standin, bytes]:
    """Return what stands for a fitted member, and its native text.

    Raises
    ------
    UntrustedModel
        If it is not fitted, or is of a form whose text cannot be read safely.
    """
    kind = kind_of(member) or ""
    library = library_of(kind)
    if getattr(member, "_Booster", None) is None:
        raise UntrustedModel(f"its {kind} is not fitted", cure="fit the model before it is stored")
    state = {name: value for name, value in vars(member).items() if name not in _LEFT_OUT}
    if functions := sorted(name for name, value in state.items() if callable(value)):
        raise UntrustedModel(
            f"the {functions[0]!r} of its {kind} is a function of your own, which cannot be stored as data",
            cure="use one of the library's own objectives and metrics, by name",
        )
    text = library.write(member)
    return Standin(kind, number, state), text


def put_together(standin: Standin, text: bytes) -> object:
    """Return the member that a stand-in and a text stand for.

    Raises
    ------
    UntrustedModel
        If the text does not describe trees that end, or the attributes are not plain.
    MissingExtra
        If the member's library is not installed.
    """
    library = library_of(standin.kind)
    estimator = library.estimator(standin.kind)
    for name in standin.state:
        if not _ATTRIBUTE.match(name) or name in _LEFT_OUT or _is_code(estimator, name):
            raise UntrustedModel(f"{name[:80]!r} is not an attribute of a {standin.kind}")
    member: Any = object.__new__(estimator)  # Any: the libraries' estimators are not typed
    vars(member).update(standin.state)
    vars(member).update(_made_again(standin))
    member._Booster = library.read(text, standin.state)  # noqa: SLF001 - where both libraries keep it
    return member


def _kinds(kind: str) -> Iterator[str]:
    for library in LIBRARIES:
        if kind.startswith(f"{library.extra}."):
            yield from library.kinds


def _is_code(estimator: type, name: str) -> bool:
    """Say whether a class has a method or property of a name; an attribute must not stand before it."""
    found = getattr(estimator, name, None)
    return callable(found) or isinstance(found, property)


def _made_again(standin: Standin) -> dict[str, object]:
    """Return the attributes that are not stored because they follow from the others."""
    if not standin.kind.startswith("lightgbm."):
        return {"callbacks": None}
    labels = getattr(standin.state.get("_le"), "classes_", None)
    numbers = None if labels is None else dict(zip(labels, range(len(labels)), strict=True))
    return {"_class_map": numbers, "_evals_result": {}, "_best_score": {}}
