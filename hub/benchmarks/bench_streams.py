"""Open event streams: memory of each, and the time from a broadcast's commit to the last frame.

`python benchmarks/bench_streams.py [--streams 10000]`; the labs are in this process, the service
is in another.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from jupyterhub_notify.client import Client
from jupyterhub_notify.identity.token_file import TokenFile

PORT = 8799


async def open_stream(token: str, begun: asyncio.Semaphore) -> tuple[asyncio.StreamReader, object]:
    async with begun:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(
            f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        await reader.readuntil(b"welcome\n\n")
        return reader, writer


async def first_broadcast(reader: asyncio.StreamReader) -> float:
    await reader.readuntil(b"event: broadcast\n")
    return time.perf_counter()


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


async def measure(count: int, token: str, admin: str, process: psutil.Process) -> None:
    before = process.memory_info().rss
    gate = asyncio.Semaphore(50)
    began = time.perf_counter()
    streams = await asyncio.gather(*(open_stream(token, gate) for _ in range(count)))
    opened = time.perf_counter() - began
    each = (process.memory_info().rss - before) / count / 1024
    client = Client(f"http://127.0.0.1:{PORT}", admin)
    for turn in range(3):
        waiting = [asyncio.create_task(first_broadcast(reader)) for reader, _ in streams]
        await asyncio.sleep(0)
        await asyncio.to_thread(client.broadcast, f"Maintenance {turn}")
        committed = time.perf_counter()
        times = await asyncio.gather(*waiting)
        last, middle = max(times) - committed, quantile(list(times), 0.5) - committed
        print(
            f"{count:>8} {each:>10.1f} {opened:>10.1f} {1000 * middle:>12.0f} {1000 * last:>12.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="*", default=[1_000, 4_000, 10_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        file = TokenFile(Path(directory) / "tokens.json")
        admin = file.create("admin", admin=True)
        token = file.create("alice", kind="user")
        environment = {
            **os.environ,
            "JUPYTERHUB_NOTIFY_DATABASE": f"sqlite+aiosqlite:///{directory}/notify.sqlite",
            "JUPYTERHUB_NOTIFY_TOKENS": str(file.path),
            "JUPYTERHUB_NOTIFY_IDENTITY": "token-file",
        }
        print(f"{'streams':>8} {'KiB each':>10} {'opened s':>10} {'median ms':>12} {'last ms':>12}")
        for count in options.streams:
            command = [sys.executable, "-m", "jupyterhub_notify", "serve", "--port", str(PORT)]
            service = subprocess.Popen(command, env=environment)
            try:
                wait_for_it()
                asyncio.run(measure(count, token, admin, psutil.Process(service.pid)))
            finally:
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
