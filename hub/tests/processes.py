"""The service as a process of its own, as a site runs it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from .ports import free_ports
from .support import Tokens

COMMAND = [sys.executable, "-m", "jupyterhub_notify", "serve"]


class Process:
    """``jupyterhub-notify serve`` in a process."""

    def __init__(
        self, database: str, tokens: Tokens, log: Path, *arguments: str, port: int | None = None
    ) -> None:
        self.port = port or free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            **os.environ,
            "JUPYTERHUB_NOTIFY_DATABASE": database,
            "JUPYTERHUB_NOTIFY_TOKENS": str(tokens.file.path),
            "JUPYTERHUB_NOTIFY_IDENTITY": "token-file",
        }
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [*COMMAND, "--port", str(self.port), *arguments],
                env=environment,
                stdout=file,
                stderr=file,
            )

    async def ready(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                assert self.process.poll() is None, self.log.read_text()
                try:
                    answer = await client.get(f"{self.url}/health/ready", timeout=10)
                    if answer.status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)
