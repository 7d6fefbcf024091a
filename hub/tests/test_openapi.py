"""The OpenAPI document is current and complete, and no request that it allows answers 5xx."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from jupyterhub_notify.openapi import document, text

from .support import Databases, Service, Tokens, running

DOCUMENT = Path(__file__).parents[2] / "docs/hub-openapi.json"
METHODS = ("get", "put", "post", "patch", "delete")


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run make types"


def test_every_field_and_parameter_says_what_it_is() -> None:
    missing = []
    found = document()
    for name, schema in found["components"]["schemas"].items():
        if name in ("HTTPValidationError", "ValidationError"):
            continue
        for field, facts in schema.get("properties", {}).items():
            if not facts.get("title") or not facts.get("description"):
                missing.append(f"{name}.{field}")
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if not operation.get("summary") or not operation.get("description"):
                missing.append(f"{method} {path}")
            missing += [
                f"{method} {path} {parameter['name']}"
                for parameter in operation.get("parameters", [])
                if not (parameter.get("description") or parameter["schema"].get("description"))
            ]
    assert missing == []


class Background:
    """A service in a thread of its own, for a tester that is not asynchronous.

    Parameters
    ----------
    still
        Whether nothing changes by its own time there, as a message that expires does.
    """

    def __init__(self, database: str, tokens: Tokens, *, still: bool = False) -> None:
        self._still = still
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(database, tokens))
        self._thread.start()
        assert self._ready.wait(60)

    def _run(self, database: str, tokens: Tokens) -> None:
        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._end = asyncio.Event()
            async with running(database, tokens) as service:
                if self._still:
                    await service.parts.scheduler.stop()
                    await service.parts.housekeeping.stop()
                self.service: Service = service
                self._ready.set()
                await self._end.wait()

        asyncio.run(run())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(60)


def content(database: str) -> dict[str, list[str]]:
    """Return every row of every table of an SQLite database."""
    with closing(sqlite3.connect(database.partition("///")[2])) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"')))
            for (name,) in tables.fetchall()
        }


@pytest.fixture(scope="module")
def background(databases: Databases, tokens: Tokens) -> Iterator[Background]:
    background = Background(databases.fresh("postgresql"), tokens)
    yield background
    background.stop()


@pytest.fixture(scope="module")
def on_sqlite(databases: Databases, tokens: Tokens) -> Iterator[tuple[Background, str]]:
    database = databases.fresh("sqlite")
    background = Background(database, tokens, still=True)
    yield background, database
    background.stop()


def examples(count: int) -> settings:
    """Try so many requests of each operation, the same in every run."""
    return settings(
        max_examples=int(os.environ.get("NOTIFY_TEST_EXAMPLES", count)),
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


def ask(case: Any, service: Service) -> Any:
    """Send a request as somebody who may; return the answer."""
    name = "root" if case.path.startswith(("/v1/notifications", "/v1/w", "/v1/b")) else "admin"
    headers = {**(case.headers or {}), "Authorization": f"Bearer {service.tokens.of(name)}"}
    case.headers = headers
    # The service shares this process and its lock with the tester, which is busy.
    return case.call(base_url=service.url, timeout=60)


def stops_publishing(case: Any) -> bool:
    """Tell if a request may stop all publishing: what comes next would be answered 503."""
    return bool(case.path.endswith("/publishing") and case.method.upper() == "PUT")


#: Streams have no end, and have tests of their own.
schema = schemathesis.openapi.from_dict(document()).exclude(path_regex="events$")

#: The same, and what the document does not allow.
faulty = schemathesis.openapi.from_dict(document()).exclude(path_regex="events$")
faulty.config.generation.modes = [*schemathesis.GenerationMode]


@pytest.mark.timeout(600)
@schema.parametrize()
@examples(6)
def test_nothing_that_is_allowed_is_a_5xx(case: Any, background: Background) -> None:
    if not stops_publishing(case):
        answer = ask(case, background.service)
        assert answer.status_code < 500, answer.text


@pytest.mark.timeout(600)
@faulty.parametrize()
@examples(4)
def test_what_is_refused_changes_nothing(case: Any, on_sqlite: tuple[Background, str]) -> None:
    background, database = on_sqlite
    if stops_publishing(case):
        return
    before = content(database)
    answer = ask(case, background.service)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert content(database) == before, answer.text
