"""What contracts/ingest promises to senders, row by row."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from .servers import ALIAS, NAMESPACE, Server

#: What hubs in the field send.
HUB_PAYLOAD = {
    "message": "Maintenance scheduled for 10 PM tonight",
    "type": "warning",
    "autoClose": False,
    "actions": [
        {"label": "Dismiss", "caption": "Close this notification", "displayType": "default"}
    ],
}

PATHS = pytest.mark.parametrize("prefix", [NAMESPACE, ALIAS])


def curl(*arguments: str) -> tuple[int, str]:
    """Return the status and the body that real curl gets."""
    program = shutil.which("curl")
    assert program, "curl is needed: the contract is kept to what scripts in the field use"
    ran = subprocess.run(
        [
            *(program, "--silent", "--show-error", "--noproxy", "*", "--max-time", "20"),
            *("--write-out", r"\n%{http_code}", *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ran.returncode == 0, ran.stderr
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), body


def bearer(server: Server) -> list[str]:
    return ["-H", f"Authorization: Bearer {server.token}"]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    return value


def escaped(value: Any) -> bytes:
    """Return JSON with only that escaped which UTF-8 cannot hold."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


@pytest.fixture
def refused(server: Server) -> Iterator[Callable[..., dict[str, Any]]]:
    """Return a function that sends what must be refused; nothing of the store may change."""
    before = server.status()

    def send(
        body: bytes | str | dict[str, Any],
        status: int = 400,
        method: str = "POST",
        path: str = f"/{NAMESPACE}/ingest",
        **options: Any,
    ) -> dict[str, Any]:
        content = escaped(body) if isinstance(body, dict) else body
        answer = server.request(method, path, content=content, **options)
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        value = answer.json()
        assert value["success"] is False
        assert value["message"]
        assert isinstance(value["errors"], list)
        return dict(value)

    yield send
    after = server.status()
    assert after["counts"] == before["counts"]
    assert after["store"]["seq"] == before["store"]["seq"]


# The payload of the field


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
    # Else Jupyter Server answers, with 403: hubs would say that the authentication failed.
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


# Each field: what is taken

DEFAULTS = {
    "source": "Jupyter",
    "key": None,
    "type": "info",
    "markdown": False,
    "hasBody": False,
    "autoClose": None,
    "actions": [],
    "progress": None,
    "banner": False,
    "dismissable": True,
    "expiresAt": None,
    "read": None,
    "dismissed": None,
    "revoked": None,
    "expired": None,
    "body": None,
    "data": None,
}


def test_a_message_alone_gets_the_documented_defaults(server: Server) -> None:
    detail = server.detail(server.ingest("Only this")["notification_id"])
    assert detail["message"] == "Only this"
    assert {name: detail[name] for name in DEFAULTS} == DEFAULTS


FULL_ACTION = {
    "label": "l" * 80,
    "caption": "c" * 200,
    "displayType": "link",
    "commandId": "i" * 200,
    "args": {"path": ["a", 1, None]},
    "url": "https://" + "u" * 2040,
}


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
    assert server.page()["counts"] == {"inbox": 0, "unread": 0, "dismissed": 0}


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


