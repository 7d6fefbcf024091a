"""From an ingest to its toast in Chromium, next to a bare WebSocket push in the same page.

Both begin with a POST from the page and end when the element with the text is in the page; the
bare way stores nothing and appends a ``div``. Between the two: the bare push again, shown as one
of JupyterLab's own toasts, which is what a toast costs without us; and the ingest up to its frame
in the page, which is what we cost without a toast.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from typing import Any

from lab import HERE, TOKEN, lab, table


def in_browser(what: str, url: str, rounds: int) -> dict[str, list[Any]]:
    """Run ``browser.mjs`` and return what it measured."""
    command = ["node", str(HERE / "browser.mjs"), what, url, TOKEN, str(rounds)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=900)
    return json.loads(ran.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    with lab("--LabApp.news_url=", "--LabApp.expose_app_in_browser=True", app="lab") as server:
        times = in_browser("toast", server.url, rounds)
    bare = statistics.median(times["bare"])
    rows = []
    for name, label in (
        ("bare", "bare WebSocket push"),
        ("own", "bare push to JupyterLab's own toast"),
        ("frame", "durable ingest to its frame in the page"),
        ("toast", "durable ingest to toast"),
    ):
        quantiles = statistics.quantiles(times[name], n=20)
        middle = statistics.median(times[name])
        rows.append([label, f"{middle:.1f}", f"{quantiles[18]:.1f}", f"{middle / bare:.2f}"])
    table("From the POST to the element in the page", ["way", "p50 ms", "p95 ms", "ratio"], rows)


if __name__ == "__main__":
    main()
