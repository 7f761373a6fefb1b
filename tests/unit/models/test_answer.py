"""From scores to answers."""

from __future__ import annotations

import numpy as np
import pytest

from undrift.models.answer import answer
from undrift.models.cards import CardFacts, CardMetric, render
from undrift.models.package import ClassLabel, Manifest, Task


def _manifest(
    task: Task, classes: tuple[ClassLabel, ...] = (), positive: int | None = None, threshold: float | None = None
) -> Manifest:
    return Manifest(
        format="undrift.package/1", name="delay", task=task, classes=classes, inputs=(), engines=(), files=(),
        created_at="2013-02-01T00:00:00Z", python="3.11.7", versions={}, positive=positive, threshold=threshold,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("threshold", "positive", "expected"), [(None, 1, [True, True, False]), (0.6, 1, [True, False, False])]
)
def test_the_positive_class_is_answered_from_the_threshold_on(
    threshold: float | None, positive: int, expected: list[bool]
) -> None:
    """At the threshold itself too; 0.5 when none is stated."""
    manifest = _manifest("binary", (False, True), positive=positive, threshold=threshold)
    assert answer(manifest, np.array([[0.4, 0.6], [0.5, 0.5], [0.51, 0.49]])) == expected


def test_classes_keep_their_type_and_the_first_of_equals_wins() -> None:
    """Texts, integers and booleans."""
    scores = np.array([[0.2, 0.4, 0.4], [0.5, 0.3, 0.2]])
    assert answer(_manifest("multiclass", ("a", "b", "c")), scores) == ["b", "a"]
    found = answer(_manifest("multiclass", (1, 2, 3)), scores)
    assert (found, type(found[0])) == ([2, 1], int)


def test_a_regression_answers_the_number() -> None:
    """As a Python float."""
    assert answer(_manifest("regression"), np.array([[1.5], [-2.0]])) == [1.5, -2.0]


def test_a_card_shows_intervals_and_says_what_is_not_stated() -> None:
    """And no text can break out of its place."""
    facts = CardFacts(
        intended_use="ask an hour before departure",
        metrics=[CardMetric(name="auc", value=0.71, low=0.69, high=0.73, method="day bootstrap", units=14, unit="day")],
        gate={"outcome": "pass", "method": "paired", "n": 14, "unit": "day", "reason": "better | by <b>far</b>\n# x"},
        exclusions=["8,255 cancelled flights"],
    )
    card = render(_manifest("binary", ("no", "yes"), positive=1, threshold=0.3), facts)
    assert "| auc | 0.71 | 0.69 to 0.73 | day bootstrap | 14 day |" in card
    assert "better \\| by &lt;b>far&lt;/b> # x" in card
    assert "`yes` is answered when its probability is at least 0.3." in card
    assert "## Limits\n\n*not stated*" in card
