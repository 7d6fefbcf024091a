"""Send the user's actions from the outbox to the service."""

from __future__ import annotations

from ...storage.outbox import BROADCAST_ACTIONS, Claim
from ...storage.welcome import WELCOME_ACTIONS
from .broadcasts import BroadcastSync
from .failure import Failure
from .servers import has_ended
from .session import CentralSession
from .welcome import WelcomeSync


class OutboxSender:
    """Sends the outbox to the service.

    Parameters
    ----------
    session
        The service.
    broadcasts
        Knows whether the service still answers.
    welcome
        Knows whether the service has welcome messages.
    """

    def __init__(
        self, session: CentralSession, broadcasts: BroadcastSync, welcome: WelcomeSync
    ) -> None:
        self._session = session
        self._broadcasts = broadcasts
        self._welcome = welcome

    async def send(self) -> None:
        """Send the user's actions in order."""
        session, outbox, owner = self._session, self._session.storage.outbox, self._session.owner
        lease_ms = int((3 * session.settings.timeout_s + 30) * 1000)
        if not await session.submit(outbox.count, write=False):
            return
        owners = await session.submit(outbox.claim_owners, write=False)
        dead = [name for name in owners if has_ended(name)]
        while True:
            session.check_wanted()
            claim = await session.submit(
                lambda tx: outbox.claim(tx, owner, lease_ms, dead), write=True
            )
            if claim is None:
                return
            await self._send_claim(claim)

    async def _send_claim(self, claim: Claim) -> None:
        session, outbox, owner = self._session, self._session.storage.outbox, self._session.owner
        delivered = True
        try:
            await self._deliver(claim)
        except Failure as failure:
            is_welcome = claim.action in WELCOME_ACTIONS
            has_no_welcome = (
                is_welcome
                and failure.missing
                and (self._welcome.is_missing or await self._broadcasts.still_answers())
            )
            if not (failure.permanent or has_no_welcome):
                await session.submit(lambda tx: outbox.release(tx, owner), write=True)
                raise
            delivered = False
            if failure.permanent:
                session.context.log.warning(
                    "The central service rejects the action %r: %s", claim.action, failure
                )
        await session.submit(
            lambda tx: outbox.acknowledge(tx, owner, claim, delivered=delivered), write=True
        )

    async def _deliver(self, claim: Claim) -> None:
        client, subjects = self._session.client, list(claim.subjects)
        if claim.action in BROADCAST_ACTIONS:
            # Semaphore has no state of broadcasts; with it, the state stays in this lab.
            if self._session.has("broadcasts"):
                await client.mark_broadcast(claim.action.removeprefix("broadcast-"), subjects[0])
            return
        if claim.action in ("read", "unread"):
            await client.mark(claim.action, subjects)
        elif claim.action == "dismiss":
            await client.dismiss_welcome(subjects)
        elif claim.action == "dismiss-all":
            await client.dismiss_welcome(None)
        else:
            await client.reset_welcome()
