"""Watch a server: ask it all the while, and measure its answers."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, unquote_plus

import httpx

from ..support.servers import Server, http_client

EVERY_S = 0.05


@dataclass
class Figures:
    """The counts of the inputs so far."""

    inputs: int = 0
    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    #: Hostile answers for which no request came while they were offered, since the server waits
    #: longer after a failure.
    missed: list[str] = field(default_factory=list)

    def answered(self, what: str, answer: httpx.Response) -> None:
        """Count an input, and what was answered to it."""
        self.inputs += 1
        if answer.status_code >= 500:
            self.failed.append(f"{what}: {answer.status_code} {answer.text[:200]}")


def seen_tokens(tokens: Iterable[str], *places: Iterable[str]) -> int:
    """Return the number of texts that hold a token, plain or encoded, though none should.

    Parameters
    ----------
    tokens
        The tokens.
    places
        What other hosts were sent, and what was logged.
    """
    found = 0
    for text in chain(*places):
        # The base64 of Basic authentication may have been cut at any letter.
        decoded = [
            decode(one[offset:])
            for one in re.findall(r"[A-Za-z0-9+/]{16,}", text)
            for offset in range(4)
        ]
        whole = "\n".join((text, unquote(text), unquote_plus(text), *decoded))
        found += any(token in whole for token in tokens)
    return found


def decode(text: str) -> str:
    """Decode a run of letters as base64, whatever its length."""
    # A single letter after a multiple of four encodes nothing.
    whole = text[:-1] if len(text) % 4 == 1 else text
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1")


class Watch:
    """Asks for ``/api/status`` every 50 ms; the longest wait is the event loop's longest block."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._before_kib = self.memory_kib("VmRSS")
        self.longest_s = 0.0
        self.during = ""
        #: The name of the present attack.
        self.trying = ""
        #: Growth in MiB when it was last measured.
        self.grown_mib_at_end = 0.0
        #: Questions that were not answered at all.
        self.unanswered = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join(60)

    @property
    def grown_mib(self) -> float:
        """The server's peak memory beyond the memory that it held at first."""
        return (self.memory_kib("VmHWM") - self._before_kib) / 1024

    def memory_kib(self, name: str) -> int:
        """Return a line of the server's ``/proc/PID/status``."""
        assert self._server.process is not None
        status = Path(f"/proc/{self._server.process.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0])

    def _run(self) -> None:
        url = f"{self._server.url}/api/status"
        headers = {"Authorization": f"Bearer {self._server.token}"}
        with http_client() as client:
            while not self._ended.wait(EVERY_S):
                trying, began = self.trying, time.monotonic()
                try:
                    client.get(url, headers=headers).raise_for_status()
                except httpx.HTTPError:
                    self.unanswered += 1
                waited_s = time.monotonic() - began
                if waited_s > self.longest_s:
                    self.longest_s, self.during = waited_s, trying
