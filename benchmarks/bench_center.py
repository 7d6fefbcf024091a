"""Opening the center in Chromium at 100, 10,000 and 100,000 rows."""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from bench_history import SIZES, fill
from bench_toast import in_browser
from lab import lab, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    results: dict[str, list[str]] = {"first": [], "again": []}
    for size in SIZES:
        with TemporaryDirectory(prefix="notify-bench-") as folder:
            path = Path(folder) / "notifications.sqlite"
            fill(path, size)
            options = (f"--NotifyApp.database={path}", "--NotifyApp.retention_count=0")
            with lab(*options, app="lab") as server:
                times = in_browser("center", server.url, rounds)
        for name, row in results.items():
            row.append(f"{statistics.median(times[name]):.0f}")
    table(
        "From the click on the bell to the first row, ms (median) by rows stored",
        ["opening", *(f"{size:,}" for size in SIZES)],
        [
            ["the first in a page, with its code", *results["first"]],
            ["again", *results["again"]],
        ],
    )


if __name__ == "__main__":
    main()
