"""The broadcaster: sends changes to the open streams of this process.

It knows nothing of HTTP and SQL. The manager gives it each frame once, as text. A subscription
that is up to date and idle sends that text unchanged. A subscription that lags (a slow browser, a
frame that arrived while it was catching up) fetches what it lacks from storage when it is idle
again. So no subscription holds more than one frame in memory, and ``Sending`` bounds what all of
them hold together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from .storage import StreamPosition

#: Characters of all frames that are being sent. Every tab gets through that reads; what many tabs
#: do not read must not fill the memory.
MAX_SENDING = 8_000_000
#: Number of frames that are fetched from storage at the same time.
MAX_FETCHING = 4


class Sink(Protocol):
    """The receiver of a stream's frames: one browser tab."""

    def send(self, text: str) -> Awaitable[None]:
        """Send a frame; raise an exception if the tab is gone."""

    def close(self) -> None:
        """Close the connection, so that the tab reconnects."""

    def abort(self) -> None:
        """Cut the connection and drop what is not sent, so that the tab reconnects."""


class Update(NamedTuple):
    """A frame that leads from ``before`` to ``after``; from any position if ``before`` is None.

    An update without ``text`` says only that something changed.
    """

    before: StreamPosition | None
    after: StreamPosition
    text: str


CatchUp = Callable[[StreamPosition | None], Awaitable[tuple[StreamPosition, str]]]


class Sending:
    """The frames that are being sent, which take memory until the tabs have taken them."""

    def __init__(self) -> None:
        self.fetching = asyncio.Semaphore(MAX_FETCHING)
        #: The size of each, the earliest first.
        self._sizes: dict[Subscription, int] = {}
        self._total = 0

    def begin(self, subscription: Subscription, size: int) -> None:
        """Add a frame; above the bound, cut off the tabs that have been taking theirs longest."""
        self._sizes[subscription] = size
        self._total += size
        while self._total > MAX_SENDING and len(self._sizes) > 1:
            slowest = next(iter(self._sizes))
            self.end(slowest)
            slowest.abort()

    def end(self, subscription: Subscription) -> None:
        """Remove the frame of a subscription, if it has one."""
        self._total -= self._sizes.pop(subscription, 0)


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
    sending
        The frames of all streams that are being sent.
    """

    def __init__(
        self,
        sink: Sink,
        since: StreamPosition | None,
        catch_up: CatchUp,
        sending: Sending | None = None,
    ) -> None:
        self.cursor = since
        self._sink = sink
        self._catch_up = catch_up
        self._sending = sending or Sending()
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

    def abort(self) -> None:
        """Stop sending, and drop what the tab has not taken."""
        self._closed = True
        self._sink.abort()

    async def _run(self, update: Update | None) -> None:
        try:
            while True:
                if update is None:
                    async with self._sending.fetching:
                        self._behind = None
                        self.cursor, text = await self._catch_up(self.cursor)
                        self._sending.begin(self, len(text))
                else:
                    self.cursor, text = update.after, update.text
                    self._sending.begin(self, len(text))
                    update = None
                sent = self._sink.send(text)
                # The socket has a copy of its own.
                del text
                await sent
                self._sending.end(self)
                if self._behind in (None, self.cursor):
                    break
        except Exception:
            # The tab is gone. It will come back with its cursor, so nothing is lost.
            self._closed = True
            self._sink.close()
        finally:
            self._sending.end(self)
            self._behind = self._busy = None


class Broadcaster:
    """The open streams."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self.sending = Sending()

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
