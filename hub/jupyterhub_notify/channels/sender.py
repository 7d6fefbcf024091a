"""Sends what has stayed unread: queues it, claims it, sends it, and writes what became of it.

Each replica runs it. The queue is a table; a row is claimed in the ordered transaction of the
writer, so two replicas never claim the same, and what a killed one has claimed is free again after
its lease.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from ..errors import ServiceError
from ..metrics import CHANNEL_SENDS
from ..models.stored import StoredNotification
from ..rendering import plain_text, render_block, render_inline
from ..services.content import ContentService
from ..storage.channels import ChannelStore
from ..storage.database import Database
from ..storage.notifications import NotificationStore
from ..storage.writer import Transaction, Writer
from .channel import Channel, ChannelError, Letter, Message
from .timing import Preferences, due_at

__all__ = ["ChannelSender", "preferences_of"]

LOOK_S = 2.0
#: Longer than any channel takes.
LEASE = timedelta(minutes=3)
SEND_TIMEOUT_S = 90
MOST_AT_ONCE = 200
#: Sends under way at once, of each channel: a server that hangs holds up its own channel only.
TOGETHER = 5
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=2)
GIVEN_UP_AFTER = timedelta(days=1)
#: What became unread longer ago is not sent any more, as when channels are first set up.
OLDEST = timedelta(days=1)

_Row = tuple[int, str, str]


class ChannelSender:
    """Sends important messages that are still unread.

    Parameters
    ----------
    channels
        The site's channels.
    after
        How long a message may be unread.
    database, writer
        Where to read and write.
    store, notifications
        The tables.
    content
        Says what a notification says.
    public_url
        The service's address in links.
    clock
        Tells the time; for tests.
    """

    def __init__(
        self,
        *,
        channels: Sequence[Channel],
        after: timedelta,
        database: Database,
        writer: Writer,
        store: ChannelStore,
        notifications: NotificationStore,
        content: ContentService,
        public_url: str | None,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._channels = {channel.name: channel for channel in channels}
        self._after = after
        self._database = database
        self._writer = writer
        self._store = store
        self._notifications = notifications
        self._content = content
        self._public_url = public_url.rstrip("/") if public_url else None
        self._clock = clock
        self._limits = {name: asyncio.Semaphore(TOGETHER) for name in self._channels}
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: set[_Row] = set()
        self._failing: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("jupyterhub_notify.channels")

    @property
    def names(self) -> list[str]:
        """The site's channels."""
        return list(self._channels)

    def reaches(self, name: str, user: str) -> bool:
        """Tell whether a channel has an address of a user."""
        try:
            return self._channels[name].reaches(user)
        except ChannelError:
            return False

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._work(), name="channels")

    async def stop(self) -> None:
        """Stop; what is being sent has a moment to end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._sending:
            await asyncio.wait(self._sending, timeout=1)
        for task in self._sending:
            task.cancel()

    async def _work(self) -> None:
        while True:
            try:
                await self.look()
            except ServiceError as error:
                self._log.warning("Nothing is sent now", reason=str(error))
            except Exception:
                self._log.exception("The channels failed")
            await asyncio.sleep(LOOK_S)

    async def look(self, *, wait: bool = False) -> None:
        """Queue what has been unread for long enough, and send what is due.

        Parameters
        ----------
        wait
            Whether to return when all of it is sent; otherwise it goes on by itself.
        """
        at = self._clock()
        async with self._database.read() as connection:
            unread = await self._store.unread(
                connection, at - self._after - OLDEST, at - self._after, MOST_AT_ONCE
            )
        if unread:
            await self._writer.run(self._queue)
        claimed = await self._writer.run(self._claim)
        letters: dict[tuple[str, str], list[_Row]] = defaultdict(list)
        for row in claimed:
            letters[row[1], row[2]].append(row)
        for (user, channel), rows in letters.items():
            task = asyncio.create_task(self._send(user, channel, rows))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        if wait and self._sending:
            await asyncio.wait(self._sending)

    async def _queue(self, transaction: Transaction) -> None:
        at = self._clock()
        # Asked again: another replica may have queued them in between.
        unread = await self._store.unread(
            transaction.connection, at - self._after - OLDEST, at - self._after, MOST_AT_ONCE
        )
        rows: list[tuple[int, str, str, datetime, str]] = []
        for id_, user in unread:
            preferences = preferences_of(await self._store.choice(transaction.connection, user))
            names = [
                name
                for name in self._channels
                if name not in preferences.off and self.reaches(name, user)
            ]
            due = due_at(at, preferences)
            rows += [(id_, user, name, due, "waiting") for name in names]
            if not names:
                # So that it is not looked at again.
                rows.append((id_, user, "", at, "cancelled"))
        await self._store.queue(transaction.connection, rows)

    async def _claim(self, transaction: Transaction) -> list[_Row]:
        return await self._store.claim(transaction.connection, self._clock(), LEASE, MOST_AT_ONCE)

    async def _send(self, user: str, name: str, rows: list[_Row]) -> None:
        channel = self._channels.get(name)
        if channel is None:
            await self._settle(rows, "cancelled", failure="the site has this channel no more")
            return
        async with self._limits[name]:
            # Looked at last, just before it goes: it may have been read or revoked meanwhile.
            wanted, choice = await self._still_wanted(user, rows)
            gone = [row for row in rows if row[0] not in {stored.id for stored in wanted}]
            await self._settle(gone, "cancelled")
            if name in preferences_of(choice).off:
                await self._settle(rows, "cancelled")
                return
            if not wanted:
                return
            left = [row for row in rows if row not in gone]
            try:
                letter = await self._letter(user, name, wanted, choice)
                await asyncio.wait_for(channel.send(letter), SEND_TIMEOUT_S)
            except ChannelError as error:
                await self._fail(name, left, str(error), error.permanent)
            except asyncio.TimeoutError:
                await self._fail(name, left, "it does not answer", False)
            else:
                self._failing.pop(name, None)
                CHANNEL_SENDS.labels(name, "sent").inc(len(left))
                await self._settle(left, "sent")

    async def _still_wanted(
        self, user: str, rows: list[_Row]
    ) -> tuple[list[StoredNotification], dict[str, Any] | None]:
        async with self._database.read() as connection:
            found = await self._notifications.some_for_user(
                connection, user, (), [row[0] for row in rows]
            )
            choice = await self._store.choice(connection, user)
        unread = [
            stored
            for stored in found
            if stored.user_state.read is None and stored.user_state.dismissed is None
        ]
        return sorted(unread, key=lambda stored: stored.id), choice

    async def _letter(
        self,
        user: str,
        name: str,
        wanted: list[StoredNotification],
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
            messages=[self._message(stored) for stored in wanted],
            key=f"{name}:{user}:{','.join(str(stored.id) for stored in wanted)}",
            unsubscribe=unsubscribe,
            inbox=inbox,
        )

    def _message(self, stored: StoredNotification) -> Message:
        content = self._content.of(stored)
        body = content.body
        return Message(
            id=stored.id,
            type=content.type,
            summary=plain_text(content.summary, block=False) or "A message",
            body=plain_text(body) if body else None,
            html=f"<p><strong>{render_inline(content.summary)}</strong></p>\n"
            + (render_block(body) if body else ""),
        )

    async def _fail(self, name: str, rows: list[_Row], reason: str, permanent: bool) -> None:
        CHANNEL_SENDS.labels(name, "failed").inc(len(rows))
        if self._failing.get(name) != reason:
            self._failing[name] = reason
            self._log.error("A channel fails", channel=name, reason=reason)
        at = self._clock()

        async def command(transaction: Transaction) -> None:
            for row in rows:
                attempts, created = await self._store.tries(transaction.connection, row)
                over = permanent or at - created >= GIVEN_UP_AFTER
                wait = min(FIRST_RETRY * 2 ** min(attempts - 1, 12), LONGEST_RETRY)
                await self._store.settle(
                    transaction.connection,
                    row,
                    "failed" if over else "waiting",
                    due=None if over else at + wait,
                    failure=reason,
                )

        await self._writer.run(command)

    async def _settle(self, rows: list[_Row], state: str, failure: str | None = None) -> None:
        if not rows:
            return

        async def command(transaction: Transaction) -> None:
            for row in rows:
                await self._store.settle(transaction.connection, row, state, failure=failure)

        await self._writer.run(command)


def default_choice(user: str) -> dict[str, Any]:
    """Return what a user has who has chosen nothing."""
    return {
        "user_name": user,
        "token": secrets.token_urlsafe(24),
        "off": [],
        "digest": "none",
        "quiet_from": None,
        "quiet_until": None,
        "timezone": "UTC",
    }


def preferences_of(choice: dict[str, Any] | None) -> Preferences:
    """Read a row of choices.

    Parameters
    ----------
    choice
        The row; ``None`` for the defaults.

    Returns
    -------
    Preferences
        What the user has chosen.
    """
    if choice is None:
        return Preferences()
    return Preferences(
        off=frozenset(choice["off"]),
        digest=choice["digest"],
        quiet_from=_time(choice["quiet_from"]),
        quiet_until=_time(choice["quiet_until"]),
        zone=ZoneInfo(choice["timezone"]),
    )


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)
