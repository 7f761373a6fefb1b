"""Write docs/settings.md from the docstrings of the settings, so that the page cannot lie.

python scripts/settings_page.py            # writes the page
python scripts/settings_page.py --check    # fails when the page is not what would be written
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import msgspec

from undrift.core import config

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
SECTIONS = (
    config.ProjectSettings,
    config.PolicySettings,
    config.PrivacySettings,
    config.DatasetSettings,
    config.RemoteSettings,
    config.ModelSettings,
    config.EndpointSettings,
    config.MonitorSettings,
    config.StoreSettings,
    config.ClockSettings,
)
HEAD = """\
# Settings

`undrift.toml` in the project's folder. Every key is optional unless it says otherwise; a key that is
not known is an error that names the nearest one. Written by `scripts/settings_page.py`.
"""


def page() -> str:
    """Return the page's text."""
    return HEAD + "".join(_section(struct) for struct in SECTIONS)


def _section(struct: type[msgspec.Struct]) -> str:
    text = inspect.cleandoc(struct.__doc__ or "")
    title, _, rest = text.partition("\n")
    heading, _, summary = title.partition(": ")
    lines = [f"\n## {heading.replace('``', '`')}\n", f"{summary[:1].upper()}{summary[1:].replace('``', '`')}\n"]
    meaning = _attributes(rest)
    lines.append("| key | default | meaning |\n|---|---|---|")
    for field in msgspec.structs.fields(struct):
        default = "required" if field.required else f"`{_shown(field.default)}`"
        lines.append(f"| `{field.name}` | {default} | {meaning.get(field.name, '')} |")
    return "\n".join(lines) + "\n"


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    body = text.partition("----------\n")[2]
    for names, lines in re.findall(r"^(\w[\w, ]*) :[^\n]*\n((?:    [^\n]*\n?)+)", body + "\n", flags=re.MULTILINE):
        meaning = " ".join(line.strip() for line in lines.splitlines()).replace("``", "`").replace("|", "\\|")
        found.update(dict.fromkeys((name.strip() for name in names.split(",")), meaning))
    return found


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return str(list(default))
    return "none" if default is None else str(default)


def main() -> None:
    """Write or check the page."""
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else f"{PAGE.name} is old: run {sys.argv[0]}")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
