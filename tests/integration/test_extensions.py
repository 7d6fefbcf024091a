"""Another server extension uses the running application."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from jupyterlab_notify.app import EVENT_SCHEMA_ID
from jupyterlab_notify.exceptions import BadRequest
from jupyterlab_notify.extensions import Notifications
from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.storage import Storage

from ..support.servers import NAMESPACE, ROOT, Server

EXAMPLE = ROOT / "docs" / "example-server-extension"


def test_the_example_of_the_documentation_sends_replaces_revokes_and_hears(
    make_server: Callable[..., Server],
) -> None:
    extensions = {"jupyterlab_notify": True, "quota_extension": True}
    server = make_server(
        config={"ServerApp": {"jpserver_extensions": extensions}},
        env={"PYTHONPATH": str(EXAMPLE)},
    )
    with server.websocket() as tab:
        tab.receive()
        first = server.request("PUT", "/quota", {"used": 0.93}).json()["id"]
        (row,) = tab.receive()["notifications"]
        assert (row["message"], row["type"], row["source"], row["key"]) == (
            "93% of your quota is used",
            "warning",
            "quota",
            "quota",
        )
        assert server.request("PUT", "/quota", {"used": 1.01}).json() == {"id": first}
        (row,) = tab.receive()["notifications"]
        assert (row["id"], row["type"]) == (first, "error")
        server.change(first, read=True)
        assert server.request("PUT", "/quota", {"used": 0.5}).status_code == 200
    assert server.page()["notifications"] == []
    happened = server.request("GET", "/quota").json()["happened"]
    assert happened == ["created", "updated", "read", "revoked"]


def test_the_event_bus_says_what_happened_and_nothing_of_the_content(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    headers = {"Authorization": f"Bearer {server.token}"}
    url = f"ws://127.0.0.1:{server.port}/api/events/subscribe"
    with connect(url, additional_headers=headers, proxy=None) as bus:

        def heard() -> tuple[str, list[str]]:
            while True:
                event = json.loads(bus.recv(10))
                if event["schema_id"] == EVENT_SCHEMA_ID:
                    told = {name for name in event if not name.startswith("__")}
                    assert told == {"action", "ids", "schema_id"}
                    assert "secret" not in json.dumps(event)
                    return event["action"], event["ids"]

        id_ = server.ingest("secret", body="secret", key="secret-key")["notification_id"]
        assert heard() == ("created", [id_])
        server.ingest("secret again", key="secret-key")
        assert heard() == ("updated", [id_])
        for state, action in (
            ({"read": True}, "read"),
            ({"read": False}, "unread"),
            ({"closed": True}, "closed"),
            ({"closed": False}, "reopened"),
            ({"dismissed": True}, "dismissed"),
            ({"dismissed": False}, "restored"),
        ):
            server.change(id_, **state)
            assert heard() == (action, [id_])
        server.request("DELETE", f"/{NAMESPACE}/ingest/secret-key")
        assert heard() == ("revoked", [id_])


def test_what_is_sent_again_unchanged_is_told_to_nobody(tmp_path: Path) -> None:
    """Not on the event bus either, which goes into a site's telemetry."""
    steps = (
        ({"progress": 0.1}, "created"),
        ({"progress": 0.1}, None),
        ({"progress": 0.2}, "updated"),
        ({"progress": 0.2}, None),
        ({"type": "success"}, "updated"),
        ({"type": "success"}, None),
    )

    async def run() -> None:
        heard: list[str] = []
        manager = NotificationManager(
            Storage(tmp_path / "db.sqlite"), emit_event=lambda action, ids: heard.append(action)
        )
        notifications = Notifications(manager, logging.getLogger("test"))
        told = []
        for fields, action in steps:
            value: dict[str, Any] = {"type": "in-progress", "heartbeat": 60, **fields}
            await notifications.update("job", "Training", source="queue", **value)
            told += [action] if action else []
            assert heard == told
        await manager.stop()

    asyncio.run(run())


def test_it_is_told_what_is_wrong_and_a_failing_observer_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        log = logging.getLogger("test")
        manager = NotificationManager(
            Storage(tmp_path / "db.sqlite"), emit_event=lambda *news: notifications.tell(*news)
        )
        notifications = Notifications(manager, log)
        heard: list[str] = []

        def fails(action: str, ids: list[str]) -> None:
            raise RuntimeError("by itself")

        notifications.observe(fails)
        end = notifications.observe(lambda action, ids: heard.append(action))
        with pytest.raises(BadRequest, match="type"):
            await notifications.emit("m", source="quota", type="shout")
        sent = await notifications.emit("m", source="quota", body="text")
        assert sent.durable
        assert heard == ["created"]
        end()
        await notifications.revoke(sent.id, source="quota")
        assert heard == ["created"]
        await manager.stop()

    asyncio.run(run())
    assert caplog.text.count("An observer of notifications failed") == 2
