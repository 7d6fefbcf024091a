"""Keys and revoking over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ...support.ingest import (
    HUB_PAYLOAD,
    PATHS,
    padded,
    path_of,
)
from ...support.servers import NAMESPACE, Server


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
    # Otherwise the next request of a sender that keeps its connection would be reset.
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
        # A tombstone holds no content.
        assert rows[id_]["message"] == ""
        assert rows[id_]["actions"] == []
        assert rows[id_]["key"] is None
    assert server.page()["notifications"] == []
    assert server.page(view="dismissed")["notifications"] == []
    assert server.page()["counts"] == {"inbox": 0, "unread": 0, "dismissed": 0, "snoozed": 0}
    assert server.request("DELETE", path_of(id_)).status_code == 404


def test_what_was_revoked_can_be_sent_anew(server: Server) -> None:
    first = server.ingest("m", key="again")["notification_id"]
    assert server.request("DELETE", path_of("again")).status_code == 200
    assert server.ingest("m", key="again")["notification_id"] != first


@pytest.mark.parametrize("mark", ["\0", "\x1b", "\x07"])
def test_a_source_with_a_control_character_is_not_the_one_with_a_space(
    server: Server, mark: str
) -> None:
    server.ingest("m", source="bot ", key="k")
    named = {"source": f"bot{mark}"}
    for method in ("GET", "DELETE"):
        answer = server.request(method, path_of("k"), params=named)
        assert answer.status_code == 404, answer.text
    id_ = server.ingest("m", key="k", **named)["notification_id"]
    answer = server.request("DELETE", path_of("k"), params=named)
    assert answer.json()["notification_id"] == id_


def test_what_another_source_said_is_taken_back_only_with_that_source_named(
    server: Server,
) -> None:
    ids = {s: server.ingest("m", key="both", source=s)["notification_id"] for s in ("a", "b")}
    for which in ("both", ids["a"], ids["b"]):
        for params in ({}, {"source": "c"}, {"source": "A"}):
            answer = server.request("DELETE", path_of(which), params=params)
            assert answer.status_code == 404
            assert "name that source" in answer.json()["message"]
    crossed = server.request("DELETE", path_of(ids["a"]), params={"source": "b"})
    assert crossed.status_code == 404
    assert {server.detail(id_)["source"] for id_ in ids.values()} == {"a", "b"}
    for source, which in (("b", "both"), ("a", ids["a"])):
        one = server.request("DELETE", path_of(which), params={"source": source})
        assert one.json()["notification_id"] == ids[source]


def test_what_another_source_said_is_replaced_only_with_that_source_named(
    server: Server,
) -> None:
    first = server.ingest("m", key="plan", source="a")["notification_id"]
    for params, same in (({}, False), ({"source": "b"}, False), ({"source": "a"}, True)):
        answer = server.request("PUT", path_of("plan"), {"message": "n"}, params=params)
        assert (answer.json()["notification_id"] == first) is same


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
        *((method, "/ingest/k") for method in ("POST", "PATCH")),
    ],
)
def test_other_methods_are_refused(
    refused: Callable[..., dict[str, Any]], prefix: str, method: str, path: str
) -> None:
    refused({"message": "m"}, 405, method=method, path=f"/{prefix}{path}")


@pytest.mark.parametrize(
    ("lines", "says", "retry_after"),
    [
        ("NotifyApp.max_waiting = 0", "Too much is waiting", "2"),
        # Another attempt would not help.
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


def test_put_takes_the_source_from_the_query(server: Server) -> None:
    path = f"{path_of('of-a-source')}?source=quota"
    first = server.request("PUT", path, json={"message": "one"}).json()
    again = server.request("PUT", path, json={"message": "two", "source": "quota"}).json()
    assert first["notification_id"] == again["notification_id"]
    assert server.detail(first["notification_id"])["source"] == "quota"
    other = server.request("PUT", path, json={"message": "three", "source": "another"})
    assert other.status_code == 400 and "differ" in other.json()["message"]
    assert server.detail(first["notification_id"])["message"] == "two"
    empty = server.request("PUT", f"{path_of('k')}?source=", json={"message": "m"})
    assert empty.status_code == 400
    assert server.request("DELETE", path).status_code == 200
