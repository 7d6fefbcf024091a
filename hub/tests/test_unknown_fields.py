"""A misspelt field is refused in senders' requests, and ignored in labs' and Semaphore's.

A broadcast whose `starts` is misspelt would go to everybody at once.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from jupyterhub_notify.models.broadcasts import AdminBroadcast
from jupyterhub_notify.models.notifications import ServiceNotification
from jupyterhub_notify.openapi import document

from .support import Service

NOTIFICATIONS = "/v1/services/quota/notifications"
ITEM = {"recipient": "alice", "key": "k", "summary": "Full"}

#: Caller, method, address and body of a request, and the place of its unknown field.
REFUSED: list[tuple[str, str, str, Any, list[str | int]]] = [
    (
        *("admin", "POST", "/v1/admin/broadcasts"),
        {"summary": "Down", "start": "2030-01-01T00:00:00Z"},
        ["start"],
    ),
    (
        *("admin", "POST", "/v1/admin/broadcasts"),
        {"summary": "Down", "actions": [{"label": "More", "link": "https://example.com"}]},
        ["actions", 0, "link"],
    ),
    (
        *("admin", "POST", "/v1/admin/broadcasts"),
        {"summary": "Down", "reply": {"choice": ["Yes", "No"]}},
        ["reply", "choice"],
    ),
    (
        *("admin", "PATCH", "/v1/admin/broadcasts/{id}"),
        {"users": ["alice"]},
        ["users"],
    ),
    ("admin", "POST", "/v1/admin/recipients", {"user": ["alice"]}, ["user"]),
    (
        *("admin", "PUT", "/v1/admin/templates/saved/Down"),
        {"summary": "Down", "starts": "2030-01-01T00:00:00Z"},
        ["starts"],
    ),
    (
        *("admin", "POST", "/v1/admin/welcome"),
        {"title": "Hello", "body": "World", "group": ["staff"]},
        ["group"],
    ),
    (
        *("admin", "PUT", "/v1/admin/publishing"),
        {"stopped": False, "why": "Enough"},
        ["why"],
    ),
    ("quota", "POST", NOTIFICATIONS, {**ITEM, "expire": "2030-01-01"}, ["expire"]),
    ("quota", "PATCH", f"{NOTIFICATIONS}/there", {"recipient": "bob"}, ["recipient"]),
    (
        *("quota", "PUT", NOTIFICATIONS),
        [ITEM, {**ITEM, "key": "l", "typ": "error"}],
        [1, "typ"],
    ),
]
NEEDS_A_HUB = ("/v1/admin/recipients",)


async def test_a_field_that_is_not_known_is_refused_and_nothing_changes(service: Service) -> None:
    await service.send(key="there", summary="There")
    shown = await service.as_("admin").post("/v1/admin/broadcasts", json={"summary": "There"})
    for name, method, path, body, place in REFUSED:
        before = await service.parts.database.position()
        url = path.format(id=shown.json()["id"])
        answer = await service.as_(name).request(method, url, json=body)
        assert answer.status_code == 422, (path, answer.text)
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == ["body", *place]
        assert problem["msg"] == "There is no field of this name"
        assert await service.parts.database.position() == before
        # Only that field is to blame.
        rest = deepcopy(body)
        inner: Any = rest
        for part in place[:-1]:
            inner = inner[part]
        del inner[place[-1]]
        answer = await service.as_(name).request(method, url, json=rest)
        assert answer.status_code in (200, 204) or path in NEEDS_A_HUB, (path, answer.text)


async def test_semaphores_clients_and_labs_may_say_more_than_is_known(service: Service) -> None:
    sent = await service.as_("quota").post(
        NOTIFICATIONS, json={"recipient": "alice", "summary": "Hello", "priority": 3}
    )
    assert sent.status_code == 200, sent.text
    assert "priority" not in sent.json()
    ids = {"ids": [sent.json()["id"]], "newer": 1}
    alice = service.as_("alice")
    receipt = {"id": sent.json()["id"], "state": "stored", "newer": 1}
    hello = {"extension": "jupyterlab-notify-center", "version": "9.0", "newer": {"a": 1}}
    change = {"source": "quota", "on": True, "newer": 1}
    for method, path, body in (
        ("POST", "/v1/notifications/read", ids),
        ("POST", "/v1/receipts", {"receipts": [receipt], "newer": 1}),
        ("POST", "/v1/hello", hello),
        ("POST", "/v1/welcome/seen", {"ids": [], "newer": 1}),
        ("PATCH", "/v1/quiet", {"entries": [change], "newer": 1}),
    ):
        answer = await alice.request(method, path, json=body)
        assert answer.is_success, (path, answer.text)


def test_every_body_that_is_written_by_a_sender_is_closed() -> None:
    """A new route must decide which of the two it is."""
    found = document()
    schemas = found["components"]["schemas"]
    closed, open_ = set(), set()
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if "requestBody" not in operation:
                continue
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            name = schema.get("items", schema)["$ref"].rpartition("/")[2]
            strict = schemas[name].get("additionalProperties") is False
            (closed if strict else open_).add(f"{method.upper()} {path}")
    assert not [one for one in open_ if "/admin/" in one]
    assert {one for one in open_ if "/services/" in one} == {
        "POST /v1/services/{service}/notifications"
    }
    assert len(closed) > 8


def test_a_client_takes_an_answer_of_a_newer_service() -> None:
    action = {"label": "More", "newer": 1}
    common = {"id": "b-1", "created": "2026-01-01T00:00:00Z", "sender": "root", "summary": "Hello"}
    reply = {"choices": ["Yes"], "newer": 1}
    more = {"body": None, "actions": [action], "reply": reply, "newer": 1}
    ServiceNotification.model_validate(
        {**common, **more, "read": None, "recipient": "alice", "url": "https://example.com/"}
    )
    facts = {"type": "info", "audience": "all", "active": True, "enabled": True, "stale": False}
    times = {"updated": "2026-01-01T00:00:00Z", "counts": {}}
    AdminBroadcast.model_validate({**common, **more, **facts, **times})
