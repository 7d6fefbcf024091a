"""Memory that the extension adds to a Jupyter server: the proportional set size.

Servers with and without it alternate; both are read when the server has been idle a while.

Python keeps identifiers in one table, which doubles when it is full: 0.9 MiB at 43,690 of them. A
bare server of JupyterLab needs all but some 760 of these, so ten names more or less in an extension
can show as a step of this size. Every measured server is taken past it (``noop_extension``), as
opening a first tab does in use.
"""

from __future__ import annotations

import argparse
import statistics
import time

from lab import lab, table

MESSAGE = {"message": "Maintenance scheduled for 10 PM tonight", "type": "warning"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--messages", type=int, default=1000)
    options = parser.parse_args()
    idle: dict[bool, list[int]] = {False: [], True: []}
    first: list[int] = []
    many: list[int] = []
    for _ in range(options.starts):
        for extension in (False, True):
            with lab(extension=extension) as server:
                time.sleep(2)
                idle[extension].append(server.pss_kib())
                if not extension:
                    # A server's first request costs memory with any extension.
                    continue
                server.request("POST", "jupyterlab-notify/ingest", MESSAGE)
                time.sleep(0.5)
                first.append(server.pss_kib())
                for _ in range(options.messages):
                    server.request("POST", "jupyterlab-notify/ingest", MESSAGE)
                time.sleep(0.5)
                many.append(server.pss_kib())

    def row(name: str, values: list[int]) -> list[str]:
        # Compare each start with its neighbour: which pages are shared depends on what else runs.
        added = statistics.median(v - w for v, w in zip(values, idle[False], strict=True))
        return [name, f"{statistics.median(values) / 1024:.1f}", f"{added / 1024:+.1f}"]

    table(
        f"Memory of a server, MiB (median of {options.starts} starts)",
        ["server", "PSS", "added"],
        [
            row("without the extension, idle", idle[False]),
            row("with it, idle, nothing received", idle[True]),
            row("with it, after the first message", first),
            row(f"with it, after {options.messages} messages", many),
        ],
    )


if __name__ == "__main__":
    main()
