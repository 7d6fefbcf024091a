"""A database that hangs or is locked: 503 in time, nothing acknowledged is lost, and it heals."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import httpx
import pytest
from anyio import fail_after
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from jupyterhub_notify.errors import Unavailable
from jupyterhub_notify.events import wakeup
from jupyterhub_notify.storage import database, time_limits, writer
from jupyterhub_notify.storage.pushes import PushStore

from .support import Databases, Service, Tokens, running

AWAY = "The database does not answer"
#: More than the limits set below, even on a busy machine.
SOON_S = 20


class Gate:
    """A relay to PostgreSQL's socket that can be shut: then no data pass, and nothing ends."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._open = asyncio.Event()
        self._open.set()
        self._ends = True
        self._tasks: set[asyncio.Task[None]] = set()

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def hold_ends(self) -> None:
        """Let the server's last data through, but not yet the end of the connection."""
        self._ends = False

    async def _pass(self, reader: asyncio.StreamReader, writer_: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer_.write(data)
                await writer_.drain()
        if self._ends:
            writer_.close()

    async def take(self, reader: asyncio.StreamReader, writer_: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._socket)
        for one in (self._pass(reader, back), self._pass(there, writer_)):
            task = asyncio.create_task(one)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def gated(url: str) -> AsyncIterator[tuple[Gate, str]]:
    """Yield a gate in front of a database, and the URL that leads through it."""
    parsed = make_url(url)
    gate = Gate(f"{parsed.query['host']}/.s.PGSQL.{parsed.port or 5432}")
    server = await asyncio.start_server(gate.take, "127.0.0.1", 0)
    through = parsed.set(host="127.0.0.1", port=server.sockets[0].getsockname()[1], query={})
    try:
        yield gate, through.render_as_string(hide_password=False)
    finally:
        gate.open()
        server.close()
        await gate.close()


async def asked(service: Service, who: str, method: str, path: str, **more: Any) -> httpx.Response:
    return await asyncio.wait_for(service.as_(who).request(method, path, **more), SOON_S)


async def send(service: Service, text: str) -> httpx.Response:
    body = {"recipient": "alice", "summary": text}
    return await asked(service, "quota", "POST", "/v1/services/quota/notifications", json=body)


async def until_it_heals(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Repeat a request, as a lab does, until the database is back."""
    while (answer := await ask()).status_code == 503:  # noqa: ASYNC110 - it is asked
        await asyncio.sleep(0.1)
    assert answer.status_code == 200, answer.text
    return answer


async def all_fail(service: Service, known: dict[str, str]) -> None:
    """Expect the same sentence from different requests, made at the same time."""
    answers = await asyncio.gather(
        asked(service, "alice", "GET", "/v1/notifications/messages"),
        asked(service, "alice", "GET", "/v1/notifications/messages", headers=known),
        asked(service, "alice", "GET", "/v1/overview"),
        asked(service, "alice", "GET", "/health/ready"),
        asked(service, "admin", "GET", "/v1/admin/broadcasts"),
        asked(service, "alice", "POST", "/v1/notifications/read", json={"ids": ["1"]}),
        *(send(service, f"lost {index}") for index in range(5)),
    )
    for answer in answers:
        assert (answer.status_code, answer.json()["detail"][0]["msg"]) == (503, AWAY)
        assert answer.headers["retry-after"] == "5"
    assert (await asked(service, "alice", "GET", "/health/live")).status_code == 200


async def test_a_server_that_hangs_is_said_to_be_away_and_heals(
    postgresql: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gated(postgresql) as (gate, url), running(url, tokens) as service:
        assert (await send(service, "acknowledged")).status_code == 200
        first = await asked(service, "alice", "GET", "/v1/notifications/messages")
        known = {"If-None-Match": first.headers["etag"]}
        async with service.stream() as events:
            gate.shut()
            with capture_logs() as logs:
                # Only for what is to fail: a busy machine may take longer for the rest.
                with monkeypatch.context() as limits:
                    limits.setattr(database, "READ_S", 1.0)
                    limits.setattr(writer, "WAIT_S", 1.5)
                    limits.setattr(writer, "TRANSACTION_S", 1.0)
                    await all_fail(service, known)
                    await all_fail(service, known)
                gate.open()
                await until_it_heals(lambda: send(service, "healed"))
            said = [one["event"] for one in logs]
            assert said.count("The database refused a change") == 1
            assert said.count("The database takes changes again") == 1
            assert said.count("The database cannot be followed") <= 1
            # The stream that was open meanwhile goes on.
            event = await events.until("message")
            while event.data["summary"]["gfm"] != "healed":
                event = await events.until("message")
        path = "/v1/notifications/messages"
        answer = await until_it_heals(lambda: asked(service, "alice", "GET", path))
        texts = [one["summary"]["gfm"] for one in answer.json()]
        assert {"acknowledged", "healed"} <= set(texts)


async def test_a_service_that_stops_answers_although_the_database_hangs(
    postgresql: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limits, "STOP_S", 1.0)
    monkeypatch.setattr(writer, "STOP_S", 1.0)
    monkeypatch.setattr(time_limits, "LATE_S", 0.5)
    monkeypatch.setattr(database, "CLOSE_S", 0.5)
    async with gated(postgresql) as (gate, url), running(url, tokens) as service:
        assert (await send(service, "acknowledged")).status_code == 200
        gate.shut()
        under_way = [
            # The first is in a transaction, the others wait for their turn.
            *(asyncio.create_task(send(service, f"lost {n}")) for n in range(3)),
            asyncio.create_task(asked(service, "alice", "GET", "/v1/overview")),
        ]
        while len(service.server.server_state.tasks) < 4:  # noqa: ASYNC110 - uvicorn wakes nobody
            await asyncio.sleep(0.01)
        service.server.should_exit = True
        for answer in await asyncio.gather(*under_way):
            assert answer.status_code == 503
            # The second where letting go of the connection takes longer than a request is given.
            said = answer.json()["detail"][0]["msg"]
            assert said in (AWAY, "The service is stopping")


async def end_all_others(url: str) -> int:
    """End the server's side of all connections to a database; return how many there were.

    It waits for the end of these only: the service may have made new ones meanwhile.
    """
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    ended = await connection.fetch(
        "SELECT pg_terminate_backend(pid, 20000) AS has_ended FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    assert all(one["has_ended"] for one in ended)
    return len(ended)


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "not closed yet"])
async def test_connections_that_the_server_has_ended_are_replaced_before_anybody_notices(
    postgresql: str, tokens: Tokens, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeup, "PROBE_S", 0.5)
    monkeypatch.setattr(database, "CLOSE_S", 0.5)
    path = "/v1/notifications/messages"
    async with gated(postgresql) as (gate, url), running(url, tokens) as service:
        assert (await send(service, "acknowledged")).status_code == 200
        first = await asked(service, "alice", "GET", path)
        known = {"If-None-Match": first.headers["etag"]}
        if not closed:
            gate.hold_ends()
        with capture_logs() as logs:
            assert await end_all_others(postgresql) >= 3
            assert (await asked(service, "alice", "GET", path, headers=known)).status_code == 304
            assert (await asked(service, "alice", "GET", path)).json() == first.json()
            assert (await send(service, "healed")).status_code == 200
            answer = await asked(service, "alice", "GET", path, headers=known)
            texts = [one["summary"]["gfm"] for one in answer.json()]
            assert texts == ["healed", "acknowledged"]
            with fail_after(SOON_S):
                while "Wake-ups arrive again" not in [one["event"] for one in logs]:  # noqa: ASYNC110 - a log wakes nobody
                    await asyncio.sleep(0.05)


#: Ends a database's sessions, and waits for their end.
ENDED = "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE datname = '{}'"


async def test_a_server_that_only_reads_is_said_once_and_heals(
    postgresql: str, tokens: Tokens
) -> None:
    name = make_url(postgresql).database
    async with running(postgresql, tokens) as service:
        assert (await send(service, "acknowledged")).status_code == 200
        await told(postgresql, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await end_all_others(postgresql)
        pushes = PushStore(database=service.parts.database)
        with capture_logs() as logs:
            for _ in range(2):
                answers = await asyncio.gather(*(send(service, f"lost {n}") for n in range(3)))
                for answer in answers:
                    assert (answer.status_code, answer.json()["detail"][0]["msg"]) == (503, AWAY)
                with pytest.raises(Unavailable):
                    await pushes.claim("owner", 1, 1.0)
            assert [one["summary"]["gfm"] for one in await service.messages()] == ["acknowledged"]
            # Sessions that have begun meanwhile would keep to it for as long as they last.
            await told(postgresql, f"ALTER DATABASE {name} RESET default_transaction_read_only")
            await until_it_heals(lambda: send(service, "healed"))
        said = [(one["event"], one.get("error")) for one in logs if "change" in one["event"]]
        assert said == [
            ("The database refused a change", "ReadOnlySQLTransactionError"),
            ("The database takes changes again", None),
        ]


async def test_a_database_that_is_put_aside_is_said_once_and_heals(
    postgresql: str, tokens: Tokens
) -> None:
    name = make_url(postgresql).database
    other = make_url(postgresql).set(database="postgres").render_as_string()
    async with running(postgresql, tokens) as service:
        assert (await send(service, "acknowledged")).status_code == 200
        await told(other, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await told(other, ENDED.format(name))
        await told(other, f"ALTER DATABASE {name} RENAME TO {name}_aside")
        with capture_logs() as logs:
            for _ in range(2):
                answers = await asyncio.gather(*(send(service, f"lost {n}") for n in range(3)))
                assert {answer.status_code for answer in answers} == {503}
            await told(other, f"ALTER DATABASE {name}_aside RENAME TO {name}")
            await told(other, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
            await until_it_heals(lambda: send(service, "healed"))
        said = [one["event"] for one in logs if "change" in one["event"]]
        assert said == ["The database refused a change", "The database takes changes again"]


@pytest.mark.parametrize("missing", ["table", "right"])
async def test_what_the_database_lacks_is_said_once_and_heals(
    postgresql: str, tokens: Tokens, missing: str
) -> None:
    name = make_url(postgresql).database
    change, back, kind = (
        "ALTER TABLE audit RENAME TO audit_aside",
        "ALTER TABLE audit_aside RENAME TO audit",
        "UndefinedTableError",
    )
    if missing == "right":
        for statement in (
            f"CREATE ROLE {name}",
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}",
            f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}",
            f"ALTER DATABASE {name} SET role = {name}",
        ):
            await told(postgresql, statement)
        change, back, kind = (
            f"SET ROLE NONE; REVOKE INSERT ON audit FROM {name}",
            f"SET ROLE NONE; GRANT INSERT ON audit TO {name}",
            "InsufficientPrivilegeError",
        )
    async with running(postgresql, tokens) as service:
        assert (await send(service, "acknowledged")).status_code == 200
        [listed] = await service.messages()
        mark = {"ids": [listed["id"]]}
        with capture_logs() as logs:
            await told(postgresql, change)
            for _ in range(2):
                answers = await asyncio.gather(*(send(service, f"lost {n}") for n in range(3)))
                assert {answer.status_code for answer in answers} == {503}
                # Other kinds of changes are accepted, and do not clear the failure of this one.
                for what in ("read", "unread"):
                    path = f"/v1/notifications/{what}"
                    answer = await asked(service, "alice", "POST", path, json=mark)
                    assert answer.status_code == 204, answer.text
            await told(postgresql, back)
            await until_it_heals(lambda: send(service, "healed"))
            await until_it_heals(lambda: send(service, "healed too"))
        said = [(one["event"], one.get("error")) for one in logs if "change" in one["event"]]
        assert said == [
            ("The database refused a change", kind),
            ("The database takes a change again that it had refused", kind),
        ]
    if missing == "right":
        await told(postgresql, f"SET ROLE NONE; DROP OWNED BY {name}; DROP ROLE {name}")


async def told(url: str, statement: str) -> None:
    """Execute a statement in a database."""
    settings = {"default_transaction_read_only": "off"}
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), server_settings=settings)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
def sqlite(databases: Databases) -> str:
    """The URL of an empty database of SQLite, which other processes can lock."""
    return databases.fresh("sqlite")


async def test_a_file_that_is_locked_is_said_to_be_away_and_heals(
    sqlite: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCKED_S", 1.0)
    async with running(sqlite, tokens) as service:
        assert (await send(service, "acknowledged")).status_code == 200
        other = sqlite3.connect(sqlite.partition("///")[2], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with capture_logs() as logs:
            began = asyncio.get_running_loop().time()
            answers = await asyncio.gather(*(send(service, f"lost {n}") for n in range(20)))
            took_s = asyncio.get_running_loop().time() - began
            assert {answer.status_code for answer in answers} == {503}
            assert answers[0].json()["detail"][0]["msg"] == AWAY
            # All fail together, not one after another, each with a wait of its own.
            assert took_s < 20
            # Reading needs no lock.
            listed = await asked(service, "alice", "GET", "/v1/notifications/messages")
            assert [one["summary"]["gfm"] for one in listed.json()] == ["acknowledged"]
            other.execute("ROLLBACK")
            assert (await send(service, "healed")).status_code == 200
        other.close()
        said = [one["event"] for one in logs]
        assert said.count("The database refused a change") == 1
        assert said.count("The database takes changes again") == 1
        # A refused change was not made.
        assert [one["summary"]["gfm"] for one in await service.messages()] == [
            "healed",
            "acknowledged",
        ]


def exists(path: str) -> bool:
    return os.path.exists(path)


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
async def test_nothing_is_acknowledged_into_a_file_that_is_not_there_any_more(
    sqlite: str, tokens: Tokens, replaced: bool
) -> None:
    path = sqlite.partition("///")[2]
    aside = f"{path}.aside"
    async with running(sqlite, tokens) as service:
        assert (await send(service, "acknowledged")).status_code == 200
        os.rename(path, aside)
        if replaced:
            shutil.copy(aside, path)
        with capture_logs() as logs:
            for answer in await asyncio.gather(*(send(service, f"lost {n}") for n in range(3))):
                assert (answer.status_code, answer.json()["detail"][0]["msg"]) == (503, AWAY)
            assert (await asked(service, "alice", "GET", "/health/ready")).status_code == 503
        assert exists(path) == replaced
        said = [one["event"] for one in logs]
        assert len([one for one in said if "removed or replaced" in one]) == 1
        os.replace(aside, path)
        await until_it_heals(lambda: send(service, "healed"))
        texts = [one["summary"]["gfm"] for one in await service.messages()]
        assert texts == ["healed", "acknowledged"]
