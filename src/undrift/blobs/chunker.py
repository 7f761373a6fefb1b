"""Where to cut a file into chunks: at places that its content decides, so that an edit moves few of them.

Cut points are never part of what is read back: a reader follows the list of chunks, however they were
cut. Another way of cutting would only share fewer chunks with what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyfastcdc import FastCDC

SMALLEST_BYTES = 40 << 10
"""So many bytes are skipped before a cut is looked for. A quarter of it shares no more and costs twice as much."""
AVERAGE_BYTES = 48 << 10
"""Beyond it cuts are found four times as often; with what is skipped, chunks of text come to 78 KiB on average."""
LARGEST_BYTES = 192 << 10


def cut(window: memoryview, *, is_last: bool) -> Iterator[memoryview]:
    """Give the chunks of a window that begins at a cut point.

    Parameters
    ----------
    window : memoryview
        Bytes of a file from a cut point on.
    is_last : bool
        Whether the file ends with it. If not, the piece that reaches to its end is not given: where it
        ends depends on bytes to come, so it belongs at the beginning of the next window.

    Notes
    -----
    However a file is divided into windows, the chunks are the same.
    """
    for chunk in FastCDC(AVERAGE_BYTES, min_size=SMALLEST_BYTES, max_size=LARGEST_BYTES).cut_buf(window):
        if chunk.offset + chunk.length < len(window) or is_last:
            yield chunk.data
