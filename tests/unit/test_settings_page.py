"""The page about the settings is what the settings say of themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_settings_page_is_written_from_the_settings() -> None:
    """A key that is added, renamed or given another default must show in docs/settings.md."""
    script = ROOT / "scripts" / "settings_page.py"
    answer = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
