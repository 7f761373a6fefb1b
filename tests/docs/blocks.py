"""The fenced blocks of a document, and a project folder to run them in."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RUN = ("sh", "python")
SHOWN = ("json", "text", "toml", "")
_NOT_RUN = re.compile(r"<!-- not run: .+ -->\s*\Z")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = "8080"


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, its text, its line, and whether the document says that it is not run."""

    language: str
    text: str
    line: int
    is_run: bool


def blocks(document: Path) -> Iterator[Block]:
    """Give the blocks of a Markdown file in their order."""
    text = document.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        before = text[: found.start()]
        is_run = found[1] in RUN and not _NOT_RUN.search(before)
        yield Block(found[1], found[2], before.count("\n") + 1, is_run)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in which blocks are run one after the other.

    Attributes
    ----------
    path : Path
        The folder.
    port : str
        Takes the place of the port that the documents name.
    """

    path: Path
    port: str

    def run(self, block: Block) -> subprocess.CompletedProcess[str]:
        """Run a block as a reader would, and return what it printed."""
        text = block.text.replace(_PORT, self.port)
        command = [sys.executable, "-"] if block.language == "python" else ["bash", "-eo", "pipefail", "-s"]
        return subprocess.run(
            command,
            input=text,
            cwd=self.path,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def close(self) -> None:
        """Stop what the blocks left running."""
        undrift = [sys.executable, "-m", "undrift"]
        for file in (self.path / ".undrift" / "run" / "endpoints").glob("*.supervisor.json"):
            name = file.name.removesuffix(".supervisor.json")
            subprocess.run([*undrift, "down", name], cwd=self.path, capture_output=True, timeout=60, check=False)


def free_port() -> str:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
