"""The poller: keeps the store and a central service in step while a tab is open.

The inbox wakes it when the first tab opens and puts it to sleep when the last one closes.
What the person does lies in the store's outbox until the service has taken it; what the
service lists is followed, but never over what the person did meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol, TypeVar

from ..store import Claim, ContradictedDismissals, NotFound, RemoteSnapshot, Row, Store, Unavailable
from .client import Client, Failure, Item, NoToken, Page, token_reader

T = TypeVar("T")

#: The longest back-off, in seconds.
MAX_BACKOFF_S = 600.0
#: How much an interval may differ, so that the labs of a hub do not ask all at once.
JITTER = 0.2
#: After this time, in seconds, everything is gone through even if nothing seems to have changed.
FULL_PASS_S = 600.0
#: How many messages are stored at once: more than make a frame of changes, so that a tab gets
#: a short snapshot instead of each.
CHUNK = 1000
#: How many pages a list may have.
MAX_PAGES = 400
#: How often, in seconds, a server says to the others that it asks its service.
ATTEND_S = 300.0
#: Up to so many messages that left the list of what is unread are asked for one by one.
FEW = 8


class Submit(Protocol):
    """How to have the store's thread do something."""

    def __call__(self, call: Callable[[], T], *, write: bool) -> asyncio.Future[T]:
        """Return what ``call`` returns, once it is committed."""


@dataclass(frozen=True)
class Settings:
    """Which central service, and how to ask it; see the traitlets of ``NotifyApp``."""

    url: str
    name: str
    aspect: str = "jupyterlab"
    interval_s: float = 60.0
    timeout_s: float = 10.0
    ca_bundle: str = ""
    token_file: str = ""
    token_variable: str = ""


@dataclass
class _Seen:
    """What a list looked like when it was last gone through."""

    epoch: str = ""
    etag: str | None = None
    ids: tuple[str, ...] = ()
    total: int | None = None
    more: bool = False
    at: float = field(default=float("-inf"))


#: A part that has not failed.
NOT_RESTING: tuple[int, float, Failure | None] = (0, 0.0, None)


class _Asleep(Exception):
    """In the middle of a pass the last tab was closed, or the service asked to be left alone."""


