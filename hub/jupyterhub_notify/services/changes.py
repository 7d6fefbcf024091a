"""Makes events of changes, for all streams of this process or for a stream that resumes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from ..events.streams import Frame, Stream, Streams, encode_frame
from ..events.versions import Versions
from ..storage.database import Database

__all__ = ["ChangeSource", "Changes", "Event", "Range", "Reader"]

#: Maximum number of events for a stream that resumes; beyond it the overview is cheaper.
MOST_EVENTS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A change, and who sees it."""

    seq: int
    name: str
    data: bytes
    #: The only user who sees it; if `None`, `sees` decides.
    user: str | None = None
    sees: Callable[[str | None, frozenset[str]], bool] | None = None
    #: The event and data for users who have a state of their own.
    own: dict[str, tuple[str, bytes]] = field(default_factory=dict)


class Range(NamedTuple):
    """A range of sequence numbers, and the transaction in which it is read.

    Parameters
    ----------
    connection
        The transaction.
    after
        The number before the first.
    upto
        The last number.
    """

    connection: AsyncConnection
    after: int
    upto: int

    def covers(self, seq: int) -> bool:
        """Return whether a number is in the range."""
        return self.after < seq <= self.upto


class Reader(NamedTuple):
    """The user of a stream and the user's groups; without a user, an anonymous caller."""

    user: str | None
    groups: frozenset[str]


class ChangeSource(Protocol):
    """A source of changes: notifications, broadcasts, welcome messages, or quiet."""

    async def note(self, changed: Range, versions: Versions) -> None:
        """Note the users whose view changed in a range."""

    async def for_all(self, changed: Range, users: Collection[str]) -> list[Event]:
        """Return the events of a range, as these users and everybody else see them."""

    async def for_one(
        self, changed: Range, reader: Reader, limit: int
    ) -> list[tuple[int, str, bytes]]:
        """Return ``(seq, event, data)`` for the changes in a range that one reader sees."""


class Changes:
    """Reads a range from every source and gives it to the streams.

    Parameters
    ----------
    database
        The database.
    sources
        The sources of changes.
    """

    def __init__(self, *, database: Database, sources: Sequence[ChangeSource]) -> None:
        self._database = database
        self._sources = sources

    async def versions_range(self, versions: Versions, after: int, upto: int) -> None:
        """Note the users whose view changed in a range."""
        async with self._database.read() as connection:
            for source in self._sources:
                await source.note(Range(connection, after, upto), versions)

    async def broadcast_range(self, streams: Streams, epoch: str, after: int, upto: int) -> None:
        """Give every stream the changes that its reader sees, in the order of their numbers."""
        events: list[Event] = []
        async with self._database.read() as connection:
            users = set(streams.users())
            for source in self._sources:
                events.extend(await source.for_all(Range(connection, after, upto), users))
        for event in sorted(events, key=lambda one: one.seq):
            _give(streams, epoch, event)

    async def for_stream(
        self, stream: Stream, epoch: str, after: int, upto: int
    ) -> list[Frame] | None:
        """Return the frames of a range for one stream; `None` if they are too many to send."""
        found: list[tuple[int, str, bytes]] = []
        reader = Reader(stream.user, stream.groups)
        async with self._database.read() as connection:
            for source in self._sources:
                changed = Range(connection, after, upto)
                found.extend(await source.for_one(changed, reader, MOST_EVENTS + 1))
                if len(found) > MOST_EVENTS:
                    return None
        return [encode_frame(epoch, *one) for one in sorted(found)]


def _give(streams: Streams, epoch: str, event: Event) -> None:
    frame = encode_frame(epoch, event.seq, event.name, event.data)
    if event.user is not None:
        for stream in streams.of_user(event.user):
            stream.push(frame)
        return
    sees = event.sees
    for stream in streams:
        if sees is None or not sees(stream.user, stream.groups):
            continue
        own = event.own.get(stream.user) if event.own and stream.user is not None else None
        stream.push(frame if own is None else encode_frame(epoch, event.seq, *own))
