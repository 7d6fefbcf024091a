"""Looks up tokens: few at a time, each once, with the answers cached for a while.

After a restart ten thousand labs come back at the same time. The Hub is one process, and their
lookups must not overload it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from .caller import IdentityUnavailable

__all__ = ["TokenLookup"]

Answer = TypeVar("Answer")

#: Time in seconds for which an unknown token is not looked up again.
UNKNOWN_AGE_S = 30.0

#: Maximum number of cached answers; an answer takes some two kilobytes.
KEPT = 50_000
#: Maximum number of cached unknown tokens; made-up tokens must not displace real ones.
KEPT_UNKNOWN = 5_000


class TokenLookup(Generic[Answer]):
    """Looks up tokens and caches the answers.

    Parameters
    ----------
    ask
        Looks up one token; returns None if it is not known.
    at_once
        Maximum number of lookups under way.
    waiting
        Maximum number of further lookups that wait; beyond it callers are told to come again.
    max_age_s
        Time in seconds for which an answer is cached; 0 caches none.
    clock
        Returns the time, in seconds.
    """

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Answer | None]],
        *,
        at_once: int = 10,
        waiting: int = 5_000,
        max_age_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._turns = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self._max_age_s = max_age_s
        self._clock = clock
        self._open: dict[str, asyncio.Task[Answer | None]] = {}
        self._known: OrderedDict[str, tuple[float, Answer]] = OrderedDict()
        self._unknown: OrderedDict[str, float] = OrderedDict()

    async def get(self, token: str, *, session: str = "") -> Answer | None:
        """Return the answer for a token, or None if the token is not known.

        Parameters
        ----------
        token
            The token.
        session
            The browser's session: it changes with a logout, and the token is then looked up anew.

        Raises
        ------
        IdentityUnavailable
            If too many lookups wait already, or the Hub does not answer.
        """
        key = hashlib.sha256(f"{session}\0{token}".encode("utf-8", "replace")).hexdigest()
        found, answer = self._kept(key)
        if found:
            return answer
        task = self._open.get(key)
        if task is None:
            if len(self._open) >= self._most:
                raise IdentityUnavailable(
                    "Too many tokens wait to be looked up at the Hub.", retry_after_s=10
                )
            task = asyncio.create_task(self._ask_once(key, token))
            self._open[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        # Shielded: if one caller is cancelled, the others still wait for the answer.
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Forget every answer."""
        self._known.clear()
        self._unknown.clear()

    async def stop(self) -> None:
        """End the lookups under way."""
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _kept(self, key: str) -> tuple[bool, Answer | None]:
        now = self._clock()
        if key in self._known:
            until, answer = self._known[key]
            if now < until:
                self._known.move_to_end(key)
                return True, answer
            del self._known[key]
        if key in self._unknown:
            if now < self._unknown[key]:
                return True, None
            del self._unknown[key]
        return False, None

    async def _ask_once(self, key: str, token: str) -> Answer | None:
        async with self._turns:
            answer = await self._ask(token)
        now = self._clock()
        if answer is None:
            self._unknown[key] = now + min(UNKNOWN_AGE_S, self._max_age_s)
            while len(self._unknown) > KEPT_UNKNOWN:
                self._unknown.popitem(last=False)
        elif self._max_age_s > 0:
            self._known[key] = (now + self._max_age_s, answer)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return answer

    def _finished(self, key: str, task: asyncio.Task[Answer | None]) -> None:
        self._open.pop(key, None)
        # Retrieved, so that asyncio does not log an error that the waiting callers get.
        if not task.cancelled():
            task.exception()
