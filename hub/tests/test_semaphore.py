"""A client of Semaphore notices no difference: answers compared with Semaphore's recorded ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_notify.storage import writer

from .support import Service

SAMPLES = json.loads((Path(__file__).parent / "data/semaphore-2.0.0-samples.json").read_text())


@pytest.fixture(autouse=True)
def ids_from_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ids begin at 1, as in the recorded answers."""
    monkeypatch.setattr(writer, "first_id", lambda: 0)


def shape(value: Any) -> Any:
    """Replace values that differ between two services by their form."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, str):
        value = re.sub(r"https?://[^/]+(/semaphore)?", "URL", value)
        value = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", value)
        value = re.sub(r"cursor=\d+_", "cursor=SECONDS_", value)
    return value


def sample(request: str, status: int, occurrence: int = 0) -> dict[str, Any]:
    found = [one for one in SAMPLES if one["request"] == request and one["status"] == status]
    return dict(found[occurrence])


async def six(service: Service) -> None:
    for percent in (0, 10, 20, 30, 40, 50):
        await service.send(summary=f"Disk quota at {percent}%")


async def test_a_page_of_messages_is_as_semaphore_answers_it(service: Service) -> None:
    await six(service)
    answer = await service.as_("alice").get("/v1/notifications/messages?limit=2")
    expected = sample("GET /v1/notifications/messages?limit=2", 200)
    assert answer.status_code == expected["status"]
    assert shape(answer.json()) == shape(expected["body"])
    for name, value in expected["headers"].items():
        assert shape(answer.headers[name]) == shape(value), name


async def test_the_pages_follow_each_other_in_both_directions(service: Service) -> None:
    await six(service)
    alice = service.as_("alice")
    url, pages = "/v1/notifications/messages?limit=4", []
    first = await alice.get(url)
    pages.append([one["id"] for one in first.json()])
    second = await alice.get(first.links["next"]["url"])
    pages.append([one["id"] for one in second.json()])
    assert pages == [["6", "5", "4", "3"], ["2", "1"]]
    assert "next" not in second.links
    back = await alice.get(second.links["prev"]["url"])
    assert [one["id"] for one in back.json()] == pages[0]
    assert (await alice.get(back.links["next"]["url"])).json() == second.json()


async def test_an_unread_message_and_its_whole_are_as_semaphore_answers_them(
    service: Service,
) -> None:
    await six(service)
    expected = sample("GET /v1/notifications/messages/7", 200)["body"]
    sent = await service.send(summary=expected["summary"]["gfm"], body=expected["body"]["gfm"])
    assert sent["id"] == "7"
    listed = (await service.messages(unread=True))[0]
    recorded = sample("GET /v1/notifications/messages?unread=true", 200)["body"][0]
    assert listed.keys() == recorded.keys()
    assert listed["summary"]["gfm"] == recorded["summary"]["gfm"]
    whole = (await service.as_("alice").get("/v1/notifications/messages/7")).json()
    # The sender is our addition; the rest has Semaphore's fields.
    assert whole.keys() - {"sender"} == expected.keys()
    assert whole["body"]["gfm"] == expected["body"]["gfm"]
    # Semaphore's own fault, not copied.
    assert "<script" not in whole["body"]["html"]
    assert "onerror" not in re.sub(r"&[^;]+;[^&]*&[^;]+;", "", whole["summary"]["html"])
    assert "<s>old</s>" in whole["body"]["html"]
    assert "<table>" in whole["body"]["html"]


async def test_an_unknown_message_is_answered_as_semaphore_does(service: Service) -> None:
    expected = sample("GET /v1/notifications/messages/7", 404)
    answer = await service.as_("alice").get("/v1/notifications/messages/7")
    assert (answer.status_code, answer.json()) == (404, expected["body"])
    # There it is a 500.
    odd = await service.as_("alice").get("/v1/notifications/messages/seven")
    assert odd.status_code == 404


async def test_reading_and_unreading_are_as_semaphore_answers_them(service: Service) -> None:
    await six(service)
    await service.send(summary="The seventh")
    alice = service.as_("alice")
    read = await alice.post("/v1/notifications/read", json={"ids": ["7", "999"]})
    assert (read.status_code, read.content) == (204, b"")
    listed = (await service.messages())[0]
    assert shape(listed["read"]) == "TIME"
    assert (await service.messages(unread=True))[0]["id"] == "6"
    assert (await alice.post("/v1/notifications/unread", json={"ids": ["7"]})).status_code == 204
    assert (await service.messages())[0]["read"] is None


async def test_ids_that_are_no_set_are_refused_as_semaphore_does(service: Service) -> None:
    expected = sample("POST /v1/notifications/read", 422)
    answer = await service.as_("alice").post("/v1/notifications/read", json={"ids": "7"})
    assert (answer.status_code, answer.json()) == (422, expected["body"])


async def test_what_a_service_sends_is_answered_with_semaphores_fields(service: Service) -> None:
    sent = await service.send("alice", "Hello", body="World")
    assert sent.keys() == {
        "id",
        "created",
        "read",
        "sender",
        "recipient",
        "summary",
        "body",
        "url",
    }
    assert (sent["sender"], sent["recipient"], sent["read"]) == ("quota", "alice", None)
    assert (sent["summary"], sent["body"]) == ("Hello", "World")
    again = await service.as_("quota").get(sent["url"])
    assert again.json() == sent
    listed = await service.as_("quota").get("/v1/services/quota/notifications?recipient=alice")
    assert listed.json() == [sent]
    assert listed.headers["x-total-count"] == "1"
