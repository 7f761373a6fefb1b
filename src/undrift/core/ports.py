"""Who listens on a port of this machine, as far as the system tells."""

from __future__ import annotations

import pwd
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"
_ADDRESS, _STATE, _UID, _INODE = 1, 3, 7, 9  # fields of a line of /proc/net/tcp


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a port.

    Attributes
    ----------
    user : str
        The account it runs under.
    pid : int or None
        Its process; None when this account may not see it.
    command : tuple of str
        Its program and arguments; empty when they cannot be seen.
    name : str
        The program's short name.
    """

    user: str
    pid: int | None = None
    command: tuple[str, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        if self.pid is None:
            return f"a process of {self.user}"
        return f"process {self.pid} ({self.name})" if self.name else f"process {self.pid}"


def holder_of(host: str, port: int) -> Holder | None:
    """Return who listens on a port, or None when that cannot be seen.

    Parameters
    ----------
    host : str
        The address that was asked for; a listener on all addresses holds it too.
    port : int
        The port.

    Notes
    -----
    Only Linux tells (``/proc/net/tcp``); elsewhere the answer is None.
    """
    if sys.platform != "linux":
        return None
    for line in _lines():
        fields = line.split()
        if fields[_STATE] == _LISTENS and _is_meant(fields[_ADDRESS], host, port):
            user = _user(int(fields[_UID]))
            pid = _process_with(f"socket:[{fields[_INODE]}]")
            return Holder(user) if pid is None else Holder(user, pid, _command(pid), _name(pid))
    return None


def _lines() -> Iterator[str]:
    for name in ("tcp", "tcp6"):
        try:
            text = (_PROC / "net" / name).read_text()
        except OSError:  # no such protocol on this machine
            continue
        yield from text.splitlines()[1:]


def _is_meant(written: str, host: str, port: int) -> bool:
    """Say whether a local address as the kernel writes it is the one asked for, or holds it."""
    address, _, at = written.partition(":")
    if int(at, 16) != port:
        return False
    listens_to, asked = _plain(address), _resolved(host)
    return listens_to in (asked, "0.0.0.0", "::") or asked in ("0.0.0.0", "::")  # noqa: S104  (compared, not bound)


def _plain(address: str) -> str:
    """Return an address from its bytes, which stand in words of four in the machine's order."""
    raw = bytes.fromhex(address)
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    whole = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return socket.inet_ntop(socket.AF_INET if len(whole) == 4 else socket.AF_INET6, whole)  # noqa: PLR2004  (IPv4)


def _resolved(host: str) -> str:
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError:
        return host


def _process_with(link: str) -> int | None:
    for folder in _PROC.glob("[0-9]*"):
        try:
            if any(str(one.readlink()) == link for one in (folder / "fd").iterdir()):
                return int(folder.name)
        except OSError:  # somebody else's process, or one that ended meanwhile
            continue
    return None


def _command(pid: int) -> tuple[str, ...]:
    try:
        return tuple(word.decode(errors="replace") for word in (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0"))
    except OSError:
        return ()


def _name(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
