"""Processor time that the extension adds to the start of a Jupyter server, until it answers.

Servers with and without it alternate, each in empty folders. One start differs from the next by
more than what is measured, so many pairs are needed, and a machine that does nothing else; the
range tells how much the result is worth.
"""

from __future__ import annotations

import argparse
import statistics

from lab import lab, table


def median_range(values: list[float]) -> tuple[float, float]:
    """Return the two values between which the median lies with a probability of 95 %."""
    values = sorted(values)
    # The number of values below the median is binomial, which is about normal.
    off = int(0.98 * len(values) ** 0.5)
    low = max((len(values) - 1) // 2 - off, 0)
    return values[low], values[len(values) - 1 - low]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40)
    pairs = parser.parse_args().pairs
    cpu: dict[bool, list[float]] = {False: [], True: []}
    for pair in range(pairs):
        for extension in (False, True) if pair % 2 else (True, False):
            with lab(extension=extension) as server:
                cpu[extension].append(server.cpu_s() * 1000)
    added = [w - wo for wo, w in zip(cpu[False], cpu[True], strict=True)]
    low, high = median_range(added)
    table(
        f"Processor time to start, ms (median of {pairs} pairs)",
        ["without", "with", "added", "95 % of medians"],
        [
            [
                f"{statistics.median(cpu[False]):.0f}",
                f"{statistics.median(cpu[True]):.0f}",
                f"{statistics.median(added):+.0f}",
                f"{low:+.0f} … {high:+.0f}",
            ]
        ],
    )


if __name__ == "__main__":
    main()
