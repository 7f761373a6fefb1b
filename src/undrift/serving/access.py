"""Who may ask: addresses, tokens, hosts, and how often labels are taken.

On a loopback address anybody on this machine may ask, and nobody else can, not even through a
browser on it: requests that name a foreign host or come from a foreign web page are refused. Any
other address needs a token, or the operator's word that none is wanted.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from undrift.core.clock import Clock
from undrift.core.errors import BadInput
from undrift.serving.http import Request
from undrift.serving.problem import FORBIDDEN, TOO_MANY, UNAUTHORIZED, Problem

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_LEAST_TOKEN = 16


class OpenToStrangers(BadInput):
    """A worker would listen beyond this machine without asking for a token."""

    code = "open-to-strangers"


class BadTokenFile(BadInput):
    """A token file cannot be used."""

    code = "bad-token-file"


@dataclass(frozen=True, slots=True)
class Gate:
    """What a worker asks of callers, settled when it starts.

    Attributes
    ----------
    local : bool
        Whether the address is a loopback one.
    token_sha256 : str, optional
        Digest of the token in the token file.
    hosts : frozenset of str
        Names under which a loopback worker may be asked.
    """

    local: bool
    token_sha256: str | None
    hosts: frozenset[str] = LOCAL_NAMES

    def check_origin(self, request: Request) -> None:
        """Refuse what a web page makes a browser on this machine send.

        Raises
        ------
        Problem
            403 if a loopback worker is asked under another name, or by a foreign page.
        """
        if not self.local:
            return
        named = (_host_of(request.headers.get(b"host", b"")), _origin_of(request.headers.get(b"origin", b"")))
        for name in named:
            if name and name not in self.hosts:
                raise Problem(
                    FORBIDDEN,
                    "foreign-host",
                    "this worker answers only to names of this machine",
                    cure="ask 127.0.0.1, or start the worker with --allow-host NAME",
                )

    def check_token(self, request: Request, published: str | None) -> None:
        """Ask for the token, where there is one.

        Parameters
        ----------
        request : Request
            The request.
        published : str, optional
            Digest of the token in the endpoint's state.

        Raises
        ------
        Problem
            401 if the request does not carry it.
        """
        wanted = self.token_sha256 or published
        if wanted is None:
            return
        scheme, _, token = request.headers.get(b"authorization", b"").partition(b" ")
        given = hashlib.sha256(token.strip()).hexdigest()
        if not hmac.compare_digest(given, wanted) or scheme.lower() != b"bearer":
            raise Problem(
                UNAUTHORIZED, "no-token", "this needs the endpoint's token", cure="send Authorization: Bearer TOKEN"
            )

    def check_feedback(self, published: str | None) -> None:
        """Refuse labels that nobody answers for: they can roll a model back.

        Raises
        ------
        Problem
            403 if the worker listens beyond this machine and has no token.
        """
        if not self.local and not (self.token_sha256 or published):
            raise Problem(
                FORBIDDEN, "no-feedback", "without a token this worker takes no labels", cure="start it with a token"
            )


class Allowance:
    """A token bucket: so many labels per second, and a second's worth at once.

    Parameters
    ----------
    clock : Clock
        Real time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = float("inf")  # the first call sets it to the allowance that it is told
        self._at = clock.monotonic()

    def take(self, count: int, per_second: float) -> None:
        """Take some labels from the allowance.

        Raises
        ------
        Problem
            429 if it is used up.
        """
        now = self._clock.monotonic()
        room = max(per_second, float(count))  # a batch larger than a second's worth passes when the bucket is full
        self._left = min(room, self._left + (now - self._at) * per_second)
        self._at = now
        if self._left < count:
            raise Problem(TOO_MANY, "too-many-labels", f"at most {per_second:g} labels per second", cure="send slower")
        self._left -= count


def is_loopback(host: str) -> bool:
    """Say whether an address is one that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_token(path: Path) -> str:
    """Return the SHA-256 of the token in a file.

    Raises
    ------
    BadTokenFile
        If the file cannot be read or the token is shorter than 16 characters.
    """
    try:
        token = path.read_bytes().strip()
    except OSError as error:
        raise BadTokenFile(f"{path.name} cannot be read: {error.strerror}", cure="name a readable file") from error
    if len(token) < _LEAST_TOKEN:
        raise BadTokenFile(f"the token in {path.name} is too short", cure="use at least 16 random characters")
    return hashlib.sha256(token).hexdigest()


def _host_of(header: bytes) -> str:
    """Return the name in a Host header without its port."""
    text = header.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text


def _origin_of(header: bytes) -> str:
    """Return the host in an Origin header; an opaque origin ("null") is a foreign one."""
    scheme, mark, rest = header.partition(b"://")
    return _host_of(rest) if mark else scheme.decode("latin-1").strip()
