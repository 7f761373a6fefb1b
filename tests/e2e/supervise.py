"""Run a supervisor: ``supervise.py STORE NAME WORKERS JUDGE_EVERY_S``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from undrift.core.clock import Clocks, RealClock
from undrift.core.errors import UndriftError
from undrift.endpoints.fleet import ServeOptions
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.supervisor import run_supervisor
from undrift.ledger.ledger import Ledger


def main(store: Path, name: str, workers: int, judge_every_s: float) -> int:
    """Serve and return the exit code."""
    logging.basicConfig(level=logging.INFO)
    clock = RealClock()
    rooms = EndpointRooms(Ledger.open(store / "ledger.db"), store, Clocks(business=clock, real=clock))
    try:
        run_supervisor(rooms, [name], ServeOptions(workers=workers, judge_every_s=judge_every_s))
    except UndriftError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
