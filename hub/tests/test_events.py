"""The order of numbers and commits, and readers that miss nothing."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import event, text

from jupyterhub_notify.storage.database import create_engine

from .support import Service, Tokens, running


async def test_a_stream_resumes_where_it_was(service: Service) -> None:
    cursor = await service.cursor()
    sent = [await service.send(summary=f"number {index}") for index in range(3)]
    async with service.stream(cursor=cursor) as events:
        first = await events.next()
        assert (first.name, first.data["id"]) == ("message", sent[0]["id"])
    async with service.stream(cursor=first.id) as events:
        assert [(await events.next()).data["id"] for _ in range(2)] == [
            one["id"] for one in sent[1:]
        ]
        await service.send(summary="live")
        live = await events.next()
        assert live.data["summary"]["gfm"] == "live"


async def test_what_changed_meanwhile_is_its_present_state(service: Service) -> None:
    kept = await service.send(summary="kept", key="k")
    gone = await service.send(summary="gone")
    cursor = await service.cursor()
    quota = service.as_("quota")
    await quota.patch("/v1/services/quota/notifications/k", json={"summary": "changed"})
    await service.as_("alice").post("/v1/notifications/read", json={"ids": [kept["id"]]})
    await quota.delete(f"/v1/services/quota/notifications/{gone['id']}")
    async with service.stream(cursor=cursor) as events:
        found = [await events.next() for _ in range(3)]
    assert [one.name for one in found] == ["message", "message-changed", "message-gone"]
    assert found[0].data["summary"]["gfm"] == "changed"
    assert found[0].data["read"] is not None
    assert [one.seq for one in found] == sorted(one.seq for one in found)


@pytest.mark.parametrize("cursor", ["nonsense", "0000:1", "other:99999999999999999999"])
async def test_a_cursor_that_means_nothing_is_told_to_reload(service: Service, cursor: str) -> None:
    async with service.stream(cursor=cursor) as events:
        event = await events.next()
        assert event.name == "reload"
        await service.send()
        assert (await events.next()).name == "message"
    async with service.stream(cursor=event.id) as events:
        assert (await events.next()).name == "message"


async def test_a_cursor_below_what_was_deleted_is_told_to_reload(service: Service) -> None:
    cursor = await service.cursor()
    sent = await service.send()
    await service.as_("quota").delete(f"/v1/services/quota/notifications/{sent['id']}")
    async with service.parts.database.engine.begin() as connection:
        await connection.execute(text("UPDATE notifications SET ended = '2020-01-01 00:00:00'"))
    await service.parts.housekeeping.clean()
    while service.parts.feed.pruned == 0:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.05)
    async with service.stream(cursor=cursor) as events:
        assert (await events.next()).name == "reload"
    assert (
        await service.as_("quota").get(f"/v1/services/quota/notifications/{sent['id']}")
    ).status_code == 404


async def test_nobody_gets_anothers_events(service: Service) -> None:
    async with service.stream("bob") as bob, service.stream(None) as nobody:
        await service.send("alice", "for Alice")
        await service.as_("admin").post("/v1/admin/broadcasts", json={"summary": "for all"})
        await service.send("bob", "for Bob")
        first, second = await bob.next(), await bob.next()
        assert [first.name, second.name] == ["broadcast", "message"]
        assert second.data["summary"]["gfm"] == "for Bob"
        assert (await nobody.next()).name == "broadcast"


async def test_streams_end_when_the_service_stops(database: str, tokens: Tokens) -> None:
    async with (
        running(database, tokens) as service,
        service.as_("alice").stream("GET", "/v1/events") as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["x-accel-buffering"] == "no"
        assert "content-length" not in answer.headers
        lines = answer.aiter_lines()
        await lines.__anext__()
        service.server.should_exit = True
        async for _ in lines:
            pass
    # The end of the body was reached: the service did not just cut the connection.


async def test_a_token_that_is_revoked_loses_its_stream(database: str, tokens: Tokens) -> None:
    # A user of this test's own: the token file is everybody's.
    tokens.many_users(1)
    async with running(database, tokens, recheck_s=0.2) as service:
        async with service.stream("alice") as kept, service.stream("user0") as events:
            await service.send("user0", summary="before")
            assert (await events.until("message")).data["summary"]["gfm"] == "before"
            tokens.revoke("user0")
            with pytest.raises(StopAsyncIteration):
                while True:
                    await events.next()
            # Users whose identity has not changed keep their stream, however often it is checked.
            await asyncio.sleep(1)
            await service.send("alice", summary="after")
            assert (await kept.until("message")).data["summary"]["gfm"] == "after"
        answer = await service.as_("user0").get("/v1/overview")
        assert answer.status_code == 401


async def test_a_number_is_never_overtaken_by_a_later_commit(
    postgresql: str, tokens: Tokens
) -> None:
    """A transaction that is held open holds up the ones with later numbers, and nobody else."""
    async with running(postgresql, tokens) as one, running(postgresql, tokens) as two:
        held = create_engine(postgresql)
        async with one.stream() as first, two.stream() as second, held.connect() as connection:
            row = (
                await connection.execute(text("SELECT seq FROM counter FOR UPDATE"))
            ).scalar_one()
            await connection.execute(
                text(
                    "INSERT INTO notifications (seq, service, target, type, summary, options,"
                    " created, updated, state) VALUES (:seq, 'quota', 'u:alice', 'info', 'held',"
                    " '{}', now(), now(), 'active')"
                ),
                {"seq": row + 1},
            )
            await connection.execute(text("UPDATE counter SET seq = seq + 1"))
            later = asyncio.create_task(two.send(summary="later"))
            # The later one waits for the lock; reading does not.
            while not await _waits(postgresql):  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.02)
            assert not later.done()
            assert await one.messages() == []
            await connection.commit()
            await later
            for events in (first, second):
                found = [await events.next(), await events.next()]
                assert [event.data["summary"]["gfm"] for event in found] == ["held", "later"]
                assert found[0].seq < found[1].seq
        await held.dispose()


async def _waits(database: str) -> bool:
    engine = create_engine(database)
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND query LIKE '%counter%' AND datname = current_database()"
            )
        )
        count = int(found.scalar_one())
    await engine.dispose()
    return count > 0


@pytest.mark.timeout(300)
async def test_readers_that_reconnect_at_random_end_equal_to_the_table(
    postgresql: str, tokens: Tokens
) -> None:
    async with running(postgresql, tokens) as one, running(postgresql, tokens) as two:
        replicas = [one, two]
        cursor = await one.cursor()

        async def write(service: Service, name: str) -> None:
            rng = random.Random(name)
            for index in range(40):
                key = f"{name}-{rng.randrange(6)}"
                if rng.random() < 0.25:
                    await service.as_("quota").delete(f"/v1/services/quota/notifications/{key}")
                else:
                    await service.send(summary=f"{name} {index}", key=key)

        async def read(seed: int) -> dict[str, str]:
            rng = random.Random(seed)
            view: dict[str, str] = {}
            at = cursor
            # Events come in the order of their numbers: nothing comes after the last one.
            while "the last" not in view.values():
                async with rng.choice(replicas).stream(cursor=at) as events:
                    for _ in range(rng.randrange(1, 12)):
                        event = await events.next()
                        at = event.id
                        if event.name == "message-gone":
                            view.pop(event.data["id"], None)
                        elif event.name == "message":
                            view[event.data["id"]] = event.data["summary"]["gfm"]
                            if event.data["summary"]["gfm"] == "the last":
                                break
            return view

        readers = [asyncio.create_task(read(seed)) for seed in range(4)]
        await asyncio.gather(*(write(replicas[index % 2], f"w{index}") for index in range(4)))
        await two.send(summary="the last")
        views = await asyncio.gather(*readers)
        table = {one_["id"]: one_["summary"]["gfm"] for one_ in await one.messages()}
        for view in views:
            assert view == table


async def test_a_replica_hears_of_anothers_commit_at_once_and_without_a_wakeup_soon(
    postgresql: str, tokens: Tokens
) -> None:
    async with (
        running(postgresql, tokens, look_s=3600) as one,
        running(postgresql, tokens, look_s=0.2) as two,
    ):
        async with one.stream() as heard:
            await two.send(summary="by LISTEN")
            # It looks by itself in an hour only.
            assert (await heard.next()).data["summary"]["gfm"] == "by LISTEN"
        assert two.parts.wakeup is not None
        await two.parts.wakeup.stop()
        async with two.stream() as looked:
            await one.send(summary="by looking")
            event: Any = await looked.next()
            while event.data["summary"]["gfm"] != "by looking":
                event = await looked.next()


async def test_an_unchanged_overview_is_answered_without_the_database(service: Service) -> None:
    alice = service.as_("alice")
    await service.send()
    answer = await alice.get("/v1/overview")
    assert answer.json()["unread"] == 1
    tag = {"If-None-Match": answer.headers["etag"]}
    statements: list[str] = []
    engine = service.parts.database.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def note(_c: Any, _u: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    async with service.parts.feed._giving:
        # The feed and the scheduler look by themselves; everything else would be the request's.
        statements.clear()
        assert (await alice.get("/v1/overview", headers=tag)).status_code == 304
        assert [one for one in statements if "notification_states" in one] == []
    await service.send("bob")
    assert (await alice.get("/v1/overview", headers=tag)).status_code == 304
    await service.send("alice")
    changed = await alice.get("/v1/overview", headers=tag)
    assert (changed.status_code, changed.json()["unread"]) == (200, 2)
    # Another caller's answer is never taken for one's own.
    assert (await service.as_("bob").get("/v1/overview", headers=tag)).status_code == 200
