"""The service listens before its database is there, and works once it is."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy.engine import make_url

from jupyterhub_notify.cli import main

from .processes import Process
from .support import Databases, Service, Tokens, running, set_newer


class Listener:
    """A port in front of a PostgreSQL server that is closed at first."""

    def __init__(self, database: str) -> None:
        url = make_url(database)
        directory, self._port = url.query.get("host"), url.port
        self._socket = f"{directory}/.s.PGSQL.{url.port or 5432}" if directory else None
        self._host = url.host
        self._url = url

    async def reserve(self) -> str:
        """Reserve a port without listening, and return the database's URL with this port."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0, start_serving=False)
        port = self._server.sockets[0].getsockname()[1]
        url = self._url.set(host="127.0.0.1", port=port, query={})
        return url.render_as_string(hide_password=False)

    async def open(self) -> None:
        await self._server.start_serving()

    async def close(self) -> None:
        self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._socket is not None:
            there, to = await asyncio.open_unix_connection(self._socket)
        else:
            there, to = await asyncio.open_connection(self._host, self._port)
        await asyncio.gather(_copy(reader, to), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def listening(
    database: str, tokens: Tokens, log: Path
) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    """Run a process until the block ends, and wait until it listens."""
    process = Process(database, tokens, log)
    try:
        async with httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=60) as client:
            while True:
                assert process.process.poll() is None, f"see {log}"
                with suppress(httpx.TransportError):
                    await client.get("/health/live")
                    break
                await asyncio.sleep(0.05)
            yield process, client
    finally:
        await asyncio.to_thread(process.stop)


async def logged(log: Path, words: str) -> None:
    while words not in log.read_text():  # noqa: ASYNC110, ASYNC240 - a file is not told of
        await asyncio.sleep(0.05)


async def test_a_database_that_comes_up_later_is_waited_for(
    postgresql: str, tokens: Tokens, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    listener = Listener(postgresql)
    database = await listener.reserve()
    async with listening(database, tokens, log) as (process, client):
        await logged(log, "The database cannot be reached")
        answer = await client.get("/v1/overview")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["detail"] == [
            {
                "msg": "The service is starting: The database cannot be reached",
                "type": "starting",
            }
        ]
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200
        # A hub asks at the root whether a service runs, and any 5xx would end the hub.
        index = await client.get("/")
        assert (index.status_code, "events" in index.json()["features"]) == (200, True)
        page = await client.get("/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["refresh"]) == (503, "2")
        # Tried more than once, logged once.
        await asyncio.sleep(2)
        assert log.read_text().count("The database cannot be reached") == 1
        await listener.open()
        await process.ready()
        headers = {"Authorization": f"Bearer {tokens.of('alice')}"}
        assert (await client.get("/v1/overview", headers=headers)).status_code == 200
        assert (await client.get("/")).json() == index.json()
        assert await asyncio.to_thread(process.stop) == 0
    await listener.close()
    assert "The database is there" in log.read_text()


async def test_a_stop_while_it_waits_is_clean(
    postgresql: str, tokens: Tokens, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    database = await Listener(postgresql).reserve()
    async with listening(database, tokens, log) as (process, _):
        await logged(log, "The database cannot be reached")
        assert await asyncio.to_thread(process.stop) == 0
    assert "Traceback" not in log.read_text()


async def test_a_database_of_another_version_is_waited_for_until_it_is_upgraded(
    databases: Databases, tokens: Tokens, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    database = await asyncio.to_thread(databases.empty, "postgresql")
    async with listening(database, tokens, log) as (process, client):
        await logged(log, "run jupyterhub-notify upgrade")
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert "run jupyterhub-notify upgrade" in answer.json()["detail"][0]["msg"]
        assert await asyncio.to_thread(main, ["upgrade", "--database", database]) == 0
        await process.ready()


def serve(database: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jupyterhub_notify", "serve", "--port", "0"]
    return subprocess.run(
        [*command, "--database", database], capture_output=True, text=True, timeout=100
    )


async def test_a_shared_database_of_a_newer_version_is_said_once_and_waited_for(
    databases: Databases, tokens: Tokens, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    database = await asyncio.to_thread(databases.empty, "postgresql")
    await set_newer(database)
    async with listening(database, tokens, log) as (process, client):
        await logged(log, "The database is of a newer version")
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert "of a newer version" in answer.json()["detail"][0]["msg"]
        assert await asyncio.to_thread(process.stop) == 0
    assert "whose schema is 9999" in log.read_text()
    assert "Traceback" not in log.read_text()


async def test_a_file_of_a_newer_version_ends_it_with_one_sentence(
    tokens: Tokens, tmp_path: Path
) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path / 'newer.sqlite'}"
    await set_newer(database)
    found = await asyncio.to_thread(serve, database)
    assert found.returncode == 1, found.stderr
    assert "A newer version of the service wrote the database" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("database", "code", "sentence"),
    [
        ("sqlite+aiosqlite:////nowhere/at/all.sqlite", 1, "unable to open database file"),
        ("nothing://x", 2, "Can't load plugin"),
    ],
)
def test_what_no_other_try_would_mend_ends_it_with_one_sentence(
    database: str, code: int, sentence: str, tokens: Tokens
) -> None:
    found = serve(database)
    assert found.returncode == code, found.stderr
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr


async def test_anonymous_streams_are_bounded_and_those_of_users_are_not(
    database: str, tokens: Tokens
) -> None:
    async with running(database, tokens, anonymous_streams=2) as service:
        async with service.stream(None), service.stream(None):
            answer = await service.as_(None).get("/v1/events")
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
            async with service.stream("alice"):
                pass
        await _until_one_is_free(service)


async def _until_one_is_free(service: Service) -> None:
    """The service notices a reader's end a moment later."""
    while True:
        async with service.as_(None).stream("GET", "/v1/events") as answer:
            if answer.status_code == 200:
                return
        await asyncio.sleep(0.02)


async def test_a_connection_that_rests_is_kept_for_the_hubs_proxy(service: Service):
    """The proxy answers 503 to a request that it sends into a connection just as it is closed."""
    url = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)

    async def ask() -> None:
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        length = re.search(rb"content-length: (\d+)", answer)
        assert length is not None
        await reader.readexactly(int(length[1]))

    await ask()
    # uvicorn's own time is five seconds: nothing, not even the end, comes within six.
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(reader.read(1), 6)
    await ask()
    writer.close()