class Central:
    """Asks one central service on behalf of one person.

    Parameters
    ----------
    settings
        Which, and how.
    store
        Where everything is kept.
    submit
        How to have the store's thread do something.
    tell
        Called with what happened (``created``, ``read``, …) and our ids.
    log
        Where the administrator looks.
    version
        Ours, for the service's logs.
    said
        What was said there at the start already.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        submit: Submit,
        tell: Callable[[str, list[str]], None],
        log: logging.Logger,
        version: str,
        said: str | None = None,
    ) -> None:
        self.settings = settings
        self._store = store
        self._submit = submit
        self._tell = tell
        self._log = log
        self._client = Client(
            settings.url,
            token=token_reader(settings.token_file, settings.token_variable),
            timeout_s=settings.timeout_s,
            ca_bundle=settings.ca_bundle,
            agent=f"jupyterlab_notify/{version}",
        )
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._task: asyncio.Task[None] | None = None
        self._awake = False
        self._nudge = asyncio.Event()
        self._fetches: dict[str, asyncio.Task[None]] = {}
        # When, by the monotonic clock, the next pass is due, and before when nothing is asked.
        self._pass_at = 0.0
        self._asked_at = float("-inf")
        self._not_before = 0.0
        self._left_alone_until = 0.0
        self._failures = 0
        self._last_success: float | None = None
        self._last_failure: tuple[float, str] | None = None
        self._said = said
        #: Whether the service has a welcome part; None: not known yet.
        self._has_welcome: bool | None = None
        #: Whether, in the pass that is under way, the service answered as one that is there.
        self._answers = False
        self._attended_at = float("-inf")
        #: Parts that failed alone: how often, until when each is left alone, and with what.
        self._resting: dict[str, tuple[int, float, Failure | None]] = {}
        self._broadcasts = _Seen()
        self._unread = _Seen()
        self._all = _Seen()
        self._welcome = _Seen()
        self._welcome_asked_ms = 0
        #: Dismissals that the service's list contradicted when it was last asked, and since when.
        self._doubted = ContradictedDismissals()
        self._doubted_at = 0.0

    # When

    def wake(self) -> None:
        """Begin to ask: the first tab has opened."""
        self._awake = True
        # Asked at once, but not again and again while somebody reloads a page.
        self._pass_at = min(self._pass_at, self._asked_at + self._apart_s)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._run())

    def sleep(self) -> None:
        """Ask nothing more: the last tab was closed. What is under way may end."""
        self._awake = False
        self._nudge.set()

    async def stop(self) -> None:
        """End, at once: the server is stopping."""
        self.sleep()
        tasks = [t for t in (self._task, *self._fetches.values()) if t is not None]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
        await self._client.close()

    def nudge(self) -> None:
        """Tell the service soon: the person did something."""
        self._nudge.set()

    async def _run(self) -> None:
        while self._is_awake():
            await self._attend()
            wait_s = max(self._pass_at, self._quiet_until) - time.monotonic()
            if wait_s <= 0:
                await self._attempt(self._pass)
            else:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._nudge.wait(), min(wait_s, ATTEND_S))
                    self._nudge.clear()
                    if self._is_awake() and time.monotonic() >= self._quiet_until:
                        await self._attempt(self._pass_on)
            if not self._is_awake():
                await self._client.rest()

    def _is_awake(self) -> bool:
        return self._awake

    @property
    def _quiet_until(self) -> float:
        """Until when nothing is asked."""
        return max(self._not_before, self._left_alone_until)

    async def _attempt(self, step: Callable[[], Any]) -> None:
        interval_s = self.settings.interval_s
        whole = step == self._pass
        if whole:
            self._asked_at = time.monotonic()
        problem: Failure | None = None
        try:
            problem = await step()
        except _Asleep:
            # A pass that was broken off is as good as none.
            self._pass_at, self._asked_at = 0.0, float("-inf")
        except NoToken as failure:
            # Broadcasts can be had without: nothing is wrong with the service.
            self._note(str(failure))
            if whole:
                self._pass_at = time.monotonic() + interval_s * _jitter()
        except Failure as failure:
            self._failed(failure)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._log.debug("Following the central service failed", exc_info=True)
            self._failed(
                Failure(f"What the central service says cannot be kept ({type(error).__name__}).")
            )
        else:
            self._failures = 0
            self._not_before = 0.0
            if whole:
                self._pass_at = time.monotonic() + interval_s * _jitter()
                self._last_success = time.time()
                if problem is None and self._said is not None:
                    self._said = None
                    self._log.info("The central service answers again.")
            if problem is not None:
                self._note(str(problem))

    def _back_off_s(self, failures: int) -> float:
        wait_s = self.settings.interval_s * 2.0 ** min(failures - 1, 20)
        return min(wait_s * _jitter(), self._longest_s)

    @property
    def _apart_s(self) -> float:
        """How long after one pass the next may come at the soonest."""
        return self.settings.interval_s / 6

    @property
    def _longest_s(self) -> float:
        interval_s = self.settings.interval_s
        return max(min(MAX_BACKOFF_S, 10 * interval_s), interval_s)

    def _failed(self, failure: Failure) -> None:
        self._failures += 1
        wait_s = self._back_off_s(self._failures)
        if failure.unauthorized:
            wait_s = self._longest_s
        now = time.monotonic()
        if failure.retry_after_s is not None:
            wait_s = max(wait_s, failure.retry_after_s)
            self._leave_alone(failure.retry_after_s)
        self._pass_at = self._not_before = now + wait_s
        self._note(str(failure))

    def _leave_alone(self, seconds: float) -> None:
        """Ask nothing for a while, whatever else is answered: a pass or a person's may be on."""
        self._left_alone_until = max(self._left_alone_until, time.monotonic() + seconds)

    def _note(self, message: str) -> None:
        self._last_failure = (time.time(), message)
        if message != self._said:
            self._said = message
            self._log.warning("%s It is asked again by itself.", message)

    def status(self, outbox: int) -> Row:
        """Return how it is going, in the shape of ``models.CentralStatus``."""
        return {
            "url": self.settings.url,
            "lastSuccess": None if self._last_success is None else _rfc3339(self._last_success),
            "lastFailure": None
            if self._last_failure is None
            else {"at": _rfc3339(self._last_failure[0]), "message": self._last_failure[1]},
            "outbox": outbox,
            "welcome": "central" if self._has_welcome else "files",
        }

    async def _attend(self) -> None:
        """Say that this server asks its service, and let go of services that none asks."""
        store, owner = self._store, self._owner
        now = time.monotonic()
        if now - self._attended_at < ATTEND_S:
            return
        self._attended_at = now
        try:
            ended = [name for name in await self._submit(store.askers, write=False) if _ended(name)]
            gone = await self._submit(lambda: store.attend(owner, ended), write=True)
        except Exception:
            self._log.debug("Telling other servers which service is asked failed", exc_info=True)
        else:
            self._announce("revoked", gone)

    # What

    def _check_wanted(self) -> None:
        if not self._awake or time.monotonic() < self._left_alone_until:
            raise _Asleep

    async def _pass(self) -> Failure | None:
        """Ask for everything; return what failed where something else was answered.

        A part that fails alone keeps neither the others from working nor their pace: a service
        may have no messages, or be out of order in one place only.
        """
        problem: Failure | None = None
        answered = self._client.answered
        failed: list[str] = []
        self._answers = False
        # Broadcasts first: they need no token, and what is out of order is said in them.
        for part in (self._list_broadcasts, self._flush, self._list_messages, self._list_welcome):
            self._check_wanted()
            name = part.__name__
            _, not_before, last = self._resting.get(name, NOT_RESTING)
            if time.monotonic() < not_before:
                problem = problem or last
                continue
            try:
                await part()
            except Failure as failure:
                if not failure.alone:
                    self._answers = False
                    raise
                problem = problem or failure
                failed.append(name)
                self._rest(name, failure)
            else:
                self._resting.pop(name, None)
        self._answers = False
        if problem is not None and self._client.answered == answered:
            # All that was asked failed: that is the service's own back-off.
            for name in failed:
                self._resting.pop(name)
            raise problem
        return problem

    async def _pass_on(self) -> Failure | None:
        """Tell the service at once what the person did."""
        name = self._flush.__name__
        if time.monotonic() < self._resting.get(name, NOT_RESTING)[1]:
            return None
        try:
            await self._flush()
        except Failure as failure:
            if not failure.alone:
                raise
            self._rest(name, failure)
            return failure
        self._resting.pop(name, None)
        return None

    def _rest(self, part: str, failure: Failure) -> None:
        """Leave a part alone for a while, longer each time."""
        failures = self._resting.get(part, NOT_RESTING)[0] + 1
        not_before = time.monotonic() + self._back_off_s(failures)
        self._resting[part] = (failures, not_before, failure)

    async def _list_broadcasts(self) -> None:
        store, name = self._store, self.settings.name
        epoch, shown = await self._submit(
            lambda: (store.cursor().epoch, store.shown_broadcasts()), write=False
        )
        seen = self._broadcasts
        if seen.epoch != epoch or {remote for remote, *_ in shown} != set(seen.ids):
            # A list that has not changed would not bring back what was let go of meanwhile.
            seen = _Seen(epoch)
        listed = await self._client.broadcasts(seen.etag)
        self._answers = True
        if listed is None:
            return
        changed = await self._submit(
            lambda: store.list_broadcasts(listed.items, name, shown), write=True
        )
        if changed is None:
            self._broadcasts = _Seen()
            return
        self._broadcasts = _Seen(
            epoch, listed.etag, tuple(str(item["remote"]) for item in listed.items)
        )
        for action, ids in changed.items():
            self._announce(action, ids)

    # The outbox

    async def _flush(self) -> None:
        """Tell what the person did, in order."""
        store, owner = self._store, self._owner
        lease_ms = int((3 * self.settings.timeout_s + 30) * 1000)
        if not await self._submit(store.outbox, write=False):
            return
        dead = [name for name in await self._submit(store.claimants, write=False) if _ended(name)]
        while True:
            self._check_wanted()
            parcel = await self._submit(lambda: store.claim(owner, lease_ms, dead), write=True)
            if parcel is None:
                return
            told = True
            try:
                await self._send(parcel)
            except Failure as failure:
                welcome = parcel.action in ("dismiss", "dismiss-all", "reset")
                without = (
                    welcome
                    and failure.missing
                    and (self._has_welcome is False or await self._answers_still())
                )
                if not (failure.hopeless or without):
                    await self._submit(lambda: store.release(owner), write=True)
                    raise
                told = False
                if failure.hopeless:
                    self._log.warning(
                        "The central service will not take %r: %s", parcel.action, failure
                    )
            await self._settle(parcel, told)

    async def _answers_still(self) -> bool:
        """Whether the service is there: where nothing at all is found, a proxy may have said so.

        It may have begun to in the middle of a pass, so what was answered before is asked again.
        """
        if not self._answers:
            return False
        try:
            await self._client.broadcasts(self._broadcasts.etag)
        except Failure:
            self._answers = False
        return self._answers

    async def _settle(self, parcel: Claim, told: bool) -> None:
        store, owner = self._store, self._owner
        await self._submit(lambda: store.settle(owner, parcel, told=told), write=True)

    async def _send(self, parcel: Claim) -> None:
        subjects = list(parcel.subjects)
        if parcel.action in ("read", "unread"):
            await self._client.mark(parcel.action, subjects)
        elif parcel.action == "dismiss":
            await self._client.dismiss_welcome(subjects)
        elif parcel.action == "dismiss-all":
            await self._client.dismiss_welcome(None)
        else:
            await self._client.reset_welcome()

    # Messages

    async def _list_messages(self) -> None:
        store = self._store
        known = await self._submit(store.known, write=False)
        epoch = known.cursor.epoch
        if self._unread.epoch != epoch:
            self._unread, self._all = _Seen(epoch), _Seen(epoch)
        before = self._unread
        unread, complete, seen = await self._go_through_unread(known)
        new = [
            item
            for item in unread.values()
            if item.remote not in known.messages and item.remote not in known.seen
        ]
        await self._take_in(new)
        again = [r for r in unread if r in known.messages and known.messages[r][1]]
        missing = [
            remote
            for remote, (_, read, _) in known.messages.items()
            if complete and not read and remote not in unread and remote not in known.pending
        ]
        bodies: dict[str, str | None] = {}
        read, revoked, all_seen = await self._tell_read_from_revoked(
            known, missing, len(new), bodies
        )
        unread_again = [remote for remote in again if remote not in read]
        followed = True
        if read or revoked or unread_again:
            changed = await self._submit(
                lambda: store.follow(known, read, unread_again, revoked), write=True
            )
            followed = sum(map(len, changed.values())) == len(read + unread_again + revoked)
            for action, ids in changed.items():
                self._announce(action, ids)
        # Only now: a body may be a change of its row, which then would not be followed.
        for id_, body in bodies.items():
            await self._keep_body(id_, body)
        if complete and (gone := known.seen - unread.keys()):
            await self._submit(lambda: store.unlist(gone), write=True)
        self._all = all_seen
        # What changed here meanwhile is compared anew, so that list must not be answered by a 304.
        if followed and self._unread is before:
            # Not forgotten meanwhile, since a message was opened that is said to be revoked.
            self._unread = seen

    async def _go_through_unread(
        self, known: RemoteSnapshot
    ) -> tuple[dict[str, Item], bool, _Seen]:
        """Return what is unread, and whether that is all of it.

        With very many unread messages their pages are gone through only if the first one, and
        how many there are, cannot be explained by new ones alone.
        """
        before = self._unread
        fresh = time.monotonic() - before.at < FULL_PASS_S
        first = await self._client.messages(unread=True, etag=before.etag if fresh else None)
        if first is None:
            return {}, False, before
        ids = tuple(item.remote for item in first.items)
        seen = _Seen(
            before.epoch, first.etag, ids, first.total, first.cursor is not None, time.monotonic()
        )
        if first.cursor is not None and fresh and first.total is not None and before.total:
            count = 0
            while count < len(ids) and ids[count] not in known.seen:
                count += 1
            if (
                first.total == before.total + count
                and ids[count:] == before.ids[: len(ids) - count]
                and count < len(ids)
            ):
                seen.at = before.at
                return {item.remote: item for item in first.items}, False, seen
        pages = [first]
        await self._follow_pages(pages, unread=True)
        found = {item.remote: item for page in pages for item in page.items if not item.read}
        return found, pages[-1].cursor is None, seen

    async def _follow_pages(
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
            self._check_wanted()
            page = await self._client.messages(unread=unread, cursor=cursor)
            assert page is not None
            pages.append(page)

    async def _take_in(self, new: list[Item]) -> None:
        """Store new messages, the oldest first, as many as retention keeps."""
        store, retention = self._store, self._store.retention
        oldest_ms = 0
        if retention.days:
            oldest_ms = int((time.time() - retention.days * 86_400) * 1000)
        kept = [item for item in new if item.created_ms >= oldest_ms]
        if retention.count:
            kept = kept[: retention.count]
        if len(kept) < len(new):
            ids = {item.remote for item in new} - {item.remote for item in kept}
            await self._submit(lambda: store.pass_over(ids), write=True)
        kept.reverse()
        for start in range(0, len(kept), CHUNK):
            rows = [
                {"remote": i.remote, "message": i.message, "created_ms": i.created_ms}
                for i in kept[start : start + CHUNK]
            ]
            added = await self._add(rows)
            self._announce("created", added)
            self._check_wanted()

    def _add(self, rows: list[Row]) -> asyncio.Future[list[str]]:
        store, name = self._store, self.settings.name
        return self._submit(lambda: store.add_messages(rows, name), write=True)

    async def _tell_read_from_revoked(
        self, known: RemoteSnapshot, missing: list[str], new: int, bodies: dict[str, str | None]
    ) -> tuple[list[str], list[str], _Seen]:
        """Find out what was read elsewhere and what was revoked.

        What is unread here and not in the list of what is unread may be either; what is read
        here can only have been revoked. How many messages there are in all tells whether to
        look, and for a few it is cheaper to ask for each than to go through all. Their bodies go
        into ``bodies``, by our ids.
        """
        before = self._all
        first = await self._client.messages(unread=False, limit=1, etag=before.etag)
        total, etag = before.total, before.etag
        if first is not None:
            total, etag = first.total, first.etag
        now = time.monotonic()
        seen = _Seen(before.epoch, etag, total=total, at=before.at)
        read: list[str] = []
        revoked: list[str] = []
        if not known.messages:
            seen.at = now
            return read, revoked, seen
        if len(missing) <= FEW:
            for remote in missing:
                self._check_wanted()
                await self._ask_for(remote, known, read, revoked, bodies)
        expected = None if before.total is None else before.total + new - len(revoked)
        explained = total is None or total == expected
        if len(missing) <= FEW and explained and now - before.at < FULL_PASS_S:
            return read, revoked, seen
        oldest_ms = min(created_ms for _, _, created_ms in known.messages.values())
        page = await self._client.messages(unread=False)
        assert page is not None
        pages = [page]
        await self._follow_pages(pages, unread=False, until_ms=oldest_ms)
        found = {item.remote: item for page in pages for item in page.items}
        last_ms = -1
        if pages[-1].cursor is not None and pages[-1].items:
            last_ms = pages[-1].items[-1].created_ms
        for remote, (_, is_read, created_ms) in known.messages.items():
            if remote in found:
                if found[remote].read and not is_read:
                    read.append(remote)
            elif created_ms > last_ms:
                revoked.append(remote)
        seen.at = now
        return read, revoked, seen

    async def _ask_for(
        self,
        remote: str,
        known: RemoteSnapshot,
        read: list[str],
        revoked: list[str],
        bodies: dict[str, str | None],
    ) -> None:
        try:
            is_read, body = await self._client.message(remote)
        except Failure as failure:
            if failure.status != 404:
                raise
            revoked.append(remote)
            return
        if is_read:
            read.append(remote)
        bodies[known.messages[remote][0]] = body

    async def _keep_body(self, id_: str, body: str | None) -> None:
        store = self._store
        await self._submit(lambda: store.keep_body(id_, body), write=True)

    # Welcome messages

    async def _list_welcome(self) -> None:
        if self._has_welcome is False:
            return
        store = self._store
        epoch, version = await self._submit(
            lambda: (store.cursor().epoch, store.welcome_known()), write=False
        )
        seen = self._welcome if self._welcome.epoch == epoch else _Seen(epoch)
        before_ms = self._welcome_asked_ms if seen is self._welcome else 0
        asked_ms = int(time.time() * 1000)
        items: tuple[Row, ...] = ()
        etag = None
        try:
            listed = await self._client.welcome(self.settings.aspect, seen.etag)
        except Failure as failure:
            if not (failure.missing and await self._answers_still()):
                raise
            # It has no welcome part: the files are all there is, until the next start.
            self._has_welcome = False
        else:
            self._has_welcome = True
            if listed is None:
                self._welcome_asked_ms = asked_ms
                return
            items, etag = listed.items, listed.etag
        # Twice within a moment is what the same replica of the service says.
        now = time.monotonic()
        sure = (
            self._doubted if now - self._doubted_at >= self._apart_s else ContradictedDismissals()
        )
        taken, again = await self._submit(
            lambda: store.list_welcome(version, items, before_ms, sure), write=True
        )
        if not again & self._doubted:
            self._doubted_at = now
        self._doubted = again
        self._welcome = _Seen(epoch, etag if taken else None)
        self._welcome_asked_ms = asked_ms if taken else before_ms
        if not taken and self._has_welcome is False:
            # What it listed before is still here.
            self._has_welcome = None

    # Bodies

    async def fetch(self, id_: str) -> None:
        """Fetch the body of a message, if it was not yet; the person is waiting for it.

        Raises
        ------
        Unavailable
            If the service does not give it now.
        NotFound
            If the message was revoked.
        """
        task = self._fetches.get(id_)
        if task is None:
            task = self._fetches[id_] = asyncio.ensure_future(self._fetch(id_))
            task.add_done_callback(lambda _: self._fetches.pop(id_, None))
        # Who stops waiting does not end it for the others.
        await asyncio.shield(task)

    async def _fetch(self, id_: str) -> None:
        store = self._store
        remote = await self._submit(lambda: store.remote_of(id_), write=False)
        if remote is None:
            return
        left_alone_s = self._left_alone_until - time.monotonic()
        if left_alone_s > 0:
            raise Unavailable(
                f"The central service asks to be left alone for another {left_alone_s:.0f} s.",
                retry_after_s=left_alone_s,
            )
        try:
            _, body = await self._client.message(remote)
        except Failure as failure:
            if failure.status == 404:
                await self._submit(lambda: store.bury_remote(id_), write=True)
                # The lists have the last word, should a proxy have said this.
                self._unread = _Seen(self._unread.epoch)
                self._announce("revoked", [id_])
                raise NotFound("This message was taken back.") from None
            if failure.retry_after_s is not None:
                self._leave_alone(failure.retry_after_s)
            raise Unavailable(str(failure), retry_after_s=failure.retry_after_s) from None
        await self._keep_body(id_, body)
        if not self._awake:
            await self._client.rest()
        elif self._failures:
            # It is back: there is no need to wait any longer.
            self._pass_at = self._not_before = 0.0
            self._nudge.set()

    def _announce(self, action: str, ids: Iterable[str]) -> None:
        if some := list(ids):
            self._tell(action, some)


def _jitter() -> float:
    return random.uniform(1 - JITTER, 1 + JITTER)


def _rfc3339(seconds: float) -> str:
    then = datetime.fromtimestamp(seconds, timezone.utc)
    return then.strftime("%Y-%m-%dT%H:%M:%S.") + f"{then.microsecond // 1000:03d}Z"


def _ended(owner: str) -> bool:
    """Whether a server that claimed something is known to have ended: it ran on this host."""
    if os.name != "posix":
        return False
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdigit():
        return False
    pid = int(rest)
    if pid == os.getpid():
        # Not ourselves, who would have another name: an earlier server, in a container.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
