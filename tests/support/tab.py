"""A browser tab in Python: what ``src/model.ts`` does with frames, as a sink of the broadcaster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from jupyterlab_notify.storage import Cursor, notifications


class Gone(Exception):
    """The tab's connection is cut."""


class Tab:
    """The rows that a tab holds, and how far it has come."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.gone: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.cursor: Cursor | None = None
        self.durable: bool | None = None
        self.frames: list[dict[str, Any]] = []
        #: The position from which on the tab has all of the inbox.
        self.floor = 0
        self.connected = True
        #: While this is cleared, the tab takes no frame, as a busy browser.
        self.awake = asyncio.Event()
        self.awake.set()
        self._changed = asyncio.Event()

    async def send(self, text: str) -> None:
        """Take a frame, as a socket does."""
        await self.awake.wait()
        if not self.connected:
            raise Gone
        self.apply(json.loads(text))

    def close(self) -> None:
        """Lose the connection."""
        self.connected = False
        self._changed.set()

    def abort(self) -> None:
        """Lose the connection, and what was still to come."""
        self.close()

    def apply(self, frame: dict[str, Any]) -> None:
        """Apply a frame."""
        rows = frame["notifications"]
        if frame["type"] == "snapshot":
            self.rows.clear()
            self.gone.clear()
            self.floor = rows[-1]["position"] if len(rows) == notifications.SNAPSHOT_ROWS else 0
            rows = [*rows, *frame["pinned"]]
        for row in rows:
            known = self.rows.get(row["id"], {}).get("seq", self.gone.get(row["id"], -1))
            if known >= row["seq"]:
                continue
            if row["revoked"] or row["expired"]:
                self.rows.pop(row["id"], None)
                self.gone[row["id"]] = row["seq"]
            else:
                self.rows[row["id"]] = row
        self.cursor = Cursor.parse(frame["cursor"])
        self.counts = frame["counts"]
        self.durable = frame["durable"]
        self.frames.append(frame)
        self._changed.set()

    async def until(self, condition: Callable[[Tab], object], timeout_s: float = 10) -> None:
        """Wait until frames have made something true."""

        async def wait() -> None:
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

        try:
            await asyncio.wait_for(wait(), timeout_s)
        except asyncio.TimeoutError:
            raise AssertionError(
                f"The tab waited {timeout_s} s in vain: {self.messages} at {self.cursor}"
            ) from None

    @property
    def messages(self) -> list[str]:
        """The messages that it shows, newest first."""
        rows = sorted(self.rows.values(), key=lambda row: row["position"], reverse=True)
        return [row["message"] for row in rows if row["dismissed"] is None]

    def check_against(self, stored: dict[str, dict[str, Any]]) -> None:
        """Assert that the tab shows what the store has, as far as the tab has loaded it."""
        for id_, row in self.rows.items():
            assert stored.get(id_) == row, (id_, row, stored.get(id_))
        for id_, row in stored.items():
            if row["dismissed"] is None and row["position"] >= self.floor:
                assert id_ in self.rows, row
        inbox = [row for row in stored.values() if row["dismissed"] is None]
        assert self.counts == {
            "inbox": len(inbox),
            "unread": sum(row["read"] is None for row in inbox),
            "dismissed": len(stored) - len(inbox),
            "snoozed": 0,
        }
