"""Between the versions of a project and its remotes."""

from __future__ import annotations

from collections.abc import Sequence

from undrift.core.refs import Ref
from undrift.data.remotes.pull import Pulled, pull
from undrift.data.remotes.push import Pushed, Tell, push, push_erased
from undrift.data.remotes.remote import Remote
from undrift.data.stored import StoredVersions
from undrift.data.versions import DatasetNotFound, DatasetVersion
from undrift.ledger.actor import Actor


class Transfer:
    """Pushes and pulls versions.

    Parameters
    ----------
    stored : StoredVersions
        The versions that exist.
    """

    def __init__(self, stored: StoredVersions) -> None:
        self._stored = stored

    def push(self, remote: Remote, refs: Sequence[Ref], tell: Tell, *, is_verify: bool = False) -> Pushed:
        """Bring versions to a remote: bytes first, then what makes them known.

        Parameters
        ----------
        remote : Remote
            Where to.
        refs : sequence of Ref
            Datasets, with all of their versions, or single versions; none: everything.
        tell : callable
            Told of progress.
        is_verify : bool
            Whether to read and compare what the remote has of them, and to put right what is damaged there.

        Raises
        ------
        DatasetNotFound
            If there is no such dataset or version.
        BlobMissing, BlobCorrupt
            If bytes of a version are not here, or damaged.
        BucketUnreachable
            If the remote does not answer; what was finished stays.
        """
        return push(self._stored, remote, self._chosen(refs), tell, is_verify=is_verify)

    def push_erased(self, remote: Remote, names: Sequence[str], tell: Tell) -> Pushed:
        """Tell a remote what was erased of datasets; see :func:`undrift.data.remotes.push.push_erased`.

        Parameters
        ----------
        remote : Remote
            Where to.
        names : sequence of str
            The datasets.
        tell : callable
            Told of progress.
        """
        return push_erased(self._stored, remote, names, tell)

    def pull(self, remotes: Sequence[Remote], refs: Sequence[Ref], actor: Actor, tell: Tell) -> Pulled:
        """Bring versions from remotes; see :func:`undrift.data.remotes.pull.pull`.

        Parameters
        ----------
        remotes : sequence of Remote
            Where to look, in this order.
        refs : sequence of Ref
            Datasets or single versions; none: everything.
        actor : Actor
            Who pulls.
        tell : callable
            Told of progress.

        Raises
        ------
        NotAtRemote, NoRemote, BucketUnreachable
            If nothing there is what was asked for, or nobody answers.
        """
        return pull(self._stored, remotes, refs, actor, tell)

    def _chosen(self, refs: Sequence[Ref]) -> list[DatasetVersion]:
        names = self._stored.names()
        found: list[DatasetVersion] = []
        for ref in refs or [Ref("data", name) for name in names]:
            versions = [self._stored.find(ref)] if ref.selector else self._stored.history(ref.name)
            if not versions:
                raise DatasetNotFound(f"there is no dataset {ref.name!r}", cure="undrift data list")
            found += [one for one in reversed(versions) if one not in found]
        return found
