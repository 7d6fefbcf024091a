"""The manager of one user's notifications.

It receives, replaces and revokes messages, and records what the user read and dismissed. Handlers
and other extensions call it. It repeats no validation of ``models`` and knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from .broadcaster import Broadcaster, Sink, Subscription, Update
from .encoding import dumps
from .exceptions import Unavailable
from .storage import (
    Cursor,
    StateChange,
    Storage,
    StreamPosition,
    Transaction,
    new_id,
    no_operation,
)
from .timings import Timings
from .worker import MAX_WAITING, Worker

if TYPE_CHECKING:
    from .models import ChannelsChange, IngestMessage
    from .sources.source import MakeSources, Source
    from .storage.fields import WireNotification
    from .storage.notifications import Found, Query
    from .storage.quiet import QuietChange
    from .storage.shapes import Changed, NewNotification, Quiet, WelcomeMessages, WelcomeVersion

EPOCH = datetime.fromtimestamp(0, timezone.utc)

EmitEvent = Callable[[str, list[str]], None]


class Received(NamedTuple):
    """The result of a change: the notification's id, ``seq``, open tabs, whether it is durable."""

    id: str
    seq: int
    tabs: int
    durable: bool


# Longer than a screen: one short method for each operation of the product.
class NotificationManager:
    """The notifications of one user.

    Parameters
    ----------
    storage
        Where notifications are kept.
    log
        The server's log.
    emit_event
        Called after each change with the action (``created``, ``read``, …) and the ids that the
        caller named, never with content. Feeds Jupyter's event bus.
    make_sources
        Makes the sources, when one is first needed; None if there are none.
    timings
        Waits and intervals.
    max_waiting
        The most operations that may wait for storage.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        log: logging.Logger | None = None,
        emit_event: EmitEvent = lambda action, ids: None,
        make_sources: MakeSources | None = None,
        timings: Timings | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.storage = storage
        self.broadcaster = Broadcaster()
        self._log = log or logging.getLogger(__name__)
        self._emit_event = emit_event
        self._timings = timings or Timings()
        self._worker = Worker(
            storage, self._make_update, self.broadcaster.publish, max_waiting=max_waiting
        )
        self._published: StreamPosition | None = None
        #: Set, and replaced by a new event, whenever the user answers a question.
        self._answered = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._make_sources = make_sources
        self._sources: tuple[Source, ...] | None = None

    def start(self) -> None:
        """Open the database in its own thread, without waiting for it."""
        self._worker.start()

    def start_sources(self) -> None:
        """Start each source, once the server has started."""
        for source in self._get_sources():
            source.start()

    async def stop(self) -> None:
        """Commit pending operations and close the database."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        for source in self._sources or ():
            await source.stop()
        await self._worker.stop()

    # For senders

    async def receive(
        self, message: IngestMessage, source: str, token: str | None = None
    ) -> Received:
        """Store a message and return once it is committed.

        Parameters
        ----------
        message
            The validated message.
        source
            The source to record if the message names none.
        token
            The name of the sender's token; None if the message did not come by HTTP.

        Raises
        ------
        Busy
            If too many operations are waiting.
        """
        insert = self.storage.notifications.insertion(to_row(message, source, token))
        stored = await self._worker.submit(insert, write=True)
        if stored.action is not None:
            self.emit_event(stored.action, [stored.id])
        return Received(stored.id, stored.seq, len(self.broadcaster), stored.durable)

    async def revoke(self, id_or_key: str, source: str) -> Received:
        """Revoke a message; see ``NotificationRepository.revoke``."""
        notifications = self.storage.notifications
        revoked = await self._worker.submit(
            lambda tx: notifications.revoke(tx, id_or_key, source), write=True
        )
        self.emit_event("revoked", [revoked.id])
        return Received(revoked.id, revoked.seq, len(self.broadcaster), revoked.durable)

    async def set_picture(self, id_or_key: str, source: str, data: bytes | None) -> Received:
        """Set or replace a message's picture; remove the picture if ``data`` is None.

        Parameters
        ----------
        id_or_key, source
            Which message; see ``NotificationRepository.revoke``.
        data
            The picture; see ``pictures.read_picture``.
        """
        from .pictures import read_picture

        picture = None if data is None else read_picture(data)
        pictures = self.storage.pictures
        changed = await self._worker.submit(
            lambda tx: pictures.set(tx, id_or_key, source, picture), write=True
        )
        if changed.action is not None:
            self.emit_event(changed.action, [changed.id])
        return Received(changed.id, changed.seq, len(self.broadcaster), changed.durable)

    async def picture(self, id_: str, version: str) -> tuple[bytes, str]:
        """Return a picture's bytes and type; see ``PictureRepository.get``."""
        pictures = self.storage.pictures
        return await self._worker.submit(lambda tx: pictures.get(tx, id_, version), write=False)

    async def sent(self, id_or_key: str, source: str, wait_s: float = 0.0) -> WireNotification:
        """Return what became of a message, in the shape of ``models.Notification``.

        Parameters
        ----------
        id_or_key, source
            Which message; see ``NotificationRepository.revoke``.
        wait_s
            How long to wait until a message that asks for an answer is answered or dismissed. Who
            waits is alive, which counts for a question with a heartbeat.

        Raises
        ------
        NotFound
            If there is no such message, or no longer.
        """
        replies, until = self.storage.replies, time.monotonic() + wait_s

        def look(tx: Transaction) -> tuple[WireNotification, bool]:
            row = replies.sent(tx, id_or_key, source)
            return row, wait_s > 0 and replies.is_lapsing(tx, row["id"])

        while True:
            answered = self._answered
            row, is_lapsing = await self._worker.submit(look, write=False)
            if is_lapsing:
                row = await self._worker.submit(
                    lambda tx: replies.renew(tx, id_or_key, source), write=True
                )
            left_s = until - time.monotonic()
            is_settled = row["answer"] is not None or row["dismissed"] is not None
            if row["reply"] is None or is_settled or left_s <= 0:
                return row
            # Look again now and then even without the event: another server may take the answer.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(answered.wait(), min(left_s, self._timings.watch_interval_s))

    # For user actions

    async def reply(self, id_: str, answer: str) -> Changed:
        """Answer a notification that asks for an answer; see ``ReplyRepository.reply``."""
        replies = self.storage.replies
        changed = await self._worker.submit(lambda tx: replies.reply(tx, id_, answer), write=True)
        self._nudge()
        self._answered.set()
        self._answered = asyncio.Event()
        if changed["changed"]:
            self.emit_event("answered", [id_])
        return changed

    async def set_state(self, id_: str, change: StateChange) -> Changed:
        """Change the state of one notification; see ``NotificationRepository.set_state``."""
        notifications = self.storage.notifications
        changed = await self._worker.submit(
            lambda tx: notifications.set_state(tx, id_, change), write=True
        )
        self._announce(change, [id_])
        return changed

    async def set_states(
        self,
        change: StateChange,
        *,
        ids: list[str] | None = None,
        seqs: tuple[int, int] | None = None,
        up_to: Cursor | None = None,
    ) -> Changed:
        """Change the state of many notifications; see ``NotificationRepository.set_states``."""
        notifications = self.storage.notifications
        changed = await self._worker.submit(
            lambda tx: notifications.set_states(tx, change, ids=ids, seqs=seqs, up_to=up_to),
            write=True,
        )
        self._announce(change, ids or [])
        return changed

    async def quiet(self) -> Quiet | None:
        """Return do-not-disturb and the muted sources; see ``models.Quiet``."""
        return await self._worker.submit(self.storage.quiet.read, write=False)

    async def change_quiet(self, change: QuietChange) -> Quiet | None:
        """Change do-not-disturb or the muted sources; see ``QuietRepository.change``."""
        quiet = self.storage.quiet
        changed = await self._worker.submit(lambda tx: quiet.change(tx, change), write=True)
        self._nudge()
        return changed

    def _announce(self, change: StateChange, ids: list[str]) -> None:
        for source in self._sources or ():
            source.nudge()
        for event in change.events():
            self.emit_event(event, ids)

    def emit_event(self, action: str, ids: list[str]) -> None:
        """Report a change to other extensions."""
        try:
            self._emit_event(action, ids)
        except Exception as error:
            # The change is committed, so the sender must not see an error and send again.
            self._log.warning("Telling others of a notification failed: %s", error)

    # For a tab's requests

    async def page(self, query: Query) -> str:
        """Return a page of the list as JSON."""
        notifications = self.storage.notifications
        if not query.text:
            return await self._worker.submit(
                lambda tx: dumps(notifications.page(tx, query)), write=False
            )
        from .storage.notifications import Found

        # Search in pieces, so that other operations run between the parts of a long search.
        found: Found | None = None

        def scan(tx: Transaction) -> Found:
            return notifications.scan(tx, found or Found(query, tx.cursor, query.before))

        while found is None or not found.is_whole:
            found = await self._worker.submit(scan, write=False)
        whole = found
        return await self._worker.submit(
            lambda tx: dumps(notifications.make_page(tx, whole)), write=False
        )

    async def detail(self, id_: str) -> str:
        """Return a whole notification as JSON; its source may have to fetch the body first."""
        for source in self._get_sources():
            await source.fetch_body(id_)
        notifications = self.storage.notifications
        return await self._worker.submit(
            lambda tx: dumps(notifications.detail(tx, id_)), write=False
        )

    async def status(self, version: str) -> dict[str, Any]:
        """Return the status, in the shape of ``models.Status``."""
        storage = self.storage
        store, counts, outbox = await self._worker.submit(
            lambda tx: (
                storage.status(tx),
                storage.notifications.counts(tx),
                storage.outbox.count(tx),
            ),
            write=False,
        )
        retention = storage.retention
        sources = {source.name: source.status(outbox) for source in self._get_sources()}
        return {
            "version": version,
            "store": store,
            "tabs": len(self.broadcaster),
            "counts": counts,
            "retention": {"days": retention.days, "count": retention.count},
            "central": sources.get("central"),
            "welcomeProblem": (sources.get("welcome_files") or {}).get("problem"),
        }

    async def channels(self, change: ChannelsChange | None = None) -> dict[str, Any] | None:
        """Return the central service's channels and the user's choice, after a change to it.

        Parameters
        ----------
        change
            What to change first; None changes nothing.

        Returns
        -------
        dict or None
            In the shape of ``models.Channels``; None if no service has any.
        """
        for source in self._get_sources():
            if (found := await source.channels(change)) is not None:
                return found
        return None

    # Welcome messages

    async def welcome(self, *, every: bool) -> WelcomeMessages:
        """Return the welcome messages that are due, or all of them; see ``models.Welcome``."""
        await self._refresh_welcome()
        welcome = self.storage.welcome
        return await self._worker.submit(lambda tx: welcome.messages(tx, every=every), write=False)

    async def record_views(self, ids: list[str]) -> WelcomeVersion:
        """Count one view of each welcome message; see ``models.WelcomeVersion``."""
        await self._refresh_welcome()
        welcome = self.storage.welcome
        return await self._worker.submit(lambda tx: welcome.record_views(tx, ids), write=True)

    async def dismiss_welcome(self, ids: list[str] | None) -> WelcomeVersion:
        """Dismiss these welcome messages for good; None dismisses all until the reset."""
        await self._refresh_welcome()
        welcome = self.storage.welcome
        answer = await self._worker.submit(lambda tx: welcome.dismiss(tx, ids), write=True)
        self._nudge()
        return answer

    async def accept_welcome(self, ids: list[str]) -> WelcomeVersion:
        """Accept welcome messages that must be accepted; see ``models.WelcomeVersion``."""
        await self._refresh_welcome()
        welcome = self.storage.welcome
        answer = await self._worker.submit(lambda tx: welcome.accept(tx, ids), write=True)
        self._nudge()
        return answer

    async def reset_welcome(self) -> WelcomeVersion:
        """Make every welcome message due again."""
        await self._refresh_welcome()
        answer = await self._worker.submit(self.storage.welcome.reset, write=True)
        self._nudge()
        return answer

    async def find_image(self, path: str) -> tuple[bytes, str] | None:
        """Return an image of a welcome message, and its media type."""
        for source in self._get_sources():
            if (found := await source.find_image(path)) is not None:
                return found
        return None

    async def _refresh_welcome(self) -> None:
        for source in self._get_sources():
            await source.refresh_welcome()

    # Sources

    def _get_sources(self) -> tuple[Source, ...]:
        if self._sources is None:
            if self._make_sources is None:
                self._sources = ()
                return ()
            from .sources.source import SourceContext

            context = SourceContext(
                self.storage,
                self._worker.submit,
                self.emit_event,
                self._log,
                self._timings.sources,
                self.receive,
                self.revoke,
                lambda: len(self.broadcaster),
            )
            self._sources = tuple(self._make_sources(context))
        return self._sources

    def _nudge(self) -> None:
        for source in self._sources or ():
            source.nudge()

    # Streams

    def open(self, sink: Sink, since: Cursor | None) -> Subscription:
        """Open a stream to a tab that has received everything up to ``since``."""
        position = None if since is None else StreamPosition(since, -1)
        subscription = Subscription(sink, position, self._catch_up, self.broadcaster.sending)
        self.broadcaster.open(subscription)
        if self._watching is None:
            self._watching = asyncio.ensure_future(self._watch())
            for source in self._get_sources():
                source.wake()
        return subscription

    def close(self, subscription: Subscription) -> None:
        """Close a stream."""
        self.broadcaster.close(subscription)
        if not self.broadcaster and self._watching is not None:
            # A server without tabs must stay idle.
            self._watching.cancel()
            self._watching = None
            self._published = None
            for source in self._sources or ():
                source.sleep()

    async def _catch_up(self, since: StreamPosition | None) -> tuple[StreamPosition, str]:
        notifications = self.storage.notifications
        cursor = None if since is None else since.cursor

        def catch_up(tx: Transaction) -> tuple[StreamPosition, str]:
            return notifications.position(tx), dumps(notifications.frame(tx, cursor))

        return await self._worker.submit(catch_up, write=False)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._timings.watch_interval_s)
            try:
                # Every batch, even an empty one, reads the cursor, expires rows, retries a failed
                # file, and makes an update.
                await self._worker.submit(no_operation, write=False)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._log.debug("Watching the store failed: %s", error)
            if self.storage.notifications.has_woken:
                self.storage.notifications.has_woken = False
                self._nudge()

    def _make_update(self) -> Update | None:
        """Return the frame that leads to the present; runs in storage's thread after a batch."""
        before = self._published
        if not self.broadcaster or self.storage.position == before:
            return None
        notifications = self.storage.notifications

        def make(tx: Transaction) -> Update:
            after = notifications.position(tx)
            if before is None:
                # Streams may have caught up in the middle of the batch, so each fetches what it
                # lacks.
                return Update(None, after, "")
            frame = notifications.frame(tx, before.cursor)
            is_snapshot = frame["type"] == "snapshot"
            return Update(None if is_snapshot else before, after, dumps(frame))

        (update,) = self.storage.run([(make, False)])
        if isinstance(update, Unavailable):
            return None
        if isinstance(update, Exception):
            raise update
        assert isinstance(update, Update)
        self._published = update.after
        return update


