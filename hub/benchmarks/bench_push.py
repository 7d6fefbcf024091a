"""Measure a broadcast by push beside the time that the Hub takes for the tokens alone.

A real Hub and its proxy, the service as ``configure(c)`` runs it, and a stand-in for all users'
servers, of which two in a hundred hang. Ratios hold on any machine; milliseconds do not. The
processor's time of the Hub and of the service, for each recipient, says most on a busy machine: it
stays the same however many there are.

A Hub takes some 40 ms to start a server and twice some 15 ms for a token, one after another: 5,000
recipients take six minutes, of which most are spent before anything is sent. What is being done is
said at the standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.hubs import Hub, wait_for
from tests.ports import free_ports

SITE = """
from jupyterhub.spawner import Spawner

class StandIn(Spawner):
    async def start(self):
        return ("127.0.0.1", {port})

    async def poll(self):
        return None if self.server else 0

    async def stop(self, now=False):
        pass

c.JupyterHub.spawner_class = StandIn
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.log_level = "WARN"
c.JupyterHub.activity_resolution = 3600
"""
AT_ONCE = 20
#: Seconds between two looks at a page of the Hub, and at the outcomes.
PAGE_S = 0.1
GRACE = {"JUPYTERHUB_NOTIFY_PUSH_GRACE_S": "0"}


class Processor:
    """The seconds of processor time that the Hub and the service have used since the last look."""

    def __init__(self, hub: Hub) -> None:
        assert hub.process is not None
        self._hub = psutil.Process(hub.process.pid)
        (self._service,) = [
            one for one in self._hub.children() if "jupyterhub-notify" in " ".join(one.cmdline())
        ]
        self._before = (0.0, 0.0)
        self.since()

    def since(self) -> tuple[float, float]:
        """Return the seconds of the Hub and of the service."""
        used = [one.cpu_times() for one in (self._hub, self._service)]
        present = (used[0].user + used[0].system, used[1].user + used[1].system)
        before, self._before = self._before, present
        return present[0] - before[0], present[1] - before[1]


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


async def _each(names: list[str], at_once: int, one: Any) -> None:
    limit = asyncio.Semaphore(at_once)

    async def bounded(name: str) -> None:
        async with limit:
            await one(name)

    await asyncio.gather(*(bounded(name) for name in names))


async def start_servers(hub: Hub, names: list[str]) -> None:
    """Make the users and start their servers."""
    headers = {"Authorization": f"Bearer {hub.tokens['ops']}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for start in range(0, len(names), 500):
            body = {"usernames": names[start : start + 500]}
            async with session.post(f"{hub.url}/hub/api/users", json=body) as answer:
                answer.raise_for_status()

        async def spawn(name: str) -> None:
            async with session.post(f"{hub.url}/hub/api/users/{name}/server") as answer:
                assert answer.status in (201, 202), await answer.text()

        await _each(names, 10, spawn)


async def page_time(session: aiohttp.ClientSession, hub: Hub) -> float:
    """Return the seconds that one of the Hub's own pages takes."""
    at = time.perf_counter()
    async with session.get(f"{hub.url}/hub/login") as answer:
        await answer.read()
    return time.perf_counter() - at


async def token_time(hub: Hub, names: list[str]) -> float:
    """Return the seconds that the Hub takes to make a token for each, and to identify it once.

    A page is requested as often as during a push, since that costs the Hub time too.
    """
    headers = {"Authorization": f"Bearer {hub.tokens['ops']}"}
    async with aiohttp.ClientSession() as session:

        async def one(name: str) -> None:
            url = f"{hub.url}/hub/api/users/notify-bot/tokens"
            body = {"expires_in": 300, "scopes": [f"access:servers!server={name}/"]}
            async with session.post(url, json=body, headers=headers) as answer:
                token = (await answer.json())["token"]
            own = {"Authorization": f"token {token}"}
            async with session.get(f"{hub.url}/hub/api/user", headers=own) as answer:
                assert answer.status == 200

        async def pages() -> None:
            while True:
                await page_time(session, hub)
                await asyncio.sleep(PAGE_S)

        began = time.perf_counter()
        asking = asyncio.create_task(pages())
        await _each(names, AT_ONCE, one)
        asking.cancel()
        return time.perf_counter() - began


