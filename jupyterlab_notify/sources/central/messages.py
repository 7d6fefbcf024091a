"""The user's messages at the central service, and their bodies."""

from __future__ import annotations

import time

from ...exceptions import NotFound, Unavailable
from ...storage.remote import RemoteMessage, RemoteSnapshot
from .failure import Failure
from .parsing import ListedMessage, Page
from .session import CentralSession, ListState

#: How many messages are stored at once: more than make a frame of changes, so that a tab gets
#: a short snapshot instead of each.
CHUNK = 1000
#: How many pages a list may have.
MAX_PAGES = 400
#: Up to so many messages that left the list of what is unread are asked for one by one.
FEW = 8


class _Comparison:
    """What comparing the service's lists with a snapshot finds."""

    def __init__(self, snapshot: RemoteSnapshot) -> None:
        self.snapshot = snapshot
        #: The unread messages of the service, and whether these are all.
        self.unread: dict[str, ListedMessage] = {}
        self.complete = False
        self.read: list[str] = []
        self.revoked: list[str] = []
        #: Bodies that were fetched on the way, by our ids.
        self.bodies: dict[str, str | None] = {}

    @property
    def new(self) -> list[ListedMessage]:
        """What was never taken in."""
        known = self.snapshot.messages.keys() | self.snapshot.seen
        return [item for item in self.unread.values() if item.remote not in known]

    @property
    def missing(self) -> list[str]:
        """What is unread here and not there."""
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
        """What is read here and unread there."""
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
        """Take in what is new, and follow what was read, unread and revoked elsewhere."""
        session, remote = self._session, self._session.storage.remote
        snapshot = await session.submit(remote.snapshot, write=False)
        epoch = snapshot.cursor.epoch
        if self._unread.epoch != epoch:
            self._unread, self._all = ListState(epoch), ListState(epoch)
        before = self._unread
        found = _Comparison(snapshot)
        unread_state = await self._read_unread(found)
        new = found.new
        await self._store(new)
        all_state = await self._tell_read_from_revoked(found, len(new))
        followed = await self._apply(found)
        # Only now: a body may be a change of its row, which then would not be followed.
        for id_, body in found.bodies.items():
            await self._store_body(id_, body)
        if found.complete and (gone := snapshot.seen - found.unread.keys()):
            await session.submit(lambda tx: remote.forget_seen(tx, gone), write=True)
        self._all = all_state
        # What changed here meanwhile is compared anew, so that list must not be answered by a 304.
        if followed and self._unread is before:
            # Not forgotten meanwhile, since a message was opened that is said to be revoked.
            self._unread = unread_state

    async def _apply(self, found: _Comparison) -> bool:
        """Store what was done elsewhere; return whether all of it could be."""
        session, remote = self._session, self._session.storage.remote
        read, unread, revoked = found.read, found.unread_again, found.revoked
        if not (read or unread or revoked):
            return True
        changed = await session.submit(
            lambda tx: remote.apply(tx, found.snapshot, read, unread, revoked), write=True
        )
        for action, ids in changed._asdict().items():
            session.emit_event(action, ids)
        return sum(map(len, changed)) == len(read) + len(unread) + len(revoked)

    async def _read_unread(self, found: _Comparison) -> ListState:
        """Find what is unread at the service.

        With very many unread messages their pages are read only if the first one, and how many
        there are, cannot be explained by new ones alone.
        """
        before = self._unread
        age_s = time.monotonic() - before.compared_at
        fresh = age_s < self._session.context.timings.full_comparison_s
        first = await self._session.client.messages(
            unread=True, etag=before.etag if fresh else None
        )
        if first is None:
            return before
        ids = tuple(item.remote for item in first.items)
        state = ListState(before.epoch, first.etag, ids, first.total, time.monotonic())
        if fresh and _only_new_ones(first, before, found.snapshot.seen):
            state.compared_at = before.compared_at
            found.unread = {item.remote: item for item in first.items}
            return state
        pages = [first]
        await self._read_pages(pages, unread=True)
        found.unread = {i.remote: i for page in pages for i in page.items if not i.read}
        found.complete = pages[-1].cursor is None
        return state

    async def _read_pages(
        self, pages: list[Page], *, unread: bool, until_ms: int | None = None
    ) -> None:
        """Add the pages that follow, as far as ``until_ms``."""
        cursors = set()
        while (cursor := pages[-1].cursor) is not None and len(pages) < MAX_PAGES:
            items = pages[-1].items
            if until_ms is not None and items and items[-1].created_ms < until_ms:
                return
            if cursor in cursors:
                raise Failure("The central service's list of messages goes in a circle.")
            cursors.add(cursor)
            self._session.check_wanted()
            page = await self._session.client.messages(unread=unread, cursor=cursor)
            assert page is not None
            pages.append(page)

    async def _store(self, new: list[ListedMessage]) -> None:
        """Store new messages, the oldest first, as many as retention keeps."""
        session, storage = self._session, self._session.storage
        retention, name = storage.retention, session.settings.name
        oldest_ms = 0
        if retention.days:
            oldest_ms = int((time.time() - retention.days * 86_400) * 1000)
        kept = [item for item in new if item.created_ms >= oldest_ms]
        if retention.count:
            kept = kept[: retention.count]
        if len(kept) < len(new):
            ids = {item.remote for item in new} - {item.remote for item in kept}
            await session.submit(lambda tx: storage.remote.pass_over(tx, ids), write=True)
        kept.reverse()
        for start in range(0, len(kept), CHUNK):
            rows: list[RemoteMessage] = [
                {
                    "remote": i.remote,
                    "message": i.message,
                    "created_ms": i.created_ms,
                    "body": None,
                    "fetched": 0,
                    **i.options,
                }
                for i in kept[start : start + CHUNK]
            ]
            added = await session.submit(
                lambda tx, rows=rows: storage.remote.add(tx, rows, name),  # type: ignore[misc]  # no type of a default
                write=True,
            )
            session.created(added)
            session.check_wanted()

    async def _tell_read_from_revoked(self, found: _Comparison, new: int) -> ListState:
        """Find out what was read elsewhere and what was revoked.

        What is unread here and missing from the list of what is unread may be either; what is
        read here can only have been revoked. How many messages there are in all tells whether to
        look, and for a few it is cheaper to ask for each than to read all pages.
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
                await self._ask_for(remote, found)
        expected = None if before.total is None else before.total + new - len(found.revoked)
        explained = total is None or total == expected
        fresh = now - before.compared_at < self._session.context.timings.full_comparison_s
        if len(missing) <= FEW and explained and fresh:
            return state
        await self._compare_all(found)
        state.compared_at = now
        return state

    async def _compare_all(self, found: _Comparison) -> None:
        """Compare every stored message with the list of all messages."""
        known = found.snapshot.messages
        page = await self._session.client.messages(unread=False)
        assert page is not None
        pages = [page]
        oldest_ms = min(message.created_ms for message in known.values())
        await self._read_pages(pages, unread=False, until_ms=oldest_ms)
        listed = {item.remote: item for page in pages for item in page.items}
        last_ms = -1
        if pages[-1].cursor is not None and pages[-1].items:
            last_ms = pages[-1].items[-1].created_ms
        for remote, message in known.items():
            if remote in listed:
                if listed[remote].read and not message.is_read:
                    found.read.append(remote)
            elif message.created_ms > last_ms:
                found.revoked.append(remote)

    async def _ask_for(self, remote: str, found: _Comparison) -> None:
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
        """Fetch the body of a message, if it was not yet; return whether the service was asked.

        Raises
        ------
        Unavailable
            If the service does not give it now.
        NotFound
            If the message was revoked.
        """
        session, remotes = self._session, self._session.storage.remote
        remote = await session.submit(lambda tx: remotes.unfetched(tx, id_), write=False)
        if remote is None:
            return False
        paused_s = session.schedule.paused_s
        if paused_s > 0:
            raise Unavailable(
                f"The central service asks to be left alone for another {paused_s:.0f} s.",
                retry_after_s=paused_s,
            )
        try:
            _, body = await session.client.message(remote)
        except Failure as failure:
            if failure.status == 404:
                await session.submit(lambda tx: remotes.revoke(tx, id_), write=True)
                # The lists have the last word, should a proxy have said this.
                self._unread = ListState(self._unread.epoch)
                session.emit_event("revoked", [id_])
                raise NotFound("This message was taken back.") from None
            if failure.retry_after_s is not None:
                session.schedule.pause(failure.retry_after_s)
            raise Unavailable(str(failure), retry_after_s=failure.retry_after_s) from None
        await self._store_body(id_, body)
        return True


def _only_new_ones(first: Page, before: ListState, seen: frozenset[str]) -> bool:
    """Whether the first page differs from the one before by new messages alone."""
    ids = tuple(item.remote for item in first.items)
    if first.cursor is None or first.total is None or not before.total:
        return False
    count = 0
    while count < len(ids) and ids[count] not in seen:
        count += 1
    return (
        first.total == before.total + count
        and ids[count:] == before.ids[: len(ids) - count]
        and count < len(ids)
    )
