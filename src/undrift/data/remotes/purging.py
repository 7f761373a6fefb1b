"""Taking erased bytes out of a remote: packs that hold them are written anew without them."""

from __future__ import annotations

from undrift.blobs.contents import decode
from undrift.blobs.packs.packs import text_of
from undrift.data.remotes.remote import Remote


def purge(remote: Remote) -> int:
    """Delete the chunks that only erased files have, and return how many packs were written anew.

    Parameters
    ----------
    remote : Remote
        Where.

    Raises
    ------
    RemoteCorrupt
        If a manifest there cannot be read: what its files need is then not known, and nothing is deleted.
    BucketUnreachable
        If the remote does not answer; the next push goes on.

    Notes
    -----
    The new pack is there before the old one goes. A version that another project pushes at this moment and
    that shares a chunk with the erased file sends it again: a push looks once more before it makes its versions known.
    """
    remote.packs.look()
    doomed = _doomed(remote)
    rewritten = 0
    for name, toc in dict(remote.packs.tocs()).items():
        lying = [text_of(digest) for digest, _ in toc.chunks]
        kept = [digest for digest in lying if digest not in doomed]
        if len(kept) < len(lying):
            remote.packs.rewrite(name, kept)
            rewritten += 1
    return rewritten


def _doomed(remote: Remote) -> set[str]:
    erased = remote.erased()
    living: set[str] = set()
    dead: set[str] = set()
    for manifest in remote.lists():
        for part in manifest.parts:
            chunks = {chunk.digest for chunk in part.contents.chunks}
            if part.contents.digest in erased:
                dead |= chunks
            else:
                living |= chunks
    for left in {one for one in erased.values() if one is not None}:
        living |= {chunk.digest for chunk in decode(remote.recipe(left), left).chunks}
    for digest in erased:
        if remote.has_recipe(digest):  # what was left of a file before it was erased again
            dead |= {chunk.digest for chunk in decode(remote.recipe(digest), digest).chunks}
    return dead - living