# Each field: what is refused


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("message", {"message": None}),
        ("message", {"message": ""}),
        ("message", {"message": " \n\t"}),
        ("message", {"message": "x" * 4097}),
        ("message", {"message": 5}),
        ("message", {"message": ["x"]}),
        ("message", {"message": "half \ud800 of a pair"}),
        ("type", {"type": "warn"}),
        ("type", {"type": "Warning"}),
        ("type", {"type": 1}),
        ("type", {"type": None}),
        *(
            ("autoClose", {"autoClose": a})
            for a in ("5000", "false", -1, 2**31, 10**300, [], {"ms": 1})
        ),
        ("actions", {"actions": "x"}),
        ("actions", {"actions": {"label": "x"}}),
        ("actions", {"actions": [{"label": "x"}] * 6}),
        ("actions[0]", {"actions": [1]}),
        ("actions[0].label", {"actions": [{}]}),
        ("actions[1].label", {"actions": [{"label": "x"}, {"label": ""}]}),
        ("actions[0].label", {"actions": [{"label": "x" * 81}]}),
        ("actions[0].label", {"actions": [{"label": 1}]}),
        ("actions[0].caption", {"actions": [{"label": "x", "caption": "x" * 201}]}),
        ("actions[0].displayType", {"actions": [{"label": "x", "displayType": "primary"}]}),
        ("actions[0].commandId", {"actions": [{"label": "x", "commandId": "x" * 201}]}),
        ("actions[0].commandId", {"actions": [{"label": "x", "commandId": 1}]}),
        ("actions[0].args", {"actions": [{"label": "x", "args": [1]}]}),
        ("actions[0].args", {"actions": [{"label": "x", "args": {"a": nested(32)}}]}),
        *(
            ("actions[0].url", {"actions": [{"label": "x", "url": u}]})
            for u in (
                "javascript:alert(1)",
                "java\nscript:alert(1)",
                "data:text/html,x",
                "file:///etc/passwd",
                "/lab",
                "//example.org",
                "https://exa mple.org",
                "https://example.org/" + "x" * 2048,
                "",
                5,
            )
        ),
        ("body", {"body": 5}),
        ("body", {"body": "b" * (32 * 1024 + 1)}),
        ("body", {"body": "é" * (16 * 1024 + 1)}),
        ("markdown", {"markdown": "true"}),
        ("markdown", {"markdown": 1}),
        ("key", {"key": ""}),
        ("key", {"key": "k" * 201}),
        ("key", {"key": 5}),
        *(("progress", {"type": "in-progress", "progress": p}) for p in (-0.1, 1.01, "0.5", True)),
        *(
            ("expiresAt", {"expiresAt": e})
            for e in (
                "tomorrow",
                "2099-01-31",
                "2099-01-31T22:00:00",
                "2099-02-31T22:00:00Z",
                4070908800,
                "4070908800",
                True,
                [],
            )
        ),
        *(("ttl", {"ttl": t}) for t in (-1, "60", 315_360_001, True)),
        *(("heartbeat", {"heartbeat": h}) for h in (4.9, "60", 86_401, True)),
        ("banner", {"banner": "yes"}),
        ("dismissable", {"dismissable": 0}),
        ("source", {"source": ""}),
        ("source", {"source": "s" * 81}),
        ("source", {"source": 5}),
        ("source", {"source": "\udfff"}),
        ("data", {"data": nested(33)}),
        ("data", {"data": ["\udfff"]}),
        ("data", {"data": {"\udfff": 1}}),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(
    refused: Callable[..., dict[str, Any]], field: str, fields: dict[str, Any]
) -> None:
    answer = refused({"message": "m", **fields})
    assert [error["field"] for error in answer["errors"]] == [field]
    assert answer["errors"][0]["message"]
    assert f"Field {field}: " in answer["message"]
    assert answer["message"].count("\n") == 0


def test_a_length_is_said_in_characters_and_entries(
    refused: Callable[..., dict[str, Any]],
) -> None:
    actions = [{"label": "x" * 81}, {"label": ""}]
    answer = refused({"message": "x" * 4097, "key": "", "actions": actions})
    assert {error["field"]: error["message"] for error in answer["errors"]} == {
        "message": "must have at most 4096 characters, not 4097",
        "key": "must not be empty",
        "actions[0].label": "must have at most 80 characters, not 81",
        "actions[1].label": "must not be empty",
    }
    answer = refused({"message": "m", "actions": [{"label": "x"}] * 6})
    assert answer["message"] == "Field actions: must have at most 5 entries, not 6"


def test_a_message_without_message_is_refused(refused: Callable[..., dict[str, Any]]) -> None:
    assert refused({"type": "info"})["errors"][0]["field"] == "message"


