"""Addresses of things outside the project, and what of them may be written down."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from undrift.core.errors import BadInput

AddressKind: TypeAlias = Literal["file", "database", "objects", "delta"]
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_DATABASES = frozenset({"sqlite", "postgresql", "postgres", "postgresql+psycopg"})
OBJECT_SCHEMES = frozenset({"s3", "gs", "az"})
DELTA = "delta:"
HIDDEN = "***"


class BadAddress(BadInput):
    """Nothing of undrift reads or writes at this address."""

    code = "bad-address"


def kind_of(address: str) -> AddressKind:
    """Return what kind of thing an address names.

    Parameters
    ----------
    address : str
        A path, ``sqlite:///...``, ``postgresql://...``, ``s3://...``, ``gs://...``, ``az://...``, or ``delta:`` and
        a path or an object storage.

    Raises
    ------
    BadAddress
        If it has a scheme that is none of these.
    """
    if address.startswith(DELTA):
        return "delta"
    found = _SCHEME.match(address)
    if found is None:
        return "file"
    scheme = found[1].lower()
    if scheme in _DATABASES:
        return "database"
    if scheme in OBJECT_SCHEMES:
        return "objects"
    raise BadAddress(
        f"nothing is read from {scheme}:// addresses",
        cure="give a path, sqlite:///FILE, postgresql://..., s3://..., gs://..., az://... or delta:PLACE",
    )


def without_secrets(address: str) -> str:
    """Return an address as it may be written down: without password, query and fragment.

    Examples
    --------
    >>> without_secrets("postgresql://ada:hunter2@db:5432/shop?sslmode=require")
    'postgresql://ada@db:5432/shop'
    """
    prefix = DELTA if address.startswith(DELTA) else ""
    rest = address.removeprefix(DELTA)
    if not _SCHEME.match(rest):
        return address
    parts = urlsplit(rest)
    user, at, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return f"{prefix}{parts.scheme}://{name}{at if name else ''}{host}{parts.path}"


def scrubbed(text: str, address: str) -> str:
    """Return a library's words without the secrets of the address that it was given."""
    for secret in _secrets(address):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets(address: str) -> list[str]:
    rest = address.removeprefix(DELTA)
    if not _SCHEME.match(rest):
        return []
    parts = urlsplit(rest)
    password = parts.netloc.rpartition("@")[0].partition(":")[2]
    found = {password, unquote(password), quote(password), parts.query}
    found |= {pair.partition("=")[2] for pair in parts.query.split("&")}
    return sorted((one for one in found if one), key=len, reverse=True)
