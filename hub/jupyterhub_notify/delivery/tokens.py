"""Tokens that open one server each, for some minutes: the server cannot use them anywhere else.

They belong to the bot, a user of the hub made for this, who may reach servers and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog

from ..hubapi import HubApi, HubRefused, HubUnreachable, path

__all__ = ["ServerTokens"]

LIFE_S = 300
#: Remaining life in seconds that a token must have to be used for a push.
LEFT_S = 30.0
#: Requests for tokens at a time. The Hub makes one token after another in any case: more requests
#: would only delay its pages.
MADE_AT_ONCE = 4
#: Revocations at a time: few, since users' requests to the Hub go first.
REVOKED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    id: str
    ends: float


class ServerTokens:
    """Makes tokens, keeps them while they live, and revokes them.

    Parameters
    ----------
    api
        The Hub's API; it needs the scope ``tokens!user=BOT``.
    bot
        The user to whom the tokens belong.
    at_once
        The number of requests for tokens at a time, up to `MADE_AT_ONCE`.
    """

    def __init__(self, api: HubApi, *, bot: str, at_once: int) -> None:
        self._api = api
        self._bot = bot
        self._making = asyncio.Semaphore(min(at_once, MADE_AT_ONCE))
        self._kept: dict[tuple[str, str], _Token] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._log = structlog.get_logger("jupyterhub_notify.delivery")

    def __len__(self) -> int:
        return len(self._kept)

    async def of(self, user: str, server: str) -> tuple[str, bool]:
        """Return a token that opens a server, and whether it is new.

        Raises
        ------
        HubUnreachable
            If the Hub does not answer.
        HubRefused
            If the Hub refuses to make a token.
        """
        # Locked, so that two broadcasts to the same server share one token.
        async with self._locks.setdefault((user, server), asyncio.Lock()):
            kept = self._kept.get((user, server))
            if kept is not None and kept.ends - time.monotonic() > LEFT_S:
                return kept.text, False
            return await self._make(user, server), True

    async def _make(self, user: str, server: str) -> str:
        async with self._making:
            began = time.monotonic()
            answer = await self._api.request(
                "POST",
                path("users", self._bot, "tokens"),
                body={
                    "expires_in": LIFE_S,
                    "note": "One notification",
                    "scopes": [f"access:servers!server={user}/{server}"],
                },
            )
        if not answer.ok or not isinstance(answer.body, dict) or "token" not in answer.body:
            raise HubRefused(
                f"The Hub gives {self._bot} no token for the server ({answer.status}): its roles "
                "are not those that configure(c) makes"
            )
        made = _Token(str(answer.body["token"]), str(answer.body.get("id")), began + LIFE_S)
        self._kept[user, server] = made
        return made.text

    async def drop(self, user: str, server: str) -> None:
        """Forget and revoke a server's token."""
        kept = self._kept.pop((user, server), None)
        if kept is not None:
            await self._revoke(kept)

    async def revoke_all(self) -> None:
        """Revoke all tokens that are still valid."""
        kept, self._kept = self._kept, {}
        # Nothing is being pushed now, so free locks are no longer needed.
        self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
        left = [one for one in kept.values() if one.ends > time.monotonic()]
        limit = asyncio.Semaphore(REVOKED_AT_ONCE)

        async def revoke(token: _Token) -> None:
            async with limit:
                await self._revoke(token)

        await asyncio.gather(*(revoke(one) for one in left))

    async def _revoke(self, token: _Token) -> None:
        try:
            await self._api.request("DELETE", path("users", self._bot, "tokens", token.id))
        except HubUnreachable:
            # The token expires by itself in some minutes.
            self._log.debug("A token was not revoked.")
