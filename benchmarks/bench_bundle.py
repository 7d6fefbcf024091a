"""How much the browser loads: at start, and when the center is first opened (gzipped)."""

from __future__ import annotations

import gzip
from pathlib import Path

from lab import table

STATIC = Path(__file__).resolve().parent.parent / "jupyterlab_notify" / "labextension" / "static"
AIM_KIB = 30


def main() -> None:
    first: list[tuple[str, int, int]] = []
    later: list[tuple[str, int, int]] = []
    for path in sorted(STATIC.glob("*.js")):
        data = path.read_bytes()
        name = path.name.rsplit(".", 2)[0] if path.name.count(".") > 1 else path.name
        late = "center" in name or name.startswith("vendors-")
        (later if late else first).append((name, len(data), len(gzip.compress(data, 9))))
    rows = []
    for when, files in (("at start", first), ("at the first opening of the center", later)):
        for name, size, packed in files:
            rows.append([when, name, f"{size / 1024:.1f}", f"{packed / 1024:.1f}"])
        total = sum(f[2] for f in files) / 1024
        rows.append([when, "total", f"{sum(f[1] for f in files) / 1024:.1f}", f"{total:.1f}"])
    table("What the browser loads, KiB", ["when", "file", "size", "gzipped"], rows)
    start = sum(f[2] for f in first) / 1024
    print(f"\nFirst load: {start:.1f} KiB gzipped, {start / AIM_KIB:.2f} of {AIM_KIB} KiB.")


if __name__ == "__main__":
    main()
