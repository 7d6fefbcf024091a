"""Two replicas on one PostgreSQL, one of them killed: nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from .processes import Process
from .support import Events, Tokens

COUNT = 60


def client(url: str, tokens: Tokens, name: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {tokens.of(name)}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)


class Reader:
    """A lab: applies events, and resumes with its cursor at a replica that is alive."""

    def __init__(self, urls: list[str], tokens: Tokens, cursor: str) -> None:
        self.urls, self.tokens, self.cursor = urls, tokens, cursor
        self.view: dict[str, str] = {}
        self.seen: list[int] = []
        self.begun = 0

    async def follow(self) -> None:
        while True:
            for url in self.urls:
                async with client(url, self.tokens, "alice") as http:
                    try:
                        await self._read(http)
                    except (httpx.HTTPError, StopAsyncIteration, asyncio.TimeoutError):
                        continue

    async def _read(self, http: httpx.AsyncClient) -> None:
        headers = {"Last-Event-ID": self.cursor}
        async with http.stream("GET", "/v1/events", headers=headers) as answer:
            events = Events(answer)
            await events.begun()
            while True:
                event = await events.next()
                self.cursor = event.id
                self.seen.append(event.seq)
                assert event.name != "reload"
                if event.name == "message":
                    self.view[event.data["id"]] = event.data["summary"]["gfm"]
                elif event.name == "message-gone":
                    self.view.pop(event.data["id"], None)
                elif event.name == "broadcast":
                    self.begun += 1


async def publish(urls: list[str], tokens: Tokens, part: int) -> None:
    """Send notifications with keys; repeat those without an answer."""
    for index in range(COUNT):
        body = {"recipient": "alice", "summary": f"{part}/{index}", "key": f"{part}/{index}"}
        turn = index + part
        while True:
            turn += 1
            async with client(urls[turn % len(urls)], tokens, "quota") as http:
                try:
                    answer = await http.post("/v1/services/quota/notifications", json=body)
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    break
                assert answer.status_code == 503, answer.text


async def reconcile(urls: list[str], tokens: Tokens) -> None:
    """Reconcile the same list again and again, through either replica."""
    rng = random.Random(1)
    wanted: list[dict[str, Any]] = []
    for turn in range(20):
        wanted = [
            {"key": f"list/{index}", "recipient": "alice", "summary": f"list {turn}"}
            for index in range(rng.randrange(5))
        ]
        for url in (urls[turn % 2], urls[(turn + 1) % 2]):
            async with client(url, tokens, "quota") as http:
                try:
                    answer = await http.put(
                        "/v1/services/quota/notifications", json=wanted, params={"scope": "list/"}
                    )
                    if answer.status_code == 200:
                        break
                except httpx.HTTPError:
                    continue


@pytest.mark.timeout(300)
async def test_one_is_killed_and_nothing_is_lost_or_twice(
    postgresql: str, tokens: Tokens, tmp_path: Path
) -> None:
    one = Process(postgresql, tokens, tmp_path / "one.log")
    two = Process(postgresql, tokens, tmp_path / "two.log")
    tasks: list[asyncio.Task[None]] = []
    try:
        await asyncio.gather(one.ready(), two.ready())
        urls = [one.url, two.url]
        async with client(two.url, tokens, "alice") as alice:
            cursor = (await alice.get("/v1/overview")).json()["cursor"]
        steady = Reader([two.url], tokens, cursor)
        moving = Reader(urls, tokens, cursor)
        tasks = [asyncio.create_task(reader.follow()) for reader in (steady, moving)]
        async with client(two.url, tokens, "admin") as admin:
            soon = (datetime.now(timezone.utc) + timedelta(seconds=2)).isoformat()
            body = {"summary": "scheduled", "starts": soon}
            assert (await admin.post("/v1/admin/broadcasts", json=body)).status_code == 200
        writers = [asyncio.create_task(publish(urls, tokens, part)) for part in range(3)]
        writers.append(asyncio.create_task(reconcile(urls, tokens)))
        while len(steady.view) < COUNT:  # noqa: ASYNC110 - in the middle of it, wherever that is
            await asyncio.sleep(0.02)
        one.kill()
        await asyncio.gather(*writers)
        async with client(two.url, tokens, "quota") as quota:
            final = (await quota.get("/v1/services/quota/notifications")).json()
        table = {found["id"]: found["summary"] for found in final}
        while steady.view != table or moving.view != table or not steady.begun:
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.05)
        keys = [found["key"] for found in final if not found["key"].startswith("list/")]
        assert sorted(keys) == sorted(
            f"{part}/{index}" for part in range(3) for index in range(COUNT)
        )
        # A stream that was never interrupted has each change once, in order.
        assert steady.seen == sorted(set(steady.seen))
        assert steady.begun == 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        one.stop()
        two.stop()


@pytest.mark.timeout(120)
async def test_a_stop_ends_the_streams_within_a_second_and_exits_cleanly(
    database: str, tokens: Tokens, tmp_path: Path
) -> None:
    service = Process(database, tokens, tmp_path / "log")
    try:
        await service.ready()
        async with (
            client(service.url, tokens, "alice") as alice,
            alice.stream("GET", "/v1/events") as answer,
        ):
            lines = answer.aiter_lines()
            await lines.__anext__()
            service.process.terminate()
            async for _ in lines:
                pass
        assert service.stop() == 0
        # Nothing of a token or a text in the log.
        assert "jhn_" not in service.log.read_text()
    finally:
        service.stop()
