"""The checkpoint: the head of the chain in a small file beside the database.

It is one write of constant length after each commit, without fsync: it may lag behind the
database after a crash, it must never be ahead of it.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from undrift.core.files import NO_ROOM, PRIVATE_FILE
from undrift.ledger.chain import Head

FORMAT = "undrift.head/1"
_SEQ_DIGITS = 20


class Checkpoint:
    """The file that holds a head.

    Parameters
    ----------
    path : Path
        The file; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Head | None:
        """Return the head that the file holds; None when there is no file.

        Raises
        ------
        ValueError
            If the file holds anything else.
        """
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return None
        return _parse(text)

    def advance(self, head: Head) -> None:
        """Write a head, unless the file holds a later one already, or there is no room for it.

        Notes
        -----
        The ledger has the head then, and the change is done. The next change writes the file; until then it is an
        older head, as after a kill at this point.
        """
        descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not _is_later(os.pread(descriptor, 1024, 0), head):
                written = os.pwrite(descriptor, _render(head), 0)
                os.ftruncate(descriptor, written)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
        finally:
            os.close(descriptor)


def _render(head: Head) -> bytes:
    return f'{{"format":"{FORMAT}","hash":"{head.hash}","seq":{head.seq:{_SEQ_DIGITS}d}}}\n'.encode()


def _parse(text: str) -> Head:
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"not a {FORMAT} file")
    return Head(int(found["seq"]), str(found["hash"]))


def _is_later(data: bytes, head: Head) -> bool:
    try:
        return bool(data) and _parse(data.decode()).seq > head.seq
    except (ValueError, KeyError):
        return False  # a damaged checkpoint is mended by the next change
