"""Which keys have been used: a set of 64-bit digests that fits into JSON."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class SeenKeys:
    """A set of keys that keeps 8 bytes of each."""

    held: set[int] = field(default_factory=set)

    def is_new(self, key: str | None) -> bool:
        """Return whether this key was not seen before, and remember it; no key is always new."""
        if key is None:
            return True
        digest = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")
        new = digest not in self.held
        self.held.add(digest)
        return new

    def state(self) -> str:
        """Return the set as text."""
        return base64.b64encode(np.array(sorted(self.held), dtype="<u8").tobytes()).decode()

    @classmethod
    def from_state(cls, state: str) -> SeenKeys:
        """Return the set that :meth:`state` described."""
        return cls({int(value) for value in np.frombuffer(base64.b64decode(state), dtype="<u8")})
