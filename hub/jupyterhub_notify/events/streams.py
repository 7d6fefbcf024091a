"""The open streams of this process and their users, without HTTP and database.

A stream costs one small object and one task. A frame is encoded once, and the same bytes go to
every stream that may see it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Frame", "Stream", "Streams", "encode_frame"]

#: Number of pending frames at which a slow reader is cut off; it resumes from its cursor.
MOST_PENDING = 2_000


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as bytes, with the number in its ``id``."""

    seq: int
    data: bytes


def encode_frame(epoch: str, seq: int, event: str, data: bytes) -> Frame:
    """Return an event of a stream.

    Parameters
    ----------
    epoch, seq
        The reader's cursor after this event.
    event
        The name of the event.
    data
        JSON in one line.

    Returns
    -------
    Frame
        The event.
    """
    return Frame(
        seq, b"id: %s:%d\nevent: %s\ndata: %s\n\n" % (epoch.encode(), seq, event.encode(), data)
    )


class Stream:
    """One open stream.

    Parameters
    ----------
    user
        The user; `None` for an anonymous caller.
    groups
        The user's groups.
    """

    __slots__ = ("_ended", "_pending", "_waiter", "after", "groups", "user")

    def __init__(self, *, user: str | None, groups: frozenset[str]) -> None:
        self.user = user
        self.groups = groups
        #: The last ``seq`` that the reader has; frames up to it are left out.
        self.after = 0
        self._pending: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False

    def push(self, frame: Frame) -> None:
        """Add a frame, unless the reader has it already."""
        if frame.seq > self.after:
            self.push_raw(frame.data)

    def push_raw(self, data: bytes) -> None:
        """Add bytes, such as a comment."""
        if len(self._pending) >= MOST_PENDING:
            self.end()
            return
        self._pending.append(data)
        self._wake()

    def end(self) -> None:
        """End the stream; pending frames are dropped, and the reader resumes from its cursor."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def take(self) -> bytes | None:
        """Wait for pending bytes and return them; `None` once the stream has ended."""
        while not self._pending and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
            self._waiter = None
        if self._ended:
            return None
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending = []
        return data


class Streams:
    """All streams of this process, found by user and by group.

    Parameters
    ----------
    most_anonymous
        Maximum number of open streams of anonymous callers.
    """

    def __init__(self, *, most_anonymous: int = 1000) -> None:
        self._most_anonymous = most_anonymous
        self._anonymous = 0
        self._all: dict[Stream, None] = {}
        self._by_user: dict[str, list[Stream]] = {}
        self.closed = False

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._all))

    def admit(self, stream: Stream) -> bool:
        """Return whether a stream may be opened; an admitted stream must later be released."""
        if stream.user is not None:
            return True
        if self._anonymous >= self._most_anonymous:
            return False
        self._anonymous += 1
        return True

    def release(self, stream: Stream) -> None:
        """Free the place of an admitted stream."""
        if stream.user is None:
            self._anonymous -= 1

    def add(self, stream: Stream) -> None:
        """Add a stream, so that it gets frames."""
        self._all[stream] = None
        if stream.user is not None:
            self._by_user.setdefault(stream.user, []).append(stream)
        if self.closed:
            stream.end()

    def remove(self, stream: Stream) -> None:
        """Remove a stream."""
        self._all.pop(stream, None)
        if stream.user is None:
            return
        own = self._by_user.get(stream.user, [])
        if stream in own:
            own.remove(stream)
        if not own:
            self._by_user.pop(stream.user, None)

    def of_user(self, user: str) -> list[Stream]:
        """Return a user's streams."""
        return self._by_user.get(user, [])

    def users(self) -> Iterable[str]:
        """Return the users who have a stream here."""
        return self._by_user.keys()

    def close(self) -> None:
        """End every stream, also those opened from now on."""
        self.closed = True
        for stream in self:
            stream.end()
