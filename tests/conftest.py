"""Fixtures: real Jupyter servers, each with directories of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from jupyterlab_notify.timings import StorageTimings, Timings

from .support.servers import Server

# A shell's background job ignores Ctrl-C, and so would the programs to which tests send Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Everything that tests talk to is on this machine, where no proxy is needed.
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that is shared by the tests that do not depend on its content."""
    shared = Server(
        tmp_path_factory.mktemp("shared-server"),
        others=True,
        # Shorten the time from a sender's deadline until the server looks again.
        timings=Timings(storage=StorageTimings(second_look_ms=500)),
    )
    _shared.append(shared.start())
    try:
        yield shared
    finally:
        _shared.clear()
        shared.stop()
        shared.client.close()


#: The server that tests share, once one of them has asked for it.
_shared: list[Server] = []


@pytest.fixture(scope="module", autouse=True)
def settled() -> Iterator[None]:
    """Leave nothing on the shared server that changes while the next file's tests look at it."""
    yield
    for server in _shared:
        server.settle()


@pytest.fixture
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server of this test's own; see ``Server``."""
    with ExitStack() as stack:

        def make(start: bool = True, **options: Any) -> Server:
            options.setdefault("directory", tmp_path_factory.mktemp("server"))
            made = Server(**options)
            stack.callback(made.client.close)
            stack.callback(made.stop)
            return made.start() if start else made

        yield make
