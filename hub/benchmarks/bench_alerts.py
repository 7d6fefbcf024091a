"""From a metric to the user's lab: a real Prometheus and Alertmanager, and what the service adds.

`python benchmarks/bench_alerts.py [--rounds 10] [--users 100]`; a user's value crosses 90 % and
falls again, then that of many users at once. Each webhook passes through a relay in this process,
which notes when it came, and all labs follow the service's events from here, so that one clock
takes all times. The engine's share is until the webhook comes; the service's, from then until a
lab has the notification or its end. The floor is a webhook of an empty group.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.engines import Exporter, alerting
from tests.processes import Process
from tests.support import Databases, Tokens

WAIT_S = 60.0


@dataclass
class Relay:
    """Forwards Alertmanager's webhooks to the service, and notes when each came."""

    service: str
    session: aiohttp.ClientSession
    came: list[tuple[float, set[str]]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        at = time.perf_counter()
        body = await request.read()
        alerts = json.loads(body)["alerts"]
        self.came.append((at, {f"{one['labels']['username']} {one['status']}" for one in alerts}))
        url = self.service + request.path
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        async with self.session.post(url, data=body, headers=headers) as answer:
            text = await answer.read()
        return web.Response(status=answer.status, body=text)

    def first(self, user: str, status: str, since: float) -> float:
        """Return when a webhook first had this status of a user, after a moment."""
        return min(at for at, said in self.came if at >= since and f"{user} {status}" in said)


@dataclass
class Lab:
    """A user's lab, which follows the service's events."""

    user: str
    came: asyncio.Queue[tuple[float, bool]] = field(default_factory=asyncio.Queue)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        """Note when each notification comes or goes."""
        headers = {"Authorization": f"Bearer {token}"}
        async with session.get(f"{url}/v1/events", headers=headers) as stream:
            async for line in stream.content:
                if line == b"event: message\n":
                    self.came.put_nowait((time.perf_counter(), True))
                elif line == b"event: message-gone\n":
                    self.came.put_nowait((time.perf_counter(), False))
                elif line.rstrip().endswith(b"welcome"):
                    self.open.set()

    async def wait(self, there: bool) -> float:
        """Return when a notification came, or went."""
        while True:
            at, is_there = await asyncio.wait_for(self.came.get(), WAIT_S)
            if is_there is there:
                return at


async def change(
    exporter: Exporter, relay: Relay, labs: list[Lab], percent: float
) -> list[tuple[float, float]]:
    """Set all users' usage; return for each the engine's time and the service's."""
    there = percent > 90
    status = "firing" if there else "resolved"
    since = time.perf_counter()
    exporter.values.update({lab.user: percent for lab in labs})
    found = await asyncio.gather(*(lab.wait(there) for lab in labs))
    times = []
    for lab, at in zip(labs, found, strict=True):
        told = relay.first(lab.user, status, since)
        times.append((told - since, at - told))
    return times


async def floor(relay: Relay, token: str) -> list[float]:
    """Return the times of webhooks without alerts."""
    body = {"version": "4", "groupKey": "empty", "status": "firing", "alerts": []}
    times = []
    for _ in range(20):
        at = time.perf_counter()
        async with relay.session.post(
            f"{relay.service}/v1/alerts/alertmanager",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == 200, await answer.text()
        times.append(time.perf_counter() - at)
    return times


def print_line(what: str, times: list[float]) -> None:
    ordered = sorted(times)
    print(
        f"{what:<58} {1000 * ordered[len(ordered) // 2]:7.0f} ms {1000 * ordered[-1]:7.0f} ms",
        flush=True,
    )


async def measure(directory: Path, database: str, tokens: Tokens, rounds: int, users: int) -> None:
    names = tokens.many_users(users)
    service = Process(database, tokens, directory / "service.log")
    async with AsyncExitStack() as stack:
        stack.callback(service.stop)
        await service.ready()
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        await stack.enter_async_context(session)
        relay = Relay(service.url, session)
        app = web.Application()
        app.router.add_post("/{tail:.*}", relay.take)
        runner = web.AppRunner(app)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        labs = [Lab(name) for name in names]
        following = [
            asyncio.create_task(lab.follow(session, service.url, tokens.of(lab.user)))
            for lab in labs
        ]
        for task in following:
            stack.callback(task.cancel)
        await asyncio.gather(*(lab.open.wait() for lab in labs))
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        token = tokens.of("alertmanager")
        engines = await stack.enter_async_context(alerting(directory, url, token))
        print(f"{'':<58} {'median':>10} {'longest':>10}")
        print_line("a webhook of an empty group (floor)", await floor(relay, token))
        for count, repeats in ((1, rounds), (users, 3)):
            came: list[tuple[float, float]] = []
            went: list[tuple[float, float]] = []
            for _ in range(repeats):
                came += await change(engines.exporter, relay, labs[:count], 93.0)
                went += await change(engines.exporter, relay, labs[:count], 40.0)
            for what, times in (("over 90 %", came), ("below", went)):
                of = f"{count} user{'s' if count > 1 else ''} {what}"
                print_line(f"{of}: until the webhook (engines)", [one for one, _ in times])
                print_line(f"{of}: webhook to lab (the service)", [one for _, one in times])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--users", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        database = Databases(directory).fresh("sqlite")
        tokens = Tokens(directory / "tokens.json")
        asyncio.run(measure(directory, database, tokens, options.rounds, options.users))


if __name__ == "__main__":
    main()
