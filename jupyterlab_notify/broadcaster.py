"""The broadcaster: sends changes to the open streams of this process.

It knows nothing of HTTP and SQL. The manager gives it each frame once, as text. A subscription
that is up to date and idle sends that text unchanged. A subscription that lags (a slow browser, a
frame that arrived while it was catching up) fetches what it lacks from storage when it is idle
again. So no subscription holds more than one frame in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from .storage import StreamPosition


class Sink(Protocol):
    """The receiver of a stream's frames: one browser tab."""

    def send(self, text: str) -> Awaitable[None]:
        """Send a frame; raise an exception if the tab is gone."""

    def close(self) -> None:
        """Close the connection, so that the tab reconnects."""


class Update(NamedTuple):
    """A frame that leads from ``before`` to ``after``; from any position if ``before`` is None.

    An update without ``text`` says only that something changed.
    """

    before: StreamPosition | None
    after: StreamPosition
    text: str


CatchUp = Callable[[StreamPosition | None], Awaitable[tuple[StreamPosition, str]]]


class Subscription:
    """One open stream to a tab.

    Parameters
    ----------
    sink
        Where frames go.
    since
        How far the tab has come.
    catch_up
        Returns the present position, and the frame that leads to it from a given position.
    """

    def __init__(self, sink: Sink, since: StreamPosition | None, catch_up: CatchUp) -> None:
        self.cursor = since
        self._sink = sink
        self._catch_up = catch_up
        self._busy: asyncio.Task[None] | None = None
        #: The newest position published while this subscription was busy; None: nothing is newer.
        self._behind: StreamPosition | None = None
        self._closed = False

    def start(self) -> None:
        """Send the first frame."""
        self._busy = asyncio.ensure_future(self._run(None))

    def push(self, update: Update) -> None:
        """Send a frame, or note that there is a newer position."""
        if self._closed:
            return
        if self._busy is not None:
            self._behind = update.after
        elif self.cursor != update.after:
            ready = update.text and update.before in (None, self.cursor)
            self._busy = asyncio.ensure_future(self._run(update if ready else None))

    def close(self) -> None:
        """Stop sending."""
        self._closed = True
        if self._busy is not None:
            self._busy.cancel()

    async def _run(self, update: Update | None) -> None:
        try:
            while True:
                if update is None:
                    self._behind = None
                    self.cursor, text = await self._catch_up(self.cursor)
                else:
                    self.cursor, text = update.after, update.text
                    update = None
                await self._sink.send(text)
                if self._behind in (None, self.cursor):
                    break
        except Exception:
            # The tab is gone. It will come back with its cursor, so nothing is lost.
            self._closed = True
            self._sink.close()
        finally:
            self._behind = self._busy = None


class Broadcaster:
    """The open streams."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def __len__(self) -> int:
        return len(self._subscriptions)

    def open(self, subscription: Subscription) -> None:
        """Add a subscription and send its first frame."""
        self._subscriptions.add(subscription)
        subscription.start()

    def close(self, subscription: Subscription) -> None:
        """Remove a subscription."""
        self._subscriptions.discard(subscription)
        subscription.close()

    def publish(self, update: Update) -> None:
        """Push a frame to every subscription."""
        for subscription in tuple(self._subscriptions):
            subscription.push(update)
