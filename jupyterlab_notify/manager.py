"""The inbox: what the product does.

It takes messages in, replaces, revokes and expires them, and remembers what the person
read and dismissed.
Handlers and sources call it. It validates nothing that ``models`` validates; it knows no HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from .broadcaster import Broadcaster, Sink, Subscription, Update
from .database import look
from .encoding import dumps
from .exceptions import Unavailable
from .ledger import central_tag
from .store import Cursor, InsertNotification, Query, Retention, Row, Store, StreamPosition, new_id
from .worker import Worker

if TYPE_CHECKING:
    from .models import IngestMessage
    from .sources.central import Central
    from .sources.welcome_files import WelcomeFiles

T = TypeVar("T")

#: How often, in seconds, what other servers of this home directory took in is looked for.
WATCH_INTERVAL_S = 1.0
#: How often, in seconds, the welcome files are looked at, and how long an answer waits for that.
FILES_INTERVAL_S = 60.0
FILES_TIMEOUT_S = 2.0

EPOCH = datetime.fromtimestamp(0, timezone.utc)

Notice = Callable[[str, list[str]], None]
MakeCentral = Callable[["NotificationManager"], "Central"]


class Received(NamedTuple):
    """What became of a message: its id, its change's ``seq``, and how well it is kept."""

    id: str
    seq: int
    tabs: int
    durable: bool


