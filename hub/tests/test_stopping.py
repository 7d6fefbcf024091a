"""A service that is told to stop answers and ends in time, even if everything it asks hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from jupyterhub_notify.app import create_app
from jupyterhub_notify.config import Settings
from jupyterhub_notify.identity.settings import make_identity
from jupyterhub_notify.server import server_of
from jupyterhub_notify.storage import time_limits

from .ports import free_ports
from .processes import COMMAND, Process
from .support import Databases, Tokens

#: Long after the service should have ended, but before anything that hangs would give up.
SOON_S = 40


class Hanging:
    """A server that accepts requests and never answers."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.set()
        while await reader.read(65536):
            pass
        writer.close()


@pytest.fixture
def sqlite(databases: Databases) -> str:
    return databases.fresh("sqlite")


@pytest.fixture
async def hanging() -> AsyncIterator[Hanging]:
    found = Hanging()
    server = await asyncio.start_server(found.take, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


def of_a_hub(api_url: str) -> dict[str, str]:
    """Return the environment that a hub gives a service that it starts."""
    return {
        "JUPYTERHUB_API_URL": api_url,
        "JUPYTERHUB_API_TOKEN": "of-the-service",
        "JUPYTERHUB_SERVICE_NAME": "notify",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/notify/",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": "service-notify",
        "JUPYTERHUB_NOTIFY_IDENTITY": "hub",
    }


@contextmanager
def beside_a_hub(api_url: str, directory: Path, **more: str) -> Iterator[tuple[Any, str]]:
    """Run the service as a hub starts it; yield its process and its address."""
    (port,) = free_ports(1)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "--port", str(port)],
            cwd=directory,
            env={**os.environ, **of_a_hub(api_url), **more},
            stdout=log,
            stderr=log,
        )
    try:
        yield process, f"http://127.0.0.1:{port}/services/notify"
    finally:
        process.kill()
        process.wait()


async def until_ready(client: httpx.AsyncClient, url: str, process: Any) -> None:
    while True:
        assert process.poll() is None
        try:
            if (await client.get(f"{url}/health/ready")).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.1)


async def ended(process: Any) -> int:
    return int(await asyncio.to_thread(process.wait, SOON_S))


async def test_whoever_waits_for_a_hub_that_hangs_is_told(
    hanging: Hanging, sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limits, "STOP_S", 0.5)
    for name, value in of_a_hub(f"http://127.0.0.1:{hanging.port}/hub/api").items():
        monkeypatch.setenv(name, value)
    settings = Settings(database=sqlite, port=0)
    app = create_app(settings, make_identity())
    server = server_of(app, settings, app.state.parts.begin_stop)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn wakes nobody
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1/overview"
    async with httpx.AsyncClient(trust_env=False, timeout=SOON_S) as client:
        # More than are looked up at once: the others wait for their turn.
        asked = [
            asyncio.create_task(client.get(url, headers={"Authorization": f"Bearer {number}"}))
            for number in range(30)
        ]
        while len(server.server_state.tasks) < 30:  # noqa: ASYNC110 - uvicorn wakes nobody
            await asyncio.sleep(0.01)
        server.should_exit = True
        for answer in await asyncio.gather(*asked):
            assert answer.status_code == 503
            assert answer.json()["detail"][0]["msg"] == "The service is stopping"
            assert answer.headers["retry-after"] == "5"
    await task
    # No question is left open, for Python to complain about.
    names = [repr(one.get_coro()) for one in asyncio.all_tasks()]
    assert not [name for name in names if "TokenLookup" in name]


