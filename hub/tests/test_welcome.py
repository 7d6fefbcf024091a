"""Welcome messages: due until dismissed, seen often enough, or accepted."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from .support import Service


async def add(service: Service, title: str = "Welcome", **more: Any) -> dict[str, Any]:
    body = {"title": title, "body": "Read **this**.", **more}
    answer = await service.as_("admin").post("/v1/admin/welcome", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def due(service: Service, user: str = "alice", **query: Any) -> list[dict[str, Any]]:
    answer = await service.as_(user).get("/v1/welcome", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def mark(service: Service, what: str, user: str = "alice", **body: Any) -> None:
    answer = await service.as_(user).post(f"/v1/welcome/{what}", json=body)
    assert answer.status_code == 204, answer.text


async def titles(service: Service, user: str = "alice") -> list[str]:
    return [one["title"] for one in await due(service, user)]


async def test_a_welcome_message_has_the_fields_of_the_technote(service: Service) -> None:
    await add(service, "Second", position=2)
    await add(service, "Elsewhere", aspect="portal")
    await add(service, "First", position=1, summary="Short", max_views=3)
    first, second = await due(service, aspect="jupyterlab")
    assert [first["title"], second["title"]] == ["First", "Second"]
    assert first.keys() >= {
        "id",
        "aspect",
        "title",
        "summary",
        "body",
        "dismissable",
        "max_views",
        "updated",
    }
    assert first["body"]["html"].strip() == "<p>Read <strong>this</strong>.</p>"
    assert (first["summary"]["gfm"], second["summary"]) == ("Short", None)
    assert (first["max_views"], second["max_views"]) == (3, None)


async def test_dismissing_one_or_all_lasts_until_the_text_changes(service: Service) -> None:
    one = await add(service, "One")
    await add(service, "Two")
    await mark(service, "dismiss", ids=[one["id"], "unknown"])
    assert await titles(service) == ["Two"]
    await mark(service, "dismiss", all=True)
    assert await titles(service) == []
    assert await titles(service, "bob") == ["One", "Two"]
    admin, url = service.as_("admin"), f"/v1/admin/welcome/{one['id']}"
    await admin.patch(url, json={"position": 5})
    await admin.patch(url, json={"body": "A typo less.", "quiet": True})
    assert await titles(service) == []
    await admin.patch(url, json={"body": "Something new."})
    assert await titles(service) == ["One"]
    await mark(service, "dismiss", ids=[one["id"]])
    await mark(service, "reset")
    assert sorted(await titles(service)) == ["One", "Two"]


async def test_after_so_many_views_it_is_no_longer_due(service: Service) -> None:
    one = await add(service, max_views=2)
    for left in (True, False):
        await mark(service, "seen", ids=[one["id"]])
        assert bool(await titles(service)) is left
    await mark(service, "reset")
    assert (await due(service))[0].get("views", 0) == 0


async def test_one_that_must_be_accepted_goes_by_accepting_only(service: Service) -> None:
    one = await add(service, "Policy", must_accept=True, max_views=1)
    await mark(service, "dismiss", ids=[one["id"]])
    await mark(service, "seen", ids=[one["id"]])
    (message,) = await due(service)
    assert (message["must_accept"], message["dismissable"]) == (True, False)
    await mark(service, "accept", ids=[one["id"]])
    assert await titles(service) == []
    # A reset shows what was dismissed; it takes no acceptance back.
    await mark(service, "reset")
    assert await titles(service) == []
    url = f"/v1/admin/welcome/{one['id']}/readers"
    (reader,) = (await service.as_("admin").get(url)).json()
    assert (reader["user"], reader["accepted_current"]) == ("alice", True)
    await service.as_("admin").patch(f"/v1/admin/welcome/{one['id']}", json={"body": "Stricter."})
    assert await titles(service) == ["Policy"]
    answer = await service.as_("admin").get(url, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines()[1].split(",")[::4] == ["alice", "False"]


@pytest.mark.parametrize("what", ["accept", "dismiss"])
async def test_a_text_that_changes_within_the_second_is_due_again(
    service: Service, what: str
) -> None:
    one = await add(service, "Policy", must_accept=what == "accept")
    # A second that has just begun, and not the one in which it was made.
    await asyncio.sleep(2 - time.time() % 1)
    await mark(service, what, ids=[one["id"]])
    assert await titles(service) == []
    await service.as_("admin").patch(f"/v1/admin/welcome/{one['id']}", json={"body": "Stricter."})
    assert await titles(service) == ["Policy"]


async def test_it_comes_and_goes_by_events_in_all_of_a_users_labs(service: Service) -> None:
    async with service.stream("alice") as alice, service.stream("bob") as bob:
        one = await add(service, groups=["staff"])
        event = await alice.until("welcome")
        assert event.data["id"] == one["id"]
        await mark(service, "dismiss", ids=[one["id"]])
        event = await alice.until("welcome-changed")
        assert (event.data["id"], event.data["due"]) == (one["id"], False)
        await service.as_("admin").delete(f"/v1/admin/welcome/{one['id']}")
        assert (await alice.until("welcome-gone")).data == {"id": one["id"]}
        # Bob is no member: the first that he hears of is his own message.
        await service.send("bob")
        assert (await bob.next()).name == "message"
    assert (await service.as_("admin").delete(f"/v1/admin/welcome/{one['id']}")).status_code == 404


async def test_the_overview_has_everything_at_once(service: Service) -> None:
    await add(service)
    await add(service, "Elsewhere", aspect="portal")
    await service.as_("admin").post("/v1/admin/broadcasts", json={"summary": "Down"})
    sent = await service.send(summary="Hello", body="World")
    answer = await service.as_("alice").get("/v1/overview?aspect=jupyterlab")
    overview = answer.json()
    assert [one["title"] for one in overview["welcome"]] == ["Welcome"]
    assert [one["summary"]["gfm"] for one in overview["broadcasts"]] == ["Down"]
    assert (overview["unread"], overview["messages"][0]["id"]) == (1, sent["id"])
    assert overview["messages"][0]["body"]["gfm"] == "World"
    async with service.stream("alice", overview["cursor"]) as events:
        await service.send(summary="newer")
        event = await events.until("message")
        while event.data["summary"]["gfm"] != "newer":
            event = await events.until("message")
