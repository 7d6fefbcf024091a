"""Restarts of either side while an alert fires: it is shown once, and goes when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from .engines import Alerting, alerting
from .processes import Process
from .support import Databases, Tokens

TOLD = 'jupyterhub_notify_alerts_total{engine="alertmanager",outcome="firing"}'


class Site:
    """The service as a process that can be killed, and the engines that alert it."""

    def __init__(self, database: str, tokens: Tokens, log: Path) -> None:
        self._start = lambda port: Process(database, tokens, log, port=port)
        self.service = self._start(None)
        self.engines: Alerting
        self._alice, self._admin = (
            httpx.AsyncClient(
                base_url=self.service.url,
                headers={"Authorization": f"Bearer {tokens.of(name)}"},
                timeout=60,
                trust_env=False,
            )
            for name in ("alice", "admin")
        )

    async def close(self) -> None:
        self.service.stop()
        await self._alice.aclose()
        await self._admin.aclose()

    async def down(self, side: str, *, kill: bool) -> None:
        if side != "service":
            await getattr(self.engines, side).stop(kill=kill)
        elif kill:
            self.service.kill()
        else:
            self.service.stop()

    async def up(self, side: str) -> None:
        if side != "service":
            await getattr(self.engines, side).start()
        else:
            self.service = self._start(self.service.port)
            await self.service.ready()

    async def messages(self) -> list[dict[str, Any]]:
        answer = await self._alice.get("/v1/notifications/messages")
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    async def read(self, message: dict[str, Any]) -> None:
        await self._alice.post("/v1/notifications/read", json={"ids": [message["id"]]})

    async def told(self) -> float:
        """Return how often the running service was told that an alert fires."""
        answer = await self._admin.get("/metrics")
        assert answer.status_code == 200, answer.text
        lines = answer.text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(TOLD))


@asynccontextmanager
async def site(database: str, tokens: Tokens, directory: Path) -> AsyncIterator[Site]:
    made = Site(database, tokens, directory / "service.log")
    try:
        await made.service.ready()
        token = tokens.of("alertmanager")
        async with alerting(directory, made.service.url, token) as made.engines:
            yield made
    finally:
        await made.close()


@pytest.fixture
def one_database(databases: Databases) -> str:
    return databases.fresh("sqlite")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what comes at an engine's own pace; the test's timeout ends it."""
    # Nothing tells when an engine has done something: it is asked.
    while not await condition():  # noqa: ASYNC110  # it has no event
        await asyncio.sleep(0.1)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("side", ["alertmanager", "prometheus", "service"])
async def test_a_restart_while_an_alert_fires_shows_it_once_and_it_goes(
    one_database: str, tokens: Tokens, tmp_path: Path, side: str
):
    # Five hours until what is not repeated expires: what goes here was told as resolved.
    async with site(one_database, tokens, tmp_path) as made:
        values = made.engines.exporter.values
        values["alice"] = 95.0

        async def shown() -> dict[str, Any]:
            """Return the only message, once it is there."""
            found: list[dict[str, Any]] = []

            async def some() -> bool:
                # Kept, not asked for again: engines that stand still say for a moment that it is
                # over, and then that it is not.
                found[:] = await made.messages()
                return bool(found)

            await until(some)
            [only] = found
            return only

        async def gone() -> bool:
            return await made.messages() == []

        message = await shown()
        assert message["banner"] is True
        await made.read(message)

        # Killed, and back while it still fires: it is told anew, and is there once.
        await made.down(side, kill=True)
        await made.up(side)
        before = await made.told()

        async def repeated() -> bool:
            return await made.told() >= before + 2

        await until(repeated)
        same = await shown()
        # Without Prometheus, Alertmanager says after four of its intervals that an alert is over:
        # when it fires again it is another.
        if side != "prometheus":
            assert same["id"] == message["id"]
            assert same["read"] is not None
        values["alice"] = 40.0
        await until(gone)

        # Over while that side is away.
        values["alice"] = 96.0
        another = await shown()
        assert another["read"] is None
        await made.down(side, kill=False)
        values["alice"] = 40.0
        await made.up(side)
        await until(gone)
