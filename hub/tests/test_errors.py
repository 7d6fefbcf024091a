"""Every route refuses bodies that cannot be read, with one sentence of the same shape."""

from __future__ import annotations

import re

import pytest

from jupyterhub_notify.openapi import document

from .support import Service

OPERATIONS = [
    (method.upper(), re.sub(r"\{[^}]*\}", "quota", path))
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if "requestBody" in operation
]
BODIES = {
    "no-text": b"\xff\xfe{}",
    "deep": b"[" * 50_000,
    "cut-off": b'{"summary": "x"',
    "list-of-nothing": b"[null]",
    "number": b"1e400",
}
NOTHING_THERE = {"detail": [{"msg": "There is nothing at this address", "type": "not_found"}]}


def test_there_are_routes_that_take_a_body() -> None:
    assert len(OPERATIONS) > 20


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_what_nobody_can_read_is_refused_in_a_sentence(service: Service, body: bytes) -> None:
    before = await service.parts.database.position()
    for method, path in OPERATIONS:
        answer = await service.as_("admin").request(
            method, path, content=body, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500, (method, path, answer.text)
        (first, *_) = answer.json()["detail"]
        assert first["msg"], (method, path)
        assert first["type"], (method, path)
    assert await service.parts.database.position() == before


async def test_a_browser_is_shown_a_page_where_there_is_none_and_clients_get_json(
    service: Service,
) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    for path in ("/no-such-page", "/history/x/y/z", "/static/no-such-file.js", "/v1/nothing"):
        for name in (None, "alice", "admin"):
            answer = await service.as_(name).get(path, headers=browser)
            assert answer.status_code == 404
            assert answer.headers["content-type"].startswith("text/html")
            assert "There is no page at this address." in answer.text
            assert '<a href="/">Go to the notifications</a>' in answer.text
        answer = await service.as_("alice").get(path)
        assert (answer.status_code, answer.json()) == (404, NOTHING_THERE)
    for query, name in (("offset=-5", "offset"), ("q=%00", "q"), ("offset=<b>", "offset")):
        answer = await service.as_("admin").get(f"/history?{query}", headers=browser)
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("text/html")
        assert f"A part of this address makes no sense: {name}." in answer.text
        answer = await service.as_("admin").get(f"/history?{query}")
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", name])
    # An unknown token does not change the answer, and a POST is never answered with a page.
    wrong = {**browser, "Authorization": "Bearer jhn_wrong"}
    answer = await service.as_(None).get("/no-such-page", headers=wrong)
    assert answer.status_code == 404
    answer = await service.as_("alice").post("/no-such-page", headers=browser)
    assert (answer.status_code, answer.json()) == (404, NOTHING_THERE)


async def test_a_method_that_an_address_does_not_take_is_refused_in_a_sentence(
    service: Service,
) -> None:
    for path, method in (("/v1/welcome", "DELETE"), ("/v1/admin/publishing", "POST")):
        answer = await service.as_("admin").request(method, path)
        assert answer.status_code == 405
        assert answer.json() == {
            "detail": [
                {"msg": "This address does not take this method", "type": "method_not_allowed"}
            ]
        }
        assert "GET" in answer.headers["allow"]