def test_every_wrong_field_is_named(refused: Callable[..., dict[str, Any]]) -> None:
    answer = refused({"message": "", "type": "x", "ttl": -1, "actions": [{"label": 1}]})
    assert {error["field"] for error in answer["errors"]} == {
        "message",
        "type",
        "ttl",
        "actions[0].label",
    }


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1e309", "9" * 400], ids=["1e400", "-1e400", "1e309", "9…"]
)
@pytest.mark.parametrize("field", ["autoClose", "progress", "ttl", "message", "expiresAt"])
def test_a_number_too_large_is_refused_by_its_field(
    refused: Callable[..., dict[str, Any]], field: str, number: str
) -> None:
    rest = "" if field == "message" else ', "message": "m"'
    answer = refused(f'{{"{field}": {number}{rest}}}')
    assert [error["field"] for error in answer["errors"]] == [field]


@pytest.mark.parametrize("number", ["1e400", '{"a": [-1e999]}'])
def test_data_that_no_browser_can_parse_is_refused(
    refused: Callable[..., dict[str, Any]], number: str
) -> None:
    answer = refused(f'{{"message": "m", "data": {number}}}')
    assert [error["field"] for error in answer["errors"]] == ["data"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"message=hello", "not JSON"),
        (b"{'message': 'm'}", "not JSON"),
        (b'{"message": "m",}', "not JSON"),
        (b'{"message": "m"} x', "not JSON"),
        (b"\xef\xbb\xbf" + b'{"message": "m"}', "not JSON"),
        (b'{"message": "m", "data": NaN}', "NaN"),
        (b'{"message": "m", "data": Infinity}', "Infinity"),
        (b'{"message": "m", "ttl": -Infinity}', "-Infinity"),
        (b"[]", "JSON object"),
        (b'[{"message": "m"}]', "JSON object"),
        (b'"message"', "JSON object"),
        (b"null", "JSON object"),
        (b"5", "JSON object"),
        (b'{"message": "\xff"}', "UTF-8"),
        (b'{"message": "\xed\xa0\x80"}', "UTF-8"),
        ('{"message": "m"}'.encode("utf-16"), "UTF-8"),
        (b'{"message": "m", "ttl": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"message": "m", "data": ' + b"[" * 30000 + b"]" * 30000 + b"}", "deep"),
        (b'{"data": ' * 5000 + b"1" + b"}" * 5000, "deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:24].decode("latin-1"),
)
def test_a_body_that_is_not_a_json_object_is_refused(
    refused: Callable[..., dict[str, Any]], body: bytes, says: str
) -> None:
    assert says in refused(body)["message"]


def test_of_a_name_given_twice_the_last_counts(server: Server) -> None:
    """As every JSON parser of the field has it."""
    answer = server.request(
        "POST", f"/{NAMESPACE}/ingest", content=b'{"message": "one", "message": "two"}'
    )
    assert answer.status_code == 200
    assert server.detail(answer.json()["notification_id"])["message"] == "two"


# Sizes of the whole


def padded(size: int) -> bytes:
    """Return a valid message of just so many bytes."""
    head, tail = b'{"message": "m", "padding": "', b'"}'
    return head + b"x" * (size - len(head) - len(tail)) + tail


def in_pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 5000):
        yield body[start : start + 5000]


def test_64_kib_are_taken(server: Server) -> None:
    for content in (padded(64 * 1024), in_pieces(padded(64 * 1024))):
        answer = server.request("POST", f"/{NAMESPACE}/ingest", content=content)
        assert answer.status_code == 200, answer.text


@PATHS
@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
@pytest.mark.parametrize("size", [64 * 1024 + 1, 3_000_000])
def test_more_than_64_kib_are_refused(
    refused: Callable[..., dict[str, Any]], size: int, chunked: bool, prefix: str
) -> None:
    body = padded(size)
    answer = refused(
        in_pieces(body) if chunked else body,  # type: ignore[arg-type]
        413,
        path=f"/{prefix}/ingest",
    )
    assert "64 KiB" in answer["message"]


