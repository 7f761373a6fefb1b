"""Who listens on a port."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from undrift.core.ports import holder_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")


@pytest.mark.parametrize(("listens", "asked"), [("127.0.0.1", "localhost"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1")])
def test_the_process_that_listens_is_named(listens: str, asked: str) -> None:
    """Also when it listens on all addresses and one is asked for."""
    family = socket.AF_INET6 if ":" in listens else socket.AF_INET
    with socket.create_server((listens, 0), family=family) as taken:
        found = holder_of(asked, taken.getsockname()[1])
    assert found is not None
    assert found.pid == os.getpid()
    assert str(os.getpid()) in str(found)


def test_another_address_or_a_free_port_has_no_holder() -> None:
    """A listener on one address of this machine does not hold the others'."""
    with socket.create_server(("127.0.0.2", 0)) as other:
        port = other.getsockname()[1]
        assert holder_of("127.0.0.1", port) is None
    assert holder_of("127.0.0.2", port) is None
