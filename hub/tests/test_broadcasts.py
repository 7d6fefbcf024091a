"""Broadcasts: who sees them, when, and their outcomes."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import datetime, timedelta, timezone
from typing import Any

from .support import Service

URL = "/v1/admin/broadcasts"


def at(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


async def broadcast(service: Service, summary: str = "Down at ten", **more: Any) -> dict[str, Any]:
    answer = await service.as_("admin").post(URL, json={"summary": summary, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def shown(service: Service, user: str | None = "alice") -> list[dict[str, Any]]:
    answer = await service.as_(user).get("/v1/broadcasts")
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def test_a_broadcast_has_semaphores_fields_and_is_for_everyone(service: Service) -> None:
    sent = await broadcast(service, "**Down** at ten", body="Save your work.")
    for user in ("alice", "bob", None):
        (one,) = await shown(service, user)
        assert one["id"] == sent["id"]
        assert one["summary"] == {
            "gfm": "**Down** at ten",
            "html": "<strong>Down</strong> at ten",
        }
        assert one["body"]["html"].strip() == "<p>Save your work.</p>"
        assert one["category"] == "info"
        assert (one["active"], one["enabled"], one["stale"]) == (True, True, False)


async def test_each_audience_sees_its_own(service: Service) -> None:
    await broadcast(service, "everyone")
    await broadcast(service, "not logged in", audience="anonymous")
    await broadcast(service, "students", groups=["students"])
    await broadcast(service, "bob", users=["bob"])
    await broadcast(service, "running", audience="running")
    seen = {
        user: {one["summary"]["gfm"] for one in await shown(service, user)}
        for user in ("alice", "bob", "carol", None)
    }
    assert seen == {
        "alice": {"everyone", "running"},
        "bob": {"everyone", "running", "bob"},
        "carol": {"everyone", "running", "students"},
        None: {"everyone", "not logged in"},
    }


async def test_the_categories_of_semaphore_are_types_here(service: Service) -> None:
    await broadcast(service, "outage", category="outage")
    (one,) = await shown(service)
    assert (one["type"], one["banner"], one["dismissable"]) == ("error", True, False)
    refused = await service.as_("alice").post(f"/v1/broadcasts/{one['id']}/dismiss")
    assert refused.status_code == 409


async def test_dismissing_is_each_users_own_and_reaches_their_other_labs(
    service: Service,
) -> None:
    sent = await broadcast(service)
    async with service.stream("alice") as events:
        answer = await service.as_("alice").post(f"/v1/broadcasts/{sent['id']}/dismiss")
        assert answer.status_code == 204
        event = await events.until("broadcast-changed")
    assert event.data["id"] == sent["id"]
    assert event.data["dismissed"] is not None
    assert "dismissed" in (await shown(service, "alice"))[0]
    assert "dismissed" not in (await shown(service, "bob"))[0]
    await service.as_("alice").post(f"/v1/broadcasts/{sent['id']}/restore")
    assert "dismissed" not in (await shown(service, "alice"))[0]


async def test_a_change_in_place_is_quiet_unless_it_is_to_be_shown_again(
    service: Service,
) -> None:
    sent = await broadcast(service)
    await service.as_("alice").post(f"/v1/broadcasts/{sent['id']}/dismiss")
    admin, url = service.as_("admin"), f"{URL}/{sent['id']}"
    assert (await admin.patch(url, json={"summary": "Down at nine"})).status_code == 200
    (one,) = await shown(service)
    assert one["summary"]["gfm"] == "Down at nine"
    assert "dismissed" in one
    async with service.stream("alice") as events:
        await admin.patch(url, json={"summary": "Down at eight", "show_again": True})
        event = await events.until("broadcast")
        while event.data["summary"]["gfm"] != "Down at eight":
            event = await events.until("broadcast")
    assert "dismissed" not in event.data
    assert "dismissed" not in (await shown(service))[0]


async def test_a_revoked_broadcast_goes_from_every_stream_and_list(service: Service) -> None:
    sent = await broadcast(service)
    async with service.stream("alice") as alice, service.stream(None) as nobody:
        assert (await service.as_("admin").delete(f"{URL}/{sent['id']}")).status_code == 204
        for events in (alice, nobody):
            event = await events.until("broadcast-gone")
            assert event.data == {"id": sent["id"], "reason": "revoked"}
    assert await shown(service) == []
    assert (await service.as_("admin").delete(f"{URL}/{sent['id']}")).status_code == 404


async def test_a_broadcast_begins_and_ends_by_itself(service: Service) -> None:
    async with service.stream("alice") as events:
        sent = await broadcast(service, starts=at(600), ends=at(1200))
        assert not sent["active"]
        url = f"{URL}/{sent['id']}"
        # Only now, since a slow machine may take longer than two seconds for the first request.
        answer = await service.as_("admin").patch(url, json={"starts": at(2)})
        assert answer.status_code == 200, answer.text
        begun = await events.until("broadcast")
        assert moment(begun.data["starts"]) <= datetime.now(timezone.utc)
        # Only now is it sure that it has begun before it ends, however slow the machine.
        edited = await service.as_("admin").patch(url, json={"ends": at(2)})
        assert edited.status_code == 200, edited.text
        ended = await events.until("broadcast-gone")
        assert ended.data["reason"] == "ended"
        assert datetime.now(timezone.utc) >= moment(edited.json()["ends"])
    assert await shown(service) == []
    again = (await service.as_("admin").get(url)).json()
    assert (again["active"], again["stale"]) == (False, True)


async def test_a_recurrence_that_makes_no_sense_is_refused_with_its_field(
    service: Service,
) -> None:
    admin = service.as_("admin")
    times = {"starts": at(0), "ends": at(600)}
    for fields, place in (
        ({**times, "rrule": "FREQ=SECONDLY"}, "rrule"),
        ({**times, "rrule": "FREQ=DAILY;INTERVAL=0"}, "rrule"),
        ({**times, "rrule": "FREQ=DAILY", "timezone": "Mars/Olympus"}, "timezone"),
        ({"rrule": "FREQ=DAILY"}, None),
        ({"starts": at(5), "ends": at(0)}, None),
        ({"audience": "named"}, None),
    ):
        answer = await admin.post(URL, json={"summary": "x", **fields})
        assert answer.status_code == 422, fields
        if place:
            assert answer.json()["detail"][0]["loc"] == ["body", place]
    assert (await admin.get(URL)).json() == []


async def test_the_same_key_replaces_and_another_audience_begins_anew(service: Service) -> None:
    first = await broadcast(service, "one", key="k")
    second = await broadcast(service, "two", key="k")
    assert first["id"] == second["id"]
    third = await broadcast(service, "three", key="k", users=["bob"])
    assert third["id"] != first["id"]
    assert await shown(service, "alice") == []
    assert [one["summary"]["gfm"] for one in await shown(service, "bob")] == ["three"]


async def test_named_recipients_wait_and_receipts_say_what_became_of_it(service: Service) -> None:
    question = {"choices": ["yes", "no"]}
    sent = await broadcast(service, users=["alice", "bob"], reply=question)
    assert sent["counts"] == {"waiting": 2}
    alice, admin = service.as_("alice"), service.as_("admin")

    async def receipt(**fields: Any) -> None:
        body = {"receipts": [{"id": sent["id"], "server": "gpu", **fields}]}
        assert (await alice.post("/v1/receipts", json=body)).status_code == 204

    async def rows() -> list[tuple[Any, ...]]:
        answer = await admin.get(f"{URL}/{sent['id']}/deliveries")
        return [(one["user"], one["server"], one["outcome"], one["tabs"]) for one in answer.json()]

    assert await rows() == [("alice", "", "waiting", None), ("bob", "", "waiting", None)]
    await receipt(state="shown", tabs=2)
    await receipt(state="stored")
    assert await rows() == [("alice", "gpu", "shown", 2), ("bob", "", "waiting", None)]
    await receipt(state="replied", reply="perhaps")
    assert (await rows())[0][2] == "shown"
    await receipt(state="replied", reply="no")
    await receipt(state="replied", reply="yes")
    await receipt(state="dismissed")
    assert (await rows())[0][2] == "replied"
    answer = await admin.get(f"{URL}/{sent['id']}/deliveries", headers={"Accept": "text/csv"})
    assert answer.text.splitlines()[1].startswith("alice,gpu,replied,,2,yes,")
    assert (await shown(service, "alice"))[0]["answer"] == "yes"
    await admin.delete(f"{URL}/{sent['id']}")
    assert [row[2] for row in await rows()] == ["replied", "expired"]


async def test_no_spreadsheet_takes_a_reply_for_a_formula(service: Service) -> None:
    sent = await broadcast(service, users=["alice"], reply={"text": True})
    reply = f"/v1/broadcasts/{sent['id']}/reply"
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " \n=1", "a=1"):
        answer = await service.as_("alice").post(reply, json={"reply": text})
        assert answer.status_code == 204, answer.text
        table = await service.as_("admin").get(f"{URL}/{sent['id']}/deliveries?format=csv")
        _, row = csv.reader(io.StringIO(table.text, newline=""))
        assert row[5] == (text if text == "a=1" else f"'{text}")


async def test_what_users_do_with_a_broadcast_is_in_the_ledger(service: Service) -> None:
    """Users act wherever they are: in a lab of any server, or on the inbox page."""
    sent = await broadcast(service, users=["alice", "bob", "carol"])
    admin = service.as_("admin")

    async def rows() -> list[tuple[Any, ...]]:
        answer = await admin.get(f"{URL}/{sent['id']}/deliveries")
        return [(one["user"], one["server"], one["outcome"], one["tabs"]) for one in answer.json()]

    for server, tabs in (("", 1), ("gpu", 2)):
        shown_in = {"id": sent["id"], "server": server, "state": "shown", "tabs": tabs}
        await service.as_("alice").post("/v1/receipts", json={"receipts": [shown_in]})
    for user, mark in (("alice", "dismiss"), ("alice", "read"), ("bob", "read")):
        answer = await service.as_(user).post(f"/v1/broadcasts/{sent['id']}/{mark}")
        assert answer.status_code == 204
    assert await rows() == [
        ("alice", "", "dismissed", 1),
        ("alice", "gpu", "dismissed", 2),
        ("bob", "", "read", None),
        ("carol", "", "waiting", None),
    ]
    # A late receipt has a lower rank, and changes nothing.
    late = {"id": sent["id"], "server": "", "state": "shown", "tabs": 1}
    await service.as_("bob").post("/v1/receipts", json={"receipts": [late]})
    assert (await rows())[2][2] == "read"


async def test_receipts_of_many_labs_at_once_are_what_each_of_them_says(service: Service) -> None:
    """Labs share commands: a failing receipt harms no other lab's, and one lab's stay in order."""
    names = service.tokens.many_users(40)
    everyone = await broadcast(service)
    named = await broadcast(service, users=names[:20])

    async def say(user: str, *receipts: dict[str, Any]) -> None:
        answer = await service.as_(user).post("/v1/receipts", json={"receipts": list(receipts)})
        assert answer.status_code == 204, answer.text

    def of(one: dict[str, Any], state: str, **more: Any) -> dict[str, Any]:
        return {"id": one["id"], "state": state, **more}

    async def lab(user: str) -> None:
        index = int(user.removeprefix("user"))
        # The second is for some of them only, and the third is no broadcast at all.
        await say(
            user,
            of(everyone, "stored"),
            of(named, "shown", tabs=2, server="gpu"),
            of({"id": "no-such-broadcast"}, "shown"),
            of(everyone, "shown", tabs=1 + index % 3),
            of(everyone, "shown", tabs=1),
        )
        if index % 4 == 0:
            await say(user, of(everyone, "read"), of(everyone, "shown", tabs=9))

    await asyncio.gather(*map(lab, names))

    async def rows(one: dict[str, Any]) -> dict[tuple[str, str], tuple[str, int | None]]:
        answer = await service.as_("admin").get(f"{URL}/{one['id']}/deliveries")
        return {(a["user"], a["server"]): (a["outcome"], a["tabs"]) for a in answer.json()}

    assert await rows(everyone) == {
        (user, ""): ("read" if index % 4 == 0 else "shown", 1 + index % 3)
        for index, user in enumerate(names)
    }
    # Their default servers, which waited only, have given way to those that said something.
    assert await rows(named) == {(user, "gpu"): ("shown", 2) for user in names[:20]}


async def test_what_becomes_of_a_broadcast_is_followed(service: Service) -> None:
    sent = await broadcast(service, users=["alice", "bob"])
    admin = service.as_("admin")
    async with admin.stream("GET", f"{URL}/{sent['id']}/events") as answer:
        lines = answer.aiter_lines()

        async def until(wanted: str) -> None:
            async for line in lines:
                if wanted in line:
                    return

        await asyncio.wait_for(until('"counts":{"waiting":2}'), 30)
        body = {"receipts": [{"id": sent["id"], "state": "shown", "tabs": 1}]}
        await service.as_("bob").post("/v1/receipts", json=body)
        await asyncio.wait_for(until('"user":"bob","server":"","outcome":"shown"'), 30)
        await asyncio.wait_for(until('"counts":{"shown":1,"waiting":1}'), 30)


async def test_a_groups_sender_reaches_the_group_only_and_sees_their_own_only(
    service: Service,
) -> None:
    await broadcast(service, "of the administrator")
    teacher = service.as_("teacher")
    for fields in (
        {},
        {"groups": ["staff"]},
        {"groups": ["students", "staff"]},
        {"users": ["bob"]},
    ):
        answer = await teacher.post(URL, json={"summary": "x", **fields})
        assert answer.status_code == 403, fields
    answer = await teacher.post(URL, json={"summary": "Exam", "groups": ["students"]})
    assert answer.status_code == 200
    assert [one["summary"] for one in (await teacher.get(URL)).json()] == ["Exam"]
    # Within one second, newest first has no order.
    assert "Exam" in [one["summary"]["gfm"] for one in await shown(service, "carol")]
    for user in ("alice", "bob"):
        assert "Exam" not in str(await shown(service, user))
        assert (await service.as_(user).post(URL, json={"summary": "x"})).status_code == 403
        assert (await service.as_(user).get(URL)).status_code == 403
    assert (await service.as_(None).get(URL)).status_code == 401


async def test_one_that_must_be_accepted_says_who_has(service: Service) -> None:
    sent = await broadcast(service, must_accept=True, users=["alice"])
    answer = await service.as_("alice").post(f"/v1/broadcasts/{sent['id']}/accept")
    assert answer.status_code == 204
    assert "accepted" in (await shown(service, "alice"))[0]
    assert (await service.as_("bob").post(f"/v1/broadcasts/{sent['id']}/accept")).status_code == 404
