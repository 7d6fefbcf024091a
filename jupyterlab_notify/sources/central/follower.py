"""Follow the service's event stream: changes there are stored here at once.

While the stream is open, the service is polled only rarely. Each event carries the present state of
one message, so applying it is an upsert. After a lost connection, the stream resumes at the cursor
of the last stored event. The event ``reload`` says that the cursor is too old; then the lists are
read again by polling.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...storage.transaction import Transaction
from .clock import ServiceClock
from .content import load
from .failure import Failure, malformed
from .parsing import (
    parse_broadcast,
    parse_id,
    parse_quiet,
    parse_state,
    parse_whole_message,
)
from .schedule import jitter
from .server_sent_events import EventParser, ServerEvent
from .session import CentralSession

#: A stream that is silent for longer is dead, since the service sends a comment every 25 s.
SILENCE_S = 70.0
#: The longest pause before the stream is opened again, after a failure that passes by itself and
#: after a failure that somebody has to fix. The service is polled in the meantime.
SHORT_PAUSE_S = 10.0
LONG_PAUSE_S = 300.0
#: A stream that ends sooner counts as failed, since a proxy may cut it off each time.
STEADY_S = 10.0


class EventFollower:
    """Holds the event stream while a tab is open.

    Parameters
    ----------
    session
        The service.
    on_reload
        Called when the lists have to be read again.
    on_welcome
        Called when the welcome messages have changed.
    on_changed
        Called when the stream opens and when it is lost.
    """

    def __init__(
        self,
        session: CentralSession,
        *,
        on_reload: Callable[[], None],
        on_welcome: Callable[[], None],
        on_changed: Callable[[], None],
    ) -> None:
        self._session = session
        self._on_reload = on_reload
        self._on_welcome = on_welcome
        self._on_changed = on_changed
        #: The number of attempts in a row without a steady stream.
        self._failures = 0
        self._opened_at = float("inf")
        self._task: asyncio.Task[None] | None = None
        #: The cursor at which the stream resumes; None if the lists have to be read first.
        self.cursor: str | None = None
        self.is_open = False
        self.failure: Failure | None = None

    def start(self) -> None:
        """Open the stream, and keep it open."""
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Close the stream."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            failure: Failure | None = None
            self._opened_at = float("inf")
            try:
                await self._follow()
            except Failure as error:
                self.failure = failure = error
            except asyncio.CancelledError:
                raise
            except Exception:
                self._session.context.log.debug("Following events failed", exc_info=True)
                failure = Failure("The events cannot be stored.")
            finally:
                self._set_open(False)
            await asyncio.sleep(self._pause_s(failure))

    def _pause_s(self, failure: Failure | None) -> float:
        """Return how long to wait before the stream is opened again.

        Parameters
        ----------
        failure
            Why the stream ended; None if the service ended it.
        """
        if time.monotonic() - self._opened_at >= STEADY_S:
            self._failures = 0
            if failure is None:
                # The service is restarting; the labs should not all come back at once.
                return random.uniform(0.1, 1.0)
        self._failures += 1
        longest_s = LONG_PAUSE_S if failure is None or failure.is_lasting else SHORT_PAUSE_S
        wait_s = min(2.0 ** min(self._failures - 1, 20) * jitter(), longest_s)
        asked_s = failure.retry_after_s if failure is not None else None
        return min(max(wait_s, asked_s or 0.0), LONG_PAUSE_S)

    def _set_open(self, is_open: bool) -> None:
        if self.is_open != is_open:
            self.is_open = is_open
            self._on_changed()

    async def _follow(self) -> None:
        """Read the stream until it ends."""
        parser = EventParser()
        async with self._session.client.events(self.cursor, SILENCE_S) as pieces:
            async for text in pieces:
                if not self.is_open:
                    self.failure = None
                    self._opened_at = time.monotonic()
                    self._set_open(True)
                if events := parser.feed(text):
                    await self._apply(events)

    async def _apply(self, events: list[ServerEvent]) -> None:
        """Store the changes of events in one transaction, and advance the cursor."""
        session = self._session
        changes = _Changes(session.settings.name, session.client.clock)
        operations = []
        for event in events:
            if event.name == "reload":
                self._on_reload()
            elif event.name.startswith("welcome"):
                self._on_welcome()
            elif (change := _APPLY.get(event.name)) is not None:
                with suppress(Failure):
                    # An unreadable event is skipped, like an entry of a list.
                    entry = json_object(event.data)
                    operations.append(change(changes, entry))
                    if event.name.startswith("message") and session.changed_by_events is not None:
                        session.changed_by_events.add(parse_id(entry))
        if operations:

            def apply(tx: Transaction) -> _Found:
                changes.found = _Found()
                for operation in operations:
                    operation(session, tx)
                return changes.found

            found = await session.submit(apply, write=True)
            session.created(found.created)
            for action, ids in vars(found).items():
                if action != "created":
                    session.emit_event(action, ids)
        if events[-1].cursor:
            self.cursor = events[-1].cursor


class _Found:
    """Our ids of the notifications that changed, by what happened to them."""

    def __init__(self) -> None:
        self.created: list[str] = []
        self.read: list[str] = []
        self.unread: list[str] = []
        self.closed: list[str] = []
        self.dismissed: list[str] = []
        self.snoozed: list[str] = []
        self.unsnoozed: list[str] = []
        self.revoked: list[str] = []


_Operation = Callable[[CentralSession, Transaction], None]


class _Changes:
    """Turns events into operations.

    Parameters
    ----------
    source
        The service's name.
    clock
        Converts the service's times to this server's clock.
    """

    def __init__(self, source: str, clock: ServiceClock) -> None:
        self._source = source
        self._clock = clock
        self.found = _Found()

    def message(self, entry: dict[str, Any]) -> _Operation:
        """Return the operation that stores a message."""
        item = self._clock.to_local(parse_whole_message(entry))
        state = self._clock.state_to_local(parse_state(entry))

        def apply(session: CentralSession, tx: Transaction) -> None:
            id_ = session.storage.remote.upsert_message(tx, item, self._source, state)
            if id_ is not None:
                self.found.created.append(id_)

        return apply

    def broadcast(self, entry: dict[str, Any]) -> _Operation:
        """Return the operation that stores a broadcast."""
        item, remote = parse_broadcast(entry), parse_id(entry)
        state = self._clock.state_to_local(parse_state(entry))
        if item is not None:
            self._clock.to_local(item)

        def apply(session: CentralSession, tx: Transaction) -> None:
            if item is None:
                self._remove(session, tx, "broadcast", remote)
                return
            id_ = session.storage.remote.upsert_broadcast(tx, item, self._source, state)
            if id_ is not None:
                self.found.created.append(id_)

        return apply

    def marked(self, origin: str, entry: dict[str, Any]) -> _Operation:
        """Return the operation that applies what the user did in another lab or on the hub."""
        remote, state = parse_id(entry), self._clock.state_to_local(parse_state(entry))

        def apply(session: CentralSession, tx: Transaction) -> None:
            snoozed = session.storage.remote.snooze(tx, origin, remote, state)
            if snoozed is not None:
                getattr(self.found, snoozed[0]).append(snoozed[1])
            id_ = session.storage.remote.mark(tx, origin, remote, state)
            if id_ is not None:
                action = "read" if state.read else "unread"
                if state.dismissed:
                    action = "closed" if origin == "broadcast" else "dismissed"
                getattr(self.found, action).append(id_)

        return apply

    def quiet(self, entry: dict[str, Any]) -> _Operation:
        """Return the operation that adopts do-not-disturb and muted sources from elsewhere."""
        entries, _ = parse_quiet(entry, self._clock.ahead_ms)

        def apply(session: CentralSession, tx: Transaction) -> None:
            session.storage.quiet.adopt(tx, entries)

        return apply

    def gone(self, origin: str, entry: dict[str, Any]) -> _Operation:
        """Return the operation that removes what was revoked."""
        remote = parse_id(entry)
        return lambda session, tx: self._remove(session, tx, origin, remote)

    def _remove(self, session: CentralSession, tx: Transaction, origin: str, remote: str) -> None:
        id_ = session.storage.remote.remove(tx, origin, remote)
        if id_ is not None:
            self.found.revoked.append(id_)


_APPLY: dict[str, Callable[[_Changes, dict[str, Any]], _Operation]] = {
    "message": _Changes.message,
    "message-changed": lambda changes, entry: changes.marked("message", entry),
    "message-gone": lambda changes, entry: changes.gone("message", entry),
    "broadcast": _Changes.broadcast,
    "broadcast-changed": lambda changes, entry: changes.marked("broadcast", entry),
    "quiet": _Changes.quiet,
    "broadcast-gone": lambda changes, entry: changes.gone("broadcast", entry),
}


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises
    ------
    Failure
        If the text is not a JSON object.
    """
    value = load(text.encode("utf-8", "replace"))
    if not isinstance(value, dict):
        raise malformed()
    return value
