"""The server answers as ``models`` says, though it builds most answers by hand."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from jupyterlab_notify import models

from ..support.ingest import HUB_PAYLOAD
from ..support.models import exactly
from ..support.servers import NAMESPACE, Server

FRAMES: dict[str, type[BaseModel]] = {
    "snapshot": models.SnapshotFrame,
    "changes": models.ChangesFrame,
    "pong": models.PongFrame,
    "alive": models.AliveFrame,
}

MESSAGES: list[dict[str, Any]] = [
    HUB_PAYLOAD,
    *({"message": "m", "type": t} for t in ("default", "info", "success", "error")),
    {"message": "m", "type": "in-progress", "progress": 0},
    {"message": "m", "type": "in-progress", "progress": 0.5, "key": "k"},
    {"message": "m", "type": "in-progress", "progress": 1, "source": "s"},
    *({"message": "m", "autoClose": a} for a in (None, True, False, 0, 10, 2.5)),
    {"message": "**m**", "markdown": True, "body": "# b", "data": {"a": [1, None, 1.5]}},
    {"message": "m", "banner": True, "dismissable": False, "ttl": 3600},
    {"message": "m", "expiresAt": "2099-01-01T00:00:00+02:00", "data": None},
    {"message": "m", "ttl": 0},
    {
        "message": "\U0001f680 \u0000 é",
        "actions": [
            {"label": "a", "commandId": "c", "args": {"x": {"y": 1}}, "displayType": "accent"},
            {"label": "b", "url": "https://example.org"},
        ],
    },
]


# Longer than a screen: all answers of one server, in the order in which they depend on each other.
def test_every_answer_and_every_frame_is_what_the_models_say(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()

    def ask(
        method: str, path: str, model: type[BaseModel], json: Any = None, status: int = 200
    ) -> Any:
        answer = server.request(method, f"/{NAMESPACE}{path}", json)
        assert answer.status_code == status, answer.text
        return exactly(model, answer.content)

    frames: set[str] = set()

    def frame(tab: Any) -> Any:
        while True:
            text = tab.connection.recv(timeout=10)
            kind = json.loads(text)["type"]
            frames.add(kind)
            value = exactly(FRAMES[kind], text)
            if kind != "alive":
                return value

    with server.websocket() as tab:
        frame(tab)
        first = None
        for message in MESSAGES:
            receipt = ask("POST", "/ingest", models.Receipt, message)
            first = first or receipt
            frame(tab)
            if message.get("ttl") != 0:
                ask(
                    "GET", f"/notifications/{receipt['notification_id']}", models.NotificationDetail
                )
        assert first
        id_ = first["notification_id"]
        ask("PUT", "/ingest/k", models.Receipt, {"message": "m", "type": "success"})
        frame(tab)
        ask("PATCH", f"/notifications/{id_}", models.Changed, {"read": True})
        frame(tab)
        ask("PATCH", f"/notifications/{id_}", models.Changed, {"read": True})
        ask("PATCH", "/notifications", models.Changed, {"all": True, "dismissed": True})
        frame(tab)
        ask("DELETE", "/ingest/k", models.Receipt)
        assert frame(tab)["notifications"][0]["revoked"]
        tab.send({"type": "ping"})
        frame(tab)
        for view in ("inbox", "unread", "dismissed"):
            ask("GET", f"/notifications?view={view}&limit=5", models.Page)
        status = ask("GET", "/status", models.Status)
        assert status["version"] == importlib.metadata.version("jupyterlab-notify-center")
        assert (status["tabs"], status["store"]["path"]) == (1, str(server.database))
        assert status["counts"] == ask("GET", "/notifications", models.Page)["counts"]
    with server.websocket("0:0") as tab:
        assert frame(tab)["type"] == "snapshot"
    assert frames == set(FRAMES)
    for method, path, status in (
        ("POST", "/ingest", 400),
        ("GET", "/ingest", 405),
        ("DELETE", "/ingest/nothing", 404),
        ("GET", "/notifications/nothing", 404),
        ("GET", "/notifications?limit=0", 400),
    ):
        ask(method, path, models.ErrorAnswer, {} if method == "POST" else None, status)


def test_a_server_without_a_file_says_so_in_the_same_words(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(config={"NotifyApp": {"database": ""}})
    assert server.ingest("m")["durable"] is False
    status = exactly(models.Status, server.request("GET", f"/{NAMESPACE}/status").content)
    assert status["store"]["mode"] == "memory"
    assert status["store"]["path"] is None
    assert status["store"]["durable"] is False
    with server.websocket() as tab:
        frame = exactly(models.SnapshotFrame, tab.connection.recv(timeout=10))
    assert frame["durable"] is False


@pytest.mark.parametrize("text", ['{"success": true}', '{"success": true, "notification_id": 1}'])
def test_what_the_models_do_not_say_is_noticed(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        exactly(models.Receipt, text)
