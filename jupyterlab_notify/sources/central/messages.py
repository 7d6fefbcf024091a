"""Sync the user's messages with the central service, and fetch their bodies."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from ...exceptions import NotFound
from ...storage import Retention
from ...storage.remote import RemoteMessage, RemoteSnapshot, RemoteState
from .client import PAGE_SIZE
from .failure import Failure
from .parsing import ListedMessage, Page
from .session import CentralSession, ListState

#: Number of messages that are stored at once. It is more than a frame of changes may hold, so that
#: a tab gets a short snapshot instead of every message.
CHUNK = 1000
#: Number of messages in the first page if the service gives no ``ETag``. The total covers the rest,
#: so that a poll that finds nothing new is small however many messages are unread.
SHORT_PAGE = 5
#: Number of pages of a list that are read.
MAX_PAGES = 100
#: Characters of new messages that are held in memory until they are stored.
MAX_HELD = 8 * 1024 * 1024
#: Up to this many messages that left the unread list are requested one by one.
FEW = 8
#: Number of messages with changed content that are requested in one pass.
CHANGED_AT_ONCE = 100


class _Comparison:
    """The differences between the service's lists and a snapshot.

    Parameters
    ----------
    snapshot
        The stored messages before the request.
    retention
        How much is kept; more new messages than that are skipped.
    newer
        The service's ids of messages whose stored state is newer than the lists.
    """

    def __init__(self, snapshot: RemoteSnapshot, retention: Retention, newer: set[str]) -> None:
        self.snapshot = snapshot
        self.newer = newer
        self._retention = retention
        self._room = MAX_HELD
        self._oldest_ms = 0
        if retention.days:
            self._oldest_ms = int((time.time() - retention.days * 86_400) * 1000)
        #: The service's unread messages, and whether the list is complete.
        self.unread: set[str] = set()
        self.complete = False
        #: The messages that were never stored, newest first, and the ids of those to skip.
        self.new: list[ListedMessage] = []
        self.skipped: list[str] = []
        self.read: list[str] = []
        self.revoked: list[str] = []
        #: The messages whose content is newer at the service.
        self.changed: dict[str, None] = {}
        #: The state of messages that the user has snoozed elsewhere, or brought back.
        self.snoozed: dict[str, RemoteState] = {}
        #: Bodies that were fetched on the way, by our ids.
        self.bodies: dict[str, str | None] = {}

    def take(self, page: Page) -> None:
        """Add a page of unread messages; of known messages, only the ids are kept."""
        for item in page.items:
            if item.read or item.remote in self.unread:
                continue
            self.unread.add(item.remote)
            self.compare(item)
            if item.remote in self.snapshot.messages or item.remote in self.snapshot.seen:
                continue
            self._room -= len(item.message) + len(item.options["actions"])
            count = self._retention.count
            if (
                self._room < 0
                or item.created_ms < self._oldest_ms
                or (count and len(self.new) >= count)
            ):
                self.skipped.append(item.remote)
            else:
                self.new.append(item)

    def compare(self, item: ListedMessage) -> None:
        """Note a stored message whose content or snooze has changed at the service."""
        until_ms = item.options["snoozed_until_ms"]
        if self.snapshot.has_other_snooze(item.remote, until_ms):
            self.snoozed[item.remote] = RemoteState(item.read, False, snoozed_until_ms=until_ms)
        known = self.snapshot.messages.get(item.remote)
        if known is not None and (item.updated_ms or 0) > known.updated_ms:
            self.changed[item.remote] = None

    @property
    def missing(self) -> list[str]:
        """The messages that are unread here but not at the service."""
        if not self.complete:
            return []
        return [
            remote
            for remote, known in self.snapshot.messages.items()
            if not known.is_read
            and remote not in self.unread
            and remote not in self.snapshot.pending
        ]

    @property
    def unread_again(self) -> list[str]:
        """The messages that are read here but unread at the service."""
        known = self.snapshot.messages
        return [r for r in self.unread if r in known and known[r].is_read and r not in self.read]


class MessageSync:
    """Keeps the stored messages in step with the service's lists.

    Parameters
    ----------
    session
        The service.
    """

    def __init__(self, session: CentralSession) -> None:
        self._session = session
        self._unread = ListState()
        self._all = ListState()

    async def sync(self) -> None:
        """Store new messages, and apply what was read, unread and revoked elsewhere."""
        newer = self._session.changed_by_events = set[str]()
        try:
            await self._compare(newer)
        finally:
            self._session.changed_by_events = None

    def compare_in_full(self) -> None:
        """Make the next sync compare both lists in full, whatever is known of them."""
        self._unread, self._all = ListState(self._unread.epoch), ListState(self._all.epoch)

    async def _compare(self, newer: set[str]) -> None:
        """Sync, except for messages whose ids are in ``newer``, or are added to it meanwhile."""
        session, remote = self._session, self._session.storage.remote
        snapshot = await session.submit(remote.snapshot, write=False)
        epoch = snapshot.cursor.epoch
        if self._unread.epoch != epoch:
            self._unread, self._all = ListState(epoch), ListState(epoch)
        before, all_before = self._unread, self._all
        found = _Comparison(snapshot, session.storage.retention, newer)
        try:
            unread_state = await self._read_unread(found)
        except Failure:
            # Store what came before the failed page. The total number cannot be compared then.
            if found.unread:
                self._all = ListState(epoch)
                await self._store(found)
            raise
        await self._store(found)
        new = len(found.new) + len(found.skipped)
        all_state = await self._find_read_and_revoked(found, new)
        applied = await self._apply(found) and await self._refresh(found)
        # Bodies come last: storing one may change its row, which would then count as changed here.
        for id_, body in found.bodies.items():
            await self._store_body(id_, body)
        if found.complete and (gone := snapshot.seen - found.unread):
            await session.submit(lambda tx: remote.forget_seen(tx, gone), write=True)
        if self._all is all_before:
            self._all = all_state
        # If something changed here in the meantime, the list must be compared again, so its ETag is
        # not kept. Nor is it if fetching a body, or an event, has reset the state in the meantime.
        if applied and self._unread is before:
            self._unread = unread_state

    async def _apply(self, found: _Comparison) -> bool:
        """Store what was done elsewhere; return whether all of it was applied."""
        session, remote = self._session, self._session.storage.remote
        wanted = (found.read, found.unread_again, found.revoked, found.snoozed)
        if not any(wanted):
            return True
        read, unread, revoked, ids = ([o for o in some if o not in found.newer] for some in wanted)
        snoozed = {one: found.snoozed[one] for one in ids}
        changed = await session.submit(
            lambda tx: remote.apply(tx, found.snapshot, read, unread, revoked, snoozed), write=True
        )
        for action, ids in changed._asdict().items():
            session.emit_event(action, ids)
        return sum(map(len, changed)) == sum(map(len, wanted))

    async def _refresh(self, found: _Comparison) -> bool:
        """Store the new content of messages that have changed; return whether none is left."""
        session, remote = self._session, self._session.storage.remote
        name = session.settings.name
        gone = {*found.revoked, *found.newer}
        wanted = [one for one in found.changed if one not in gone]
        for one in wanted[:CHANGED_AT_ONCE]:
            session.check_wanted()
            try:
                item, state = await session.client.whole_message(one)
            except Failure as failure:
                if failure.status != 404:
                    raise
                # The message was revoked since. The next comparison finds that.
                return False
            if one in found.newer:
                continue
            id_ = await session.submit(
                lambda tx, item=item, state=state: remote.upsert_message(tx, item, name, state),  # type: ignore[misc]  # defaults have no type
                write=True,
            )
            session.created([id_] if id_ is not None else [])
        return len(wanted) <= CHANGED_AT_ONCE

    async def _read_unread(self, found: _Comparison) -> ListState:
        """Find the service's unread messages.

        All pages are read only if new messages alone do not explain the first page and the total
        number, since there may be very many.
        """
        before = self._unread
        age_s = time.monotonic() - before.compared_at
        fresh = age_s < self._session.context.timings.full_comparison_s
        # Without the total number, a short page says nothing about the other messages.
        is_short = fresh and before.etag is None and before.total is not None
        client = self._session.client
        first = await client.messages(
            unread=True,
            limit=SHORT_PAGE if is_short else PAGE_SIZE,
            etag=before.etag if fresh else None,
        )
        if first is None:
            return before
        if (
            is_short
            and first.cursor is not None
            and not _only_new_ones(first, before, found.snapshot.seen)
        ):
            first = await client.messages(unread=True)
            assert first is not None
        ids = tuple(item.remote for item in first.items)
        state = ListState(before.epoch, first.etag, ids, first.total, time.monotonic())
        self._session.notices["messages"] = first.notice
        if fresh and _only_new_ones(first, before, found.snapshot.seen):
            state.compared_at = before.compared_at
            # The messages after a short page are the same as before.
            new = ids[: _count_new(ids, found.snapshot.seen)]
            state.ids = (new + before.ids)[:PAGE_SIZE]
            found.take(first)
            return state
        readable = True
        async for page in self._pages(first, unread=True):
            found.take(page)
            found.complete = page.cursor is None
            readable = readable and page.notice is None
        # An unreadable entry may be any message, so then none counts as missing.
        found.complete = found.complete and readable
        return state

    async def _pages(self, page: Page, *, unread: bool) -> AsyncIterator[Page]:
        """Return a page and the following ones, one at a time to save memory."""
        cursors: set[str] = set()
        yield page
        while (cursor := page.cursor) is not None and len(cursors) < MAX_PAGES - 1:
            if cursor in cursors:
                raise Failure("The central service's list of messages goes in a circle.")
            cursors.add(cursor)
            self._session.check_wanted()
            following = await self._session.client.messages(unread=unread, cursor=cursor)
            assert following is not None
            page = following
            yield page

    async def _store(self, found: _Comparison) -> None:
        """Store new messages, oldest first, as many as retention keeps."""
        session, storage = self._session, self._session.storage
        name = session.settings.name
        if ids := found.skipped:
            await session.submit(lambda tx: storage.remote.skip(tx, ids), write=True)
        kept = found.new[::-1]
        for start in range(0, len(kept), CHUNK):
            rows: list[RemoteMessage] = [
                {
                    "remote": i.remote,
                    "message": i.message,
                    "created_ms": i.created_ms,
                    "updated_ms": i.updated_ms,
                    "body": None,
                    "fetched": 0,
                    **i.options,
                }
                for i in kept[start : start + CHUNK]
                # Leave out messages that an event has brought or revoked in the meantime.
                if i.remote not in found.newer
            ]
            added = await session.submit(
                lambda tx, rows=rows: storage.remote.add(tx, rows, name),  # type: ignore[misc]  # defaults have no type
                write=True,
            )
            session.created(added)
            session.check_wanted()

    async def _find_read_and_revoked(self, found: _Comparison, new: int) -> ListState:
        """Find out which messages were read elsewhere and which were revoked.

        A message that is unread here and missing from the unread list may be either. A message that
        is read here can only have been revoked. The total number shows whether a full comparison
        is needed. For a few messages it is cheaper to request each than to read all pages.
        """
        before, known = self._all, found.snapshot.messages
        first = await self._session.client.messages(unread=False, limit=1, etag=before.etag)
        total, etag = before.total, before.etag
        if first is not None:
            total, etag = first.total, first.etag
        now = time.monotonic()
        state = ListState(before.epoch, etag, total=total, compared_at=before.compared_at)
        if not known:
            state.compared_at = now
            return state
        missing = found.missing
        if len(missing) <= FEW:
            for remote in missing:
                self._session.check_wanted()
                await self._check_message(remote, found)
        expected = None if before.total is None else before.total + new - len(found.revoked)
        explained = total is None or total == expected
        if first is not None and before.etag is not None:
            # The list has changed at the service. If none of these changes explains that, the
            # content of a read message has changed.
            known_changes = (new, missing, found.unread_again, found.changed, found.snoozed)
            explained = explained and any(known_changes)
        fresh = now - before.compared_at < self._session.context.timings.full_comparison_s
        if len(missing) <= FEW and explained and fresh:
            return state
        await self._compare_all(found)
        state.compared_at = now
        return state

    async def _compare_all(self, found: _Comparison) -> None:
        """Compare every stored message with the list of all messages."""
        known = found.snapshot.messages
        first = await self._session.client.messages(unread=False)
        assert first is not None
        oldest_ms = min(message.created_ms for message in known.values())
        listed: dict[str, bool] = {}
        # Time back to which the list was read; older messages may be on unread pages.
        last_ms, readable = 2**63, True
        async for page in self._pages(first, unread=False):
            for item in page.items:
                if item.remote in known:
                    listed[item.remote] = item.read
                    found.compare(item)
            readable = readable and page.notice is None
            if page.cursor is None:
                last_ms = -1
            elif page.items and (last_ms := page.items[-1].created_ms) < oldest_ms:
                break
        for remote, message in known.items():
            if remote in listed:
                if listed[remote] and not message.is_read:
                    found.read.append(remote)
            elif message.created_ms > last_ms and readable:
                found.revoked.append(remote)

    async def _check_message(self, remote: str, found: _Comparison) -> None:
        try:
            is_read, body = await self._session.client.message(remote)
        except Failure as failure:
            if failure.status != 404:
                raise
            found.revoked.append(remote)
            return
        if is_read:
            found.read.append(remote)
        found.bodies[found.snapshot.messages[remote].id] = body

    # Bodies

    async def _store_body(self, id_: str, body: str | None) -> None:
        remote = self._session.storage.remote
        await self._session.submit(lambda tx: remote.store_body(tx, id_, body), write=True)

    async def fetch_body(self, id_: str) -> bool:
        """Fetch the body of a message that was not fetched yet; return whether there was a request.

        Raises
        ------
        Unavailable
            If the service does not return it now.
        NotFound
            If the message was revoked.
        """
        session, remotes = self._session, self._session.storage.remote
        remote = await session.submit(lambda tx: remotes.unfetched(tx, id_), write=False)
        if remote is None:
            return False
        session.check_not_paused()
        try:
            _, body = await session.client.message(remote)
        except Failure as failure:
            if failure.status == 404:
                await session.submit(lambda tx: remotes.revoke(tx, id_), write=True)
                # A proxy may have answered, so compare the lists in full the next time.
                self._unread = ListState(self._unread.epoch)
                session.emit_event("revoked", [id_])
                raise NotFound("This message has been withdrawn.") from None
            raise session.unavailable(failure) from None
        await self._store_body(id_, body)
        return True


def _only_new_ones(first: Page, before: ListState, seen: frozenset[str]) -> bool:
    """Return whether the first page differs from the last one only by new messages."""
    ids = tuple(item.remote for item in first.items)
    if first.cursor is None or first.total is None or not before.total:
        return False
    count = _count_new(ids, seen)
    return (
        first.total == before.total + count
        and ids[count:] == before.ids[: len(ids) - count]
        and count < len(ids)
    )


def _count_new(ids: tuple[str, ...], seen: frozenset[str]) -> int:
    """Return how many messages at the top of a list were never seen before."""
    count = 0
    while count < len(ids) and ids[count] not in seen:
        count += 1
    return count
