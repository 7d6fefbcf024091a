"""The cost of `notify.track` to a loop, next to a bare loop and to tqdm, and how much it sends.

Rounds of the three alternate, so that what else the machine does meets all of them.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

from lab import TOKEN, lab, table

from jupyter_notify.api import Notify
from jupyter_notify.discovery import Target
from jupyter_notify.send_queue import SendQueue

try:
    from tqdm.std import tqdm
except ImportError:
    tqdm = None


class Counted(Notify):
    """A ``notify`` that sends to the benchmark's server and counts its requests."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._at = Target(url, TOKEN, local=True)
        self.sent: list[float] = []

    def _find(self) -> Target:
        return self._at

    @property
    def queue(self) -> SendQueue:
        if self._queue is None:
            made = self._queue = SendQueue(self._find)
            send = made._send

            def counted(*message: Any) -> str | None:
                self.sent.append(time.monotonic())
                return send(*message)

            made._send = counted  # type: ignore[method-assign]  # to count
        return self._queue


def seconds(loop: Iterable[int]) -> float:
    began = time.perf_counter()
    for _ in loop:
        pass
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    steps = range(options.steps)
    with lab() as server:
        notify = Counted(f"http://127.0.0.1:{server.port}/")
        loops: dict[str, Callable[[], Iterable[int]]] = {
            "bare loop": lambda: steps,
            "notify.track": lambda: notify.track(steps, "Bench"),
        }
        if tqdm is not None:
            loops["tqdm"] = lambda: tqdm(steps, file=io.StringIO())
        times: dict[str, list[float]] = {name: [] for name in loops}
        for number in range(options.rounds + 1):
            for name, loop in loops.items():
                took = seconds(loop())
                if number:  # the first one warms up
                    times[name].append(took)
        # Measure the rate with a loop of some seconds: quick loops send only their start and end.
        notify.flush()
        notify.sent.clear()
        end = time.monotonic() + 3
        for _ in notify.track(iter(lambda: time.monotonic() > end, True), "Rate"):
            pass
        notify.flush()
        sent = notify.sent
        most = max(sum(begin <= at < begin + 1 for at in sent) for begin in sent)
    floor = statistics.median(times["bare loop"])
    rows = []
    for name, each in times.items():
        median = statistics.median(each)
        rows.append(
            [
                name,
                f"{median / options.steps * 1e9:.0f}",
                f"{(median - floor) / options.steps * 1e9:.0f}",
                f"{median / floor:.1f}",
            ]
        )
    table(
        f"A loop of {options.steps:,} quick steps",
        ["loop", "ns a step", "more than a bare one, ns", "ratio"],
        rows,
    )
    print(f"\nIn 3 s of a hot loop: {len(sent)} requests, at most {most} in any second.")


if __name__ == "__main__":
    main()
