"""Servers that hang until after a broadcast's end, and servers without a known address.

The real delivery service pushes. One stand-in is both a user's server and the Hub.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select, update
from structlog.testing import capture_logs

from jupyterhub_notify.delivery.planner import Planner
from jupyterhub_notify.delivery.pushes import Pusher
from jupyterhub_notify.delivery.servers import HubServers
from jupyterhub_notify.delivery.service import DeliveryService
from jupyterhub_notify.delivery.tokens import ServerTokens
from jupyterhub_notify.hubapi import HubApi
from jupyterhub_notify.schema import Delivery, now
from jupyterhub_notify.storage.broadcasts import BroadcastStore
from jupyterhub_notify.storage.pushes import PushStore
from jupyterhub_notify.storage.writer import Transaction

from .support import Service

URL = "/v1/admin/broadcasts"
TEXT = "Down at ten"


def at(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


@dataclass
class Place:
    """The server of alice, which hangs for as long as it is told to, and the Hub."""

    service: Service
    #: The method and key of every request to her server.
    came: list[tuple[str, str]] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    #: Set while the Hub lists the servers; and the number of times that it was asked.
    tells: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0
    origin: str = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hub/api/users/bot/tokens", self._token)
        app.router.add_delete("/hub/api/users/bot/tokens/{id}", self._empty)
        app.router.add_get("/hub/api/users", self._users)
        app.router.add_route("*", "/user/alice/jupyterlab-notify/ingest/{key}", self._ingest)
        return app

    async def _token(self, _request: web.Request) -> web.Response:
        return web.json_response({"token": "a-token", "id": "a1"}, status=201)

    async def _empty(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _users(self, _request: web.Request) -> web.Response:
        self.asked += 1
        await self.tells.wait()
        server = {"name": "", "ready": True, "url": "/user/alice/", "started": at(-60)}
        model = {"name": "alice", "groups": [], "servers": {"": server}}
        return web.json_response({"items": [model], "_pagination": {"next": None}})

    async def _ingest(self, request: web.Request) -> web.Response:
        self.came.append((request.method, request.match_info["key"]))
        await self.answers.wait()
        return web.json_response({"success": True})

    @asynccontextmanager
    async def planner(self, *, proxy: bool = True) -> AsyncIterator[Planner]:
        """Find recipients at the Hub; without a proxy its address is not known."""
        api = HubApi(f"{self.origin}/hub/api", "of-the-service")
        servers = HubServers(api, proxy_url=self.origin if proxy else None)
        try:
            yield Planner(**self._stores(), servers=servers, bot="bot", grace_s=0, look_s=0)
        finally:
            await api.close()

    @asynccontextmanager
    async def delivering(self, *, timeout_s: float = 1) -> AsyncIterator[None]:
        """Deliver until the block ends; her server has a second to answer, or another time."""
        api = HubApi(f"{self.origin}/hub/api", "of-the-service")
        async with self.planner() as planner:
            delivery = DeliveryService(
                **self._stores(),
                planner=planner,
                tokens=ServerTokens(api, bot="bot", at_once=2),
                pusher=Pusher(timeout_s=timeout_s, at_once=2),
                source="JupyterHub",
                at_once=2,
                lease_s=60,
            )
            delivery.start()
            try:
                yield
            finally:
                await delivery.stop()
                await api.close()

    def _stores(self) -> dict[str, Any]:
        parts = self.service.parts
        return {
            "database": parts.database,
            "writer": parts.writer,
            "broadcasts": BroadcastStore(),
            "pushes": PushStore(database=parts.database),
        }

    # --- What administrators do and see

    async def ask(self, method: str, path: str = "", **body: Any) -> Any:
        answer = await self.service.as_("admin").request(method, URL + path, json=body or None)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def send(self, **more: Any) -> str:
        body = {"summary": TEXT, "users": ["alice"], **more}
        return str((await self.ask("POST", **body))["id"])

    async def row(self, id_: str) -> dict[str, Any]:
        """Return the ledger's row of the present or the latest occurrence."""
        (one,) = await self.ask("GET", f"/{id_}/deliveries")
        return dict(one)

    async def becomes(self, id_: str, outcome: str) -> None:
        async def there() -> bool:
            return (await self.row(id_))["outcome"] == outcome

        await until(there)

    async def rows(self) -> list[Any]:
        """Return outcome and due time of all occurrences, the first one first."""
        columns = Delivery.__table__.c
        statement = select(columns.outcome, columns.due).order_by(columns.occurrence)
        async with self.service.parts.database.read() as connection:
            return list(await connection.execute(statement))

    async def has_ended(self) -> bool:
        """Return whether no push to her server is due or under way."""
        return all(due is None for _, due in await self.rows())

    async def tries_again(self) -> None:
        """Let the pause after a failed push end."""

        async def command(transaction: Transaction) -> None:
            columns = Delivery.__table__.c
            await transaction.connection.execute(
                update(Delivery).where(columns.due.is_not(None)).values(due=now())
            )

        await self.service.parts.writer.run(command)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is true, for as long as the test may take."""
    while not await true():  # noqa: ASYNC110 - the recording server has no event
        await asyncio.sleep(0.02)


async def until_now(true: Callable[[], bool]) -> None:
    """Wait until a condition is true that needs no query."""

    async def asked() -> bool:
        return true()

    await until(asked)


@pytest.fixture
async def place(service: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    # Nothing is tried again but when a test says that the time has come.
    monkeypatch.setattr("jupyterhub_notify.delivery.service.AGAIN_S", (3600, 3600, 3600))
    place = Place(service)
    place.tells.set()
    runner = web.AppRunner(place.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    place.origin = f"http://{host}:{port}"
    try:
        yield place
    finally:
        place.answers.set()
        place.tells.set()
        await runner.cleanup()


@pytest.mark.parametrize("when", ["while it is asked", "after it was given up"])
async def test_what_is_revoked_while_a_server_hangs_is_taken_back_and_not_sent_again(
    place: Place, when: str
) -> None:
    id_ = await place.send()
    async with place.delivering():
        await until_now(lambda: bool(place.came))
        if when == "after it was given up":
            await place.becomes(id_, "not-responding")
        await place.ask("DELETE", f"/{id_}")
        await place.becomes(id_, "not-responding")
        place.answers.set()

        async def taken_back() -> bool:
            await place.tries_again()
            return ("DELETE", place.came[0][1]) in place.came

        await until(taken_back)
        await until(place.has_ended)
    assert [method for method, _ in place.came].count("PUT") == 1
    # The message may have arrived, and may have been seen before it was withdrawn.
    row = await place.row(id_)
    assert (row["outcome"], row["reason"]) == ("not-responding", "no answer within 1 s")


async def test_a_retry_is_of_the_occurrence_that_is_shown_and_of_none_that_is_over(
    place: Place,
) -> None:
    id_ = await place.send(starts=at(-3600), ends=at(3600), rrule="FREQ=DAILY")
    async with place.delivering():
        await place.becomes(id_, "not-responding")
        first = place.came[0][1]
        # From here on it ends by itself.
        await place.ask("PATCH", f"/{id_}", ends=at(1))

        async def over() -> bool:
            return not (await place.ask("GET", f"/{id_}"))["active"]

        await until(over)
        answer = await place.service.as_("admin").post(f"{URL}/{id_}/retry")
        assert answer.status_code == 409
        assert "is not shown now" in answer.text
        place.answers.set()
        await place.tries_again()
        await until(place.has_ended)
        # The retry that was due anyway takes it back.
        assert place.came[-1] == ("DELETE", first)
        assert [outcome for outcome, _ in await place.rows()] == ["not-responding"]

        # The next one has a row of its own; what is retried is that.
        place.answers.clear()
        await place.ask("PATCH", f"/{id_}", starts=at(-60), ends=at(3600))
        await until_now(lambda: place.came[-1][1] != first)
        second = place.came[-1][1]
        await place.becomes(id_, "not-responding")
        place.answers.set()
        await place.ask("POST", f"/{id_}/retry")
        await place.becomes(id_, "stored")
    assert [outcome for outcome, _ in await place.rows()] == ["not-responding", "stored"]
    assert place.came.count(("PUT", first)) == 1
    assert place.came[-1] == ("PUT", second)


async def test_a_service_that_does_not_know_the_proxys_address_says_so_once(
    place: Place,
) -> None:
    id_ = await place.send()
    with capture_logs() as logs:
        async with place.planner(proxy=False) as planner:
            for _ in range(3):
                await planner.look()
        assert [tuple(row) for row in await place.rows()] == [("waiting", None)]
        place.answers.set()
        # It answers, but a second may be too short for that on a busy machine.
        async with place.delivering(timeout_s=60):
            await place.becomes(id_, "stored")
    (warning,) = [one["event"] for one in logs if "addresses" in one["event"]]
    assert "set JUPYTERHUB_NOTIFY_PROXY_URL to the address of the hub's proxy" in warning


async def test_a_service_that_ends_while_it_asks_the_hub_leaves_nothing_for_others_to_wait_for(
    place: Place,
) -> None:
    place.tells.clear()
    place.answers.set()
    id_ = await place.send()
    async with place.delivering():
        await until_now(lambda: place.asked > 0)
    place.tells.set()
    # Without a wait: the lease of who asked before would last for a minute.
    async with place.planner() as planner:
        await planner.look()
    assert [due is not None for _, due in await place.rows()] == [True]
    async with place.delivering(timeout_s=60):
        await place.becomes(id_, "stored")
