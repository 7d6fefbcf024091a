"""Snoozes: the same in all of a user's labs; the first lab to report the end makes it unread."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jupyterhub_notify.schema import now
from jupyterhub_notify.services import snoozing

from .support import Service

MESSAGES = "/v1/notifications"
#: The end of a snooze that is over, as labs are told it.
OVER = "1970-01-01T00:00:00Z"
HOUR_S = 3600.0
YEAR_S = 366 * 86_400.0


def ahead(seconds: float) -> str:
    return (now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move the clock of the rules of snoozes forward."""
    monkeypatch.setattr(snoozing, "now", lambda: now() + timedelta(seconds=seconds))


async def post(service: Service, path: str, user: str | None = "alice", **body: Any) -> int:
    answer = await service.as_(user).post(path, json=body or None)
    return answer.status_code


async def broadcast(service: Service, **fields: Any) -> str:
    value = {"summary": "Down", **fields}
    answer = await service.as_("admin").post("/v1/admin/broadcasts", json=value)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def message_of(service: Service, id_: str, user: str = "alice") -> dict[str, Any]:
    answer = await service.as_(user).get(f"{MESSAGES}/messages/{id_}")
    return dict(answer.json())


def is_snoozed(one: dict[str, Any]) -> bool:
    return one.get("snoozed_until", OVER) != OVER


async def broadcast_of(service: Service, id_: str, user: str = "alice") -> dict[str, Any]:
    listed = (await service.as_(user).get("/v1/broadcasts")).json()
    return next(dict(one) for one in listed if one["id"] == id_)


async def test_a_snoozed_message_says_so_everywhere_to_its_user_alone(service: Service) -> None:
    group = await service.send(summary="for all", recipient=None, group="students")
    own = await service.send("carol")
    ids, until = [group["id"], own["id"], "999", "x"], ahead(HOUR_S)
    cursor = await service.cursor("carol")
    async with service.stream("carol") as events:
        assert await post(service, f"{MESSAGES}/snooze", "carol", ids=ids, until=until) == 204
        told = [await events.until("message-changed") for _ in range(2)]
    assert {one.data["id"]: one.data["snoozed_until"] for one in told} == {
        group["id"]: until,
        own["id"]: until,
    }
    assert [one["snoozed_until"] for one in await service.messages("carol")] == [until] * 2
    assert (await message_of(service, own["id"], "carol"))["snoozed_until"] == until
    overview = (await service.as_("carol").get("/v1/overview")).json()
    assert [one["snoozed_until"] for one in overview["messages"]] == [until] * 2
    # Nothing else changes.
    assert {one["read"] for one in await service.messages("carol")} == {None}
    for other in await service.messages("bob"):
        assert "snoozed_until" not in other
    # A lab that was away hears the same, and the same again changes nothing.
    async with service.stream("carol", cursor=cursor) as events:
        again = [await events.until("message-changed") for _ in range(2)]
        assert [one.data for one in again] == [one.data for one in told]
        await post(service, f"{MESSAGES}/snooze", "carol", ids=ids, until=until)
        await post(service, f"{MESSAGES}/unsnooze", "carol", ids=[own["id"]])
        assert (await events.until("message-changed")).data["snoozed_until"] == OVER
    assert (await message_of(service, own["id"], "carol"))["snoozed_until"] == OVER


async def test_a_snoozed_broadcast_says_so_to_its_user_alone(service: Service) -> None:
    id_, until = await broadcast(service), ahead(HOUR_S)
    tag = (await service.as_("alice").get("/v1/broadcasts")).headers["ETag"]
    async with service.stream() as events:
        assert await post(service, f"/v1/broadcasts/{id_}/snooze", until=until) == 204
        told = await events.until("broadcast-changed")
        assert (told.data["id"], told.data["snoozed_until"]) == (id_, until)
        assert (await broadcast_of(service, id_))["snoozed_until"] == until
        assert "snoozed_until" not in await broadcast_of(service, id_, "bob")
        known = await service.as_("alice").get("/v1/broadcasts", headers={"If-None-Match": tag})
        assert known.status_code == 200
        assert await post(service, f"/v1/broadcasts/{id_}/unsnooze") == 204
        assert (await events.until("broadcast-changed")).data["snoozed_until"] == OVER
    assert await post(service, "/v1/broadcasts/unknown/snooze", until=until) == 404


