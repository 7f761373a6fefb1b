"""When two labels are the same class, however they were typed or spelt."""

from __future__ import annotations


def label_text(label: bool | float | str) -> str:
    """Return one text for one class: 1, 1.0, true and "1" are one, and so are "Yes" and " yes"."""
    if isinstance(label, bool) or (isinstance(label, float) and label.is_integer()):
        return str(int(label))
    return " ".join(str(label).split()).lower()
