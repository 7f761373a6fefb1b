"""``python -m undrift`` is the same as ``undrift``."""

from __future__ import annotations

from undrift.cli.main import main

if __name__ == "__main__":
    main()
