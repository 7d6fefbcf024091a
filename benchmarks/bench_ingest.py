"""Throughput and latency of a durable ingest, next to a no-op handler in the same server.

Rounds of the two alternate, so that what else the machine does meets both.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import time

from lab import TOKEN, Lab, lab, table

PAYLOAD = json.dumps(
    {
        "message": "Maintenance scheduled for 10 PM tonight",
        "type": "warning",
        "autoClose": False,
        "actions": [
            {
                "label": "Dismiss",
                "caption": "Close this notification",
                "displayType": "default",
            }
        ],
    }
).encode()


async def client(port: int, request: bytes, until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in itertools.count(1):
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(size)
        times.append(time.perf_counter() - began)
        # At least two requests, however busy the machine: percentiles need two values.
        if number > 1 and time.perf_counter() >= until:
            break
    writer.close()


async def round_(server: Lab, path: str, clients: int, seconds: float) -> list[float]:
    request = (
        f"POST /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(PAYLOAD)}\r\n\r\n"
    ).encode() + PAYLOAD
    times: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client(server.port, request, until, times) for _ in range(clients)))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="length of a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    paths = {"no-op": "bench/noop", "ingest": "jupyterlab-notify/ingest"}
    with lab("--NotifyApp.retention_count=0") as server:
        for clients in (1, 16, 64):
            rates: dict[str, list[float]] = {name: [] for name in paths}
            cpu = dict.fromkeys(paths, 0.0)
            all_times: dict[str, list[float]] = {name: [] for name in paths}
            for number in range(options.rounds + 1):
                for name, path in paths.items():
                    before = server.cpu_s()
                    times = asyncio.run(round_(server, path, clients, options.seconds))
                    if number:  # the first one warms up
                        cpu[name] += server.cpu_s() - before
                        rates[name].append(len(times) / options.seconds)
                        all_times[name] += times
            ratio = statistics.median(
                a / b for a, b in zip(rates["ingest"], rates["no-op"], strict=True)
            )
            for name in paths:
                quantiles = statistics.quantiles(all_times[name], n=100)
                rows.append(
                    [
                        str(clients),
                        name,
                        f"{statistics.median(rates[name]):.0f}",
                        f"{quantiles[49] * 1000:.2f}",
                        f"{quantiles[98] * 1000:.2f}",
                        f"{cpu[name] / len(all_times[name]) * 1e6:.0f}",
                        f"{ratio:.2f}" if name == "ingest" else "1",
                    ]
                )
        stored = server.request("GET", "jupyterlab-notify/status")
    table(
        "Durable ingest next to a no-op handler",
        ["clients", "handler", "requests/s", "p50 ms", "p99 ms", "CPU µs", "throughput ratio"],
        rows,
    )
    print(f"\n{stored['counts']['inbox']} rows stored, journal {stored['store']['mode']}.")


if __name__ == "__main__":
    main()
