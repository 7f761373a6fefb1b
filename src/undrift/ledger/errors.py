"""What can go wrong with the ledger.

::

    Fault
    ├── LedgerUnavailable    the database does not answer
    ├── StoreTooNew          a newer undrift wrote this store
    ├── LeaseLost            somebody else holds the lease now
    ├── NestedChange         a change was opened inside a change
    └── Unrecorded           rows were changed and no event says so
    BadInput
    ├── NotErasable          the event has no body that can be erased
    ├── BadEvent             kind or subject does not follow the grammar
    └── NetworkFilesystem    SQLite cannot live there
"""

from __future__ import annotations

from undrift.core.errors import BadInput, Fault


class LedgerUnavailable(Fault):
    """The database cannot be opened or does not answer."""

    code = "ledger-unavailable"


class StoreTooNew(Fault):
    """The store was written by a newer undrift."""

    code = "store-too-new"


class LeaseLost(Fault):
    """A lease was used after somebody else had claimed it."""

    code = "lease-lost"


class NestedChange(Fault):
    """A change was opened while this thread still holds one; it would wait for itself."""

    code = "nested-change"


class Unrecorded(Fault):
    """A change wrote rows and recorded no event."""

    code = "unrecorded"


class BadEvent(BadInput):
    """An event's kind or subject does not follow the grammar."""

    code = "bad-event"


class NotErasable(BadInput):
    """An event has no body, or records an erasure itself."""

    code = "not-erasable"


class NetworkFilesystem(BadInput):
    """SQLite was to be kept on a network file system, where its locks are not safe."""

    code = "network-filesystem"
