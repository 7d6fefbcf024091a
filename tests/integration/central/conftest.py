"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ...support.central import Central
from ...support.central_lab import (
    ENV,
    Make,
    config,
)
from ...support.servers import PATIENT, Server
from ...support.service import Service


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Central]:
    central = Central(tmp_path_factory.mktemp("central"))
    try:
        yield central.start()
    finally:
        central.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return this project's own service, standing alone."""
    service = Service(tmp_path_factory.mktemp("service"))
    try:
        yield service.start()
    finally:
        service.stop()


@pytest.fixture(scope="module")
def server(central: Central, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return the server that most of these tests share."""
    directory = tmp_path_factory.mktemp("lab")
    server = Server(directory, config=config(central), timings=PATIENT, env=ENV)
    try:
        yield server.start()
    finally:
        server.stop()
        server.client.close()


@pytest.fixture
def make(make_server: Make, central: Central) -> Make:
    """Return a function that starts a lab of this test's own."""

    def make(options: dict[str, Any] | None = None, **more: Any) -> Server:
        more = {"timings": PATIENT, "env": ENV, **more}
        return make_server(config=config(central, **(options or {})), **more)

    return make


@pytest.fixture(autouse=True)
def calm(central: Central) -> Iterator[None]:
    """Begin with a service that holds nothing and behaves."""
    yield
    central.clear()
