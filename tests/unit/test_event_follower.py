"""The event stream: how often it is opened again, and what a flood of events may ask for."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from jupyterlab_notify.exceptions import NoThread
from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.sources.central import follower as follower_module
from jupyterlab_notify.sources.central import poller as poller_module
from jupyterlab_notify.sources.central.client import CentralClient, Features
from jupyterlab_notify.sources.central.clock import ServiceClock
from jupyterlab_notify.sources.central.failure import Failure
from jupyterlab_notify.sources.central.follower import LONG_PAUSE_S, SHORT_PAUSE_S, EventFollower
from jupyterlab_notify.sources.central.parsing import (
    ListedBroadcasts,
    ListedMessage,
    Page,
    Tagged,
)
from jupyterlab_notify.sources.central.poller import CentralPoller
from jupyterlab_notify.sources.central.session import CentralSettings
from jupyterlab_notify.sources.source import Source, SourceContext
from jupyterlab_notify.storage import Storage
from jupyterlab_notify.storage.notifications import Query
from jupyterlab_notify.storage.remote import PLAIN_OPTIONS

CREATED = "2026-11-01T00:00:00Z"
#: A service's answer when its events are asked for.
Stream = Callable[[], AsyncIterator[str]]


class Enough(Exception):
    """Raised to end a loop that would go on for ever."""


class Streams:
    """A client for the follower: each call opens the next of some streams."""

    def __init__(self, *streams: Failure | Stream) -> None:
        self._streams: Iterator[Failure | Stream] = iter(streams)
        self.clock = ServiceClock()

    @asynccontextmanager
    async def events(self, cursor: str | None, silence_s: float) -> AsyncIterator[Any]:
        stream = next(self._streams)
        if isinstance(stream, Failure):
            raise stream
        yield stream()


async def ends_at_once() -> AsyncIterator[str]:
    yield ": hello\n\n"


async def pauses(monkeypatch: pytest.MonkeyPatch, *streams: Failure | Stream) -> list[float]:
    """Return how long is waited after each stream."""
    waited: list[float] = []

    class Session:
        client = Streams(*streams)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == len(streams):
            raise Enough

    monkeypatch.setattr(follower_module.asyncio, "sleep", sleep)
    nothing = lambda: None  # noqa: E731  # three times the same
    followed = EventFollower(
        Session(),  # type: ignore[arg-type]  # all that this needs of one
        on_reload=nothing,
        on_welcome=nothing,
        on_changed=nothing,
    )
    with pytest.raises(Enough):
        await followed._run()
    return waited


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 407, 410, 418, 501])
async def test_what_somebody_has_to_mend_is_tried_every_few_minutes(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    waited = await pauses(monkeypatch, *[Failure("no", status=status)] * 12)
    assert waited[0] < 1.3
    assert waited[-1] == LONG_PAUSE_S >= 120
    assert sum(waited[:8]) < 400, "it rises: what is soon mended is soon noticed"


@pytest.mark.parametrize("status", [0, 408, 425, 429, 500, 502, 503, 504])
async def test_what_passes_by_itself_is_tried_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    waited = await pauses(monkeypatch, *[Failure("no", status=status)] * 12)
    assert waited[0] < 1.3
    assert waited[-1] == SHORT_PAUSE_S <= 15


async def test_a_wish_to_be_left_alone_is_kept_up_to_some_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wishes = [Failure("no", status=503, retry_after_s=s) for s in (0, 60.0, 3600.0)]
    waited = await pauses(monkeypatch, *wishes)
    assert waited[1:] == [60.0, LONG_PAUSE_S]


async def test_a_stream_that_is_cut_off_each_time_is_opened_less_and_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited = await pauses(monkeypatch, *[ends_at_once] * 12)
    assert waited[-1] == LONG_PAUSE_S


async def test_after_a_steady_stream_it_is_opened_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(follower_module.time, "monotonic", lambda: now[0])

    async def steady() -> AsyncIterator[str]:
        yield ": hello\n\n"
        now[0] += 3600
        yield ": still there\n\n"

    lost = Failure("lost")
    waited = await pauses(monkeypatch, *[lost] * 8, steady, lost, steady, steady)
    assert waited[7] == SHORT_PAUSE_S
    assert max(waited[8:]) < 2.5


class Service:
    """A client whose stream is a flood of events, and which counts the other requests."""

    def __init__(self, flood: Stream) -> None:
        self.asked: dict[str, int] = {}
        self.answered = 0
        self.clock = ServiceClock()
        self._flood = flood

    def _count(self, name: str) -> None:
        self.asked[name] = self.asked.get(name, 0) + 1
        self.answered += 1

    async def features(self) -> Features:
        return Features(frozenset({"events"}), "off")

    async def cursor(self) -> str:
        return "e:1"

    @asynccontextmanager
    async def events(self, cursor: str | None, silence_s: float) -> AsyncIterator[Any]:
        self._count("events")
        yield self._flood()

    async def broadcasts(self, etag: str | None = None) -> ListedBroadcasts:
        self._count("broadcasts")
        return ListedBroadcasts((), None, None, {})

    async def messages(self, **options: Any) -> Page:
        self._count("messages")
        return Page((), None, None, None)

    async def welcome(self, aspect: str, etag: str | None = None) -> Tagged[Any]:
        self._count("welcome")
        return Tagged((), None, None)

    async def close_idle(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""


def event(name: str, data: Any = None) -> str:
    return f"event: {name}\ndata: {json.dumps(data or {})}\n\n"


@asynccontextmanager
async def following(
    service: Service, path: Path, *, interval_s: float
) -> AsyncIterator[NotificationManager]:
    """Give a manager that follows a service, with a tab open."""

    def make_sources(context: SourceContext) -> list[Source]:
        settings = CentralSettings("http://127.0.0.1:9/x", "Platform", interval_s=interval_s)
        return [CentralPoller(settings, context, client=cast(CentralClient, service))]

    manager = NotificationManager(
        Storage(path), make_sources=make_sources, log=logging.getLogger("test")
    )
    manager.start()

    class Tab:
        async def send(self, text: str) -> None:
            """Take a frame."""

        def close(self) -> None:
            """Do nothing."""

    subscription = manager.open(Tab(), None)
    yield manager
    manager.close(subscription)
    await manager.stop()


async def test_an_error_of_this_server_is_said_in_its_own_words(tmp_path: Path) -> None:
    class Refusing(Service):
        async def messages(self, **options: Any) -> Page:
            # As storing them would, where no thread can start.
            raise NoThread

    async with following(Refusing(ends_at_once), tmp_path / "n.sqlite", interval_s=60) as manager:
        for _ in range(1000):
            failure = (await manager.status("1"))["central"]["lastFailure"]
            if failure is not None:
                break
            await asyncio.sleep(0.01)
        assert failure["message"] == str(NoThread())


@pytest.mark.parametrize("names", [("reload",), ("welcome-changed",), ("reload", "welcome-gone")])
async def test_a_flood_of_events_asks_for_no_more_than_a_few_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    monkeypatch.setattr(poller_module, "WELCOME_SPREAD_S", 0.0)
    over = asyncio.Event()

    async def flood() -> AsyncIterator[str]:
        for _ in range(500):
            for name in names:
                yield event(name)
            # Let every other task run.
            for _ in range(5):
                await asyncio.sleep(0)
        message = {"id": "last", "summary": {"gfm": "last"}, "created": CREATED}
        yield event("message", message)
        over.set()
        await asyncio.Event().wait()

    service = Service(flood)
    async with following(service, tmp_path / "notify.sqlite", interval_s=3600.0) as manager:
        await asyncio.wait_for(over.wait(), 60)
        await manager.page(Query())
        asked = dict(service.asked)
    assert asked["events"] == 1, "the stream goes on"
    assert asked["broadcasts"] == 1, "one pass: the next is not due"
    assert 1 <= asked["welcome"] <= 2


@pytest.mark.parametrize("last", ["message-gone", "message"])
async def test_an_event_wins_over_a_list_that_was_read_before_it(tmp_path: Path, last: str) -> None:
    """The list comes late, with a message that an event has revoked or changed meanwhile."""
    reading, told, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    listed = tuple(
        ListedMessage(remote, int(time.time() * 1000), False, message, None, PLAIN_OPTIONS)
        for remote, message in (("q", "Nearly full"), ("p", "Other"))
    )

    async def stream() -> AsyncIterator[str]:
        yield event("message", {"id": "p", "summary": {"gfm": "Other"}, "created": CREATED})
        yield event("reload")
        await reading.wait()
        yield event(last, {"id": "q", "summary": {"gfm": "Full"}, "created": CREATED})
        told.set()
        await asyncio.Event().wait()

    class Slow(Service):
        async def messages(self, **options: Any) -> Page:
            page = await super().messages(**options)
            if not self.asked.get("events"):
                return page
            if not options["unread"]:
                # This list is read later, so a revoked message is no longer in it.
                left = listed[1:] if last == "message-gone" else listed
                return Page(left, None, len(left), None)
            reading.set()
            await told.wait()
            return Page(listed, None, 2, None)

        async def welcome(self, aspect: str, etag: str | None = None) -> Tagged[Any]:
            # The list of messages is stored by now.
            if told.is_set():
                done.set()
            return await super().welcome(aspect, etag)

    async with following(Slow(stream), tmp_path / "notify.sqlite", interval_s=0.6) as manager:
        await asyncio.wait_for(done.wait(), 60)
        page = json.loads(await manager.page(Query()))
    shown = {row["message"] for row in page["notifications"]}
    assert shown == ({"Other"} if last == "message-gone" else {"Other", "Full"})
