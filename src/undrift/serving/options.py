"""What a worker is told when it starts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from undrift.serving.access import LOCAL_NAMES, Gate, OpenToStrangers, is_loopback, read_token


@dataclass(frozen=True, slots=True)
class Options:
    """A worker's arguments.

    Attributes
    ----------
    state : Path
        The endpoint file to follow.
    store : Path
        Where relative paths in it start.
    host, port : str, int
        Where to listen; port 0 lets the system choose.
    token_file : Path, optional
        Holds the bearer token that requests must carry.
    insecure_no_auth : bool
        The operator's word that strangers may ask.
    allow_hosts : tuple of str
        Further names under which a loopback worker may be asked.
    parent : int, optional
        Stop when this process, which started this one, ends.
    """

    state: Path
    store: Path
    host: str = "127.0.0.1"
    port: int = 0
    token_file: Path | None = None
    insecure_no_auth: bool = False
    allow_hosts: tuple[str, ...] = ()
    parent: int | None = None

    def gate(self, published_token: str | None) -> Gate:
        """Return who may ask.

        Parameters
        ----------
        published_token : str, optional
            SHA-256 of the token in the endpoint file.

        Raises
        ------
        OpenToStrangers
            If the address is not a loopback one, there is no token, and nobody said that none is wanted.
        BadTokenFile
            If the token file cannot be used.
        """
        local = is_loopback(self.host)
        token = None if self.token_file is None else read_token(self.token_file)
        if not (local or token or published_token or self.insecure_no_auth):
            raise OpenToStrangers(
                f"{self.host} can be reached from other machines, and no token is asked for",
                cure="give --token-file FILE, listen on 127.0.0.1, or say --insecure-no-auth",
            )
        return Gate(local, token, LOCAL_NAMES | {name.lower() for name in (self.host, *self.allow_hosts)})


def read_options(arguments: Sequence[str]) -> Options:
    """Return the options of a command line; one that cannot be read ends the process with 2."""
    parser = argparse.ArgumentParser("python -m undrift.serving", description="Serve one endpoint from its state file.")
    parser.add_argument("--state", type=Path, required=True, help="the endpoint file to follow")
    parser.add_argument("--store", type=Path, required=True, help="the store folder")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0: any free one")
    parser.add_argument("--token-file", type=Path, help="file with the token that requests must carry")
    parser.add_argument("--insecure-no-auth", action="store_true", help="let strangers ask")
    parser.add_argument("--allow-host", action="append", default=[], help="a further name of this machine")
    parser.add_argument(
        "--follow-parent",
        type=int,
        nargs="?",
        const=os.getppid(),
        metavar="PID",
        help="stop when the parent process ends; its id makes this sure from the first moment",
    )
    found = parser.parse_args(arguments)
    return Options(
        state=found.state,
        store=found.store,
        host=found.host,
        port=found.port,
        token_file=found.token_file,
        insecure_no_auth=found.insecure_no_auth,
        allow_hosts=tuple(found.allow_host),
        parent=found.follow_parent,
    )
