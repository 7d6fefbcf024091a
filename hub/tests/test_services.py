"""Services send, replace, change, revoke, let expire and reconcile, within their permissions."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .support import Service

URL = "/v1/services/quota/notifications"


def counts(created: int, changed: int, revoked: int, unchanged: int) -> dict[str, int]:
    return {"created": created, "changed": changed, "revoked": revoked, "unchanged": unchanged}


async def put(service: Service, items: list[dict[str, Any]], scope: str = "") -> dict[str, int]:
    answer = await service.as_("quota").put(URL, json=items, params={"scope": scope})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_same_key_replaces_in_place_and_the_same_content_changes_nothing(
    service: Service,
) -> None:
    first = await service.send(summary="at 50%", key="disk")
    await service.as_("alice").post("/v1/notifications/read", json={"ids": [first["id"]]})
    same = await service.send(summary="at 50%", key="disk")
    assert same["id"] == first["id"]
    assert (await service.messages())[0]["read"] is not None
    other = await service.send(summary="at 90%", key="disk")
    assert other["id"] == first["id"]
    (one,) = await service.messages()
    assert (one["summary"]["gfm"], one["read"]) == ("at 90%", None)


async def test_progress_with_a_key_stays_read(service: Service) -> None:
    first = await service.send(type="in-progress", progress=0.1, key="job")
    await service.as_("alice").post("/v1/notifications/read", json={"ids": [first["id"]]})
    await service.send(type="in-progress", progress=0.2, key="job")
    (one,) = await service.messages()
    assert one["progress"] == 0.2
    assert one["read"] is not None


async def test_several_recipients_get_one_each_and_a_group_one_together(service: Service) -> None:
    quota = service.as_("quota")
    answer = await quota.post(
        URL, json={"recipients": ["alice", "bob"], "summary": "x", "key": "k"}
    )
    assert [one["recipient"] for one in answer.json()] == ["alice", "bob"]
    group = await quota.post(URL, json={"group": "students", "summary": "for students"})
    assert (group.json()["group"], group.json()["recipient"]) == ("students", None)
    assert [one["summary"]["gfm"] for one in await service.messages("carol")] == ["for students"]
    assert [one["summary"]["gfm"] for one in await service.messages("bob")] == ["x"]
    assert (await quota.delete(f"{URL}/k")).status_code == 204
    assert await service.messages("bob") == await service.messages("alice") == []


async def test_a_key_is_any_text_that_a_path_may_hold(service: Service) -> None:
    quota = service.as_("quota")
    for key in ("jobs/4711", "a b%2Fc", "ünï?x=1#y"):
        sent = await service.send(summary="one", key=key)
        where = f"{URL}/{quote(key, safe='')}"
        assert (await quota.get(where)).json()["id"] == sent["id"]
        (changed,) = (await quota.patch(where, json={"summary": "two"})).json()
        assert changed["summary"] == "two"
        assert (await quota.get(f"{where}/receipts")).status_code == 200
        assert (await quota.delete(where)).status_code == 204
    assert await service.messages() == []


async def test_a_group_s_notification_has_each_members_own_state(service: Service) -> None:
    answer = await service.as_("quota").post(URL, json={"group": "students", "summary": "x"})
    ids = {"ids": [answer.json()["id"]]}
    await service.as_("carol").post("/v1/notifications/dismiss", json=ids)
    # Not a member: not seen, so not changed.
    await service.as_("alice").post("/v1/notifications/dismiss", json=ids)
    receipts = await service.as_("quota").get(f"{URL}/{answer.json()['id']}/receipts")
    assert [one["user"] for one in receipts.json()] == ["carol"]


async def test_a_patch_changes_what_it_names_and_stays_read(service: Service) -> None:
    sent = await service.send(summary="one", body="two", banner=True, key="k")
    await service.as_("alice").post("/v1/notifications/read", json={"ids": [sent["id"]]})
    answer = await service.as_("quota").patch(f"{URL}/k", json={"summary": "three"})
    assert answer.status_code == 200
    (one,) = await service.messages()
    assert (one["summary"]["gfm"], one["banner"]) == ("three", True)
    assert one["read"] is not None
    await service.as_("quota").patch(f"{URL}/{sent['id']}", json={"show_again": True})
    assert (await service.messages())[0]["read"] is None


async def test_a_revoked_notification_is_nowhere(service: Service) -> None:
    sent = await service.send()
    async with service.stream() as events:
        assert (await service.as_("quota").delete(f"{URL}/{sent['id']}")).status_code == 204
        event = await events.until("message-gone")
    assert event.data == {"id": sent["id"], "reason": "revoked"}
    assert await service.messages() == []
    assert (
        await service.as_("alice").get(f"/v1/notifications/messages/{sent['id']}")
    ).status_code == 404
    # Its sender still sees what became of it.
    kept = (await service.as_("quota").get(f"{URL}/{sent['id']}")).json()
    assert kept["state"] == "revoked"
    assert (await service.as_("quota").delete(f"{URL}/{sent['id']}")).status_code == 404


async def test_a_notification_expires_by_itself(service: Service) -> None:
    soon = (datetime.now(timezone.utc) + timedelta(seconds=1)).isoformat()
    async with service.stream() as events:
        await service.send(expires=soon)
        event = await events.until("message-gone")
    assert event.data["reason"] == "expired"
    assert await service.messages() == []


async def test_what_is_asked_is_answered_once_and_reaches_the_sender(service: Service) -> None:
    sent = await service.send(reply={"choices": ["yes", "no"]})
    url = f"/v1/notifications/messages/{sent['id']}/reply"
    alice = service.as_("alice")
    assert (await alice.post(url, json={"reply": "perhaps"})).status_code == 422
    assert (await alice.post(url, json={"reply": "yes"})).status_code == 204
    assert (await service.as_("bob").post(url, json={"reply": "yes"})).status_code == 404
    (receipt,) = (await service.as_("quota").get(f"{URL}/{sent['id']}/receipts")).json()
    assert (receipt["user"], receipt["reply"]) == ("alice", "yes")
    quiet = await service.send()
    refused = await alice.post(
        f"/v1/notifications/messages/{quiet['id']}/reply", json={"reply": "yes"}
    )
    assert refused.status_code == 409


async def test_receipts_say_what_became_of_a_message_and_may_be_sent_again(
    service: Service,
) -> None:
    sent = await service.send()
    body = {
        "receipts": [
            {"id": sent["id"], "state": "stored"},
            {"id": sent["id"], "state": "shown", "tabs": 3},
            {"id": sent["id"], "state": "read"},
            {"id": "999999", "state": "read"},
            {"id": "b-unknown", "state": "shown"},
        ]
    }
    for _ in range(2):
        assert (await service.as_("alice").post("/v1/receipts", json=body)).status_code == 204
        # Another's message is none of Bob's business.
        assert (await service.as_("bob").post("/v1/receipts", json=body)).status_code == 204
    (receipt,) = (await service.as_("quota").get(f"{URL}/{sent['id']}/receipts")).json()
    assert (receipt["user"], receipt["tabs"]) == ("alice", 3)
    assert None not in (receipt["stored"], receipt["shown"], receipt["read"])
    assert (await service.messages())[0]["read"] is not None


async def test_reconciling_makes_it_so_in_its_scope_only(service: Service) -> None:
    await service.send(key="other/1", summary="of another job")
    await service.send(summary="without a key")
    items = [
        {"key": "disk/alice", "recipient": "alice", "summary": "50%"},
        {"key": "disk/bob", "recipient": "bob", "summary": "60%"},
    ]
    assert await put(service, items, "disk/") == counts(2, 0, 0, 0)
    items[0]["summary"] = "70%"
    del items[1]
    assert await put(service, items, "disk/") == counts(0, 1, 1, 0)
    assert await put(service, items, "disk/") == counts(0, 0, 0, 1)
    found = [one["summary"]["gfm"] for one in await service.messages()]
    assert sorted(found) == ["70%", "of another job", "without a key"]
    assert await service.messages("bob") == []
    assert await put(service, [], "disk/") == counts(0, 0, 1, 0)


async def test_a_list_that_is_wrong_in_one_place_changes_nothing(service: Service) -> None:
    good = {"key": "a", "recipient": "alice", "summary": "x"}
    for bad, place in (
        ({"key": "b", "recipient": "alice"}, ["body", 1]),
        ({"key": "a", "recipient": "alice", "summary": "twice"}, ["body", 1, "key"]),
        ({"key": "b", "recipient": "", "summary": "x"}, ["body", 1, "recipient"]),
        ({"key": "b", "recipient": "bob", "template": "none"}, ["body", 1, "template"]),
    ):
        answer = await service.as_("quota").put(URL, json=[good, bad])
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == place
    outside = await service.as_("quota").put(URL, json=[good], params={"scope": "b"})
    assert outside.json()["detail"][0]["loc"] == ["body", 0, "key"]
    assert await service.messages() == []


LISTS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["alice", "bob"]), st.integers(0, 2)),
    max_size=6,
    unique_by=lambda one: one[:2],
)


@pytest.mark.timeout(300)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lists=st.lists(LISTS, min_size=1, max_size=3))
def test_any_two_lists_and_the_second_time_changes_nothing(
    lists: list[list[tuple[str, str, int]]], sync_service: Any
) -> None:
    service, run = sync_service

    async def check() -> None:
        for wanted in lists:
            items = [
                {"key": key, "recipient": user, "summary": f"version {version}"}
                for key, user, version in wanted
            ]
            done = await put(service, items)
            assert done["created"] + done["changed"] + done["unchanged"] == len(items)
            again = await put(service, items)
            assert again == counts(0, 0, 0, len(items))
            answer = await service.as_("quota").get(URL)
            found = {(one["key"], one["recipient"], one["summary"]) for one in answer.json()}
            assert found == {(key, user, f"version {version}") for key, user, version in wanted}

    run(check())


async def test_bad_input_is_one_sentence_with_its_place_and_nothing_changes(
    service: Service,
) -> None:
    quota = service.as_("quota")
    for body, place in (
        ({"recipient": "alice"}, ["body"]),
        ({"summary": "x"}, ["body"]),
        ({"recipient": "alice", "group": "staff", "summary": "x"}, ["body"]),
        ({"recipient": "alice", "summary": ""}, ["body", "summary"]),
        ({"recipient": "alice", "summary": "x" * 4097}, ["body", "summary"]),
        ({"recipient": "al\nice", "summary": "x"}, ["body", "recipient"]),
        ({"recipient": "alice", "summary": "nul\x00"}, ["body", "summary"]),
        ({"recipient": "alice", "summary": "x", "type": "loud"}, ["body", "type"]),
        ({"recipient": "alice", "summary": "x", "expires": "soon"}, ["body", "expires"]),
        ({"recipient": "alice", "summary": "x", "progress": 2}, ["body", "progress"]),
    ):
        answer = await quota.post(URL, json=body)
        assert answer.status_code == 422, body
        assert answer.json()["detail"][0]["loc"] == place
    raw = b'{"recipient": "alice", "summary": "x", "progress": NaN}'
    answer = await quota.post(URL, content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    surrogate = b'{"recipient": "alice", "summary": "\\ud800"}'
    answer = await quota.post(URL, content=surrogate, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    big = await quota.post(URL, json={"recipient": "alice", "summary": "x", "body": "x" * 300_000})
    assert big.status_code == 413
    assert await service.messages() == []


async def test_a_publisher_that_is_too_fast_is_told_when_to_come_again(
    database: str, tokens: Any
) -> None:
    from .support import running

    async with running(database, tokens, publish_rate=3) as service:
        for _ in range(3):
            await service.send()
        answer = await service.as_("quota").post(URL, json={"recipient": "alice", "summary": "x"})
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        other = await service.as_("other").post(
            "/v1/services/other/notifications", json={"recipient": "alice", "summary": "x"}
        )
        assert other.status_code == 200


async def test_publishing_can_be_stopped_and_revoking_still_works(service: Service) -> None:
    sent = await service.send()
    admin = service.as_("admin")
    body = {"stopped": True, "reason": "a job went wild"}
    assert (await service.as_("quota").put("/v1/admin/publishing", json=body)).status_code == 403
    assert (await admin.put("/v1/admin/publishing", json=body)).status_code == 204
    answer = await service.as_("quota").post(URL, json={"recipient": "alice", "summary": "x"})
    assert answer.status_code == 503
    assert "a job went wild" in answer.json()["detail"][0]["msg"]
    assert (await service.as_("quota").put(URL, json=[])).status_code == 503
    assert (await admin.post("/v1/admin/broadcasts", json={"summary": "x"})).status_code == 503
    assert (await service.as_("quota").delete(f"{URL}/{sent['id']}")).status_code == 204
    await admin.put("/v1/admin/publishing", json={"stopped": False})
    await service.send()


async def test_the_audit_log_says_who_did_what_and_no_text(service: Service) -> None:
    await service.send(summary="a secret", key="k")
    await service.as_("quota").delete(f"{URL}/k")
    answer = await service.as_("admin").get("/v1/admin/audit?limit=1")
    assert answer.headers["x-total-count"] == "2"
    entries = (await service.as_("admin").get("/v1/admin/audit")).json()
    assert [(one["caller"], one["action"]) for one in entries] == [
        ("quota", "notification.revoke"),
        ("quota", "notification.create"),
    ]
    assert "a secret" not in str(entries)
