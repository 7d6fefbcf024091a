"""The OpenAPI document is current and complete, and no request that it allows answers 5xx."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
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
    """A service in a thread of its own, for a tester that is not asynchronous."""

    def __init__(self, database: str, tokens: Tokens) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(database, tokens))
        self._thread.start()
        assert self._ready.wait(60)

    def _run(self, database: str, tokens: Tokens) -> None:
        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._end = asyncio.Event()
            async with running(database, tokens) as service:
                self.service: Service = service
                self._ready.set()
                await self._end.wait()

        asyncio.run(run())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(60)


@pytest.fixture(scope="module")
def background(databases: Databases, tokens: Tokens) -> Iterator[Background]:
    background = Background(databases.fresh("postgresql"), tokens)
    yield background
    background.stop()


#: Streams have no end, and have tests of their own.
schema = schemathesis.openapi.from_dict(document()).exclude(path_regex="events$")


@pytest.mark.timeout(600)
@schema.parametrize()
@settings(
    max_examples=int(os.environ.get("NOTIFY_TEST_EXAMPLES", "6")),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_nothing_that_is_allowed_is_a_5xx(case: Any, background: Background) -> None:
    service = background.service
    # Stopping all publishing is allowed, and answers 503 to what comes next.
    if case.path.endswith("/publishing") and case.method.upper() == "PUT":
        return
    name = "root" if case.path.startswith(("/v1/notifications", "/v1/w", "/v1/b")) else "admin"
    headers = {**(case.headers or {}), "Authorization": f"Bearer {service.tokens.of(name)}"}
    case.headers = headers
    # The service shares this process and its lock with the tester, which is busy.
    answer = case.call(base_url=service.url, timeout=60)
    assert answer.status_code < 500, answer.text
