"""A fitted model as one file, whatever its members: the door to the formats of this room.

A model of scikit-learn's own parts is a skops file. One with LightGBM or XGBoost members is a zip
archive (``undrift.model/1``): ``model.json`` lists the members' texts, ``rest.skops`` holds the
model with a stand-in in the place of each.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from importlib import import_module

import msgspec

from undrift.models.formats import boosters, skops
from undrift.models.formats.archive import MOST_BYTES, UntrustedModel, opened, put
from undrift.models.formats.boosters import Standin
from undrift.models.formats.feed import PLAIN_DTYPES, Feed
from undrift.models.formats.trees import reachable

FORMAT = "undrift.model/1"
INDEX = "model.json"
_REST = "rest.skops"
_MEMBER = re.compile(r"[1-9][0-9]{0,3}\.(lightgbm\.txt|xgboost\.json)\Z")


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of a model that has a text of its own."""

    kind: str
    file: str


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model's archive holds beside the rest."""

    format: str
    members: tuple[Member, ...]
    feed: Feed | None = None


def dump(model: object, feed: Feed | None = None) -> bytes:
    """Return a fitted model as bytes, the same bytes for the same model.

    Parameters
    ----------
    model : object
        An estimator or Pipeline of scikit-learn's own parts, and of LightGBM's and XGBoost's
        estimators (scikit-learn API) anywhere in it.
    feed : Feed, optional
        In which form it takes its rows, when that is not the usual one.

    Raises
    ------
    UntrustedModel
        If it holds a type that is not on our list, or a booster of a form that is not stored.
    """
    found = boosters.members(model)
    if not found and feed is None:
        return skops.dump(model)
    places: dict[int, object] = {}
    files: dict[str, bytes] = {}
    index = []
    for number, member in enumerate(found, start=1):
        standin, text = boosters.taken_apart(member, number)
        name = f"{number}.{boosters.library_of(standin.kind).suffix}"
        places[id(member)] = standin
        files[name] = text
        index.append(Member(standin.kind, name))
    return _packed(Index(FORMAT, tuple(index), feed), skops.dump(copy.deepcopy(model, places)), files)


def load(data: bytes) -> object:
    """Return the model of some bytes, nothing in them run.

    Raises
    ------
    UntrustedModel
        For every fault: bytes of another kind, types not on our list, trees that point outside
        themselves.
    MissingExtra
        If a member's library is not installed.
    """
    if not is_archive(data):
        model = skops.load(data)
        if next(_standins(model), None) is not None:
            raise UntrustedModel("a member of it is missing")
        return model
    index, rest, texts = _unpacked(data)
    model = skops.load(rest)
    standins = list(_standins(model))
    if sorted(standin.number for standin in standins) != list(range(1, len(index.members) + 1)):
        raise UntrustedModel("its members are not those that it lists")
    places: dict[int, object] = {}
    for standin in standins:
        member = index.members[standin.number - 1]
        if member.kind != standin.kind:
            raise UntrustedModel(f"the member {standin.number} is of another kind than it says")
        places[id(standin)] = boosters.put_together(standin, texts[member.file])
    return copy.deepcopy(model, places)


def feed(data: bytes) -> Feed | None:
    """Return in which form a model takes its rows; None for the usual one.

    Raises
    ------
    UntrustedModel
        If the bytes are no model.
    """
    return _unpacked(data)[0].feed if is_archive(data) else None


def is_archive(data: bytes) -> bool:
    """Say whether some bytes are a model with members, not a plain skops file.

    Raises
    ------
    UntrustedModel
        If they are neither.
    """
    with opened(data) as archive:
        return INDEX in archive.namelist()


def libraries(data: bytes) -> dict[str, str]:
    """Return the libraries that the members of a model need, with the versions installed here.

    Raises
    ------
    UntrustedModel
        If the bytes are no model.
    """
    if not is_archive(data):
        return {}
    index, _, _ = _unpacked(data)
    names = sorted({boosters.library_of(member.kind).extra for member in index.members})
    return {name: str(import_module(name).__version__) for name in names}


def _standins(model: object) -> Iterator[Standin]:
    for _, item in reachable(model):
        if isinstance(item, Standin):
            if type(item.number) is not int or not isinstance(item.kind, str) or not _is_state(item.state):
                raise UntrustedModel("a stand-in of it is broken")
            yield item


def _is_state(state: object) -> bool:
    return isinstance(state, dict) and all(isinstance(name, str) for name in state)


def _packed(index: Index, rest: bytes, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        put(out, INDEX, msgspec.json.encode(index))
        put(out, _REST, rest)
        for name, text in files.items():
            put(out, name, text)
    return buffer.getvalue()


def _unpacked(data: bytes) -> tuple[Index, bytes, dict[str, bytes]]:
    with opened(data) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        strange = [name for name in names if name not in (INDEX, _REST) and not _MEMBER.match(name)]
        if strange or len(set(names)) != len(names) or _REST not in names:
            raise UntrustedModel(f"its archive holds {(strange or names)[0][:80]!r}")
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise UntrustedModel(f"it unpacks to more than {MOST_BYTES >> 30} GiB")
        content = skops.guarded(lambda: {name: archive.read(name) for name in names})
    try:
        index = msgspec.json.decode(content.pop(INDEX), type=Index)
    except msgspec.DecodeError as error:
        raise UntrustedModel(f"its index cannot be read ({error})") from error
    rest = content.pop(_REST)
    if index.format != FORMAT or sorted(member.file for member in index.members) != sorted(content):
        raise UntrustedModel("its index does not list what it holds")
    if index.feed and any(column.dtype not in {*PLAIN_DTYPES, "category"} for column in index.feed.columns):
        raise UntrustedModel("it takes rows in a form that is not known")
    return index, rest, content
