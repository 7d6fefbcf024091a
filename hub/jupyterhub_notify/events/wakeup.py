"""PostgreSQL's `LISTEN`: one connection that hears of other replicas' commits.

A dead connection goes unnoticed by `LISTEN`, so it is asked something now and then; the feed looks
every few seconds all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import structlog
from sqlalchemy.engine import URL, make_url

from ..storage.database import CONNECTION_LOST
from ..storage.writer import CHANNEL

__all__ = ["Wakeup"]

PROBE_S = 20.0


class Wakeup:
    """Calls back when another replica has committed.

    Parameters
    ----------
    url
        SQLAlchemy's URL of the database.
    wake
        What to call.
    """

    def __init__(self, *, url: str, wake: Callable[[], None]) -> None:
        self._url: URL = make_url(url).set(drivername="postgresql")
        self._wake = wake
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("jupyterhub_notify.wakeup")

    def start(self) -> None:
        """Begin to listen, and listen again whenever the connection is lost."""
        self._task = asyncio.create_task(self._listen(), name="wake-up")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        lost = False
        while True:
            try:
                connection = await asyncpg.connect(
                    self._url.render_as_string(hide_password=False), timeout=10
                )
                try:
                    await connection.add_listener(CHANNEL, self._heard)
                    self._wake()
                    if lost:
                        self._log.info("Wake-ups arrive again")
                        lost = False
                    while True:
                        await asyncio.sleep(PROBE_S)
                        await asyncio.wait_for(connection.execute("SELECT 1"), 10)
                finally:
                    connection.terminate()
            except CONNECTION_LOST:
                if not lost:
                    self._log.warning("Wake-ups are lost; the feed looks every few seconds")
                lost = True
                await asyncio.sleep(2)

    def _heard(self, *_arguments: Any) -> None:
        self._wake()
