"""Do not disturb and muted sources, which all servers of the user follow through the service.

Each server of a hub may have a home directory of its own, and so a database of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...storage.quiet import UntoldQuiet
from .failure import Failure
from .session import CentralSession


class QuietSync:
    """Tells the service what the user changed here, and adopts what they changed elsewhere.

    Parameters
    ----------
    session
        The service.
    """

    def __init__(self, session: CentralSession) -> None:
        self._session = session

    async def sync(self) -> None:
        """Send changes, and adopt what holds at the service."""
        await self._exchange(ask=True)

    async def send(self) -> None:
        """Send changes, if there are any."""
        await self._exchange(ask=False)

    async def _exchange(self, *, ask: bool) -> None:
        session = self._session
        if not session.has("quiet"):
            return
        changes = await session.submit(session.storage.quiet.untold, write=False)
        if changes or ask:
            lost = await self._ask(changes)
            if lost:
                await self._ask(lost)

    async def _ask(self, changes: Sequence[UntoldQuiet]) -> list[UntoldQuiet]:
        session, quiet = self._session, self._session.storage.quiet
        try:
            entries, notice = await session.client.quiet(changes)
        except Failure as failure:
            if not (changes and failure.permanent):
                raise
            session.context.log.warning(
                "The central service rejects what the user is left alone by, which holds at this "
                "server only: %s",
                failure,
            )
            await session.submit(lambda tx: quiet.refuse(tx, changes), write=True)
            return []
        session.notices["muted sources"] = notice
        return await session.submit(lambda tx: quiet.adopt(tx, entries, changes), write=True)
