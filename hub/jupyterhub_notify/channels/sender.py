"""Sends messages that have stayed unread: queues, claims and sends them, and writes the outcome.

Each replica runs a sender. The queue is a table. A row is claimed in the ordered transaction of the
writer, so two replicas never claim the same row, and the rows of a killed replica are free again
when their lease ends.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import structlog

from ..errors import ServiceError
from ..metrics import CHANNEL_SENDS
from ..repeating import Repeating
from ..storage.channels import ChannelStore, Send
from ..storage.database import Database
from ..storage.writer import Transaction, Writer
from .channel import Channel, ChannelError, Letter, Message, NoAddress
from .spreading import Spreader
from .timing import due_at, preferences_of
from .unread import UnreadMessages

__all__ = ["ChannelSender", "default_choice"]

LOOK_S = 2.0
#: Longer than any send takes.
LEASE = timedelta(minutes=3)
SEND_TIMEOUT_S = 90
MOST_AT_ONCE = 200
#: Maximum number of sends under way in each channel: a server that hangs holds up only its own.
TOGETHER = 5
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=2)
GIVEN_UP_AFTER = timedelta(days=1)
#: Age from which a message is no longer sent, so that old messages do not go out when a site first
#: sets up channels.
OLDEST = timedelta(days=1)


class ChannelSender:
    """Sends important messages that are still unread.

    Parameters
    ----------
    channels
        The site's channels.
    after
        How long a message may be unread.
    database, writer
        For reading and writing.
    store
        The queue.
    unread
        Tells, just before sending, which messages are still unread.
    spreader
        Queues messages to many.
    public_url
        The service's address in links.
    clock
        Returns the present time; for tests.
    """

    def __init__(
        self,
        *,
        channels: Sequence[Channel],
        after: timedelta,
        database: Database,
        writer: Writer,
        store: ChannelStore,
        unread: UnreadMessages,
        spreader: Spreader,
        public_url: str | None,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._channels = {channel.name: channel for channel in channels}
        self._after = after
        self._database = database
        self._writer = writer
        self._store = store
        self._unread = unread
        self._spreader = spreader
        self._public_url = public_url.rstrip("/") if public_url else None
        self._clock = clock
        self._limits = {name: asyncio.Semaphore(TOGETHER) for name in self._channels}
        self._sending: set[asyncio.Task[None]] = set()
        self._under_way: Counter[str] = Counter()
        self._failing: dict[str, str] = {}
        self._log = structlog.get_logger("jupyterhub_notify.channels")
        self._repeating = Repeating(
            self.look,
            name="channels",
            pause_s=lambda: LOOK_S,
            log=self._log,
            failing="Nothing is sent over other channels now",
            working="Messages are sent over other channels again",
        )

    @property
    def names(self) -> list[str]:
        """The site's channels."""
        return list(self._channels)

    async def reaches(self, name: str, user: str) -> bool:
        """Tell whether a channel has an address of a user."""
        try:
            return await self._channels[name].reaches(user)
        except ChannelError:
            return False

    def start(self) -> None:
        """Begin to look for messages at intervals."""
        self._repeating.start()

    async def stop(self) -> None:
        """Stop; sends under way have a moment to end."""
        await self._repeating.stop()
        if self._sending:
            await asyncio.wait(self._sending, timeout=1)
        for task in self._sending:
            task.cancel()

    async def look(self, *, wait: bool = False) -> None:
        """Queue messages that have been unread for long enough, and send those that are due.

        Parameters
        ----------
        wait
            Whether to wait until all sends have ended; otherwise they go on by themselves.
        """
        at = self._clock()
        async with self._database.read() as connection:
            unread = await self._store.unread(
                connection, at - self._after - OLDEST, at - self._after, MOST_AT_ONCE
            )
        if unread:
            await self._writer.run(self._queue)
        await self._spreader.look(self._after, OLDEST)
        letters: dict[tuple[str, str], list[Send]] = defaultdict(list)
        for send in await self._writer.run(self._claim):
            letters[send.user_name, send.channel].append(send)
        for (user, channel), sends in letters.items():
            self._under_way[channel] += len(sends)
            task = asyncio.create_task(self._send(user, channel, sends))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        if wait and self._sending:
            await asyncio.wait(self._sending)

    async def _queue(self, transaction: Transaction) -> None:
        at = self._clock()
        # Read again in this transaction: another replica may have queued them in between.
        unread = await self._store.unread(
            transaction.connection, at - self._after - OLDEST, at - self._after, MOST_AT_ONCE
        )
        rows: list[dict[str, Any]] = []
        for id_, user in unread:
            preferences = preferences_of(await self._store.choice(transaction.connection, user))
            names = [
                name
                for name, channel in self._channels.items()
                if name not in preferences.off and channel.may_reach(user)
            ]
            row = {"message": f"n:{id_}", "notification_id": id_, "user_name": user}
            due = due_at(at, preferences)
            rows += [{**row, "channel": name, "due": due, "state": "waiting"} for name in names]
            if not names:
                # This row keeps the message from being found again.
                rows.append({**row, "channel": "", "due": at, "state": "cancelled"})
        await self._store.queue(transaction.connection, rows)

    async def _claim(self, transaction: Transaction) -> list[Send]:
        claimed: list[Send] = []
        # The number of claimed messages is bounded for each channel: other replicas can claim the
        # rest, and a channel that hangs does not hold up another.
        for channel in (*self._channels, None):
            room = MOST_AT_ONCE - (self._under_way[channel] if channel else 0)
            if room > 0:
                claimed += await self._store.claim(
                    transaction.connection,
                    self._clock(),
                    LEASE,
                    channel=channel,
                    known=list(self._channels),
                    limit=room,
                )
        return claimed

    async def _send(self, user: str, name: str, sends: list[Send]) -> None:
        try:
            channel = self._channels.get(name)
            if channel is None:
                reason = "the site has this channel no more"
                await self._settle(sends, "cancelled", failure=reason)
                return
            async with self._limits[name]:
                await self._send_by(channel, user, sends)
        except ServiceError as error:
            # The lease ends, and the replica that claims the message next tries again.
            self._log.warning("A message was not sent", channel=name, reason=str(error))
        finally:
            self._under_way[name] -= len(sends)

    async def _send_by(self, channel: Channel, user: str, sends: list[Send]) -> None:
        # The messages may have waited so long for their turn that another replica has claimed them.
        sends, choice = await self._writer.run(lambda tx: self._renew(tx, user, sends))
        # Checked just before sending: a message may have been read or revoked meanwhile.
        wanted = await self._unread.of(user, sends)
        if channel.name in preferences_of(choice).off:
            wanted = []
        ids = {message.id for message in wanted}
        left = [send for send in sends if send.message in ids]
        await self._settle([send for send in sends if send.message not in ids], "cancelled")
        if not left:
            return
        try:
            letter = await self._letter(user, channel.name, wanted, choice)
            await asyncio.wait_for(channel.send(letter), SEND_TIMEOUT_S)
        except NoAddress as error:
            await self._settle(left, "cancelled", failure=str(error))
        except ChannelError as error:
            await self._fail(channel.name, left, str(error), error.permanent)
        except asyncio.TimeoutError:
            await self._fail(channel.name, left, "it does not answer", False)
        except ServiceError:
            raise
        except Exception as error:
            # A defect, perhaps in a library: log it, and do not try for ever.
            self._log.exception("A channel has a defect", channel=channel.name)
            await self._fail(channel.name, left, f"it failed: {type(error).__name__}", False)
        else:
            self._failing.pop(channel.name, None)
            CHANNEL_SENDS.labels(channel.name, "sent").inc(len(left))
            await self._settle(left, "sent")

    async def _renew(
        self, transaction: Transaction, user: str, sends: list[Send]
    ) -> tuple[list[Send], dict[str, Any] | None]:
        until = self._clock() + LEASE
        kept = await self._store.renew(transaction.connection, sends, until)
        return kept, await self._store.choice(transaction.connection, user)

    async def _letter(
        self,
        user: str,
        name: str,
        wanted: list[Message],
        choice: dict[str, Any] | None,
    ) -> Letter:
        if choice is None:
            choice = default_choice(user)

            async def command(transaction: Transaction) -> dict[str, Any]:
                assert choice is not None
                there = await self._store.choice(transaction.connection, user)
                if there is None:
                    await self._store.choose(transaction.connection, choice)
                return there or choice

            choice = await self._writer.run(command)
        unsubscribe = inbox = None
        if self._public_url is not None:
            path = f"/v1/channels/unsubscribe?token={choice['token']}&channel={name}"
            unsubscribe, inbox = self._public_url + path, f"{self._public_url}/"
        return Letter(
            user=user,
            messages=wanted,
            key=f"{name}:{user}:{','.join(message.id for message in wanted)}",
            unsubscribe=unsubscribe,
            inbox=inbox,
        )

    async def _fail(self, name: str, sends: list[Send], reason: str, permanent: bool) -> None:
        CHANNEL_SENDS.labels(name, "failed").inc(len(sends))
        if self._failing.get(name) != reason:
            self._failing[name] = reason
            self._log.error("A channel fails", channel=name, reason=reason)
        at = self._clock()

        async def command(transaction: Transaction) -> None:
            for send in sends:
                over = permanent or at - send.created >= GIVEN_UP_AFTER
                wait = min(FIRST_RETRY * 2 ** min(send.attempts - 1, 12), LONGEST_RETRY)
                await self._store.settle(
                    transaction.connection,
                    send,
                    "failed" if over else "waiting",
                    due=None if over else at + wait,
                    failure=reason,
                )

        await self._writer.run(command)

    async def _settle(self, sends: list[Send], state: str, failure: str | None = None) -> None:
        if not sends:
            return

        async def command(transaction: Transaction) -> None:
            for send in sends:
                await self._store.settle(transaction.connection, send, state, failure=failure)

        await self._writer.run(command)


def default_choice(user: str) -> dict[str, Any]:
    """Return the choices of a user who has not chosen anything."""
    return {
        "user_name": user,
        "token": secrets.token_urlsafe(24),
        "off": [],
        "digest": "none",
        "quiet_from": None,
        "quiet_until": None,
        "timezone": "UTC",
    }
