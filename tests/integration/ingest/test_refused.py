"""Messages that ingest refuses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from ...support.ingest import (
    PATHS,
    bearer,
    curl,
    in_pieces,
    nested,
    padded,
)
from ...support.servers import ALIAS, NAMESPACE, Server


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
    """Every JSON parser of the field has it so."""
    answer = server.request(
        "POST", f"/{NAMESPACE}/ingest", content=b'{"message": "one", "message": "two"}'
    )
    assert answer.status_code == 200
    assert server.detail(answer.json()["notification_id"])["message"] == "two"


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
    """A body far over the bound is not even read to its end."""
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
