"""Open event streams: memory and idle CPU of each, the time from a broadcast's commit to the last
stream's frame, the time until all receipts are back, and a restart of the service.

`python benchmarks/bench_streams.py [--streams 10000] [--proxy]`; the labs, each of a user of its
own, are in this process, the service is in another. The CPU is beside that of as many labs that
poll.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import secrets
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from jupyterhub_notify.client import Client
from jupyterhub_notify.identity.token_file import PREFIX, TokenFile

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.hubs import NODE_BIN
from tests.ports import free_ports

PORT = 8799
#: Interval in seconds at which a lab without events polls.
POLL_S = 60
#: Time in seconds for which CPU time is counted.
IDLE_S = 10
#: Times in seconds over which labs spread their receipts, and their return after a restart.
RECEIPTS_S, BACK_S = 3.0, 5.0


@dataclass
class Lab:
    """A lab that follows the service's events."""

    token: str
    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def open(self, gate: asyncio.Semaphore) -> None:
        """Open the stream, with as many tries as it takes."""
        head = f"Host: x\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        while True:
            try:
                async with gate:
                    self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
                    self.writer.write(f"GET /v1/events HTTP/1.1\r\n{head}".encode())
                    await self.reader.readuntil(b"welcome\n\n")
                return
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(random.uniform(0.1, 1.0))

    async def broadcast(self) -> tuple[float, str]:
        """Wait for a broadcast; return when it came, and its id."""
        assert self.reader is not None
        await self.reader.readuntil(b"event: broadcast\n")
        at = time.perf_counter()
        await self.reader.readuntil(b"data: ")
        return at, str(json.loads(await self.reader.readline())["id"])

    async def lost(self) -> None:
        """Wait until the service has ended the stream."""
        assert self.reader is not None
        assert self.writer is not None
        with suppress(OSError):
            while data := await self.reader.read(65536):
                if data.endswith(b"0\r\n\r\n"):
                    # The last chunk; a proxy keeps the connection open for another request.
                    break
        self.writer.close()

    async def ask(self, path: str, gate: asyncio.Semaphore, value: Any = None) -> str:
        """Send a request on a connection of its own; return the answer's head."""
        body = b"" if value is None else json.dumps(value).encode()
        head = (
            f"{'GET' if value is None else 'POST'} {path} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {self.token}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(head.encode() + body)
            answer = (await reader.read()).decode("latin-1")
            writer.close()
        assert answer.split()[1] in ("200", "204"), answer
        return answer


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


async def publish(labs: list[Lab], client: Client, text: str) -> tuple[str, float, float]:
    """Send a broadcast; return its id, and the median and the longest time until it arrives."""
    waiting = [asyncio.create_task(lab.broadcast()) for lab in labs]
    await asyncio.sleep(0)
    await asyncio.to_thread(client.broadcast, text)
    committed = time.perf_counter()
    found = await asyncio.gather(*waiting)
    times = [at - committed for at, _ in found]
    return found[0][1], quantile(times, 0.5), max(times)


async def receipts(labs: list[Lab], client: Client, id_: str) -> float:
    """Send every lab's receipt; return the time until the service has them all."""
    gate = asyncio.Semaphore(50)
    began = time.perf_counter()

    async def one(lab: Lab) -> None:
        await asyncio.sleep(random.uniform(0, RECEIPTS_S))
        receipt = {"id": id_, "state": "shown", "tabs": 1}
        await lab.ask("/v1/receipts", gate, {"receipts": [receipt]})

    await asyncio.gather(*map(one, labs))
    took = time.perf_counter() - began
    counts = (await asyncio.to_thread(client.show_broadcast, id_)).counts
    assert counts.get("shown") == len(labs), counts
    return took


async def cpu_of_pollers(labs: list[Lab], process: psutil.Process) -> float:
    """Return the share of a core that the same number of labs cost if they poll in vain."""
    gate = asyncio.Semaphore(50)
    some = labs[: max(1, len(labs) * IDLE_S // POLL_S)]
    before = sum(process.cpu_times()[:2])

    async def one(index: int, lab: Lab) -> None:
        await asyncio.sleep(IDLE_S * index / len(some))
        await lab.ask("/v1/broadcasts", gate)
        await lab.ask("/v1/notifications/messages?unread=true&limit=5", gate)

    await asyncio.gather(*(one(index, lab) for index, lab in enumerate(some)))
    return (sum(process.cpu_times()[:2]) - before) / IDLE_S


async def cpu_of_idle_streams(process: psutil.Process) -> float:
    before = sum(process.cpu_times()[:2])
    await asyncio.sleep(IDLE_S)
    return (sum(process.cpu_times()[:2]) - before) / IDLE_S


async def measure(labs: list[Lab], admin: str, start: Callable[[], psutil.Process]) -> None:
    """Measure everything, and print a line for each part."""
    count = len(labs)
    process = await asyncio.to_thread(start)
    client = Client(f"http://127.0.0.1:{PORT}", admin)
    pollers = await cpu_of_pollers(labs, process)
    before = process.memory_info().rss
    gate = asyncio.Semaphore(50)
    began = time.perf_counter()
    await asyncio.gather(*(lab.open(gate) for lab in labs))
    opened = time.perf_counter() - began
    each = (process.memory_info().rss - before) / count / 1024
    idle = await cpu_of_idle_streams(process)
    print(
        f"{count} streams: {each:.1f} KiB each, opened in {opened:.1f} s, "
        f"{100 * idle:.1f} % of a core idle; as many pollers {100 * pollers:.1f} %",
        flush=True,
    )
    for turn in range(3):
        id_, middle, last = await publish(labs, client, f"Maintenance {turn}")
        print(
            f"  a broadcast: median {1000 * middle:.0f} ms, last {1000 * last:.0f} ms", flush=True
        )
    print(f"  all receipts back: {await receipts(labs, client, id_):.1f} s", flush=True)

    lost = [asyncio.create_task(lab.lost()) for lab in labs]
    began = time.perf_counter()
    process.terminate()
    await asyncio.gather(*lost)
    ended = time.perf_counter() - began
    await asyncio.to_thread(process.wait, 30)
    await asyncio.to_thread(start)
    began = time.perf_counter()

    async def back(lab: Lab) -> None:
        await asyncio.sleep(random.uniform(0, BACK_S))
        await lab.open(gate)

    await asyncio.gather(*map(back, labs))
    came = time.perf_counter() - began
    _, middle, last = await publish(labs, client, "After the restart")
    print(
        f"  a restart: streams ended in {ended:.1f} s, all back in {came:.1f} s (spread over "
        f"{BACK_S:.0f} s), then a broadcast: last {1000 * last:.0f} ms",
        flush=True,
    )


def users(file: TokenFile, count: int) -> list[str]:
    """Add tokens for a number of users and return them; all at once, which is faster."""
    tokens = [PREFIX + secrets.token_urlsafe(32) for _ in range(count)]
    content = json.loads(file.path.read_text())
    [one] = content["tokens"]
    content["tokens"] += [
        {
            "name": f"user{index}",
            "kind": "user",
            "sha256": hashlib.sha256(token.encode()).hexdigest(),
            "created": one["created"],
        }
        for index, token in enumerate(tokens)
    ]
    file.path.write_text(json.dumps(content))
    return tokens


@contextmanager
def proxy() -> Iterator[int]:
    """Run a hub's proxy in front of the service; yield its port."""
    port, api = free_ports(2)
    process = psutil.Popen(
        [
            str(NODE_BIN / "configurable-http-proxy"),
            *("--ip", "127.0.0.1", "--port", str(port), "--api-port", str(api)),
            *("--default-target", f"http://127.0.0.1:{PORT}", "--log-level", "error"),
        ],
        env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16)},
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="*", default=[1_000, 4_000, 10_000])
    parser.add_argument("--proxy", action="store_true", help="through a hub's proxy")
    options = parser.parse_args()
    with proxy() if options.proxy else nullcontext(PORT) as port:
        run(options.streams, port)


def run(counts: list[int], port: int) -> None:
    """Measure each number of streams, with a new service for each."""
    for count in counts:
        with tempfile.TemporaryDirectory() as directory:
            file = TokenFile(Path(directory) / "tokens.json")
            admin = file.create("admin", admin=True)
            labs = [Lab(token, port) for token in users(file, count)]
            environment = {
                **os.environ,
                "JUPYTERHUB_NOTIFY_DATABASE": f"sqlite+aiosqlite:///{directory}/notify.sqlite",
                "JUPYTERHUB_NOTIFY_TOKENS": str(file.path),
                "JUPYTERHUB_NOTIFY_IDENTITY": "token-file",
            }
            command = [sys.executable, "-m", "jupyterhub_notify", "serve", "--port", str(PORT)]
            started: list[psutil.Popen] = []

            def start() -> psutil.Process:
                started.append(psutil.Popen(command, env=environment))  # noqa: B023  # called before the loop goes on
                wait_for_it()
                return started[-1]  # noqa: B023  # called before the loop goes on

            try:
                asyncio.run(measure(labs, admin, start))
            finally:
                for service in started:
                    with suppress(psutil.NoSuchProcess):
                        service.terminate()
                    service.wait(30)


def wait_for_it() -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/ready", timeout=5) as one:
                json.load(one)
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The service did not start")


if __name__ == "__main__":
    main()