def to_row(message: IngestMessage, source: str, token: str | None = None) -> NewNotification:
    """Return a message as the row that ``NotificationRepository.add`` takes."""
    named = message.source or source
    expires_ms = None
    if message.expiresAt is not None:
        # Integer division: a float would round the last representable moment up.
        expires_ms = (message.expiresAt - EPOCH) // timedelta(milliseconds=1)
    elif message.ttl is not None:
        expires_ms = int((time.time() + message.ttl) * 1000)
    interrupt_ms = heartbeat_ms = None
    if message.heartbeat is not None:
        interrupt_ms = int((time.time() + message.heartbeat) * 1000)
        heartbeat_ms = int(message.heartbeat * 1000)
    auto_close = message.autoClose
    if isinstance(auto_close, float):
        auto_close = int(auto_close)
    return {
        "id": new_id(int(time.time() * 1000)),
        "source": named,
        "via": None if token == named else token,
        "key": message.key,
        "type": message.type,
        "message": message.message,
        "markdown": int(message.markdown),
        "body": message.body or None,
        "auto_close": None if auto_close is None else dumps(auto_close),
        "actions": dumps([a.model_dump() for a in message.actions]) if message.actions else "[]",
        "reply": None if message.reply is None else dumps(message.reply.model_dump()),
        "progress": message.progress,
        "banner": int(message.banner),
        "dismissable": int(message.dismissable),
        "data": None if message.data is None else dumps(message.data),
        "expires_ms": expires_ms,
        "interrupt_ms": interrupt_ms,
        "heartbeat_ms": heartbeat_ms,
    }
