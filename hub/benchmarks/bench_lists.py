"""Unchanged answers (304) and lists a second, with a thousand and with a million messages.

`python benchmarks/bench_lists.py [--messages 1000 1000000] [--postgresql]`; callers are in this
process, the service is in another. The ratio is to a route of the same service that reads nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import cycle
from pathlib import Path

import asyncpg
from bench_streams import PORT, wait_for_it

from jupyterhub_notify.identity.token_file import TokenFile
from jupyterhub_notify.migrations import upgrade
from jupyterhub_notify.storage.database import create_engine

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import Databases

#: Number of users who have messages, and number of users who ask.
USERS, CALLERS = 10_000, 100
CONNECTIONS = 16
#: Time in seconds for which one route is asked before the next.
SLICE_S = 0.5
COLUMNS = (
    *("id", "seq", "service", "target", "type", "summary", "body", "options"),
    *("created", "updated", "state"),
)
BODY = "Some *Markdown*. " * 5
LISTS = "/v1/notifications/messages?limit=25"
ROUTES = {
    "static route": "/health/live",
    "list, unchanged (304)": LISTS,
    "list of 25": LISTS,
    "overview, unchanged (304)": "/v1/overview",
    "overview of 50": "/v1/overview",
}


def rows(count: int) -> Iterator[tuple[object, ...]]:
    """Yield a number of messages, spread evenly over the users."""
    at = datetime(2026, 1, 1)
    for n in range(1, count + 1):
        user, summary = f"u:user{n % USERS}", f"Job {n} has ended"
        yield n, n, "quota", user, "info", summary, BODY, "{}", at, at, "active"


async def fill(url: str, count: int) -> None:
    """Make the tables, and fill them with a number of messages."""
    engine = create_engine(url)
    await upgrade(engine)
    await engine.dispose()
    if engine.dialect.name == "sqlite":
        fill_file(url.partition("///")[2], count)
        return
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.copy_records_to_table("notifications", records=rows(count), columns=COLUMNS)
    await connection.execute("UPDATE counter SET seq = $1", count)
    await connection.execute("ANALYZE")
    await connection.close()


def fill_file(path: str, count: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany(
            f"INSERT INTO notifications ({', '.join(COLUMNS)})"
            f" VALUES ({', '.join('?' * len(COLUMNS))})",
            ((*row[:8], f"{row[8]}.000000", f"{row[9]}.000000", row[10]) for row in rows(count)),
        )
        connection.execute("UPDATE counter SET seq = ?", (count,))
    connection.close()


class Caller:
    """A client with one connection, which stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self, path: str, token: str, tag: str | None = None) -> tuple[int, str]:
        """Send a request, read the whole answer, and return its status and validator."""
        known = f"If-None-Match: {tag}\r\n" if tag else ""
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{known}\r\n"
        self._writer.write(request.encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])
        }
        await self._reader.readexactly(int(headers.get("content-length", 0)))
        return int(lines[0].split()[1]), headers.get("etag", "")


class Route:
    """A route that many callers ask for.

    Parameters
    ----------
    path
        The path.
    callers
        The connections.
    tokens
        The tokens of the users who ask.
    unchanged
        Whether callers have the answer already.
    """

    def __init__(
        self, path: str, callers: list[Caller], tokens: list[str], unchanged: bool
    ) -> None:
        self._path = path
        self._callers = callers
        self._unchanged = unchanged
        self._tokens = tokens
        self._tags: dict[str, str] = {}
        self._turn = cycle(tokens)
        self.count, self.seconds = 0, 0.0

    @property
    def rate(self) -> float:
        """The number of answered requests a second."""
        return self.count / self.seconds

    async def begin(self) -> None:
        """Ask once for every caller's answer."""
        for token in self._tokens:
            self._tags[token] = (await self._callers[0].get(self._path, token))[1]

    async def ask(self, seconds: float) -> None:
        """Ask for a time, and count the answers."""
        end = time.perf_counter() + seconds
        expected = 304 if self._unchanged else 200

        async def one(caller: Caller) -> int:
            count = 0
            while time.perf_counter() < end:
                token = next(self._turn)
                tag = self._tags[token] if self._unchanged else None
                status, _ = await caller.get(self._path, token, tag)
                assert status == expected, f"{self._path} answered {status}"
                count += 1
            return count

        began = time.perf_counter()
        self.count += sum(await asyncio.gather(*map(one, self._callers)))
        self.seconds += time.perf_counter() - began


async def measure(tokens: list[str], seconds: float) -> dict[str, float]:
    """Return how many requests a second each route answers.

    The routes take turns, each for a short time, so that other load on the machine affects all of
    them in the same way.
    """
    callers = [
        Caller(*await asyncio.open_connection("127.0.0.1", PORT)) for _ in range(CONNECTIONS)
    ]
    routes = {name: Route(path, callers, tokens, "304" in name) for name, path in ROUTES.items()}
    for route in routes.values():
        await route.begin()
    for _ in range(round(seconds / SLICE_S)):
        for route in routes.values():
            await route.ask(SLICE_S)
    return {name: route.rate for name, route in routes.items()}


@contextmanager
def service(directory: str, url: str) -> Iterator[None]:
    environment = {
        **os.environ,
        "JUPYTERHUB_NOTIFY_DATABASE": url,
        "JUPYTERHUB_NOTIFY_TOKENS": f"{directory}/tokens.json",
        "JUPYTERHUB_NOTIFY_IDENTITY": "token-file",
        # The messages are old on purpose, and must not be deleted.
        "JUPYTERHUB_NOTIFY_RETENTION_DAYS": "100000",
    }
    command = [sys.executable, "-m", "jupyterhub_notify", "serve", "--port", str(PORT)]
    process = subprocess.Popen(command, env=environment)
    try:
        wait_for_it()
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def database(directory: str, *, postgresql: bool) -> Iterator[Callable[[], str]]:
    """Yield a function that makes an empty database and returns its URL."""
    place = Path(directory, "run", "databases")
    place.mkdir(parents=True)
    databases = Databases(place)
    try:
        yield lambda: databases.empty("postgresql" if postgresql else "sqlite")
    finally:
        databases.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, nargs="*", default=[1_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-bench-") as directory:
        file = TokenFile(Path(directory) / "tokens.json")
        tokens = [file.create(f"user{n}", kind="user") for n in range(CALLERS)]
        print(f"{'messages':>9} {'route':<27} {'a second':>9} {'to static':>10}")
        with database(directory, postgresql=options.postgresql) as fresh:
            for count in options.messages:
                url = fresh()
                asyncio.run(fill(url, count))
                with service(directory, url):
                    rates = asyncio.run(measure(tokens, options.seconds))
                floor = rates["static route"]
                for name, got in rates.items():
                    print(f"{count:>9} {name:<27} {got:>9.0f} {got / floor:>10.2f}", flush=True)


if __name__ == "__main__":
    main()
