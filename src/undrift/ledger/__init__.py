"""The ledger: one append-only, hash-chained sequence of events, and the only way to change state."""
