"""Fixtures: every test of the wire runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .mailing import MailServer, mail_server
from .support import Databases, Service, Tokens, running

# A job in a shell's background ignores SIGINT, and programs started by it would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

KINDS = os.environ.get("NOTIFY_TEST_DATABASES", "sqlite,postgresql").split(",")


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("tokens") / "tokens.json")


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    databases = Databases(tmp_path_factory.mktemp("databases"))
    yield databases
    databases.close()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """The URL of an empty database at the newest revision."""
    url = databases.fresh(request.param)
    yield url
    databases.drop(url)


@pytest.fixture
def postgresql(databases: Databases) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, for tests with several replicas."""
    url = databases.fresh("postgresql")
    yield url
    databases.drop(url)


@pytest.fixture
async def service(database: str, tokens: Tokens, tmp_path: Path) -> AsyncIterator[Service]:
    """A service that listens, in this process."""
    async with running(database, tokens) as service:
        yield service


@pytest.fixture
def sync_service(database: str, tokens: Tokens) -> Iterator[tuple[Service, Callable[[Any], Any]]]:
    """A service, and a function that runs a coroutine in its loop: hypothesis calls none."""
    loop = asyncio.new_event_loop()
    block = running(database, tokens)
    service = loop.run_until_complete(block.__aenter__())
    yield service, loop.run_until_complete
    loop.run_until_complete(block.__aexit__(None, None, None))
    loop.close()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server."""
    with mail_server() as server:
        yield server
