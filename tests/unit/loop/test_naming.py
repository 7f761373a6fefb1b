"""What a name that a person typed means."""

from __future__ import annotations

import pytest

from undrift.core.refs import BadReference
from undrift.loop.naming import AmbiguousName, NothingOfThatName, endpoint_name, only_endpoint, resolve

from .conftest import ADA, Registered


def _with_data(registered: Registered) -> None:
    table = registered.project.root / "delay.csv"
    table.write_text("x,late\n1,0\n2,1\n")
    registered.project.data.add(table, "delay", actor=ADA)


def test_a_short_name_of_several_things_lists_them_all(registered: Registered) -> None:
    """Nothing is guessed."""
    registered.deployed(registered.approved())
    _with_data(registered)
    with pytest.raises(AmbiguousName) as refused:
        resolve(registered.project, "delay")
    assert refused.value.fields["candidates"] == ["data:delay", "model:delay", "endpoint:delay"]
    assert all(str(one) in refused.value.message for one in refused.value.fields["candidates"])


def test_a_version_means_the_thing_that_has_it(registered: Registered) -> None:
    """Endpoints have no versions, and a version that does not exist is not meant."""
    registered.deployed(registered.approved())
    registered.version()
    _with_data(registered)
    assert str(resolve(registered.project, "delay@2")) == "model:delay@2"
    assert str(resolve(registered.project, "delay@champion")) == "model:delay@champion"


def test_a_command_that_takes_few_kinds_asks_about_these(registered: Registered) -> None:
    """`why` explains no dataset, so a dataset of that name is not in the way."""
    registered.version()
    _with_data(registered)
    assert str(resolve(registered.project, "delay", ("model", "endpoint"))) == "model:delay"


def test_an_unknown_name_is_told(registered: Registered) -> None:
    """With the command that lists what there is."""
    with pytest.raises(NothingOfThatName) as refused:
        resolve(registered.project, "delya")
    assert "undrift status" in refused.value.cure


def test_the_only_endpoint_need_not_be_named(registered: Registered) -> None:
    """Without one, and with a reference of another kind, the error says what to write."""
    with pytest.raises(NothingOfThatName):
        only_endpoint(registered.project, None)
    registered.deployed(registered.approved())
    assert only_endpoint(registered.project, None) == "delay"
    with pytest.raises(BadReference):
        endpoint_name("model:delay")
