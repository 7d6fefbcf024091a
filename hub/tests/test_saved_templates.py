"""Templates that senders save: who sees them, who may replace and delete them."""

from __future__ import annotations

import pytest

from jupyterhub_notify.services import saved_templates

from .support import Service

AT = "/v1/admin/templates/saved"


async def names(service: Service, caller: str) -> list[str]:
    answer = await service.as_(caller).get(AT)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()]


async def test_a_template_of_an_administrator_is_for_every_sender(service: Service) -> None:
    body = {"summary": "Maintenance", "type": "warning", "banner": True, "users": ["alice"]}
    answer = await service.as_("admin").put(f"{AT}/Friday%20night%2Fstorage", json=body)
    assert answer.status_code == 200, answer.text
    for caller in ("root", "teacher"):
        [one] = (await service.as_(caller).get(AT)).json()
        assert one["name"] == "Friday night/storage"
        assert one["summary"] == "Maintenance"
        assert one["banner"] is True
        assert one["shared"] is True
    # A sender of a group neither replaces nor deletes what is everybody's.
    answer = await service.as_("teacher").put(f"{AT}/Friday%20night%2Fstorage", json=body)
    assert answer.status_code == 409
    answer = await service.as_("teacher").delete(f"{AT}/Friday%20night%2Fstorage")
    assert answer.status_code == 404
    assert await names(service, "root") == ["Friday night/storage"]
    answer = await service.as_("root").delete(f"{AT}/Friday%20night%2Fstorage")
    assert answer.status_code == 204
    assert await names(service, "root") == []


async def test_a_template_of_a_group_s_sender_is_theirs_and_the_administrators(
    service: Service,
) -> None:
    teacher = service.as_("teacher")
    for summary in ("Exam", "The exam has moved"):
        answer = await teacher.put(f"{AT}/exam", json={"summary": summary})
        assert answer.status_code == 200, answer.text
    assert [one["summary"] for one in (await teacher.get(AT)).json()] == ["The exam has moved"]
    assert await names(service, "quota") == []
    assert await names(service, "admin") == ["exam"]
    assert (await service.as_("bob").get(AT)).status_code == 403
    assert (await teacher.delete(f"{AT}/exam")).status_code == 204
    assert await names(service, "admin") == []


async def test_what_is_forgotten_of_a_user_has_their_templates(service: Service) -> None:
    for caller, name in (("teacher", "theirs"), ("admin", "the site's")):
        answer = await service.as_(caller).put(f"{AT}/{name}", json={"summary": "x"})
        assert answer.status_code == 200, answer.text
    for name in ("teacher", "admin"):
        assert (await service.as_("admin").delete(f"/v1/admin/users/{name}")).status_code == 204
    assert await names(service, "admin") == ["the site's"]


async def test_a_template_that_is_no_good_changes_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = service.as_("admin")
    for name, body in (
        ("x", {"summary": "  "}),
        ("x", {"summary": "x", "type": "loud"}),
        ("x" * 101, {"summary": "x"}),
        ("a%01b", {"summary": "x"}),
    ):
        answer = await admin.put(f"{AT}/{name}", json=body)
        assert answer.status_code == 422, (name, body)
    assert await names(service, "admin") == []
    monkeypatch.setattr(saved_templates, "MOST", 1)
    assert (await admin.put(f"{AT}/one", json={"summary": "x"})).status_code == 200
    assert (await admin.put(f"{AT}/one", json={"summary": "y"})).status_code == 200
    answer = await admin.put(f"{AT}/two", json={"summary": "x"})
    assert answer.status_code == 422
    assert "delete some first" in answer.json()["detail"][0]["msg"]
    assert await names(service, "admin") == ["one"]
