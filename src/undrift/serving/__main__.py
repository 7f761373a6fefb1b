"""``python -m undrift.serving``: start one scoring worker."""

from __future__ import annotations

import asyncio
import logging
import sys

import uvloop

from undrift.core.errors import UndriftError
from undrift.serving.options import read_options
from undrift.serving.worker import serve


def main() -> int:
    """Serve until told to stop and return the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(read_options(sys.argv[1:])))
    except UndriftError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
