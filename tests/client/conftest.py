"""Fixtures of the client's tests: who is sent to, and what sends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..support.sending import Recorder
from ..support.servers import Server
from .support import Directed


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Return an HTTP server that writes down what it is asked."""
    with Recorder() as made:
        yield made


@pytest.fixture
def to_recorder(recorder: Recorder) -> Iterator[Directed]:
    """Return a sender to ``recorder``."""
    made = Directed(recorder.url)
    yield made
    made.queue.close(2)


@pytest.fixture
def to_server(server: Server) -> Iterator[Directed]:
    """Return a sender to ``server``."""
    made = Directed(server.url + "/", server.token)
    yield made
    made.queue.close(2)
