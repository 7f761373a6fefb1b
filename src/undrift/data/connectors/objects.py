"""Objects of a bucket, brought to local files before they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from undrift.blobs.buckets import Bucket, refuse_secrets
from undrift.core.addresses import BadAddress, without_secrets
from undrift.data.origins import Origin
from undrift.data.paths import check_distinct, check_path
from undrift.data.workspace import EmptySource


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What was brought.

    Attributes
    ----------
    path : Path
        The file, or the folder when the address ends in a slash.
    origin : Origin
        Where it came from.
    """

    path: Path
    origin: Origin


def download(address: str, scratch: Path) -> Downloaded:
    """Bring an object, or all objects of a folder, to a local folder.

    Parameters
    ----------
    address : str
        ``s3://bucket/key``, or ``s3://bucket/folder/`` for everything below it; ``gs://`` and ``az://`` likewise.
    scratch : Path
        An empty folder.

    Raises
    ------
    BadAddress
        If it names no object.
    EmptySource
        If nothing lies in the folder.
    UnsafePath
        If an object has a name that a file must not have.
    ObjectMissing, BucketUnreachable
        If there is no such object, or the storage does not answer.
    """
    refuse_secrets(address)
    shown = without_secrets(address)
    if address.endswith("/"):
        return _folder(Bucket(address), shown, scratch)
    place, _, name = address.rpartition("/")
    if not name or place.endswith("/"):
        raise BadAddress(f"{shown} names no object", cure="write s3://BUCKET/KEY, or s3://BUCKET/FOLDER/ for all in it")
    bucket = Bucket(place)
    target = scratch / check_path(name)
    bucket.download(name, target)
    found = bucket.head(name)
    return Downloaded(target, Origin("objects", shown, etag=found.etag if found else ""))


def _folder(bucket: Bucket, shown: str, scratch: Path) -> Downloaded:
    names = sorted((one.path for one in bucket.list("")), key=str.encode)
    if not names:
        raise EmptySource(f"nothing lies in {shown}", cure="check the address")
    for name in names:
        check_path(name)
    check_distinct(names)
    folder = scratch / "objects"
    for name in names:
        target = folder / PurePosixPath(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        bucket.download(name, target)
    return Downloaded(folder, Origin("objects", shown))