async def push_time(hub: Hub, count: int, hung: int) -> tuple[float, float, list[float]]:
    """Push a broadcast and measure it.

    Return the seconds until all servers that do not hang have it, the seconds until all outcomes
    are known, and the times of the Hub's pages meanwhile.
    """
    headers = {"Authorization": f"Bearer {hub.token('root')}"}
    pages: list[float] = []
    async with aiohttp.ClientSession(headers=headers) as session:
        url = f"{hub.service}/v1/admin/broadcasts"
        began = time.perf_counter()
        body = {"summary": "Maintenance at ten", "audience": "running"}
        async with session.post(url, json=body) as answer:
            id_ = (await answer.json())["id"]
        reached = 0.0
        while True:
            pages.append(await page_time(session, hub))
            async with session.get(f"{url}/{id_}") as answer:
                counts = (await answer.json())["counts"]
            present = time.perf_counter() - began
            if not reached and counts.get("stored", 0) >= count - hung:
                reached = present
            if reached and counts.get("not-responding", 0) >= hung:
                return reached, present, pages
            if present > 600:
                raise SystemExit(f"Not everybody was reached: {counts}")
            await asyncio.sleep(PAGE_S)


def measure(count: int) -> list[str]:
    """Measure with a number of recipients; return the row of the table."""
    hung = count // 50
    names = [f"hung{index}" for index in range(hung)]
    names += [f"user{index}" for index in range(count - hung)]
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as directory:
        hub = Hub(
            Path(directory) / "hub",
            site=SITE.format(port=port),
            configure=f"environment={GRACE!r}",
        )
        server = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("push_server.py")),
                str(port),
                f"http://127.0.0.1:{hub.hub_port}/hub/api",
            ]
        )
        try:
            hub.start()
            hub.add_user("root")
            _say(f"Starting {count} servers …")
            began = time.perf_counter()
            asyncio.run(start_servers(hub, names))

            def running() -> bool:
                users = hub.api("GET", f"/users?state=ready&limit={count + 1}")
                return len(users) >= min(count, 200)

            wait_for(running, "the servers' start", 600)
            _say(f"… took {time.perf_counter() - began:.0f} s. Making tokens alone …")
            processor = Processor(hub)
            alone = asyncio.run(token_time(hub, names))
            hub_alone_s, _ = processor.since()
            _say(f"… took {alone:.0f} s. Pushing …")
            reached, known, pages = asyncio.run(push_time(hub, count, hung))
            hub_s, service_s = processor.since()
        finally:
            hub.stop()
            server.kill()
            server.wait()
    return [
        str(count),
        str(hung),
        f"{alone:.1f} s",
        f"{reached:.1f} s",
        f"{reached / alone:.2f}",
        f"{reached - alone:+.1f} s",
        f"{known:.1f} s",
        " / ".join(f"{used / count * 1000:.1f}" for used in (hub_alone_s, hub_s, service_s)),
        f"{statistics.median(pages) * 1000:.0f} / {max(pages) * 1000:.0f} ms",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, nargs="+", default=[100, 500])
    options = parser.parse_args()
    columns = (
        *("recipients", "hung", "tokens alone", "reached", "ratio", "beyond", "all known"),
        "processor, ms each: Hub alone / Hub / service",
        "hub page",
    )
    print("| " + " | ".join(columns) + " |")
    print("| ---: " * len(columns) + "|")
    for count in options.recipients:
        print("| " + " | ".join(measure(count)) + " |", flush=True)


if __name__ == "__main__":
    main()
