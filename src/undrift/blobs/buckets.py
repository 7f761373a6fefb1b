"""Object storage and folders under one roof: S3, Google Cloud Storage, Azure Blob Storage, a local folder.

Credentials come from where the provider's own tools find them (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``,
``GOOGLE_APPLICATION_CREDENTIALS``, ``AZURE_STORAGE_ACCOUNT_NAME``, ...), never from an address or a settings file.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from undrift.core.addresses import OBJECT_SCHEMES, BadAddress, without_secrets
from undrift.core.errors import Fault, NotFound
from undrift.core.files import replacing

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_T = TypeVar("_T")
_A = TypeVar("_A")
_PIECE_BYTES = 8 << 20
"""Uploads go in pieces of so many bytes; S3 asks for 5 MiB at least."""
_CONNECT_S, _ANSWER_S, _GIVE_UP_S, _TRIES = 10, 120, 60, 4
AT_ONCE = 16
"""So many small objects are asked for at the same time."""
_WAITING = 4  # times as many wait, so that one that is slow does not hold up others


class ObjectMissing(NotFound):
    """There is no object of this name."""

    code = "object-missing"


class BucketUnreachable(Fault):
    """The object storage does not answer, or does not let this user in."""

    code = "bucket-unreachable"


@dataclass(frozen=True, slots=True)
class Listed:
    """An object.

    Attributes
    ----------
    path : str
        Its name below the bucket's address.
    size_bytes : int
        Its length.
    etag : str
        What the storage calls its state; empty where it says nothing.
    """

    path: str
    size_bytes: int
    etag: str


class Bucket:
    """Objects below an address; safe to share between threads.

    Parameters
    ----------
    address : str
        ``s3://bucket/prefix``, ``gs://...``, ``az://...``, or the path of a folder.
    make : bool
        Whether a missing folder is made.

    Attributes
    ----------
    address : str
        The same, as it may be written down.

    Raises
    ------
    BadAddress
        If it is no such address.
    BucketUnreachable
        If the storage's settings are not complete.
    """

    def __init__(self, address: str, *, make: bool = False) -> None:
        self.address = without_secrets(address)
        self._store = self._guarded("", lambda: _opened(address, make=make))

    def read(self, path: str) -> bytes:
        """Return the bytes of an object.

        Raises
        ------
        ObjectMissing, BucketUnreachable
            If there is none, or the storage does not answer.
        """
        import obstore

        return self._guarded(path, lambda: bytes(obstore.get(self._store, path).bytes()))

    def read_ranges(self, path: str, starts: Sequence[int], lengths: Sequence[int]) -> list[bytes]:
        """Return parts of an object; parts that lie close together are asked for at once.

        Parameters
        ----------
        path : str
            The object.
        starts, lengths : sequence of int
            The parts, in bytes.

        Raises
        ------
        ObjectMissing, BucketUnreachable
            As for :meth:`read`; also when the object is shorter.
        """
        import obstore

        found = self._guarded(path, lambda: obstore.get_ranges(self._store, path, starts=starts, lengths=lengths))
        return [bytes(one) for one in found]

    def download(self, path: str, target: Path) -> None:
        """Write an object to a file, which appears whole or not at all.

        Raises
        ------
        ObjectMissing, BucketUnreachable
            As for :meth:`read`.
        """
        import obstore

        def copy() -> None:
            with replacing(target) as part, part.open("wb") as file:
                for piece in obstore.get(self._store, path).stream(min_chunk_size=_PIECE_BYTES):
                    file.write(piece)

        self._guarded(path, copy)

    def write(self, path: str, data: bytes | Path) -> None:
        """Write an object, in place of one of the same name; it appears whole or not at all."""
        import obstore

        self._guarded(path, lambda: obstore.put(self._store, path, data, chunk_size=_PIECE_BYTES))

    def create(self, path: str, data: bytes) -> bool:
        """Write an object unless there is one of this name, and say whether there was none."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        def put() -> bool:
            try:
                obstore.put(self._store, path, data, mode="create")
            except AlreadyExistsError:
                return False
            return True

        return self._guarded(path, put)

    def list(self, prefix: str) -> Iterator[Listed]:
        """Give the objects whose names begin with a folder's name."""
        import obstore

        def collect() -> list[Listed]:
            return [
                Listed(str(one["path"]), int(one["size"]), str(one.get("e_tag") or ""))
                for page in obstore.list(self._store, prefix=prefix or None)
                for one in page
            ]

        yield from self._guarded(prefix, collect)

    def head(self, path: str) -> Listed | None:
        """Return what is known of an object without reading it, None when there is none."""
        import obstore
        from obstore.exceptions import NotFoundError

        def look() -> Listed | None:
            try:
                one = obstore.head(self._store, path)
            except (NotFoundError, FileNotFoundError):
                return None
            return Listed(path, int(one["size"]), str(one.get("e_tag") or ""))

        return self._guarded(path, look)

    def delete(self, path: str) -> None:
        """Delete an object; one that is not there is no error."""
        import obstore
        from obstore.exceptions import NotFoundError

        def drop() -> None:
            try:
                obstore.delete(self._store, path)
            except (NotFoundError, FileNotFoundError):
                return

        self._guarded(path, drop)

    def _guarded(self, path: str, action: Callable[[], _T]) -> _T:
        with _translated(f"{self.address}/{path}" if path else self.address):
            return action()


