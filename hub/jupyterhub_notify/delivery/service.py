"""Claims deliveries that are due, pushes them, and writes the outcomes into the ledger.

Every replica runs a delivery service. Each claims deliveries that no other has claimed, and takes
over those that another has left undone when their lease ends.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from ..errors import ServiceError
from ..hubapi import HubRefused, HubUnreachable
from ..models.stored import StoredBroadcast
from ..repeating import Repeating
from ..schema import now
from ..storage.broadcasts import BroadcastStore
from ..storage.database import Database
from ..storage.pushes import Claimed, PushStore
from ..storage.writer import Writer
from .log import log_delivery
from .payload import key_of, payload, payload_of_older
from .planner import Planner
from .pushes import UNKNOWN, Pushed, Pusher
from .servers import Target
from .settling import Settling
from .tokens import ServerTokens

__all__ = ["DeliveryService"]

#: Interval in seconds between looks at the database, even without a wake-up: deliveries become due
#: with time, and wake-ups may be lost.
LOOK_S = 1.0
#: Maximum time in seconds for each part of the stop.
END_S = 3.0
#: Pauses in seconds after which a failed push is tried again by itself. After the last one it is
#: tried again only on request.
AGAIN_S = (10, 60, 300)
#: Time in seconds for which tokens are kept after the last push: a retry or the next broadcast may
#: need them.
IDLE_S = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Message:
    """A broadcast in the form that is sent, which is the same for all servers."""

    stored: StoredBroadcast
    ours: dict[str, Any]
    older: dict[str, Any]

    @classmethod
    def of(cls, stored: StoredBroadcast, source: str) -> _Message:
        return cls(
            stored=stored,
            ours=payload(stored, source),
            older=payload_of_older(stored),
        )


class DeliveryService:
    """Pushes broadcasts to servers that do not ask for them.

    Parameters
    ----------
    database, writer
        For reading and writing.
    broadcasts, pushes
        The tables.
    planner
        Finds recipients.
    tokens
        Makes tokens for servers.
    pusher
        Sends to servers.
    source
        The sender that servers show.
    at_once
        Maximum number of pushes at a time.
    lease_s
        Seconds after which another replica takes over what this one has claimed.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        broadcasts: BroadcastStore,
        pushes: PushStore,
        planner: Planner,
        tokens: ServerTokens,
        pusher: Pusher,
        source: str,
        at_once: int,
        lease_s: float,
    ) -> None:
        self._database = database
        self._broadcasts = broadcasts
        self._pushes = pushes
        self._planner = planner
        self._tokens = tokens
        self._pusher = pusher
        self._source = source
        # Half of the claimed deliveries may wait for a token while the others are pushed.
        self._most = 2 * at_once
        self._lease_s = lease_s
        self._owner = secrets.token_hex(8)
        self._settling = Settling(writer=writer, pushes=pushes, owner=self._owner)
        self._under_way: set[asyncio.Task[None]] = set()
        self._idle_since: float | None = None
        self._log = structlog.get_logger("jupyterhub_notify.delivery")
        self._repeating = (
            self._repeated(
                planner.look,
                "planner",
                failing="Recipients are not looked for now",
                working="Recipients are looked for again",
            ),
            self._repeated(
                self._deliver,
                "delivery",
                failing="Nothing is delivered now",
                working="Broadcasts are delivered again",
            ),
        )

    def start(self) -> None:
        """Begin to deliver."""
        for one in self._repeating:
            one.start()

    async def stop(self) -> None:
        """End the deliveries under way, release the claims, and revoke the tokens."""
        for one in self._repeating:
            await one.stop()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        # At the same time, since either the Hub or the database may hang. Leases and tokens also
        # end by themselves.
        ends = await asyncio.gather(
            *(asyncio.wait_for(end, END_S) for end in (self._release(), self._tokens.revoke_all())),
            return_exceptions=True,
        )
        for error in ends:
            if isinstance(error, Exception):
                self._log.warning("The end was not clean.", error=type(error).__name__)
        await self._pusher.close()

    async def _release(self) -> None:
        await self._settling.flush()
        await self._planner.release()
        await self._pushes.release(self._owner)

    def wake(self) -> None:
        """Say that there may be something to deliver."""
        for one in self._repeating:
            one.wake()

    def _repeated(
        self, work: Callable[[], Awaitable[None]], name: str, *, failing: str, working: str
    ) -> Repeating:
        return Repeating(
            work,
            name=name,
            pause_s=lambda: LOOK_S,
            log=self._log,
            failing=failing,
            working=working,
        )

    async def _deliver(self) -> None:
        """Claim and push deliveries, up to the limit at a time, until none is due."""
        while True:
            free = self._most - len(self._under_way)
            if free <= self._most // 2 and self._under_way:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
                continue
            claimed = await self._pushes.claim(self._owner, free, self._lease_s)
            if claimed:
                await self._begin(claimed)
            elif self._under_way:
                await asyncio.wait(
                    self._under_way, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_S
                )
            else:
                break
        await self._rest()

    async def _begin(self, claimed: list[Claimed]) -> None:
        self._idle_since = None
        found: dict[str, _Message | None] = {}
        async with self._database.read() as connection:
            for id_ in {one.broadcast_id for one in claimed}:
                stored = await self._broadcasts.one(connection, id_)
                found[id_] = None if stored is None else _Message.of(stored, self._source)
        for one in claimed:
            task = asyncio.create_task(self._one(one, found[one.broadcast_id]))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _rest(self) -> None:
        """Revoke the tokens some time after the last push."""
        if not len(self._tokens):
            return
        present = asyncio.get_running_loop().time()
        if self._idle_since is None:
            self._idle_since = present
        elif present - self._idle_since >= IDLE_S:
            self._idle_since = None
            await self._tokens.revoke_all()

    # --- One delivery

    async def _one(self, claimed: Claimed, message: _Message | None) -> None:
        try:
            if message is None:
                return
            stored = message.stored
            same = claimed.occurrence == (stored.occurrence or stored.created)
            if stored.is_shown and same:
                await self._push(claimed, message)
            else:
                await self._withdraw(claimed, message)
        except ServiceError:
            # The database does not answer: the lease ends, and some replica tries again.
            self._log.debug("What came of a push could not be written.")
        except Exception:
            self._log.exception("A delivery failed.")

    async def _push(self, claimed: Claimed, message: _Message) -> None:
        async def push(target: Target, token: str) -> Pushed:
            return await self._pusher.push(
                target,
                token,
                key_of(*claimed.occurs),
                message.ours,
                message.older,
                partial(self._settling.begin_older, claimed),
            )

        # The process that began this push has ended, and may have sent the message.
        unknown = claimed.route == "older" and claimed.outcome == "waiting"
        pushed = UNKNOWN if unknown else await self._opened(claimed, push)
        log_delivery(message.stored, claimed.user, claimed.server, pushed.outcome, pushed.reason)
        await self._settle(claimed, message, pushed)

    async def _withdraw(self, claimed: Claimed, message: _Message) -> None:
        """Withdraw the message if the server has, or may have, accepted it by our route."""
        values: dict[str, Any] = {"due": None}
        if claimed.route == "notify" or claimed.outcome == "not-responding":

            async def withdraw(target: Target, token: str) -> Pushed:
                key = key_of(*claimed.occurs)
                return await self._pusher.withdraw(target, token, key, self._source)

            pushed = await self._opened(claimed, withdraw)
            if pushed.again and claimed.attempts < len(AGAIN_S):
                values["due"] = now() + timedelta(seconds=AGAIN_S[claimed.attempts])
        await self._settling.settle(claimed, message.stored.seq, values)

    async def _opened(
        self, claimed: Claimed, send: Callable[[Target, str], Awaitable[Pushed]]
    ) -> Pushed:
        """Send with a token for the server; if a cached token is refused, make a new one."""
        target = Target.decode(claimed.url)
        try:
            token, new = await self._tokens.of(*claimed.key)
            pushed = await send(target, token)
            if pushed.stale_token:
                await self._tokens.drop(*claimed.key)
                if not new:
                    token, _ = await self._tokens.of(*claimed.key)
                    pushed = await send(target, token)
            return pushed
        except HubUnreachable as error:
            return Pushed("error", str(error), again=True)
        except HubRefused as error:
            return Pushed("error", str(error))

    async def _settle(self, claimed: Claimed, message: _Message, pushed: Pushed) -> None:
        due = None
        if pushed.again and claimed.attempts < len(AGAIN_S):
            due = now() + timedelta(seconds=AGAIN_S[claimed.attempts])
        values: dict[str, Any] = {"due": due}
        if claimed.route is None or claimed.outcome == "waiting":
            values.update(route=pushed.route, outcome=pushed.outcome, reason=pushed.reason)
        elif pushed.route is not None:
            # The server has the message: keep the outcome, even if a change to it fails to arrive.
            values["route"] = pushed.route
        await self._settling.settle(claimed, message.stored.seq, values)
