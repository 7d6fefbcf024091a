"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ...support.ingest import (
    escaped,
)
from ...support.servers import NAMESPACE, Server


@pytest.fixture
def refused(server: Server) -> Iterator[Callable[..., dict[str, Any]]]:
    """Return a function that sends what must be refused; nothing of the store may change."""
    before = server.status()

    def send(
        body: bytes | str | dict[str, Any],
        status: int = 400,
        method: str = "POST",
        path: str = f"/{NAMESPACE}/ingest",
        **options: Any,
    ) -> dict[str, Any]:
        content = escaped(body) if isinstance(body, dict) else body
        answer = server.request(method, path, content=content, **options)
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        value = answer.json()
        assert value["success"] is False
        assert value["message"]
        assert isinstance(value["errors"], list)
        return dict(value)

    yield send
    after = server.status()
    assert after["counts"] == before["counts"]
    assert after["store"]["seq"] == before["store"]["seq"]