@pytest.mark.parametrize("header", [[], ["-H", "Transfer-Encoding: chunked"]])
def test_curl_sees_the_413(
    server: Server, refused: object, tmp_path: Any, header: list[str]
) -> None:
    del refused
    file = tmp_path / "body"
    file.write_bytes(padded(200_000))
    status, body = curl(
        *bearer(server), *header, "--data-binary", f"@{file}", f"{server.url}/{ALIAS}/ingest"
    )
    assert status == 413
    assert json.loads(body)["success"] is False


def test_a_compressed_body_is_refused(refused: Callable[..., dict[str, Any]]) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = refused(gzip.compress(padded(100)), 415, headers=headers)
    assert answer["message"] == (
        "The request body must be sent as it is, without a Content-Encoding."
    )


def test_a_body_that_says_that_it_is_not_encoded_is_taken(server: Server) -> None:
    headers = {"Content-Encoding": "identity"}
    answer = server.request("POST", f"/{NAMESPACE}/ingest", content=padded(100), headers=headers)
    assert answer.status_code == 200, answer.text


def test_a_flood_is_cut_off_and_the_server_goes_on(server: Server) -> None:
    """What is far over the bound is not even read to its end."""
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1 << 20
            yield b" " * (1 << 20)

    before = server.status()["store"]["seq"]
    try:
        answer = server.request("POST", f"/{NAMESPACE}/ingest", content=flood())
    except httpx.TransportError:
        pass
    else:
        assert answer.status_code == 413
    assert sent < 100 << 20
    assert server.status()["store"]["seq"] == before
    assert "Traceback" not in server.log


# Keys


def path_of(key: str, prefix: str = NAMESPACE) -> str:
    return f"/{prefix}/ingest/{key}"


@PATHS
@pytest.mark.parametrize(
    ("in_path", "key"),
    [
        ("plain", "plain"),
        ("jobs/42/steps/3", "jobs/42/steps/3"),
        ("jobs%2F43", "jobs/43"),
        ("caf%C3%A9%20%F0%9F%9A%80", "café 🚀"),
        ("a%3Fb%23c%25d%26e", "a?b#c%d&e"),
        ("two%0Alines", "two\nlines"),
        ("k" * 200, "k" * 200),
        ("trailing/", "trailing/"),
    ],
)
def test_put_and_delete_take_the_key_in_the_path(
    server: Server, prefix: str, in_path: str, key: str
) -> None:
    answer = server.request("PUT", path_of(in_path, prefix), {"message": "m"})
    assert answer.status_code == 200, answer.text
    id_ = answer.json()["notification_id"]
    assert server.detail(id_)["key"] == key
    # The same as a POST with this key.
    assert server.ingest("m", key=key)["notification_id"] == id_
    answer = server.request("DELETE", path_of(in_path, prefix))
    assert answer.status_code == 200, answer.text
    assert answer.json()["notification_id"] == id_
    assert server.request("GET", f"/{NAMESPACE}/notifications/{id_}").status_code == 404


def test_the_key_in_the_path_wins(server: Server) -> None:
    answer = server.request("PUT", path_of("in-path"), {"message": "m", "key": "in-body"})
    assert server.detail(answer.json()["notification_id"])["key"] == "in-path"


def test_a_key_in_the_path_keeps_the_limits(refused: Callable[..., dict[str, Any]]) -> None:
    answer = refused({"message": "m"}, method="PUT", path=path_of("k" * 201))
    assert answer["errors"][0]["field"] == "key"
    refused(b"", method="DELETE", path=path_of("k" * 201))
    refused({"message": "m"}, method="PUT", path=path_of("%FF"))
    refused(b"", method="DELETE", path=path_of("%FF"))
    refused(padded(70_000), 413, method="PUT", path=path_of("large"))
    refused(b"[]", method="PUT", path=path_of("array"))


