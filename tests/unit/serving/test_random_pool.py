"""Pooled random bytes are as good as fresh ones."""

from __future__ import annotations

from undrift.serving.random_pool import RandomPool


def test_no_byte_is_given_twice():
    """Pieces of ten bytes over several refills are all different and of the right size."""
    pool = RandomPool()
    pieces = [pool(10) for _ in range(2_000)]
    assert {len(piece) for piece in pieces} == {10}
    assert len(set(pieces)) == 2_000


def test_two_pools_have_nothing_in_common():
    """Each worker draws its own."""
    assert RandomPool()(16) != RandomPool()(16)
