"""PostgreSQL's `LISTEN`: one connection that is notified of other replicas' commits.

`LISTEN` does not notice a dead connection, so a query probes it at intervals. The feed also looks
every few seconds without a wake-up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import structlog
from anyio import fail_after
from sqlalchemy.engine import URL, make_url

from ..errors import Unavailable
from ..repeating import Repeating
from ..storage.database import CONNECTION_LOST
from ..storage.writer import CHANNEL

__all__ = ["Wakeup"]

PROBE_S = 20.0
#: Time in seconds that the answer to a probe may take.
PROBE_TIMEOUT_S = 10.0
#: Seconds from the loss of the connection to the next try.
AGAIN_S = 2.0


class Wakeup:
    """Calls back when another replica has committed.

    Parameters
    ----------
    url
        SQLAlchemy's URL of the database.
    wake
        The function to call.
    """

    def __init__(self, *, url: str, wake: Callable[[], None]) -> None:
        self._url: URL = make_url(url).set(drivername="postgresql")
        self._wake = wake
        self._repeating = Repeating(
            self._listen,
            name="wake-up",
            pause_s=lambda: AGAIN_S,
            log=structlog.get_logger("jupyterhub_notify.wakeup"),
            failing="Wake-ups are lost; the feed looks every few seconds",
            working="Wake-ups arrive again",
        )

    def start(self) -> None:
        """Begin to listen, and listen again whenever the connection is lost."""
        self._repeating.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._repeating.stop()

    async def _listen(self) -> None:
        """Listen until the connection is lost."""
        try:
            connection = await asyncpg.connect(
                self._url.render_as_string(hide_password=False), timeout=10
            )
            try:
                await connection.add_listener(CHANNEL, self._heard)
                self._wake()
                self._repeating.succeeded()
                while True:
                    await asyncio.sleep(PROBE_S)
                    with fail_after(PROBE_TIMEOUT_S):
                        await connection.execute("SELECT 1")
            finally:
                connection.terminate()
        except CONNECTION_LOST as error:
            raise Unavailable(type(error).__name__) from error

    def _heard(self, *_arguments: Any) -> None:
        self._wake()