def test_who_is_refused_before_the_body_came_is_told_that_the_connection_ends(
    server: Server,
) -> None:
    # Else a sender that keeps its connection has its next request reset.
    for method in ("PUT", "DELETE"):
        answer = server.request(method, path_of("%FF"), {"message": "m"})
        assert (answer.status_code, answer.headers["connection"]) == (400, "close")
    kept = server.request("PUT", path_of("kept"), {"message": ""})
    assert kept.status_code == 400
    assert "connection" not in kept.headers


def test_the_same_key_replaces_in_place(server: Server) -> None:
    first = server.ingest("one", key="replace", body="b", data=1)
    before = server.page()["counts"]["inbox"]
    second = server.ingest("two", key="replace")
    assert second["notification_id"] == first["notification_id"]
    assert second["seq"] > first["seq"]
    detail = server.detail(first["notification_id"])
    assert detail["message"] == "two"
    # Nothing of the first is left over.
    assert detail["body"] is None
    assert detail["data"] is None
    assert server.page()["counts"]["inbox"] == before


def test_steps_of_a_progress_are_quiet_and_its_end_is_announced(server: Server) -> None:
    job = {"key": "progress", "type": "in-progress", "message": "Job"}
    id_ = server.ingest(job, progress=0)["notification_id"]
    server.change(id_, read=True)
    start = server.detail(id_)
    server.ingest(job, progress=0.5)
    half = server.detail(id_)
    assert half["progress"] == 0.5
    assert half["seq"] > start["seq"]
    assert half["position"] == start["position"]
    assert half["read"] == start["read"]
    assert half["updated"] == start["updated"]
    server.change(id_, dismissed=True)
    server.ingest({**job, "type": "success", "message": "Job finished"})
    end = server.detail(id_)
    assert end["position"] == end["seq"] > half["position"]
    assert end["read"] is None
    assert end["dismissed"] is None
    assert end["created"] == start["created"]
    assert server.page(limit=1)["notifications"][0]["id"] == id_


def test_a_retry_of_the_same_message_changes_nothing(server: Server) -> None:
    message = {**HUB_PAYLOAD, "key": "retry", "body": "b", "data": {"a": [1]}}
    first = server.ingest(message)
    server.change(first["notification_id"], read=True)
    state = server.detail(first["notification_id"])
    again = server.ingest(message)
    assert again["notification_id"] == first["notification_id"]
    assert again["seq"] == state["seq"]
    assert server.detail(first["notification_id"]) == state


def test_a_retry_with_a_ttl_does_not_call_again(server: Server) -> None:
    message = {"message": "m", "key": "ttl-retry", "ttl": 3600}
    id_ = server.ingest(message)["notification_id"]
    server.change(id_, read=True)
    state = server.detail(id_)
    server.ingest(message)
    again = server.detail(id_)
    assert again["read"] == state["read"]
    assert again["position"] == state["position"]


def test_a_key_belongs_to_its_source(server: Server) -> None:
    ids = {
        source: server.ingest("m", key="shared", source=source)["notification_id"]
        for source in ("queue", "quota")
    }
    assert ids["queue"] != ids["quota"]
    for source, id_ in ids.items():
        detail = server.detail(id_)
        assert (detail["key"], detail["source"]) == ("shared", source)
        assert server.ingest("n", key="shared", source=source)["notification_id"] == id_


# Revoking


