"""Snoozing over HTTP: tabs follow, and the server brings a message back by its own clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jupyterlab_notify.timings import Timings

from ..support.servers import NAMESPACE, Server

WATCH_S = 0.1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("snooze"), timings=Timings(watch_interval_s=WATCH_S))
    try:
        yield server.start()
    finally:
        server.stop()
        server.client.close()


def ahead(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


def patch(server: Server, id_: str, value: Any) -> tuple[int, dict[str, Any]]:
    answer = server.request("PATCH", f"/{NAMESPACE}/notifications/{id_}", value)
    return answer.status_code, answer.json()


def test_it_comes_back_to_every_tab_by_itself(server: Server) -> None:
    id_ = server.ingest("Later")["notification_id"]
    with server.websocket() as one, server.websocket() as two:
        one.receive(), two.receive()
        before = server.detail(id_)
        # Long enough to look at it, and then soon over.
        status, answer = patch(server, id_, {"snoozedUntil": ahead(3600)})
        assert (status, answer["changed"]) == (200, 1)
        for tab in (one, two):
            tab.rows_until(lambda rows: bool(rows.get(id_, {}).get("snoozedUntil")))
        assert server.page()["counts"]["snoozed"] == 1
        assert [row["id"] for row in server.page(view="snoozed")["notifications"]] == [id_]
        assert id_ not in [row["id"] for row in server.page()["notifications"]]
        status, answer = patch(server, id_, {"snoozedUntil": ahead(3)})
        assert (status, answer["changed"]) == (200, 1)
        for tab in (one, two):
            rows = tab.rows_until(lambda rows: rows.get(id_, {}).get("snoozedUntil", 1) is None)
            assert rows[id_]["position"] > before["position"]
            assert rows[id_]["updated"] > before["updated"]
            assert rows[id_]["read"] is None
    assert server.page()["counts"]["snoozed"] == 0


def test_it_is_brought_back_and_undone(server: Server) -> None:
    id_ = server.ingest("Later")["notification_id"]
    _, answer = patch(server, id_, {"snoozedUntil": ahead(3600)})
    value = {"seqs": answer["seqs"], "upTo": answer["cursor"], "snoozedUntil": False}
    undone = server.request("PATCH", f"/{NAMESPACE}/notifications", value)
    assert undone.json()["changed"] == 1
    assert server.detail(id_)["snoozedUntil"] is None


@pytest.mark.parametrize(
    ("status", "value"),
    [
        (400, True),
        (400, 5),
        (400, "tomorrow"),
        (400, "2030-01-01T09:00:00"),
        (409, "2020-01-01T09:00:00Z"),
        (409, "9999-12-31T23:59:59Z"),
    ],
)
def test_a_wrong_time_is_refused_in_one_sentence(server: Server, status: int, value: Any) -> None:
    id_ = server.ingest("Later")["notification_id"]
    found, answer = patch(server, id_, {"snoozedUntil": value})
    assert found == status, answer
    assert answer["message"]
    assert server.detail(id_)["snoozedUntil"] is None


def test_what_must_stay_in_sight_is_not_snoozed(server: Server) -> None:
    id_ = server.ingest("Outage", dismissable=False)["notification_id"]
    status, answer = patch(server, id_, {"snoozedUntil": ahead(3600)})
    assert status == 409
    assert "cannot be snoozed" in answer["message"]
    assert patch(server, id_, {"snoozedUntil": None})[0] == 400
    server.request("DELETE", f"/{NAMESPACE}/ingest/{id_}")
