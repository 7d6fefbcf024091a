"""Starting and stopping the Jupyter servers that benchmarks measure; used by all of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TOKEN = "benchmark"
# The server is on this machine, which a proxy cannot reach.
open_here = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@dataclass
class Lab:
    """A running server."""

    url: str
    port: int
    pid: int
    data: Path

    def request(self, method: str, path: str, value: Any = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if value is None else json.dumps(value).encode(),
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        with open_here(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def pss_kib(self) -> int:
        """Return the server's memory with its share of the shared pages, in KiB."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        raise RuntimeError("no Pss")

    def cpu_s(self) -> float:
        """Return the processor time that the server has used, in seconds."""
        # The scheduler counts in nanoseconds; /proc/<pid>/stat only in hundredths of a second.
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def lab(*options: str, extension: bool = True, app: str = "server") -> Iterator[Lab]:
    """Run a Jupyter server in folders of its own; it ends with the block."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="notify-bench-", ignore_cleanup_errors=True) as home:
        root = Path(home)
        env = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
        for name in ("DATA", "CONFIG", "RUNTIME"):
            env[f"JUPYTER_{name}_DIR"] = str(root / name.lower())
        # Let Python store bytecode: an installed package is compiled once, not at each start.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env["PYTHONPATH"] = str(HERE)
        wanted = {"jupyterlab_notify": extension, "noop_extension": True}
        (root / "config").mkdir()
        (root / "config" / "jupyter_server_config.json").write_text(
            json.dumps(
                {
                    "ServerApp": {"jpserver_extensions": wanted},
                    "NotifyApp": {"ingest_rate": 0},
                }
            )
        )
        process = subprocess.Popen(
            [
                sys.executable, "-m", f"jupyter_{app}" if app == "server" else "jupyterlab",
                "--allow-root", "--no-browser", f"--port={port}", "--ServerApp.port_retries=0",
                "--ServerApp.log_level=ERROR",
                f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}",
                *options,
            ],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=sys.stderr,
            start_new_session=True,
        )  # fmt: skip
        server = Lab(f"http://127.0.0.1:{port}/", port, process.pid, root / "data")
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    server.request("GET", "api/status")
                    break
                except OSError:
                    if time.monotonic() > deadline or process.poll() is not None:
                        raise
                    time.sleep(0.05)
            yield server
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    print(f"\n### {title}\n")
    for row in [head, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |")
    sys.stdout.flush()