def test_revoking_by_id_takes_it_from_every_list_and_tab(make_server: Any) -> None:
    server = make_server()
    with server.websocket() as tab:
        tab.receive()
        id_ = server.ingest(HUB_PAYLOAD, body="secret")["notification_id"]
        tab.rows_until(lambda rows: id_ in rows)
        answer = server.request("DELETE", path_of(id_))
        assert answer.status_code == 200
        receipt = answer.json()
        assert receipt["notification_id"] == id_
        assert receipt["tabs"] == 1
        rows = tab.rows_until(lambda rows: id_ in rows)
        assert rows[id_]["revoked"]
        assert rows[id_]["seq"] == receipt["seq"]
        # A tombstone says nothing any more.
        assert rows[id_]["message"] == ""
        assert rows[id_]["actions"] == []
        assert rows[id_]["key"] is None
    assert server.page()["notifications"] == []
    assert server.page(view="dismissed")["notifications"] == []
    assert server.page()["counts"] == {"inbox": 0, "unread": 0, "dismissed": 0}
    assert server.request("DELETE", path_of(id_)).status_code == 404


def test_what_was_revoked_can_be_sent_anew(server: Server) -> None:
    first = server.ingest("m", key="again")["notification_id"]
    assert server.request("DELETE", path_of("again")).status_code == 200
    assert server.ingest("m", key="again")["notification_id"] != first


def test_revoking_a_key_of_several_sources_asks_which(server: Server) -> None:
    ids = {s: server.ingest("m", key="both", source=s)["notification_id"] for s in ("a", "b")}
    answer = server.request("DELETE", path_of("both"))
    assert answer.status_code == 409
    assert "source" in answer.json()["message"]
    other = server.request("DELETE", path_of("both"), params={"source": "c"})
    assert other.status_code == 404
    one = server.request("DELETE", path_of("both"), params={"source": "b"})
    assert one.json()["notification_id"] == ids["b"]
    # Now it is plain which is meant.
    rest = server.request("DELETE", path_of("both"))
    assert rest.json()["notification_id"] == ids["a"]


def test_revoking_what_is_not_there_is_a_404(refused: Callable[..., dict[str, Any]]) -> None:
    assert (
        "nothing-here"
        in refused(b"", 404, method="DELETE", path=path_of("nothing-here"))["message"]
    )


@pytest.mark.parametrize("query", ["source=a&source=b", "source=" + "s" * 81])
def test_revoking_with_a_wrong_source_is_refused(
    refused: Callable[..., dict[str, Any]], query: str
) -> None:
    answer = refused(b"", method="DELETE", path=f"{path_of('x')}?{query}")
    assert "source" in answer["message"]


@PATHS
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, "/ingest") for method in ("GET", "PUT", "PATCH", "DELETE")),
        *((method, "/ingest/") for method in ("GET", "PUT", "DELETE")),
        *((method, "/ingest/k") for method in ("GET", "POST", "PATCH")),
    ],
)
def test_other_methods_are_refused(
    refused: Callable[..., dict[str, Any]], prefix: str, method: str, path: str
) -> None:
    refused({"message": "m"}, 405, method=method, path=f"/{prefix}{path}")


# When to try again


@pytest.mark.parametrize(
    ("lines", "says", "retry_after"),
    [
        ("NotifyApp.max_waiting = 0", "Too much is waiting", "2"),
        # Nothing is gained by trying again.
        ("connection.MINIMUM_SQLITE = (99, 1, 0)", "99.1.0 or later is needed", None),
    ],
    ids=["busy", "old"],
)
def test_only_who_knows_when_to_try_again_says_so(
    make_server: Callable[..., Server],
    lines: str,
    says: str,
    retry_after: str | None,
) -> None:
    imports = "from jupyterlab_notify.app import NotifyApp\n"
    imports += "from jupyterlab_notify.storage import connection\n"
    server = make_server(config_py=f"{imports}{lines}\n")
    for method, path in (("POST", "ingest"), ("GET", "notifications"), ("GET", "status")):
        value = {"message": "m"} if method == "POST" else None
        answer = server.request(method, f"/{NAMESPACE}/{path}", value)
        assert answer.status_code == 503
        assert says in answer.json()["message"]
        assert answer.headers.get("retry-after") == retry_after
