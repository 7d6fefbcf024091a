"""Every route for other callers: anonymous, another user, service, or group's sender."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jupyterhub_notify.openapi import document

from .support import Service

#: The callers who may call a route at all; a route that is missing here fails the test.
EVERYBODY = {
    "GET /",
    "GET /health/live",
    "GET /health/ready",
    "GET /v1/broadcasts",
    "GET /v1/events",
    "GET /v1/me",
}
USERS = (
    "/v1/notifications/",
    "/v1/overview",
    "/v1/quiet",
    "/v1/channels",
    "/v1/unread",
    "/v1/welcome",
    "/v1/receipts",
    "/v1/hello",
    "/v1/broadcasts/",
)
SENDERS = (
    "/v1/admin/broadcasts",
    "/v1/admin/directory",
    "/v1/admin/recipients",
    "/v1/admin/templates",
)

#: A day ahead: a snooze may end then.
UNTIL = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()
DOCUMENT = document()
ROUTES = [
    (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
]


def kind_of(method: str, path: str) -> str:
    if f"{method} {path}" in EVERYBODY:
        return "everybody"
    if path == "/v1/channels/unsubscribe":
        # The link is signed and works for everyone who has it; no caller here has one.
        return "others"
    if path.startswith(USERS):
        return "users"
    if path.startswith("/v1/services/"):
        return "service"
    if path.startswith(SENDERS):
        return "senders"
    if path.startswith("/v1/alerts/"):
        # Each service's alerts are its own; what is posted here is none.
        return "others"
    assert path.startswith("/v1/admin/") or path == "/metrics", f"Who may call {method} {path}?"
    return "admins"


async def scene(service: Service) -> dict[str, str]:
    """Create messages of Alice and of the quota service; return their names in paths."""
    note = await service.send(summary="for Alice only", key="k", reply={"text": True})
    admin = service.as_("admin")
    named = {"summary": "for Alice only", "users": ["alice"], "reply": {"text": True}}
    broadcast = (await admin.post("/v1/admin/broadcasts", json=named)).json()
    text = {"title": "for Alice only", "body": "x", "users": ["alice"]}
    welcome = (await admin.post("/v1/admin/welcome", json=text)).json()
    return {"note": note["id"], "broadcast": broadcast["id"], "welcome": welcome["id"]}


def filled(path: str, ids: dict[str, str]) -> str:
    id_ = ids["note"]
    if "/broadcasts/" in path:
        id_ = ids["broadcast"]
    elif "/admin/welcome/" in path:
        id_ = ids["welcome"]
    path = path.replace("{service}", "quota").replace("{id}", id_).replace("{name}", "alice")
    assert "{" not in path
    return path


def body_of(method: str, path: str, ids: dict[str, str]) -> Any:
    """Return a body that would be accepted from a permitted caller."""
    if method in ("GET", "DELETE"):
        return None
    every = {
        "ids": list(ids.values()),
        "all": False,
        "receipts": [{"id": id_, "state": "read"} for id_ in ids.values()],
        "reply": "yes" if path.endswith("/reply") else None,
        "summary": "changed",
        "title": "changed",
        "body": "changed",
        "stopped": True,
        "entries": [{"source": "quota", "on": True}],
        "until": UNTIL,
        "extension": "x",
        "version": "1",
    }
    if method == "PUT" and path.endswith("/notifications"):
        return []
    if method == "POST" and re.fullmatch("/v1/services/.*/notifications", path):
        return {"recipient": "alice", "summary": "changed"}
    return {name: value for name, value in every.items() if name in known_fields(method, path)}


def known_fields(method: str, path: str) -> set[str]:
    """Return the fields that a route's body may have: an unknown one is refused."""
    operation = DOCUMENT["paths"][path][method.lower()]
    if "requestBody" not in operation:
        return set()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema["properties"])


