"""The lab against this project's own central service, both for real: events, and the ways back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ...support.servers import NAMESPACE, Server, wait_for
from ...support.service import USER, Service, follows, lab_beside, row_of


@pytest.fixture
def make(make_server: Callable[..., Server], service: Service) -> Callable[..., Server]:
    """Return what starts a lab that asks the service."""
    return lambda **options: lab_beside(service, make_server, **options)


def test_what_the_service_commits_is_in_the_tab_by_an_event(
    make: Callable[..., Server], service: Service
) -> None:
    before = service.broadcast("Before the lab **started**", banner=True)
    server = make()
    with server.websocket() as tab:
        banner = row_of(tab, "Before the lab **started**")
        assert banner["banner"] is True
        follows(server)
        id_ = service.broadcast("Maintenance at ten", type="warning", body="Save *all*.")
        row = row_of(tab, "Maintenance at ten")
        assert (row["type"], row["banner"], row["markdown"]) == ("warning", False, True)
        assert server.detail(row["id"])["body"] == "Save *all*."
        service.send(
            "Quota",
            key="quota",
            type="error",
            actions=[{"label": "Open", "url": "https://example.org/quota"}],
        )
        quota = row_of(tab, "Quota")
        assert quota["type"] == "error"
        assert quota["actions"][0]["label"] == "Open"
        # The same key says something else, in the same place.
        service.send("Quota is nearly full", key="quota", type="error")
        assert row_of(tab, "Quota is nearly full")["id"] == quota["id"]
        # Revoked messages go.
        service.ask("DELETE", "/v1/services/admin/notifications/quota")
        for one in (id_, before):
            service.ask("DELETE", f"/v1/admin/broadcasts/{one}")
        wait_for(lambda: server.page()["counts"]["inbox"] == 0, "all to be taken back")


def test_what_the_user_does_is_the_same_in_two_labs_and_at_the_service(
    make: Callable[..., Server], service: Service
) -> None:
    one, other = make(), make()
    with one.websocket() as tab, other.websocket() as far:
        follows(one)
        follows(other)
        id_ = service.broadcast("For both", banner=True)
        service.send("A message for both")
        row, message = row_of(tab, "For both"), row_of(tab, "A message for both")
        row_of(far, "For both")
        row_of(far, "A message for both")
        one.change(row["id"], dismissed=True)
        row_of(far, "For both", closed=True)
        one.change(row["id"], dismissed=False)
        row_of(far, "For both", closed=False)
        one.change(message["id"], read=True)
        row_of(far, "A message for both", read=True)
        assert service.unread() == []
        service.ask("DELETE", f"/v1/admin/broadcasts/{id_}")


def test_a_stopped_service_loses_nothing_and_is_followed_again(
    make: Callable[..., Server], service: Service
) -> None:
    server = make()
    with server.websocket() as tab:
        follows(server)
        service.send("Before the stop", key="before")
        message = row_of(tab, "Before the stop")
        service.stop()
        wait_for(lambda: not server.status()["central"]["events"], "the stream to be lost")
        server.change(message["id"], read=True)
        service.start()
        service.send("After the start", key="after")
        row_of(tab, "After the start")
        follows(server)
        wait_for(lambda: "Before the stop" not in service.unread(), "it to be read there")
        for key in ("before", "after"):
            service.ask("DELETE", f"/v1/services/admin/notifications/{key}")


def test_the_service_knows_the_lab_and_what_is_shown_in_it(
    make: Callable[..., Server], service: Service
) -> None:
    server = make()
    # Without any tab: nothing is pushed to a lab that asks by itself.
    wait_for(
        lambda: [one["user"] for one in service.ask("GET", "/v1/admin/servers")] == [USER],
        "the lab's hello",
    )
    with server.websocket() as tab:
        follows(server)
        id_ = service.broadcast("Seen?", users=[USER], audience="named")
        row_of(tab, "Seen?")

        def outcomes() -> list[str]:
            listed = service.ask("GET", f"/v1/admin/broadcasts/{id_}/deliveries")
            return [one["outcome"] for one in listed]

        wait_for(lambda: outcomes() == ["shown"], "the receipt")
        service.ask("DELETE", f"/v1/admin/broadcasts/{id_}")


def test_a_broadcast_that_was_pushed_as_well_is_one_message(
    make: Callable[..., Server], service: Service
) -> None:
    server = make()
    ids = [service.broadcast(text) for text in ("Pushed before", "Pushed after")]
    before, after = ids

    def push(id_: str, text: str) -> str:
        begun = service.ask("GET", f"/v1/admin/broadcasts/{id_}")["occurrence"]
        key = f"{id_}@{begun.replace('-', '').replace(':', '')}"
        return str(server.ingest(text, key=key, markdown=True)["notification_id"])

    # Before any tab is open, so before the service was asked.
    pushed = push(before, "Pushed before")
    server.change(pushed, read=True)
    with server.websocket() as tab:
        follows(server)
        row = row_of(tab, "Pushed after")
        assert push(after, "Pushed after") == row["id"]
        wait_for(lambda: server.status()["central"]["outbox"] == 0, "the service to be told")
        shown = {one["id"]: one for one in service.ask("GET", "/v1/broadcasts", token=service.user)}
        assert shown[before]["read"] is not None
        # It is the row that was pushed, with what the user did with it.
        found = {one["message"]: one for one in server.page()["notifications"]}
        assert found.keys() == {"Pushed after", "Pushed before"}
        assert found["Pushed before"]["id"] == pushed
        assert found["Pushed before"]["read"] is not None
        for one in ids:
            service.ask("DELETE", f"/v1/admin/broadcasts/{one}")
        wait_for(lambda: server.page()["counts"]["inbox"] == 0, "all to be taken back")


def test_no_token_of_the_services_is_in_the_labs_log(
    make: Callable[..., Server], service: Service
) -> None:
    server = make()
    with server.websocket():
        follows(server)
        assert server.request("GET", f"/{NAMESPACE}/status").is_success
    assert service.user not in server.log