def at_once(ask: Callable[[_A], _T], things: Iterable[_A]) -> Iterator[_T]:
    """Give what asking for each of some things returns, in their order; up to ``AT_ONCE`` are asked for at once.

    Parameters
    ----------
    ask : callable
        Reads one small object, and may be called by several threads. What it raises is raised at its turn.
    things : iterable
        What to ask it for.
    """
    waiting: deque[Future[_T]] = deque()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="objects") as pool:
        try:
            for thing in things:
                waiting.append(pool.submit(ask, thing))
                if len(waiting) == _WAITING * AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Let no error of the library out; its words may hold signed addresses and are cut."""
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise ObjectMissing(f"there is no {place}", cure="check the address") from error
    except BaseError as error:
        told = without_secrets(next(iter(str(error).splitlines()), type(error).__name__))[:200]
        raise BucketUnreachable(
            f"{place} does not answer: {type(error).__name__}: {told}",
            cure="check the address and the credentials in the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...)",
        ) from error


def _opened(address: str, *, make: bool) -> ObjectStore:
    from obstore.store import LocalStore, from_url

    scheme, separator, _ = address.partition("://")
    if not separator:
        folder = Path(address)
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        elif not folder.is_dir():
            raise ObjectMissing(f"there is no folder {folder}", cure="check the path")
        return LocalStore(folder.resolve())
    if scheme.lower() not in OBJECT_SCHEMES or not urlsplit(address).netloc:
        raise BadAddress(
            f"{without_secrets(address)} is no object storage", cure="give a folder, s3://BUCKET/..., gs:// or az://"
        )
    refuse_secrets(address)
    found: ObjectStore = from_url(
        address,
        client_options={
            "connect_timeout": timedelta(seconds=_CONNECT_S),
            "timeout": timedelta(seconds=_ANSWER_S),
            "allow_http": is_plain_http_meant(),
        },
        retry_config={"max_retries": _TRIES, "retry_timeout": timedelta(seconds=_GIVE_UP_S)},
    )
    return found


def refuse_secrets(address: str) -> None:
    """Refuse an address with credentials or options in it: addresses are written down, credentials are not.

    Raises
    ------
    BadAddress
        If there are any.
    """
    if "?" in address or "@" in urlsplit(address).netloc:
        raise BadAddress(
            f"{without_secrets(address)} was given with credentials or options in it",
            cure="set them in the environment, for instance AWS_ACCESS_KEY_ID",
        )


def is_plain_http_meant() -> bool:
    """Say whether the environment names a server without TLS; whoever set that meant it."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return endpoint.startswith("http://") or os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
