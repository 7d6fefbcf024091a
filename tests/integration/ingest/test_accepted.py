"""Messages that ingest accepts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ...support.ingest import (
    DEFAULTS,
    FULL_ACTION,
    HUB_PAYLOAD,
    PATHS,
    bearer,
    curl,
    nested,
)
from ...support.servers import ALIAS, NAMESPACE, Server


@PATHS
def test_curl_pushes_what_hubs_in_the_field_send(server: Server, prefix: str) -> None:
    status, body = curl(
        *bearer(server),
        *("-H", "Content-Type: application/json"),
        *("-d", json.dumps(HUB_PAYLOAD)),
        f"{server.url}/{prefix}/ingest",
    )
    assert status == 200
    receipt = json.loads(body)
    assert receipt.keys() == {"success", "notification_id", "seq", "tabs", "durable"}
    assert receipt["success"] is True
    assert receipt["durable"] is True
    (row,) = server.page(limit=1)["notifications"]
    assert row["id"] == receipt["notification_id"]
    assert row["seq"] == receipt["seq"]
    assert row["message"] == HUB_PAYLOAD["message"]
    assert row["type"] == "warning"
    assert row["autoClose"] is False
    (action,) = row["actions"]
    assert {k: v for k, v in action.items() if v is not None} == HUB_PAYLOAD["actions"][0]


@PATHS
def test_a_slash_at_the_end_of_the_path_does_no_harm(server: Server, prefix: str) -> None:
    # Otherwise Jupyter Server would answer 403, and hubs would report a failed authentication.
    status, body = curl(
        "--json", '{"message": "m"}', *bearer(server), server.url + f"/{prefix}/ingest/"
    )
    assert (status, json.loads(body)["success"]) == (200, True)


def test_no_content_type_is_needed(server: Server) -> None:
    """`curl -d` says that it sends a form."""
    status, body = curl(*bearer(server), "-d", '{"message": "a"}', f"{server.url}/{ALIAS}/ingest")
    assert status == 200, body


def test_a_token_in_the_url_is_taken_too(server: Server) -> None:
    status, body = curl(
        "-d", '{"message": "a"}', f"{server.url}/{ALIAS}/ingest?token={server.token}"
    )
    assert status == 200, body


def test_the_receipt_counts_the_open_tabs(make_server: Callable[..., Server]) -> None:
    server = make_server()
    assert server.ingest("a")["tabs"] == 0
    with server.websocket() as one, server.websocket() as two:
        one.receive(), two.receive()
        assert server.ingest("b")["tabs"] == 2


def test_a_message_alone_gets_the_documented_defaults(server: Server) -> None:
    detail = server.detail(server.ingest("Only this")["notification_id"])
    assert detail["message"] == "Only this"
    assert {name: detail[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message", "x"),
        ("message", "x" * 4096),
        ("message", "\U0001f680" * 4096),
        ("message", "line\nand\ttab, \u0000 and \u202e too"),
        *(("type", t) for t in ("default", "info", "success", "warning", "error", "in-progress")),
        ("autoClose", False),
        ("autoClose", True),
        ("autoClose", 0),
        ("autoClose", 5000),
        ("autoClose", 2**31 - 1),
        ("autoClose", None),
        ("actions", []),
        ("actions", [FULL_ACTION] * 5),
        *(
            ("actions", [{**FULL_ACTION, "displayType": d}])
            for d in ("default", "accent", "warn", "link", None)
        ),
        ("actions", [{**FULL_ACTION, "url": "mailto:help@example.org"}]),
        ("actions", [{**FULL_ACTION, "url": "HTTP://EXAMPLE.ORG"}]),
        ("body", "# Title\n\n| a |\n|---|\n"),
        ("body", "b" * 32 * 1024),
        ("markdown", True),
        ("banner", True),
        ("dismissable", False),
        ("key", "k"),
        ("key", "k" * 200),
        ("source", "s" * 80),
        *(("data", d) for d in (None, 0, 1.5, "text", [1, [2]], {"a": {"b": None}}, False)),
        ("data", nested(32)),
        ("data", 2**70),
    ],
)
def test_a_field_comes_back_as_it_was_sent(server: Server, field: str, value: Any) -> None:
    sent = {"message": "m", "key": None, field: value}
    detail = server.detail(server.ingest(sent)["notification_id"])
    assert detail[field] == value
    assert type(detail[field]) is type(value)
    assert detail["hasBody"] is (detail["body"] is not None)


def test_an_action_needs_only_its_label(server: Server) -> None:
    detail = server.detail(server.ingest("m", actions=[{"label": "OK"}])["notification_id"])
    (action,) = detail["actions"]
    assert action.pop("label") == "OK"
    assert set(action.values()) == {None}


@pytest.mark.parametrize("progress", [0, 0.25, 1])
def test_progress_goes_with_in_progress(server: Server, progress: float) -> None:
    running = server.ingest("m", type="in-progress", progress=progress)
    assert server.detail(running["notification_id"])["progress"] == progress
    # A job's last message may still carry it.
    done = server.ingest("m", type="success", progress=progress)
    assert server.detail(done["notification_id"])["progress"] is None


@pytest.mark.parametrize("offset", ["Z", "z", "+00:00", "-11:30"])
def test_expires_at_is_kept_in_utc(server: Server, offset: str) -> None:
    detail = server.detail(
        server.ingest("m", expiresAt=f"2099-01-31T22:00:00.25{offset}")["notification_id"]
    )
    expected = "2099-02-01T09:30" if offset == "-11:30" else "2099-01-31T22:00"
    assert detail["expiresAt"] == f"{expected}:00.250Z"


def test_ttl_counts_from_now_and_expires_at_wins(server: Server) -> None:
    detail = server.detail(server.ingest("m", ttl=3600)["notification_id"])
    left = datetime.fromisoformat(detail["expiresAt"].replace("Z", "+00:00")) - datetime.now(
        timezone.utc
    )
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    both = server.ingest("m", ttl=3600, expiresAt="2099-01-31T22:00:00Z")
    assert server.detail(both["notification_id"])["expiresAt"] == "2099-01-31T22:00:00.000Z"


@pytest.mark.parametrize("when", [{"ttl": 0}, {"expiresAt": "1999-12-31T23:59:59Z"}])
def test_what_has_expired_already_is_taken_but_never_shown(
    server: Server, when: dict[str, Any]
) -> None:
    before = server.page()["counts"]
    receipt = server.ingest("too late", **when)
    assert server.page()["counts"] == before
    assert receipt["notification_id"] not in {r["id"] for r in server.page()["notifications"]}
    answer = server.request("GET", f"/{NAMESPACE}/notifications/{receipt['notification_id']}")
    assert answer.status_code == 404


def test_what_expires_while_it_is_shown_goes_from_every_tab(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    with server.websocket() as tab:
        tab.receive()
        id_ = server.ingest("soon gone", ttl=1)["notification_id"]
        rows = tab.rows_until(lambda rows: id_ in rows and bool(rows[id_]["expired"]))
    assert rows[id_]["message"] == ""
    assert server.page()["counts"] == {"inbox": 0, "unread": 0, "dismissed": 0, "snoozed": 0}


def test_unknown_fields_are_ignored(server: Server) -> None:
    receipt = server.ingest(
        "m",
        immediate=True,
        future={"deep": [1]},
        id="mine",
        seq=-1,
        actions=[{"label": "a", "callback": "x"}],
    )
    detail = server.detail(receipt["notification_id"])
    assert detail["id"] != "mine"
    assert "immediate" not in detail
    assert "future" not in detail
    assert "callback" not in detail["actions"][0]


def test_null_stands_for_a_field_that_is_not_given(server: Server) -> None:
    names = ("autoClose", "actions", "body", "key", "progress", "expiresAt", "ttl", "source")
    detail = server.detail(server.ingest("m", **dict.fromkeys(names))["notification_id"])
    assert {name: detail[name] for name in DEFAULTS} == DEFAULTS


def test_milliseconds_with_a_fraction_are_cut(server: Server) -> None:
    detail = server.detail(server.ingest("m", autoClose=1500.7)["notification_id"])
    assert detail["autoClose"] == 1500
