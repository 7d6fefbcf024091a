"""No replica answers *unchanged* after a change was acknowledged anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest
from sqlalchemy import func, select, text

from jupyterhub_notify.events.freshness import Freshness
from jupyterhub_notify.events.versions import Versions
from jupyterhub_notify.schema import OF_GROUPS, Notification
from jupyterhub_notify.storage.database import Database
from jupyterhub_notify.storage.epochs import Epochs
from jupyterhub_notify.storage.positions import PositionStore

from .support import Service, Tokens, running

MESSAGES, OVERVIEW = "/v1/notifications/messages?limit=25", "/v1/overview"
BROADCASTS, WELCOME = "/v1/broadcasts", "/v1/welcome"
#: All replicas have the same address, and look for others' changes only when asked.
SITE = {"look_s": 3600, "public_url": "https://notify.example.org"}
VIEWS = (MESSAGES, OVERVIEW, BROADCASTS, WELCOME)


@pytest.fixture
async def replicas(database: str, tokens: Tokens) -> AsyncIterator[list[Service]]:
    """Two replicas without wake-ups from each other; with SQLite one service is both."""
    count = 1 if database.startswith("sqlite") else 2
    async with AsyncExitStack() as stack:
        services = [
            await stack.enter_async_context(running(database, tokens, **SITE)) for _ in range(count)
        ]
        for service in services:
            if service.parts.wakeup is not None:
                await service.parts.wakeup.stop()
        yield services


async def change(service: Service, who: str, method: str, path: str, body: Any = None) -> Any:
    """Make a change and return the answer, which acknowledges the commit."""
    answer = await service.as_(who).request(method, path, json=body)
    assert answer.status_code in (200, 201, 204), answer.text
    return answer.json() if answer.content else None


async def test_every_change_is_seen_at_once_at_every_replica(replicas: list[Service]) -> None:
    writer, reader = replicas[0], replicas[-1]
    tags: dict[str, str] = {}

    async def look(*changed: str) -> None:
        """Expect these views to have changed since the last look, and no change right after."""
        for path in VIEWS:
            known = {"If-None-Match": tags[path]} if path in tags else {}
            answer = await reader.as_("alice").get(path, headers=known)
            if path in changed:
                assert answer.status_code == 200, f"{path} is unchanged, it says"
            tags[path] = answer.headers["etag"]
            known = {"If-None-Match": tags[path]}
            assert (await reader.as_("alice").get(path, headers=known)).status_code == 304

    await look()
    quota = "/v1/services/quota/notifications"
    sent = await change(writer, "quota", "POST", quota, {"recipient": "alice", "summary": "One"})
    await look(MESSAGES, OVERVIEW)
    await change(writer, "quota", "PATCH", f"{quota}/{sent['id']}", {"summary": "Two"})
    await look(MESSAGES, OVERVIEW)
    ids = {"ids": [sent["id"]]}
    for mark in ("read", "unread", "dismiss", "restore"):
        await change(writer, "alice", "POST", f"/v1/notifications/{mark}", ids)
        await look(MESSAGES, OVERVIEW)
    await change(writer, "quota", "DELETE", f"{quota}/{sent['id']}")
    await look(MESSAGES, OVERVIEW)
    full = [{"key": "k", "recipient": "alice", "summary": "Three"}]
    await change(writer, "quota", "PUT", quota, full)
    await look(MESSAGES, OVERVIEW)
    await change(writer, "quota", "POST", quota, {"group": "staff", "summary": "To a group"})
    await look(MESSAGES, OVERVIEW)
    admin = "/v1/admin/broadcasts"
    broadcast = await change(writer, "admin", "POST", admin, {"summary": "Down"})
    await look(BROADCASTS, OVERVIEW)
    await change(writer, "admin", "PATCH", f"{admin}/{broadcast['id']}", {"summary": "Up"})
    await look(BROADCASTS, OVERVIEW)
    await change(writer, "alice", "POST", f"/v1/broadcasts/{broadcast['id']}/dismiss")
    await look(BROADCASTS, OVERVIEW)
    await change(writer, "admin", "DELETE", f"{admin}/{broadcast['id']}")
    await look(BROADCASTS, OVERVIEW)
    body = {"title": "Welcome", "body": "Read this."}
    await change(writer, "admin", "POST", "/v1/admin/welcome", body)
    await look(WELCOME, OVERVIEW)
    await change(writer, "alice", "POST", "/v1/welcome/dismiss", {"all": True})
    await look(WELCOME, OVERVIEW)
    await change(writer, "alice", "POST", "/v1/welcome/reset")
    await look(WELCOME, OVERVIEW)
    # All of the user's rows go, so that no row tells of it.
    await change(writer, "admin", "DELETE", "/v1/admin/users/alice")
    for path in VIEWS:
        known = {"If-None-Match": tags[path]}
        assert (await reader.as_("alice").get(path, headers=known)).status_code == 200, path


async def test_nobody_hears_unchanged_while_many_write(
    replicas: list[Service], tokens: Tokens
) -> None:
    users = tokens.many_users(12)

    async def follow(number: int, user: str) -> None:
        tag = ""
        for turn in range(15):
            writer = replicas[(number + turn) % len(replicas)]
            reader = replicas[(number + turn + 1) % len(replicas)]
            await writer.send(user, f"{user} {turn}")
            known = {"If-None-Match": tag} if tag else {}
            answer = await reader.as_(user).get(MESSAGES, headers=known)
            assert answer.status_code == 200, f"{user} {turn}: a stale answer"
            assert answer.json()[0]["summary"]["gfm"] == f"{user} {turn}"
            tag = answer.headers["etag"]
            assert len(answer.json()) == turn + 1

    await asyncio.gather(*(follow(number, user) for number, user in enumerate(users)))
    # All note the rows' own numbers: a lab that asks one, then another, hears unchanged of both.
    for user in users:
        assert len({await one.parts.feed.version_of(user) for one in replicas}) == 1


async def test_who_may_not_see_a_view_is_told_so_whatever_they_have(service: Service) -> None:
    tag = (await service.as_("alice").get(MESSAGES)).headers["etag"]
    for known in (tag, "*", f'"x", {tag}', f"W/{tag}"):
        headers = {"If-None-Match": known}
        assert (await service.as_("quota").get(MESSAGES, headers=headers)).status_code == 403
        assert (await service.as_(None).get(MESSAGES, headers=headers)).status_code == 401
        assert (await service.as_("bob").get(MESSAGES, headers=headers)).status_code == (
            304 if known == "*" else 200
        )
        assert (await service.as_("alice").get(MESSAGES, headers=headers)).status_code == 304
        wrong = await service.as_("alice").get(f"{MESSAGES}&limit=no", headers=headers)
        assert wrong.status_code == 422


class Store:
    """A database whose looks end when the test lets them."""

    is_sqlite = False

    def __init__(self) -> None:
        self.looks: list[asyncio.Future[int]] = []

    async def position(self) -> tuple[str, int, int]:
        look = asyncio.get_running_loop().create_future()
        self.looks.append(look)
        return "epoch", await look, 0

    async def looking(self, count: int) -> None:
        while len(self.looks) < count:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0)

    async def versions_range(self, versions: Versions, after: int, upto: int) -> None:
        versions.everyone_changed(upto)


async def _nothing(*_arguments: str) -> int:
    return 0


async def _epochs() -> list[tuple[str, int]]:
    return [("epoch", 0)]


async def test_a_look_that_had_begun_before_is_not_enough() -> None:
    store = Store()
    versions = Versions(epochs=Epochs(read=_epochs), of_everyone=_nothing, of_user=_nothing)
    freshness = Freshness(database=cast(Database, store), reader=store, versions=versions)
    begin = asyncio.create_task(freshness.begin())
    await store.looking(1)
    store.looks[0].set_result(1)
    await begin
    first = [asyncio.create_task(freshness.wait()) for _ in range(5)]
    await store.looking(2)
    # These come while the look is under way, which may have read before their change.
    later = [asyncio.create_task(freshness.wait()) for _ in range(5)]
    later[0].cancel()
    store.looks[1].set_result(2)
    await asyncio.gather(*first)
    await store.looking(3)
    assert versions.everyone == 2
    assert not any(task.done() for task in later[1:])
    store.looks[2].set_result(3)
    await asyncio.gather(*later[1:])
    assert versions.everyone == 3
    # All that waited shared two looks.
    assert len(store.looks) == 3
    # Whoever waits for a look that fails is told, and the next one looks again.
    failed = [asyncio.create_task(freshness.wait()) for _ in range(2)]
    await store.looking(4)
    store.looks[3].set_exception(OSError("away"))
    assert all(
        isinstance(one, OSError) for one in await asyncio.gather(*failed, return_exceptions=True)
    )
    again = asyncio.create_task(freshness.wait())
    await store.looking(5)
    store.looks[4].set_result(4)
    await again
    assert versions.everyone == 4


async def test_the_latest_of_groups_is_found_without_a_scan(service: Service) -> None:
    store = service.parts.database
    latest = "SELECT max(seq) FROM notifications WHERE substr(target, 1, 2) = 'g:'"
    assert (
        str(select(func.max(Notification.seq)).where(OF_GROUPS)).split()
        == latest.replace("(seq) FROM", "(notifications.seq) AS max_1 FROM").split()
    )
    async with store.engine.connect() as connection:
        if not store.is_sqlite:
            # The table is empty here, and a scan of nothing would be cheapest.
            await connection.execute(text("SET enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN"
        plan = str((await connection.execute(text(f"{explain} {latest}"))).all())
        await connection.invalidate()
    assert "ix_notifications_of_groups" in plan
    positions = PositionStore(database=store)
    assert await positions.of_everyone() == 0
    body = {"group": "staff", "summary": "To a group"}
    answer = await service.as_("quota").post("/v1/services/quota/notifications", json=body)
    assert answer.status_code == 200
    found = await positions.of_everyone()
    await service.send()
    assert await positions.of_everyone() == found > 0