class NotificationManager:
    """The notifications of one person.

    Parameters
    ----------
    path
        The database file; None keeps everything in memory.
    retention
        What is kept.
    log
        Where the administrator looks.
    notice
        Called after each change with what happened (``created``, ``read``, …) and the ids
        that a caller named, never with content. For Jupyter's event bus.
    files
        Makes what reads the welcome files; called in a thread, when they are first needed.
    central
        The central service's URL, and what makes its poller when the first tab opens.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        retention: Retention | None = None,
        log: logging.Logger | None = None,
        notice: Notice = lambda action, ids: None,
        files: Callable[[], WelcomeFiles] | None = None,
        central: tuple[str, MakeCentral] | None = None,
    ) -> None:
        self.broadcaster = Broadcaster()
        self.retention = retention or Retention()
        self._log = log or logging.getLogger(__name__)
        self._notice = notice
        self._store = Store(path, retention=self.retention, log=self._log)
        self._worker = Worker(self._store, self._news, self._publish)
        self._published: StreamPosition | None = None
        self._watch: asyncio.Task[None] | None = None
        self._make_central: MakeCentral | None = None
        self._central: Central | None = None
        if central is not None:
            self._store.central = central_tag(central[0])
            self._make_central = central[1]
        self._make_files = files
        self._files: WelcomeFiles | None = None
        self._scan: asyncio.Task[None] | None = None
        self._scanned_at = 0.0

    def start(self) -> None:
        """Open the store, in its own thread; returns at once."""
        self._worker.start()

    async def stop(self) -> None:
        """Commit what waits and close the store."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._central is not None:
            await self._central.stop()
        await self._worker.stop()

    @property
    def store(self) -> Store:
        """The store; only calls that are handed to ``submit`` may touch it."""
        return self._store

    def submit(self, call: Callable[[], T], *, write: bool) -> asyncio.Future[T]:
        """Have the store's thread do something (for sources)."""
        return self._worker.submit(call, write=write)

    def tell(self, action: str, ids: list[str]) -> None:
        """Tell other extensions what happened to which notifications (for sources)."""
        self._tell(action, ids)

    # What senders do

    async def receive(self, message: IngestMessage, source: str) -> Received:
        """Store a message; returns once it is committed.

        Parameters
        ----------
        message
            What was sent.
        source
            Who says it, if the message does not.

        Raises
        ------
        Busy
            If too much is waiting to be stored.
        """
        arrival = InsertNotification(self._store, to_row(message, source))
        stored = await self._worker.submit(arrival, write=True)
        if stored.action is not None:
            self._tell(stored.action, [stored.id])
        return Received(stored.id, stored.seq, len(self.broadcaster), stored.durable)

    async def revoke(self, id_or_key: str, source: str, *, any_source: bool) -> Received:
        """Take a message back; see ``Store.revoke``."""
        store = self._store

        def call() -> tuple[str, int, bool]:
            return *store.revoke(id_or_key, source, any_source=any_source), store.durable

        id_, seq, durable = await self._worker.submit(call, write=True)
        self._tell("revoked", [id_])
        return Received(id_, seq, len(self.broadcaster), durable)

    # What the person does

    async def change_one(self, id_: str, *, read: bool | None, dismissed: bool | None) -> Row:
        """Change the state of one; see ``Store.change_one``."""
        store = self._store
        changed = await self._worker.submit(
            lambda: store.change_one(id_, read, dismissed), write=True
        )
        self._tell_change(read, dismissed, [id_])
        return changed

    async def change_many(
        self,
        *,
        ids: list[str] | None = None,
        seqs: tuple[int, int] | None = None,
        up_to: Cursor | None = None,
        read: bool | None,
        dismissed: bool | None,
    ) -> Row:
        """Change the state of many; see ``Store.change_many``."""
        store = self._store
        changed = await self._worker.submit(
            lambda: store.change_many(
                ids=ids, seqs=seqs, up_to=up_to, read=read, dismissed=dismissed
            ),
            write=True,
        )
        self._tell_change(read, dismissed, ids or [])
        return changed

    def _tell_change(self, read: bool | None, dismissed: bool | None, ids: list[str]) -> None:
        self._nudge()
        if read is not None:
            self._tell("read" if read else "unread", ids)
        if dismissed is not None:
            self._tell("dismissed" if dismissed else "restored", ids)

    def _tell(self, action: str, ids: list[str]) -> None:
        try:
            self._notice(action, ids)
        except Exception as error:
            # It is stored all the same: who sent it must not be told to send it again.
            self._log.warning("Telling others of a notification failed: %s", error)

    # What a tab asks

    async def page(self, query: Query) -> str:
        """Return a page of the list as JSON."""
        store = self._store
        if not query.text:
            return await self._worker.submit(lambda: dumps(store.page(query)), write=False)
        # Piece by piece, so that a long search keeps nobody else waiting.
        found: list[Row] = []
        begun: Cursor | None = None
        before = query.before

        def look_on() -> tuple[list[Row], int | None, Cursor]:
            limit = query.limit + 1 - len(found)
            return *store.scan(query, before, limit), store.cursor()

        while True:
            rows, before, cursor = await self._worker.submit(look_on, write=False)
            begun = begun or cursor
            found += rows
            if before is None or len(found) > query.limit:
                break
        page = store.bind
        return await self._worker.submit(lambda: dumps(page(query, found, begun)), write=False)

    async def detail(self, id_: str) -> str:
        """Return one notification whole, as JSON; see ``Central.fetch`` for a message's body."""
        store = self._store
        if store.central and (central := self._get_central()) is not None:
            await central.fetch(id_)
        return await self._worker.submit(lambda: dumps(store.detail(id_)), write=False)

    async def status(self, version: str) -> Row:
        """Return the state of this inbox, in the shape of ``models.Status``."""
        store = self._store
        kept, counts, outbox = await self._worker.submit(
            lambda: (store.status(), store.counts(), store.outbox()), write=False
        )
        central = self._get_central()
        return {
            "version": version,
            "store": kept,
            "tabs": len(self.broadcaster),
            "counts": counts,
            "retention": {"days": self.retention.days, "count": self.retention.count},
            "central": None if central is None else central.status(outbox),
        }

    # Welcome messages

    async def welcome(self, *, every: bool) -> Row:
        """Return the welcome messages that are due, or every one; see ``models.Welcome``."""
        await self._read_files()
        store = self._store
        return await self._worker.submit(lambda: store.welcome_messages(every=every), write=False)

    async def welcome_seen(self, ids: list[str]) -> Row:
        """Count a view of each; see ``models.WelcomeVersion``."""
        await self._read_files()
        store = self._store
        return await self._worker.submit(lambda: store.welcome_seen(ids), write=True)

    async def welcome_dismiss(self, ids: list[str] | None) -> Row:
        """Never show these again; None: none at all, until the reset."""
        await self._read_files()
        store = self._store
        answer = await self._worker.submit(lambda: store.welcome_dismiss(ids), write=True)
        self._nudge()
        return answer

    async def welcome_reset(self) -> Row:
        """Make every welcome message due again."""
        await self._read_files()
        store = self._store
        answer = await self._worker.submit(store.welcome_reset, write=True)
        self._nudge()
        return answer

    async def welcome_image(self, name: str) -> tuple[bytes, str] | None:
        """Return an image that lies beside a welcome file, and its media type."""
        await self._read_files()
        if (files := self._files) is None:
            return None
        from .sources import in_thread

        return await in_thread(lambda: files.find_image(name))

    async def _read_files(self) -> None:
        """Wait until the welcome files were looked at, but not for a folder that hangs."""
        if self._make_files is None:
            return
        if self._scan is None or self._scan.done():
            self._scan = asyncio.ensure_future(self._scan_files(self._make_files))
        await asyncio.wait({self._scan}, timeout=FILES_TIMEOUT_S)

    async def _scan_files(self, make: Callable[[], WelcomeFiles]) -> None:
        from .sources import in_thread

        def scan() -> tuple[WelcomeFiles, list[Row]]:
            files = self._files or make()
            return files, files.scan()

        store = self._store
        try:
            self._files, messages = await in_thread(scan)
            if tuple(messages) != store.files:
                await self._worker.submit(lambda: store.set_files(messages), write=False)
        except Exception as error:
            self._log.debug("Reading the welcome files failed: %s", error)
        self._scanned_at = time.monotonic()

    # The central service

    def _get_central(self) -> Central | None:
        if self._central is None and self._make_central is not None:
            self._central = self._make_central(self)
        return self._central

    def _nudge(self) -> None:
        if self._central is not None:
            self._central.nudge()

    # Streams

    def open(self, sink: Sink, since: Cursor | None) -> Subscription:
        """Open a stream to a tab that has come as far as ``since``."""
        standing = None if since is None else StreamPosition(since, -1)
        stream = Subscription(sink, standing, self._catch_up)
        self.broadcaster.open(stream)
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._keep_watch())
            if (central := self._get_central()) is not None:
                central.wake()
        return stream

    def close(self, stream: Subscription) -> None:
        """Close a stream."""
        self.broadcaster.close(stream)
        if not self.broadcaster and self._watch is not None:
            # Nobody looks: a server without tabs does nothing at all.
            self._watch.cancel()
            self._watch = None
            self._published = None
            if self._central is not None:
                self._central.sleep()

    async def _catch_up(self, since: StreamPosition | None) -> tuple[StreamPosition, str]:
        store = self._store

        def call() -> tuple[StreamPosition, str]:
            return store.standing(), dumps(store.frame(None if since is None else since.cursor))

        return await self._worker.submit(call, write=False)

    async def _keep_watch(self) -> None:
        while True:
            if time.monotonic() - self._scanned_at >= FILES_INTERVAL_S:
                await self._read_files()
            await asyncio.sleep(WATCH_INTERVAL_S)
            try:
                # Any batch reads the store's cursor, expires, heals and looks for news.
                await self._worker.submit(look, write=False)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._log.debug("Watching the store failed: %s", error)

    def _news(self) -> Update | None:
        """In the store's thread, after a batch: the frame that leads to the present."""
        store, before = self._store, self._published
        if not self.broadcaster or store.standing() == before:
            return None

        def call() -> Update:
            after = store.standing()
            if before is None:
                # Streams may have caught up in the middle of the batch: they look by themselves.
                return Update(None, after, "")
            frame = store.frame(before.cursor)
            return Update(None if frame["type"] == "snapshot" else before, after, dumps(frame))

        (news,) = store.run([(call, False)])
        if isinstance(news, Unavailable):
            return None
        if isinstance(news, Exception):
            raise news
        self._published = news.after
        return news

    def _publish(self, news: Update) -> None:
        self.broadcaster.publish(news)


