"""``undrift data checkout``: light, because a version is found by its number or tag without the ledger's libraries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from undrift.blobs.errors import BlobMissing
from undrift.blobs.store import BlobStore
from undrift.cli.answer import Answer, Bytes
from undrift.cli.command import command
from undrift.cli.versions import as_of_option
from undrift.core import config
from undrift.core.refs import parse
from undrift.data import peek
from undrift.data.checkout import Manner, Source
from undrift.data.checkout import checkout as check_out
from undrift.data.damage import told_of
from undrift.data.manifest import Manifest
from undrift.data.places import Places


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to write, and how."""

    path: Path
    overwrite: bool
    as_folder: bool

    def manner(self, seen: Bytes) -> Manner:
        """Return how to write it."""
        return Manner(self.overwrite, seen, self.as_folder)


@command("checkout", example="undrift data checkout customers@june --output june.csv")
@click.argument("reference", metavar="REF")
@click.option("-o", "--output", required=True, help="A new file or folder; with a slash at its end always a folder.")
@click.option("--overwrite", is_flag=True, help="Replace a file, or a folder in which nothing changed.")
@as_of_option
def checkout(project: Path, reference: str, *, output: str, overwrite: bool, as_of: datetime | None) -> Answer:
    """Write the files of a version, every byte verified."""
    target = _Target(Path(output), overwrite, output.endswith("/"))
    answer = _at_once(project, reference, target) if as_of is None else None
    return answer or _properly(project, reference, target, as_of)


def _at_once(folder: Path, reference: str, target: _Target) -> Answer | None:
    """Write a version that a number or tag names; None, with nothing written, when one must look properly."""
    root = config.root_of(folder)
    if root is None or config.load(root / config.FILE_NAME).store.url is not None:
        return None
    store, ref = root / config.STORE, parse(reference, "data")
    found = peek.named(store, ref) if ref.kind == "data" else None
    if found is None:
        return None
    blobs = BlobStore(store / "blobs")
    if not blobs.tombstones.is_empty():  # the ledger tells how many rows are missing
        return None
    version = f"data:{ref.name}@{found.number}"
    try:
        with Bytes("written and verified") as seen, told_of(version):
            source = Source(ref.name, found.number, Manifest.decode(blobs.read_bytes(found.version_id)))
            written = check_out(blobs, Places(store), source, target.path, target.manner(seen))
    except BlobMissing:  # the ledger knows where else the bytes may be
        return None
    return Answer({"version": version, "path": str(written), "erased_rows": 0}, f"{version} -> {written}")


def _properly(folder: Path, reference: str, target: _Target, as_of: datetime | None) -> Answer:
    from undrift.loop.privacy.erasure import erasures
    from undrift.project import Project

    with Project.open(folder) as opened:
        version = opened.data.get(reference, as_of=as_of)
        with Bytes("written and verified") as seen:
            written = opened.data.checkout(version.ref, target.path, target.manner(seen))
        erased = erasures(opened, version.name).get(version.ref, 0)
    text = f"{version.ref} -> {written}" + (f", without {erased:,} erased rows" if erased else "")
    return Answer({"version": version.ref, "path": str(written), "erased_rows": erased}, text)