class HubWithAServer:
    """A Hub, and a user's server that never answers."""

    def __init__(self) -> None:
        self.pushed = asyncio.Event()
        self.revoked = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/hub/api/user", self._user)
        app.router.add_get("/hub/api/users", self._users)
        app.router.add_post("/hub/api/users/notify-bot/tokens", self._token)
        app.router.add_delete("/hub/api/users/notify-bot/tokens/{id}", self._hang)
        app.router.add_route("*", "/user/{rest:.*}", self._hang)
        return app

    async def _user(self, _request: web.Request) -> web.Response:
        scopes = ["custom:notify:admin", "access:services!service=notify"]
        return web.json_response(
            {"kind": "service", "name": "admin", "admin": False, "groups": [], "scopes": scopes}
        )

    async def _users(self, _request: web.Request) -> web.Response:
        started = datetime(2026, 1, 1, tzinfo=timezone.utc).isoformat()
        server = {"name": "", "ready": True, "url": "/user/alice/", "started": started}
        model = {"name": "alice", "groups": [], "servers": {"": server}}
        return web.json_response({"items": [model], "_pagination": {"next": None}})

    async def _token(self, _request: web.Request) -> web.Response:
        return web.json_response({"token": "a-token", "id": "a1"}, status=201)

    async def _hang(self, request: web.Request) -> web.Response:
        (self.revoked if request.method == "DELETE" else self.pushed).set()
        await asyncio.sleep(3600)
        return web.Response()


async def test_it_ends_although_a_server_that_is_pushed_to_hangs_and_then_the_hub(
    tmp_path: Path,
) -> None:
    hub = HubWithAServer()
    runner = web.AppRunner(hub.app(), shutdown_timeout=0.1)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    origin = f"http://127.0.0.1:{port}"
    more = {"JUPYTERHUB_NOTIFY_PROXY_URL": origin, "JUPYTERHUB_NOTIFY_PUSH_TIMEOUT_S": "60"}
    headers = {"Authorization": "Bearer of-an-administrator"}
    async with httpx.AsyncClient(trust_env=False, timeout=SOON_S, headers=headers) as client:
        with beside_a_hub(f"{origin}/hub/api", tmp_path, **more) as (process, url):
            await until_ready(client, url, process)
            answer = await client.post(f"{url}/v1/admin/broadcasts", json={"summary": "Down"})
            assert answer.status_code == 200, answer.text
            await asyncio.wait_for(hub.pushed.wait(), SOON_S)
            process.send_signal(signal.SIGTERM)
            # It tries to revoke the bot's token.
            await asyncio.wait_for(hub.revoked.wait(), SOON_S)
            assert await ended(process) == 0
    await runner.cleanup()


CHANNELS = {
    "mail": "mail: {{host: 127.0.0.1, port: {port}, starttls: false, timeout_s: 60,"
    " sender: hub@example.org, address: '{{username}}@example.org'}}",
    # Apprise waits in a thread.
    "apprise": "apprise: [{{name: chat, url: 'json://127.0.0.1:{port}/?rto=600&cto=600'}}]",
}


@pytest.mark.parametrize("kind", CHANNELS)
async def test_it_ends_although_a_channel_hangs(
    kind: str, hanging: Hanging, sqlite: str, tokens: Tokens, tmp_path: Path
) -> None:
    file = tmp_path / "channels.yaml"
    file.write_text(f"after: 1s\n{CHANNELS[kind].format(port=hanging.port)}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTERHUB_NOTIFY_CHANNELS", str(file))
        process = Process(sqlite, tokens, tmp_path / "log")
    try:
        await process.ready()
        headers = {"Authorization": f"Bearer {tokens.of('quota')}"}
        async with httpx.AsyncClient(trust_env=False, timeout=30, headers=headers) as client:
            # More than are sent at once.
            for number in range(10):
                body = {"recipient": f"u{number}", "summary": "x", "important": True}
                path = f"{process.url}/v1/services/quota/notifications"
                assert (await client.post(path, json=body)).status_code == 200
        await asyncio.wait_for(hanging.came.wait(), SOON_S)
        assert await asyncio.to_thread(process.stop) == 0
    finally:
        process.process.kill()
        process.process.wait()