def to_row(message: IngestMessage, source: str) -> Row:
    """Return a message as ``Store.receive`` wants it."""
    expires_ms = None
    if message.expiresAt is not None:
        # In whole numbers: as a fraction, the last moment that can be told becomes one later.
        expires_ms = (message.expiresAt - EPOCH) // timedelta(milliseconds=1)
    elif message.ttl is not None:
        expires_ms = int((time.time() + message.ttl) * 1000)
    interrupt_ms = None
    if message.heartbeat is not None:
        interrupt_ms = int((time.time() + message.heartbeat) * 1000)
    auto_close = message.autoClose
    if isinstance(auto_close, float):
        auto_close = int(auto_close)
    return {
        "id": new_id(int(time.time() * 1000)),
        "source": message.source or source,
        "key": message.key,
        "type": message.type,
        "message": message.message,
        "markdown": int(message.markdown),
        "body": message.body or None,
        "auto_close": None if auto_close is None else dumps(auto_close),
        "actions": dumps([a.model_dump() for a in message.actions]) if message.actions else "[]",
        "progress": message.progress,
        "banner": int(message.banner),
        "dismissable": int(message.dismissable),
        "data": None if message.data is None else dumps(message.data),
        "expires_ms": expires_ms,
        "interrupt_ms": interrupt_ms,
    }