async def state(service: Service) -> list[Any]:
    """Return everything that is stored, as the administrator sees it."""
    found = []
    for path in ("notifications", "broadcasts", "welcome", "servers", "publishing"):
        found.append((await service.as_("admin").get(f"/v1/admin/{path}")).json())
    for path in ("/v1/overview", "/v1/quiet", "/v1/welcome", "/v1/broadcasts"):
        one = (await service.as_("alice").get(path)).json()
        if "cursor" in one:
            one.pop("cursor")
            one["broadcasts"] = [own for own in one["broadcasts"] if own["sender"] == "admin"]
        found.append(one)
    found[-1] = [own for own in found[-1] if own["sender"] == "admin"]
    return found


@pytest.mark.parametrize("caller", [None, "bob", "other", "teacher"])
async def test_who_may_not_sees_nothing_and_changes_nothing(
    service: Service, caller: str | None
) -> None:
    ids = await scene(service)
    before = await state(service)
    client = service.as_(caller)
    for method, path in ROUTES:
        if path.endswith("/events"):
            continue
        kind = kind_of(method, path)
        url = filled(path, ids)
        answer = await client.request(method, url, json=body_of(method, path, ids))
        where = f"{method} {url} as {caller}"
        assert answer.status_code < 500, where
        assert "for Alice only" not in answer.text, where
        if kind == "everybody":
            assert answer.status_code == 200, where
        elif kind == "others":
            assert 400 <= answer.status_code < 500, where
        elif caller is None:
            assert answer.status_code == 401, where
            assert answer.headers["www-authenticate"].startswith("Bearer"), where
        elif kind in ("service", "admins"):
            assert answer.status_code == 403, where
        elif kind == "users" and caller != "bob":
            assert answer.status_code in (403, 404), where
        elif kind == "senders" and caller == "bob":
            assert answer.status_code == 403, where
        elif "{id}" in path:
            # It is there, but not for this caller.
            assert answer.status_code == 404, where
    after = await state(service)
    # The caller may do some things for themselves: a hello, a broadcast of their own.
    assert after[0] == before[0]
    assert [one for one in after[1] if one["sender"] == "admin"] == before[1]
    assert after[2] == before[2]
    assert [one for one in after[3] if one["user"] == "alice"] == before[3]
    assert after[4:7] == before[4:7]


async def test_a_token_that_is_not_known_is_401_and_is_not_repeated(service: Service) -> None:
    client = service.as_(None)
    for token in ("jhn_wrong", "x" * 5000):
        answer = await client.get("/v1/overview", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert token not in answer.text
    # Not as an anonymous one either: the caller believes to be somebody.
    answer = await client.get("/v1/broadcasts", headers={"Authorization": "Bearer jhn_wrong"})
    assert answer.status_code == 401


async def test_every_list_has_a_validator_links_and_a_count(service: Service) -> None:
    ids = await scene(service)
    for path, caller in (
        ("/v1/broadcasts", "alice"),
        ("/v1/notifications/messages", "alice"),
        ("/v1/welcome", "alice"),
        ("/v1/services/quota/notifications", "quota"),
        (f"/v1/services/quota/notifications/{ids['note']}/receipts", "quota"),
        ("/v1/admin/broadcasts", "admin"),
        (f"/v1/admin/broadcasts/{ids['broadcast']}/deliveries", "admin"),
        ("/v1/admin/welcome", "admin"),
        (f"/v1/admin/welcome/{ids['welcome']}/readers", "admin"),
        ("/v1/admin/notifications", "admin"),
        ("/v1/admin/audit", "admin"),
        ("/v1/admin/servers", "admin"),
    ):
        answer = await service.as_(caller).get(path)
        assert answer.status_code == 200, path
        assert int(answer.headers["x-total-count"]) == len(answer.json()), path
        assert 'rel="first"' in answer.headers["link"], path
        tag = {"If-None-Match": answer.headers["etag"]}
        again = await service.as_(caller).get(path, headers=tag)
        assert (again.status_code, again.content) == (304, b""), path
        assert again.headers["etag"] == answer.headers["etag"], path


async def test_whoever_writes_reads_it_at_once(service: Service) -> None:
    alice = service.as_("alice")
    tag = ""
    for index in range(20):
        await service.send(summary=f"number {index}")
        answer = await alice.get("/v1/overview", headers={"If-None-Match": tag})
        assert answer.status_code == 200
        tag = answer.headers["etag"]
        assert answer.json()["messages"][0]["summary"]["gfm"] == f"number {index}"
