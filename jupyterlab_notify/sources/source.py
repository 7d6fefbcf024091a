"""The interface of sources: what they implement, and the parts that they get."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from ..storage import Operation, Storage
from ..timings import SourceTimings

if TYPE_CHECKING:
    from ..models import ChannelsChange, IngestMessage

T = TypeVar("T")


class Submit(Protocol):
    """A function that runs an operation in storage's thread."""

    def __call__(self, operation: Operation[T], *, write: bool) -> asyncio.Future[T]:
        """Return what ``operation`` returns, once it is committed."""


class SourceContext(NamedTuple):
    """The parts that a source works with.

    Parameters
    ----------
    storage
        The repositories whose methods are submitted.
    submit
        Runs an operation in the storage's thread.
    emit_event
        Called with what happened (``created``, ``read``, …) and our ids.
    log
        The server's log.
    timings
        Waits and intervals.
    receive
        Stores a message from a source, as if a sender had sent it.
    revoke
        Revokes a source's message by its key; raises ``NotFound`` if there is none.
    count_tabs
        Returns how many tabs are open.
    """

    storage: Storage
    submit: Submit
    emit_event: Callable[[str, list[str]], None]
    log: logging.Logger
    timings: SourceTimings
    receive: Callable[[IngestMessage, str], Awaitable[object]]
    revoke: Callable[[str, str], Awaitable[object]]
    count_tabs: Callable[[], int] = lambda: 0


class Source(Protocol):
    """A source of messages; a method that is left out does nothing."""

    #: The name under which ``status`` reports it.
    name: str

    def start(self) -> None:
        """Run once, after the server has started."""
        return

    def wake(self) -> None:
        """Begin to work: the first tab has opened."""
        return

    def sleep(self) -> None:
        """Stop polling: the last tab was closed. A request under way may end."""
        return

    def nudge(self) -> None:
        """Send the user's changes soon."""
        return

    async def stop(self) -> None:
        """Stop at once: the server is stopping."""
        return

    async def refresh_welcome(self) -> None:
        """Look for welcome messages before an answer lists them; never raises."""
        return

    async def fetch_body(self, id_: str) -> None:
        """Fetch the body of a notification, if it is this source's and was not fetched yet."""
        return

    async def find_image(self, path: str) -> tuple[bytes, str] | None:
        """Return an image of a welcome message and its media type, if it is this source's."""
        return None

    async def channels(self, change: ChannelsChange | None) -> dict[str, Any] | None:
        """Apply a change, if there is one, and return the channels; None if there are none."""
        return None

    def status(self, outbox: int) -> dict[str, Any] | None:
        """Return its status; ``outbox`` counts the changes that were not sent yet."""
        return None


MakeSources = Callable[[SourceContext], Iterable[Source]]
