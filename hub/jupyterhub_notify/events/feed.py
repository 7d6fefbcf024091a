"""Follows the store's numbers: reads each new range of changes once, for all open streams.

A wake-up only says *look*; what changed is read from the rows above the last number. Each range has
a fixed end: a change made while it is read has a higher number and comes with the next range.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

import structlog

from ..metrics import FEED_SECONDS
from ..repeating import Repeating
from ..storage.database import Database
from ..storage.epochs import Epochs
from ..storage.writer import Committed
from .freshness import MOST_AT_ONCE, Freshness
from .streams import Frame, Stream, Streams

__all__ = ["ChangeReader", "Feed", "parse_cursor"]


class ChangeReader(Protocol):
    """Reads changes and makes frames of them."""

    async def broadcast_range(self, streams: Streams, epoch: str, after: int, upto: int) -> None:
        """Give every stream the changes in the range ``(after, upto]`` that its reader may see."""

    async def for_stream(
        self, stream: Stream, epoch: str, after: int, upto: int
    ) -> list[Frame] | None:
        """Return the frames of a range for one stream; `None` if they are too many to send."""


def parse_cursor(value: str) -> tuple[str, int] | None:
    """Return the epoch and number of a cursor; `None` if it is not valid."""
    epoch, found, number = value.partition(":")
    if not found or not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    return epoch, int(number)


class Feed:
    """Keeps the streams of this process up to date.

    Parameters
    ----------
    database
        The database, which gives the numbers.
    epochs
        The epochs in which the numbers were given.
    reader
        Makes frames of changes.
    streams
        The open streams.
    freshness
        Keeps the versions up to date, of which validators are made.
    look_s
        Seconds until a look without a wake-up.
    keep_alive_s
        Seconds between two comments in each stream.
    """

    def __init__(
        self,
        *,
        database: Database,
        epochs: Epochs,
        reader: ChangeReader,
        streams: Streams,
        freshness: Freshness,
        look_s: float,
        keep_alive_s: float,
    ) -> None:
        self._database = database
        self._epochs = epochs
        self._reader = reader
        self.streams = streams
        self.freshness = freshness
        self.versions = freshness.versions
        self._keep_alive_s = keep_alive_s
        # A stream must not begin in the middle of a range: it would get only a part of the range.
        self._giving = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None
        self._following = Repeating(
            self._look,
            name="feed",
            pause_s=lambda: look_s,
            log=structlog.get_logger("jupyterhub_notify.feed"),
            failing="The database cannot be followed",
            working="The database is followed again",
        )
        self.epoch = ""
        self.seq = 0
        self.pruned = 0
        #: Functions called after each range, such as the wake-up of deliveries.
        self.followers: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Read the store's position, and follow it from there."""
        self.epoch, self.seq, self.pruned = await self.freshness.begin()
        self._following.start()
        self._keeping = asyncio.create_task(self._keep_alive(), name="keep-alive")

    async def stop(self) -> None:
        """End the streams and stop following."""
        self.streams.close()
        await self._following.stop()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def version_of(self, user: str | None) -> str:
        """Return a version of the user's view, at least as new as this call.

        Raises
        ------
        Unavailable
            If the database does not answer.
        """
        await self.freshness.wait()
        return await self.versions.of(user)

    def wake(self) -> None:
        """Say that there may be something new."""
        self._following.wake()

    def committed(self, committed: Committed) -> None:
        """Note a commit of this process, before its request is answered."""
        self.versions.note(committed)
        self.wake()

    async def _look(self) -> None:
        epoch, seq, self.pruned = await self.freshness.look()
        if seq < self.seq or not self._epochs.held(self.epoch, self.seq):
            # The database was replaced, or restored from an older copy, and will give the same
            # numbers once more: higher cursors are no longer valid.
            self._epochs.due |= seq < self.seq
            self.epoch, self.seq = epoch, seq
            for stream in self.streams:
                stream.end()
            return
        self.epoch = epoch
        while self.seq < seq:
            upto = min(seq, self.seq + MOST_AT_ONCE)
            began = perf_counter()
            async with self._giving:
                if len(self.streams):
                    await self._reader.broadcast_range(self.streams, self.epoch, self.seq, upto)
                self.seq = upto
            FEED_SECONDS.observe(perf_counter() - began)
            for follower in self.followers:
                follower()

    async def _keep_alive(self) -> None:
        """Send comments to all streams at intervals, to a part of them at a time."""
        parts = 25
        while True:
            for part in range(parts):
                await asyncio.sleep(self._keep_alive_s / parts)
                for index, stream in enumerate(self.streams):
                    if index % parts == part:
                        stream.push_raw(b": keep-alive\n\n")

    async def open(self, stream: Stream, cursor: str | None) -> list[bytes]:
        """Begin to give a stream frames, and return what it gets first.

        Parameters
        ----------
        stream
            The new stream.
        cursor
            The cursor of its reader; `None` to begin with the next change.

        Returns
        -------
        list
            Frames as bytes: the changes since the cursor, or the event ``reload``.
        """
        # From here on the stream gets every range. The changes that it may have missed end at
        # `upto`.
        async with self._giving:
            stream.after = upto = self.seq
            self.streams.add(stream)
        if cursor is None:
            return [self._comment()]
        parsed = parse_cursor(cursor)
        if parsed is None or parsed[1] < self.pruned or not await self._epochs.hold(*parsed):
            return [self._reload()]
        after = parsed[1]
        if after >= upto:
            # The reader comes from a replica that is ahead of this one.
            _, latest, _ = await self._database.position()
            if after > latest:
                return [self._reload()]
            stream.after = after
            return [self._comment()]
        frames = await self._reader.for_stream(stream, self.epoch, after, upto)
        if frames is None:
            return [self._reload()]
        return [self._comment(), *(frame.data for frame in frames)]

    def _comment(self) -> bytes:
        # Jittered: when a replica ends, its labs must not all come back at the same moment.
        return b"retry: %d\n: welcome\n\n" % random.randint(1000, 5000)

    def _reload(self) -> bytes:
        return b"id: %s:%d\nevent: reload\ndata: {}\n\n" % (self.epoch.encode(), self.seq)
