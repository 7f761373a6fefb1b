from __future__ import annotations

from pathlib import Path

import pytest

from undrift.core.config import BadSettings, load, parse
from undrift.core.errors import BadInput, NotFound

_MODEL = '[models.delay]\ndataset = "flights"\ntarget = "late"\n'


def test_what_is_not_said_has_its_default() -> None:
    """A model needs a dataset and a target, and nothing else."""
    model = parse(_MODEL).model("delay")
    assert (model.task, model.holdout_days, model.metric, model.alpha) == ("auto", 14, None, 0.05)
    assert parse("").endpoint("delay").steps == (5.0, 25.0, 100.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[models.delay]\ndatset = "f"', "unknown key 'models.delay.datset' (did you mean 'dataset'?)"),
        ("[modles.x]", "unknown key 'modles' (did you mean 'models'?)"),
        (_MODEL + "alpha = 3", "alpha"),
        (_MODEL + 'unit = "day"', 'models.delay.unit = "day" needs a time column'),
        (_MODEL + 'label_time = "known"', "needs a time column"),
        (_MODEL + 'features = ["late"]', "the target 'late' is among the features"),
        (_MODEL + "false_positive_cost = 1.0", "one cost without the other"),
        ('[policy]\npromotion = "auto"', "needs policy.reason"),
        ('[clock]\nkind = "simulated"', "needs clock.start"),
        ("[endpoints.delay]\nsteps = [25, 5]", "must rise to 100"),
        ("[models.'Delay Model']\ndataset = 'f'\ntarget = 'y'", "cannot be the name"),
        ("x =", "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file(text: str, told: str) -> None:
    """Unknown keys, wrong values and settings that contradict each other say where and what."""
    with pytest.raises(BadInput) as error:
        parse(text, "here/undrift.toml")
    assert told in str(error.value)
    assert error.value.exit_code == 2


def test_an_unknown_key_carries_the_key_and_the_file() -> None:
    """A program can read the fault without parsing the message."""
    with pytest.raises(BadSettings) as error:
        parse('[project]\nnmae = "x"', "undrift.toml")
    assert error.value.fields == {"key": "project.nmae", "file": "undrift.toml"}


def test_a_missing_file_and_a_missing_model_are_not_found(tmp_path: Path) -> None:
    """Both say what to do."""
    with pytest.raises(NotFound, match="undrift init"):
        load(tmp_path / "undrift.toml")
    with pytest.raises(NotFound, match="did you mean 'delay'"):
        parse(_MODEL).model("dealy")
