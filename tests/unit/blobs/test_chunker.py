"""Where files are cut."""

from __future__ import annotations

from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.blobs.chunker import LARGEST_BYTES, SMALLEST_BYTES, cut

from .kept import noise

# The lengths of the first chunks of noise(2 MiB): pyfastcdc 0.3.1 cuts here. Another version that cuts elsewhere
# reads everything that is stored, but shares little with it.
GOLDEN = [
    111566, 56155, 56856, 85449, 177834, 71728, 135843, 117997, 60394, 52557, 162932, 51296, 158223, 55423,
    60769, 103503, 46339, 41827, 59855, 57053, 54992, 96405, 54458, 50030, 58095, 59573,
]  # fmt: skip


def lengths(data: bytes, windows: list[int]) -> list[int]:
    """Return the lengths of the chunks when the file is read in windows of these sizes, then in one go."""
    found: list[int] = []
    start = end = 0
    for size in [*windows, len(data)]:
        end = min(len(data), end + size)
        pieces = [len(piece) for piece in cut(memoryview(data)[start:end], is_last=end == len(data))]
        found += pieces
        start += sum(pieces)
        if end == len(data):
            return found
    return found


def test_the_cut_points_are_those_of_stored_files() -> None:
    """Golden boundaries pin the chunker."""
    assert lengths(noise(2 << 20), []) == GOLDEN


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 1000),
    size=st.integers(0, 3 << 20),
    windows=st.lists(st.integers(1, 1 << 20), max_size=8),
    period=st.sampled_from([0, 1, 1000, 100_000]),
)
def test_the_chunks_are_the_same_however_a_file_is_read(seed: int, size: int, windows: list[int], period: int) -> None:
    """Random bytes and bytes that repeat; together they are the file."""
    data = noise(size, seed) if not period else (noise(period, seed) * (size // period + 1))[:size]
    whole = lengths(data, [])
    assert lengths(data, windows) == whole
    assert sum(whole) == size
    assert all(SMALLEST_BYTES <= length <= LARGEST_BYTES for length in whole[:-1])


def test_an_insertion_moves_few_chunks() -> None:
    """Which is the reason for cutting so."""
    data = noise(4 << 20)
    edited = data[: 1 << 20] + b"inserted" + data[1 << 20 :]
    names = [{blake3(piece).digest() for piece in cut(memoryview(one), is_last=True)} for one in (data, edited)]
    assert len(names[1] - names[0]) <= 2