async def test_the_first_lab_that_says_it_is_over_makes_it_unread(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, down = (await service.send())["id"], await broadcast(service)
    ids, until = [note], ahead(HOUR_S)
    wake = {f"{MESSAGES}/wake": {"ids": ids}, f"/v1/broadcasts/{down}/wake": {}}
    await post(service, f"{MESSAGES}/read", ids=ids)
    await post(service, f"/v1/broadcasts/{down}/read")
    await post(service, f"{MESSAGES}/snooze", ids=ids, until=until)
    await post(service, f"/v1/broadcasts/{down}/snooze", until=until)

    async def both() -> list[tuple[bool, bool]]:
        """Return whether each is read, and whether it is snoozed."""
        found = await message_of(service, note), await broadcast_of(service, down)
        return [(bool(one.get("read")), is_snoozed(one)) for one in found]

    async def wake_both() -> None:
        for path, body in wake.items():
            assert await post(service, path, **body) == 204

    await wake_both()
    assert await both() == [(True, True)] * 2, "it is not over yet"
    # A lab's clock may be a little ahead.
    later(monkeypatch, HOUR_S - 30)
    async with service.stream() as events:
        await wake_both()
        told = await events.until("message-changed")
        assert (told.data["read"], told.data["snoozed_until"]) == (None, OVER)
        told = await events.until("broadcast-changed")
        assert (told.data["read"], told.data["snoozed_until"]) == (None, OVER)
    assert await both() == [(False, False)] * 2
    # The user has read it since; another lab, which was away, brings it back only now.
    await post(service, f"{MESSAGES}/read", ids=ids)
    await post(service, f"/v1/broadcasts/{down}/read")
    await wake_both()
    assert await both() == [(True, False)] * 2
    # Or has snoozed it anew.
    again = ahead(3 * HOUR_S)
    await post(service, f"{MESSAGES}/snooze", ids=ids, until=again)
    await post(service, f"/v1/broadcasts/{down}/snooze", until=again)
    await wake_both()
    assert await both() == [(True, True)] * 2


async def test_the_last_end_counts(service: Service) -> None:
    note, down = (await service.send())["id"], await broadcast(service)
    # At last as long as a lab's user may, by a clock that is ahead.
    for seconds in (HOUR_S, 2 * HOUR_S, 600, YEAR_S + HOUR_S):
        until = ahead(seconds)
        assert await post(service, f"{MESSAGES}/snooze", ids=[note], until=until) == 204
        assert await post(service, f"/v1/broadcasts/{down}/snooze", until=until) == 204
        for one in (await message_of(service, note), await broadcast_of(service, down)):
            assert one.get("snoozed_until") == until


async def test_of_a_lab_that_was_offline_meanwhile_it_is_told_late(service: Service) -> None:
    note, other = (await service.send())["id"], (await service.send())["id"]
    later = (await service.send())["id"]
    ids = [note, other, later]
    await post(service, f"{MESSAGES}/read", ids=[note, later])
    read = (await message_of(service, later))["read"]
    # The third was read after the end, where nobody knew of it.
    for some, until in ((ids[:2], ahead(1)), ([later], ahead(-HOUR_S))):
        await post(service, f"{MESSAGES}/snooze", ids=some, until=until)
    await post(service, f"{MESSAGES}/wake", ids=ids)
    found = [await message_of(service, id_) for id_ in ids]
    assert [one["read"] for one in found] == [None, None, read]
    assert [one["snoozed_until"] for one in found] == [OVER] * 3


async def test_one_that_began_before_the_service_knew_of_snoozes_ends_all_the_same(
    service: Service,
) -> None:
    note, other = (await service.send())["id"], (await service.send())["id"]
    down = await broadcast(service)
    await post(service, f"{MESSAGES}/read", ids=[note])
    await post(service, f"/v1/broadcasts/{down}/dismiss")
    for read in (False, True):
        await post(service, f"{MESSAGES}/wake", ids=[note, other])
        await post(service, f"/v1/broadcasts/{down}/wake")
        found = await message_of(service, note)
        # The second time is another server of that home.
        assert (found["read"] is not None) == read
        await post(service, f"{MESSAGES}/read", ids=[note])
    assert "dismissed" not in await broadcast_of(service, down)
    assert "snoozed_until" not in await message_of(service, other)


async def test_what_is_put_away_or_shown_again_is_not_snoozed_any_more(service: Service) -> None:
    note, down = (await service.send(key="k"))["id"], await broadcast(service)
    until, admin = ahead(HOUR_S), service.as_("admin")

    async def snooze_both() -> None:
        await post(service, f"{MESSAGES}/snooze", ids=[note], until=until)
        await post(service, f"/v1/broadcasts/{down}/snooze", until=until)

    async def snoozed() -> list[bool]:
        found = await message_of(service, note), await broadcast_of(service, down)
        return [is_snoozed(one) for one in found]

    await snooze_both()
    await post(service, f"{MESSAGES}/dismiss", ids=[note])
    await post(service, f"/v1/broadcasts/{down}/dismiss")
    assert await snoozed() == [False, False]
    await post(service, f"{MESSAGES}/restore", ids=[note])
    await post(service, f"/v1/broadcasts/{down}/restore")
    await snooze_both()
    # Another text that is not shown again leaves it alone.
    await admin.patch(f"/v1/admin/broadcasts/{down}", json={"summary": "Down at nine"})
    assert await snoozed() == [True, True]
    await service.send(summary="Another", key="k")
    change = {"summary": "Down at eight", "show_again": True}
    await admin.patch(f"/v1/admin/broadcasts/{down}", json=change)
    assert await snoozed() == [False, False]


async def test_what_must_stay_in_sight_is_not_snoozed(service: Service) -> None:
    note = (await service.send(dismissable=False))["id"]
    other = (await service.send())["id"]
    down = await broadcast(service, dismissable=False)
    until = ahead(HOUR_S)
    assert await post(service, f"{MESSAGES}/snooze", ids=[note, other], until=until) == 204
    assert "snoozed_until" not in await message_of(service, note)
    assert "snoozed_until" in await message_of(service, other)
    answer = await service.as_("alice").post(f"/v1/broadcasts/{down}/snooze", json={"until": until})
    assert (answer.status_code, answer.json()["detail"][0]["msg"]) == (
        409,
        "This broadcast cannot be snoozed",
    )


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        # With a name of its own: workers that collect it in different seconds must agree.
        pytest.param(ahead(2 * YEAR_S), "A snooze may end a year ahead at most", id="too far"),
        ("9999-12-31T23:59:59Z", "the time is out of range"),
        ("tomorrow", "valid datetime"),
        (None, "valid datetime"),
        (True, "valid datetime"),
    ],
)
async def test_a_wrong_end_is_refused_in_one_sentence_and_changes_nothing(
    service: Service, until: Any, sentence: str
) -> None:
    note, down = (await service.send())["id"], await broadcast(service)
    for path, body in (
        (f"{MESSAGES}/snooze", {"ids": [note], "until": until}),
        (f"/v1/broadcasts/{down}/snooze", {"until": until}),
    ):
        answer = await service.as_("alice").post(path, json=body)
        assert answer.status_code == 422, answer.text
        (detail,) = answer.json()["detail"]
        assert sentence in detail["msg"]
        assert detail["loc"] == ["body", "until"]
    assert "snoozed_until" not in await message_of(service, note)
    assert "snoozed_until" not in await broadcast_of(service, down)


async def test_it_is_announced_and_only_users_have_it(service: Service) -> None:
    assert "snooze" in (await service.as_(None).get("/")).json()["features"]
    note, until = (await service.send())["id"], ahead(HOUR_S)
    for caller, status in ((None, 401), ("quota", 403)):
        for what in ("snooze", "unsnooze", "wake"):
            body = {"ids": [note], **({"until": until} if what == "snooze" else {})}
            assert await post(service, f"{MESSAGES}/{what}", caller, **body) == status
    # Another's is as one that is not there.
    assert await post(service, f"{MESSAGES}/snooze", "bob", ids=[note], until=until) == 204
    assert "snoozed_until" not in await message_of(service, note)
