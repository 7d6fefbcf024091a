"""Send the user's actions from the outbox to the service."""

from __future__ import annotations

import os

from ...storage.outbox import (
    BROADCAST_ACTIONS,
    MESSAGE_SNOOZES,
    REPLY_ACTIONS,
    SNOOZE_ACTIONS,
    Claim,
)
from ...storage.transaction import Transaction
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
            is_refused = failure.permanent or await self._is_gone(claim, failure)
            if not (is_refused or has_no_welcome):
                await session.submit(lambda tx: outbox.release(tx, owner), write=True)
                raise
            delivered = False
            if is_refused:
                session.context.log.warning(
                    "The central service rejects the action %r: %s", claim.action, failure
                )

        def acknowledge(tx: Transaction) -> None:
            outbox.acknowledge(tx, owner, claim, delivered=delivered)
            if not delivered and claim.action in REPLY_ACTIONS and claim.detail is not None:
                origin = "message" if claim.action == "reply" else "broadcast"
                session.storage.replies.refuse(tx, origin, claim.subjects[0], claim.detail)

        await session.submit(acknowledge, write=True)

    async def _is_gone(self, claim: Claim, failure: Failure) -> bool:
        """Return whether the message is gone, so that its action must not block the outbox.

        While the service is down, a proxy may answer 404. So the service is asked for its features.
        """
        actions = (*BROADCAST_ACTIONS, *REPLY_ACTIONS, *SNOOZE_ACTIONS)
        if failure.status != 404 or claim.action not in actions:
            return False
        try:
            names = (await self._session.client.features()).names
        except Failure:
            return False
        # The routes for snoozes ignore the ids of messages that are gone. If the service offers
        # snoozes, a 404 has another cause, and may pass.
        return bool(names) and not (claim.action in MESSAGE_SNOOZES and "snooze" in names)

    async def _deliver(self, claim: Claim) -> None:
        client, subjects = self._session.client, list(claim.subjects)
        if claim.action in SNOOZE_ACTIONS:
            await self._deliver_snooze(claim)
            return
        if claim.action in BROADCAST_ACTIONS:
            # Semaphore has no state of broadcasts; with it, the state stays in this lab.
            if self._session.has("broadcasts"):
                await client.mark_broadcast(claim.action.removeprefix("broadcast-"), subjects[0])
            return
        if claim.action in REPLY_ACTIONS:
            what = "notifications/messages" if claim.action == "reply" else "broadcasts"
            server = os.environ.get("JUPYTERHUB_SERVER_NAME", "")
            await client.reply(what, subjects[0], claim.detail or "", server)
        elif claim.action in ("read", "unread"):
            await client.mark(claim.action, subjects)
        elif claim.action == "dismiss":
            await client.dismiss_welcome(subjects)
        elif claim.action == "dismiss-all":
            await client.dismiss_welcome(None)
        elif claim.action == "accept":
            await client.accept_welcome(subjects)
        elif claim.action == "reset":
            await client.reset_welcome()

    async def _deliver_snooze(self, claim: Claim) -> None:
        session, client = self._session, self._session.client
        await session.learn_features()
        action, subjects = claim.action.removeprefix("broadcast-"), list(claim.subjects)
        if not session.has("snooze"):
            # A service without snoozes is told only when a message comes back, and only if that
            # changes the message's state there.
            if action == "wake" and claim.detail is not None:
                await self._deliver(claim._replace(action=claim.detail, detail=None))
        elif action == "snooze":
            until_ms = int(claim.detail or 0)
            if claim.action == action:
                await client.snooze(subjects, until_ms)
            else:
                await client.snooze_broadcast(subjects[0], until_ms)
        elif claim.action == action:
            await client.mark(action, subjects)
        else:
            await client.mark_broadcast(action, subjects[0])
