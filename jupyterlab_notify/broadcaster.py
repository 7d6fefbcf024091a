"""The feed: the open streams of this process, and what goes out to them.

It knows nothing of HTTP and SQL. The inbox hands it each frame once, as text; a stream
that is up to date and has nothing under way gets that text as it is. One that lags (a slow
browser, a frame that came while it was catching up) fetches what it lacks from the store
when it is free again, so that no stream holds more than one frame in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from .store import StreamPosition


class Sink(Protocol):
    """Where a stream's frames go: one browser tab."""

    def send(self, text: str) -> Awaitable[None]:
        """Send a frame; raises when the tab is gone."""

    def close(self) -> None:
        """Close the connection, so that the tab connects anew."""


class Update(NamedTuple):
    """A frame that leads from ``before`` to ``after``; from anywhere, if ``before`` is None.

    Without ``text`` it says only that there is something new.
    """

    before: StreamPosition | None
    after: StreamPosition
    text: str


CatchUp = Callable[[StreamPosition | None], Awaitable[tuple[StreamPosition, str]]]


class Subscription:
    """One open stream.

    Parameters
    ----------
    sink
        Where frames go.
    since
        Where the tab stands that came.
    catch_up
        Returns the frame that leads from there to the present, and where that is.
    """

    def __init__(self, sink: Sink, since: StreamPosition | None, catch_up: CatchUp) -> None:
        self.cursor = since
        self._sink = sink
        self._catch_up = catch_up
        self._busy: asyncio.Task[None] | None = None
        #: How far others have come since this one last asked; None: no further.
        self._behind: StreamPosition | None = None
        self._closed = False

    def start(self) -> None:
        """Send the first frame."""
        self._busy = asyncio.ensure_future(self._run(None))

    def push(self, news: Update) -> None:
        """Take a frame, or note that there is one."""
        if self._closed:
            return
        if self._busy is not None:
            self._behind = news.after
        elif self.cursor != news.after:
            ready = news.text and news.before in (None, self.cursor)
            self._busy = asyncio.ensure_future(self._run(news if ready else None))

    def close(self) -> None:
        """Stop; nothing is sent any more."""
        self._closed = True
        if self._busy is not None:
            self._busy.cancel()

    async def _run(self, news: Update | None) -> None:
        try:
            while True:
                if news is None:
                    self._behind = None
                    self.cursor, text = await self._catch_up(self.cursor)
                else:
                    self.cursor, text = news.after, news.text
                    news = None
                await self._sink.send(text)
                if self._behind in (None, self.cursor):
                    break
        except Exception:
            # The tab is gone, and will come back with its cursor: nothing is lost.
            self._closed = True
            self._sink.close()
        finally:
            self._behind = self._busy = None


class Broadcaster:
    """The open streams."""

    def __init__(self) -> None:
        self._streams: set[Subscription] = set()

    def __len__(self) -> int:
        return len(self._streams)

    def open(self, stream: Subscription) -> None:
        """Add a stream and send its first frame."""
        self._streams.add(stream)
        stream.start()

    def close(self, stream: Subscription) -> None:
        """Take a stream away."""
        self._streams.discard(stream)
        stream.close()

    def publish(self, news: Update) -> None:
        """Hand a frame to every stream."""
        for stream in tuple(self._streams):
            stream.push(news)
