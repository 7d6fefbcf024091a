"""The gzipped bytes that a browser loads: at start, and when the center is first opened.

A real Chromium tells which files those are. Run this on a production build (`make setup`).
"""

from __future__ import annotations

import gzip
from pathlib import Path

from bench_toast import in_browser
from lab import lab, table

STATIC = Path(__file__).resolve().parent.parent / "jupyterlab_notify" / "labextension" / "static"
AIM_KIB = 30


def main() -> None:
    with lab(app="lab") as server:
        loaded = in_browser("bundle", server.url, 1)
    rows = []
    totals = {}
    for when, label in (("start", "at start"), ("center", "when the center is first opened")):
        total = packed_total = 0
        for name in loaded[when]:
            data = (STATIC / name).read_bytes()
            packed = len(gzip.compress(data, 9))
            total, packed_total = total + len(data), packed_total + packed
            rows.append([label, name, f"{len(data) / 1024:.1f}", f"{packed / 1024:.1f}"])
        rows.append([label, "total", f"{total / 1024:.1f}", f"{packed_total / 1024:.1f}"])
        totals[when] = packed_total / 1024
    table("What the browser loads, KiB", ["when", "file", "size", "gzipped"], rows)
    start = totals["start"]
    print(f"\nFirst load: {start:.2f} KiB gzipped, {start / AIM_KIB:.2f} of {AIM_KIB} KiB.")


if __name__ == "__main__":
    main()
