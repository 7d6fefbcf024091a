"""The cost of the list, its pages and a tab's first frame at 100, 10,000 and 100,000 rows."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import websockets
from lab import TOKEN, Lab, lab, table

from jupyterlab_notify.manager import to_row
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import Retention, StateChange, Storage, new_id

SIZES = (100, 10_000, 100_000)
TYPES = ("default", "info", "success", "warning", "error")


def fill(path: Path, rows: int) -> None:
    """Make a database of ``rows`` notifications, a tenth of them unread."""
    store = Storage(path, retention=Retention(0, 0))

    def message(number: int):
        row = to_row(
            IngestMessage(
                message=f"Job {number} finished",
                type=TYPES[number % 5],
                body="Some *Markdown*. " * 20,
            ),
            f"source {number % 7}",
        )
        row["id"] = new_id(number)
        return (lambda tx: store.notifications.add(tx, row)), True

    for first in range(0, rows, 1000):
        results = store.run(message(n) for n in range(first, min(first + 1000, rows)))
        assert all(isinstance(r, tuple) for r in results)
    store.run(
        [
            (
                lambda tx: store.notifications.set_states(
                    tx, StateChange(read=True), seqs=(1, rows * 9 // 10)
                ),
                True,
            )
        ]
    )
    store.close()


def timed(call, rounds: int) -> float:
    """Return the median milliseconds of a call."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


async def first_frame(server: Lab) -> int:
    url = server.url.replace("http", "ws") + "jupyterlab-notify/stream"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with websockets.connect(url, additional_headers=headers, max_size=None) as socket:
        return len(await socket.recv())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    rounds = parser.parse_args().rounds
    results: dict[str, list[str]] = {}
    for size in SIZES:
        with TemporaryDirectory(prefix="notify-bench-") as folder:
            path = Path(folder) / "notifications.sqlite"
            fill(path, size)
            with lab(f"--NotifyApp.database={path}", "--NotifyApp.retention_count=0") as server:
                base = "jupyterlab-notify/notifications"
                for name, query in (
                    ("first page of the inbox", ""),
                    ("page in the middle", f"?before={size // 2}"),
                    ("unread", "?view=unread"),
                    ("one type", "?type=error"),
                    ("words that nothing holds (a scan)", "?q=nowhere"),
                ):
                    ms = timed(lambda path=base + query: server.request("GET", path), rounds)
                    results.setdefault(name, []).append(f"{ms:.1f}")
                ms = timed(lambda: asyncio.run(first_frame(server)), rounds)
                results.setdefault("a tab's first frame", []).append(f"{ms:.1f}")
                frame = asyncio.run(first_frame(server))
                results.setdefault("its size, KiB", []).append(f"{frame / 1024:.1f}")
                memory = server.pss_kib() / 1024
                results.setdefault("memory of the server, MiB", []).append(f"{memory:.1f}")
    table(
        "Milliseconds (median) by rows stored",
        ["request", *(f"{size:,}" for size in SIZES)],
        [[name, *values] for name, values in results.items()],
    )


if __name__ == "__main__":
    main()
