"""Free ports for programs that the tests start, found as for the demonstrations."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
free_ports: Callable[[int], list[int]] = runpy.run_path(str(_ROOT / "scripts" / "ports.py"))[
    "free_ports"
]
