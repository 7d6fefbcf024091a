"""The lab against this project's own central service, both for real: events, and the ways back."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyterlab_notify.timings import SourceTimings, Timings

from ...support.servers import NAMESPACE, Frames, Server, clean_environment, http_client, wait_for

USER = "ada"
#: Longer than any of these tests: what comes sooner was told by an event.
INTERVAL_S = 600.0


class Service:
    """``jupyterhub-notify serve`` standing alone, with its SQLite file in a directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = 20000 + secrets.randbelow(10000)
        self.client = http_client()
        self.process: subprocess.Popen[bytes] | None = None
        self.admin = str(self._run("init", "--json")["token"])
        self.user = str(self._run("token", "create", USER, "--user", "--json")["token"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "jupyterhub_notify", *words]

    def _run(self, *words: str) -> Any:
        ran = subprocess.run(
            self._command(*words),
            cwd=self.directory,
            env=clean_environment(self.directory),
            capture_output=True,
            check=True,
        )
        return json.loads(ran.stdout)

    def start(self) -> Service:
        with (self.directory / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command("serve", "--port", str(self.port)),
                cwd=self.directory,
                env=clean_environment(self.directory),
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, "the service's start", 40)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.directory / "service.log").read_text()
        try:
            return self.client.get(f"{self.url}/health/ready").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            # uvicorn ends itself by the signal once it has stopped.
            assert process.wait(10) in (0, -signal.SIGTERM)

    def ask(self, method: str, path: str, value: Any = None, *, token: str = "") -> Any:
        answer = self.client.request(
            method,
            self.url + path,
            json=value,
            headers={"Authorization": f"Bearer {token or self.admin}"},
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def broadcast(self, summary: str, **fields: Any) -> str:
        value = {"summary": summary, "audience": "all", **fields}
        return str(self.ask("POST", "/v1/admin/broadcasts", value)["id"])

    def send(self, summary: str, **fields: Any) -> None:
        value = {"summary": summary, "recipient": USER, **fields}
        self.ask("POST", "/v1/services/admin/notifications", value)

    def unread(self) -> list[str]:
        listed = self.ask("GET", "/v1/notifications/messages?unread=true", token=self.user)
        return [entry["summary"]["gfm"] for entry in listed]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service"))
    try:
        yield service.start()
    finally:
        service.stop()


@pytest.fixture
def make(make_server: Callable[..., Server], service: Service) -> Callable[..., Server]:
    """Return what starts a lab that asks the service."""

    def start(**options: Any) -> Server:
        return make_server(
            config={
                "NotifyApp": {
                    "central_url": service.url,
                    "central_token_variable": "CENTRAL_TOKEN",
                    "central_interval": INTERVAL_S,
                }
            },
            env={"CENTRAL_TOKEN": service.user},
            timings=Timings(sources=SourceTimings(hello_spread_s=0.1)),
            **options,
        )

    return start


def follows(server: Server) -> None:
    """Wait until the lab holds the service's event stream."""
    wait_for(lambda: server.status()["central"]["events"], "the event stream")


def row_of(tab: Frames, message: str, **state: Any) -> dict[str, Any]:
    """Wait until a tab has a message in a state; return its row."""

    def found(rows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            row
            for row in rows.values()
            if row["message"] == message
            and all((row[name] is not None) == is_set for name, is_set in state.items())
        ]

    return found(tab.rows_until(lambda rows: bool(found(rows))))[0]


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
        # What is taken back goes.
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
