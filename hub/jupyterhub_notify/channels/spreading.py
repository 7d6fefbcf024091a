"""Puts important messages to many into the queue, once they have been unread for long enough.

Before that, nothing is stored for a message's users. Then the users are processed in the order of
their names, some hundred in each transaction, which also notes how far it came. So other writes get
their turn in between, and two replicas continue each other's work.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ..storage.channel_spreads import ChannelSpreadStore, ToMany
from ..storage.channels import ChannelStore
from ..storage.database import Database
from ..storage.writer import Transaction, Writer
from .audience import Audience
from .channel import Channel
from .timing import due_at, preferences_of

__all__ = ["Spreader"]

#: Number of users in one transaction, and the most in one look.
CHUNK = 500
MOST_AT_ONCE = 5_000


class Spreader:
    """Queues messages to groups, and broadcasts.

    Parameters
    ----------
    channels
        The site's channels.
    audience
        Finds whom a message is for.
    database, writer
        For reading and writing.
    store, queue
        The tables.
    clock
        Returns the present time.
    """

    def __init__(
        self,
        *,
        channels: Sequence[Channel],
        audience: Audience,
        database: Database,
        writer: Writer,
        store: ChannelSpreadStore,
        queue: ChannelStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._channels = channels
        self._audience = audience
        self._database = database
        self._writer = writer
        self._store = store
        self._queue = queue
        self._clock = clock

    async def look(self, unread_for: timedelta, oldest: timedelta) -> None:
        """Queue messages that have been unread for long enough, but not for too long.

        Parameters
        ----------
        unread_for
            How long a message may be unread.
        oldest
            How long after that a message may still be queued.
        """
        before = self._clock() - unread_for
        async with self._database.read() as connection:
            found = await self._store.due(connection, before - oldest, before)
        left = MOST_AT_ONCE
        for message in found:
            users = await self._audience.of(message)
            more = users is not None
            while users is not None and more and left > 0:
                more = await self._writer.run(partial(self._some, message=message, users=users))
                left -= CHUNK

    async def _some(self, transaction: Transaction, message: ToMany, users: Sequence[str]) -> bool:
        """Queue the next users of a message; return whether there are more."""
        connection = transaction.connection
        # Read in this transaction: another replica may have come further.
        upto = await self._store.upto(connection, message.message)
        if upto is None:
            return False
        first = bisect_right(users, upto) if upto else 0
        some = users[first : first + CHUNK]
        done = first + CHUNK >= len(users)
        settled = await self._store.settled(connection, message, some)
        choices = await self._queue.choices(connection, some)
        at = self._clock()
        rows: list[dict[str, Any]] = []
        for user in some:
            if user in settled:
                continue
            preferences = preferences_of(choices.get(user))
            due = due_at(at, preferences)
            rows += [
                {
                    **message.row,
                    "occurrence": message.broadcast and message.broadcast.occurrence,
                    "user_name": user,
                    "channel": channel.name,
                    "due": due,
                    "state": "waiting",
                }
                for channel in self._channels
                if channel.name not in preferences.off and channel.may_reach(user)
            ]
        await self._queue.queue(connection, rows)
        await self._store.move(connection, message, some[-1] if some else upto, done=done)
        return not done
