"""The list, one notification, and the changes of state that a user makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest

from jupyterlab_notify.storage import Storage

from ..support.servers import NAMESPACE, Server
from ..support.storage import live

LIST = f"/{NAMESPACE}/notifications"


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("list"))
    try:
        yield server.start()
    finally:
        server.stop()
        server.client.close()


@pytest.fixture
def inbox(module_server: Server) -> Server:
    """Return a server whose list is empty."""
    for view in ("inbox", "dismissed"):
        while rows := module_server.page(view=view, limit=200)["notifications"]:
            for row in rows:
                path = f"/{NAMESPACE}/ingest/{row['id']}?source={quote(row['source'])}"
                assert module_server.request("DELETE", path).status_code == 200
    return module_server


def patch(server: Server, **change: Any) -> dict[str, Any]:
    answer = server.request("PATCH", LIST, change)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def ids(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["notifications"]]


def push(server: Server, count: int, **fields: Any) -> list[str]:
    return [server.ingest(f"message {n}", **fields)["notification_id"] for n in range(count)]


def test_the_newest_is_first(inbox: Server) -> None:
    sent = push(inbox, 5)
    page = inbox.page()
    assert ids(page) == sent[::-1]
    assert page["next"] is None
    assert page["counts"] == {"inbox": 5, "unread": 5, "dismissed": 0, "snoozed": 0}


def test_a_list_carries_no_long_texts(inbox: Server) -> None:
    id_ = inbox.ingest("m", body="long", data={"a": 1})["notification_id"]
    (row,) = inbox.page()["notifications"]
    assert row["hasBody"] is True
    assert "body" not in row
    assert "data" not in row
    detail = inbox.detail(id_)
    assert detail["body"] == "long"
    assert detail["data"] == {"a": 1}
    assert {name: detail[name] for name in row} == row


def test_paging_shows_everything_once_while_messages_come_in(inbox: Server) -> None:
    sent = push(inbox, 60)
    seen: list[str] = []
    started, stop = Event(), Event()

    def keep_pushing() -> int:
        count = 0
        while not stop.is_set():
            inbox.ingest(f"new {count}")
            count += 1
            started.set()
        return count

    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(keep_pushing)
        try:
            assert started.wait(10)
            page = inbox.page(limit=7)
            seen += ids(page)
            while page["next"] is not None:
                page = inbox.page(limit=7, before=page["next"])
                seen += ids(page)
        finally:
            stop.set()
        assert pushing.result(10) > 1
    assert len(seen) == len(set(seen))
    # All messages that existed at the first page are there; later messages are above them.
    assert seen[-60:] == sent[::-1]


def test_paging_ends_where_a_page_is_just_full(inbox: Server) -> None:
    sent = push(inbox, 6)
    first = inbox.page(limit=3)
    assert ids(first) == sent[:2:-1]
    second = inbox.page(limit=3, before=first["next"])
    assert ids(second) == sent[2::-1]
    assert second["next"] is None
    assert ids(inbox.page(before=0)) == []


def test_views_show_what_their_names_say(inbox: Server) -> None:
    unread, read, dismissed = push(inbox, 3)
    inbox.change(read, read=True)
    inbox.change(dismissed, dismissed=True)
    assert ids(inbox.page(view="inbox")) == [read, unread]
    assert ids(inbox.page(view="unread")) == [unread]
    assert ids(inbox.page(view="dismissed")) == [dismissed]
    assert inbox.page()["counts"] == {"inbox": 2, "unread": 1, "dismissed": 1, "snoozed": 0}
    assert inbox.status()["counts"] == inbox.page()["counts"]


def test_filters_narrow_the_list(inbox: Server) -> None:
    job = inbox.ingest("Job 7 finished", type="success", source="Batch Queue", body="Änderung ok")
    disk = inbox.ingest("Disk nearly full", type="warning", source="Quota")
    fire = inbox.ingest("100% _sure_", type="error", source="Quota")
    job, disk, fire = (r["notification_id"] for r in (job, disk, fire))
    for params, expected in (
        ({"type": "warning"}, [disk]),
        ([("type", "warning"), ("type", "success")], [disk, job]),
        ({"type": "in-progress"}, []),
        ({"source": "quota"}, [fire, disk]),
        ({"source": "queue"}, [job]),
        ({"q": "FINISHED"}, [job]),
        ({"q": "änderung"}, [job]),
        ({"q": "ÄNDERUNG job"}, [job]),
        ({"q": "full quota"}, [disk]),
        ({"q": "full finished"}, []),
        # They are words, not patterns.
        ({"q": "%"}, [fire]),
        ({"q": "_"}, [fire]),
        ({"q": "'"}, []),
        # Control characters are as good as spaces.
        ({"q": "full\x00quota"}, [disk]),
        ({"q": ""}, [fire, disk, job]),
        ({"q": "quota", "type": "error", "limit": 1}, [fire]),
    ):
        answer = inbox.request("GET", LIST, params=params)
        assert answer.status_code == 200, params
        assert ids(answer.json()) == expected, params


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("view=all", "view"),
        ("view=", "view"),
        ("view=inbox&view=unread", "view"),
        ("type=warn", "type"),
        ("type=", "type"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.0", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=", "limit"),
        ("before=-1", "before"),
        ("before=9007199254740992", "before"),
        ("before=" + "9" * 5000, "before"),
        ("before=1&before=2", "before"),
        ("q=" + "x" * 201, "q"),
        ("source=" + "x" * 81, "source"),
        ("q=%FF", "part q "),
    ],
    ids=lambda value: value[:24],
)
def test_a_wrong_query_is_refused(server: Server, query: str, says: str) -> None:
    answer = server.request("GET", f"{LIST}?{query}")
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert says in answer.json()["message"]


# Changing


def test_a_change_is_seen_in_the_row_and_in_the_counts(inbox: Server) -> None:
    (id_,) = push(inbox, 1)
    for state, expected in (
        ({"read": True}, (True, False)),
        ({"dismissed": True}, (True, True)),
        ({"dismissed": False, "read": False}, (False, False)),
        ({"read": True, "dismissed": True}, (True, True)),
        ({"read": False}, (False, True)),
    ):
        before = inbox.detail(id_)
        changed = inbox.change(id_, **state)
        after = inbox.detail(id_)
        assert (after["read"] is not None, after["dismissed"] is not None) == expected
        assert changed["changed"] == 1
        assert changed["seqs"] == [after["seq"], after["seq"]]
        assert changed["cursor"].endswith(f":{after['seq']}")
        assert after["seq"] > before["seq"]
        # A change by the user does not ask for the user's attention.
        assert after["position"] == before["position"]
        assert after["updated"] == before["updated"]


def test_a_change_that_is_there_already_changes_nothing(inbox: Server) -> None:
    (id_,) = push(inbox, 1)
    inbox.change(id_, read=True)
    before = inbox.detail(id_)
    assert inbox.change(id_, read=True)["changed"] == 0
    again = inbox.change(id_, read=True, dismissed=False)
    assert again["changed"] == 0
    assert again["seqs"] is None
    assert inbox.detail(id_) == before


def test_what_cannot_be_dismissed_is_not(inbox: Server) -> None:
    firm = inbox.ingest("m", dismissable=False)["notification_id"]
    (loose,) = push(inbox, 1)
    answer = inbox.request("PATCH", f"{LIST}/{firm}", {"dismissed": True})
    assert answer.status_code == 409
    assert "cannot be put away" in answer.json()["message"]
    assert patch(inbox, all=True, dismissed=True)["changed"] == 1
    assert ids(inbox.page()) == [firm]
    assert ids(inbox.page(view="dismissed")) == [loose]
    assert inbox.change(firm, read=True)["changed"] == 1


def test_all_or_some_change_at_once(inbox: Server) -> None:
    sent = push(inbox, 5)
    some = patch(inbox, ids=[sent[0], sent[3], sent[0], "unknown"], read=True)
    assert some["changed"] == 2
    assert set(ids(inbox.page(view="unread"))) == {sent[1], sent[2], sent[4]}
    every = patch(inbox, all=True, read=True)
    assert every["changed"] == 3
    assert inbox.page()["counts"]["unread"] == 0
    first, last = every["seqs"]
    assert last - first == 2


def test_undo_by_the_seqs_of_the_answer_brings_back_just_those(inbox: Server) -> None:
    sent = push(inbox, 5)
    inbox.change(sent[1], dismissed=True)
    before = [inbox.detail(id_)["read"] for id_ in sent]
    dismissed = patch(inbox, all=True, dismissed=True)
    assert dismissed["changed"] == 4
    undone = patch(inbox, seqs=dismissed["seqs"], dismissed=False)
    assert undone["changed"] == 4
    # Messages dismissed before stay dismissed.
    assert ids(inbox.page(view="dismissed")) == [sent[1]]
    assert ids(inbox.page()) == [sent[4], sent[3], sent[2], sent[0]]
    assert [inbox.detail(id_)["read"] for id_ in sent] == before


def test_undo_leaves_what_changed_since_then(inbox: Server) -> None:
    sent = push(inbox, 3)
    dismissed = patch(inbox, all=True, dismissed=True)
    inbox.change(sent[0], read=True)
    assert patch(inbox, seqs=dismissed["seqs"], dismissed=False)["changed"] == 2
    assert ids(inbox.page(view="dismissed")) == [sent[0]]


def test_undo_is_refused_where_its_seqs_are_those_of_other_rows(inbox: Server) -> None:
    push(inbox, 2)
    dismissed = patch(inbox, all=True, dismissed=True)
    undo = {"seqs": dismissed["seqs"], "dismissed": False}
    answer = inbox.request("PATCH", LIST, {**undo, "upTo": "another:99999"})
    assert answer.status_code == 409
    assert "no longer be undone" in answer.json()["message"]
    assert inbox.status()["store"]["seq"] == dismissed["seqs"][1]
    assert patch(inbox, **undo, upTo=dismissed["cursor"])["changed"] == 2


def test_all_up_to_a_cursor_spares_what_came_later(inbox: Server) -> None:
    push(inbox, 3)
    inbox.ingest("seen under a key", key="k")
    seen = inbox.page()
    later = inbox.ingest("later")["notification_id"]
    kept = inbox.ingest("later under a known key", key="k")["notification_id"]
    changed = patch(inbox, all=True, upTo=seen["cursor"], dismissed=True)
    assert changed["changed"] == 3
    assert ids(inbox.page()) == [kept, later]
    elsewhere = {"all": True, "upTo": "another:99999", "dismissed": True}
    answer = inbox.request("PATCH", LIST, elsewhere)
    assert answer.status_code == 409
    assert "reloaded in the meantime" in answer.json()["message"]
    assert ids(inbox.page()) == [kept, later]


@pytest.mark.parametrize(
    ("path", "change", "says"),
    [
        ("/{id}", {}, "read"),
        ("/{id}", {"read": "yes"}, "read"),
        ("/{id}", {"dismissed": 1}, "dismissed"),
        ("/{id}", {"read": None}, "read"),
        ("", {"read": True}, "ids"),
        ("", {"all": True}, "read"),
        ("", {"all": False, "read": True}, "all"),
        ("", {"ids": [], "read": True}, "ids"),
        ("", {"ids": ["a"] * 1001, "read": True}, "ids"),
        ("", {"ids": [1], "read": True}, "ids"),
        ("", {"ids": "a", "read": True}, "ids"),
        ("", {"ids": ["a"], "all": True, "read": True}, "just one"),
        ("", {"ids": ["a"], "seqs": [1, 2], "read": True}, "just one"),
        *(
            ("", {"all": True, "upTo": cursor, "read": True}, "upTo")
            for cursor in ("", "e", "e:", ":1", "e:-1", "e:1\n", 1, "e:" + "1" * 17)
        ),
        ("", {"ids": ["a"], "upTo": "e:1", "read": True}, "upTo"),
        ("", {"seqs": [1], "read": True}, "seqs"),
        ("", {"seqs": [1, 2, 3], "read": True}, "seqs"),
        ("", {"seqs": ["1", "2"], "read": True}, "seqs"),
        ("", {"seqs": [1.5, 2], "read": True}, "seqs"),
        ("", {"seqs": [True, 2], "read": True}, "seqs"),
        ("", {"seqs": [0, 2**63], "read": True}, "seqs"),
        ("", {"seqs": [-(2**53), 0], "read": True}, "seqs"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(
    server: Server, path: str, change: dict[str, Any], says: str
) -> None:
    id_ = server.ingest("m")["notification_id"]
    before = server.status()["store"]["seq"]
    answer = server.request("PATCH", LIST + path.format(id=id_), change)
    assert answer.status_code == 400, answer.text
    assert says in answer.json()["message"]
    assert server.status()["store"]["seq"] == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"read": NaN}', b'{"read": "\xff"}'])
@pytest.mark.parametrize("path", [LIST, f"{LIST}/x"])
def test_a_change_that_is_no_json_object_is_refused(server: Server, path: str, body: bytes) -> None:
    assert server.request("PATCH", path, content=body).status_code == 400


def test_a_change_that_is_too_large_is_refused(server: Server) -> None:
    for path in (LIST, f"{LIST}/x"):
        answer = server.request("PATCH", path, {"read": True, "padding": "x" * 70_000})
        assert answer.status_code == 413


def test_a_thousand_ids_change_at_once(server: Server) -> None:
    sent = [server.ingest("m")["notification_id"], *(f"{n:026}" for n in range(999))]
    assert patch(server, ids=sent, read=True)["changed"] == 1


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("id_", ["unknown", "%00", "%F0%9F%9A%80", "a%2Fb", "x" * 3000])
def test_what_is_not_there_is_a_404(server: Server, method: str, id_: str) -> None:
    answer = server.request(method, f"{LIST}/{id_}", {"read": True} if method == "PATCH" else None)
    assert answer.status_code == 404
    assert answer.json()["success"] is False


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "", {"GET", "PATCH"}),
        ("DELETE", "/x", {"GET", "PATCH"}),
        ("PUT", "/x", {"GET", "PATCH"}),
        ("TRACE", "/x", {"GET", "PATCH"}),
    ],
)
def test_a_405_names_the_methods_that_there_are(
    server: Server, method: str, path: str, allowed: set[str]
) -> None:
    answer = server.request(method, LIST + path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) - {"OPTIONS", "HEAD"} == allowed


def test_retention_keeps_the_newest(make_server: Callable[..., Server]) -> None:
    server = make_server(config={"NotifyApp": {"retention_count": 5}})
    sent = push(server, 30)
    page = server.page(limit=200)
    assert 5 <= len(page["notifications"]) <= 6
    assert ids(page) == sent[: -len(ids(page)) - 1 : -1]
    assert page["counts"]["inbox"] == len(ids(page))
    assert server.status()["retention"] == {"days": 90, "count": 5}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            {"retention_days": 7},
            {
                "database": ("here.sqlite", "must be an absolute path"),
                "retention_count": (10**20, "retention_count"),
                "central_url": ("ftp://example.org", "must be a URL such as"),
                "central_interval": (0, "should not be less than 0.1"),
                "central_timeout": (math.nan, "must be a finite number"),
            },
        ),
        (
            {"retention_count": 5},
            {
                "retention_days": ("many", "expected a float"),
                "database": ("/a\0b", "must be an absolute path"),
            },
        ),
        (
            {"retention_count": 5},
            {
                "retention_days": (math.inf, "must be a finite number"),
                "database": ("~nobody-of-this-name/x", "must be an absolute path"),
            },
        ),
    ],
)
def test_a_wrong_value_of_the_configuration_is_one_sentence_and_the_others_hold(
    make_server: Callable[..., Server], right: dict[str, int], wrong: dict[str, tuple[Any, str]]
) -> None:
    given = {**{name: value for name, (value, _) in wrong.items()}, **right}
    server = make_server(
        # Write the configuration as code, in which infinity has a name.
        config_py="from math import inf, nan\n"
        + "".join(f"c.NotifyApp.{name} = {value!r}\n" for name, value in given.items())
    )
    assert server.ingest("m")["durable"] is True
    status = server.status()
    expected = {"retention_days": 90, "retention_count": 10_000, **right}
    assert status["retention"] == {
        "days": expected["retention_days"],
        "count": expected["retention_count"],
    }
    assert status["store"]["path"] == str(server.database)
    lines = [line for line in server.log.splitlines() if "is wrong and is left out" in line]
    assert len(lines) == len(wrong), server.log
    for _, says in wrong.values():
        assert any(says in line for line in lines), (says, lines)
    assert "Traceback" not in server.log
    assert not list(server.root_dir.iterdir())


@pytest.mark.parametrize(
    ("name", "corrupt"),
    [("a folder/ü 日本?x=1&mode=memory#%41.sqlite", True), ("no\udcffutf8", False)],
    ids=["marks", "bytes"],
)
def test_the_database_may_have_any_name(
    make_server: Callable[..., Server], tmp_path: Path, name: str, corrupt: bool
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    database = tmp_path / "link" / name
    if corrupt:
        database.parent.mkdir()
        database.write_bytes(b"garbage!" * 512)
    server = make_server(config={"NotifyApp": {"database": str(database)}})
    assert server.ingest("m")["durable"] is True
    status = server.status()["store"]
    assert status["path"] == str(database).replace("\udcff", "\\udcff")
    assert bool(status["setAside"]) is corrupt
    assert "Traceback" not in server.log
    server.stop()
    store = Storage(database)
    assert [row["message"] for row in live(store).values()] == ["m"]
    store.close()


def test_the_database_is_its_owners_only(server: Server) -> None:
    server.ingest("m")
    assert server.database.stat().st_mode & 0o077 == 0
    assert server.database.parent.stat().st_mode & 0o077 == 0


def test_what_is_gone_is_told_to_the_user_in_words(server: Server) -> None:
    """The browser shows these sentences where the user acts on a row that has just gone."""
    ids = {
        "This message has been withdrawn.": server.ingest("Withdrawn", reply={"text": True}),
        "This message has expired.": server.ingest("Expired", ttl=0, reply={"text": True}),
        "There is no notification '01M80000000000000000000000'.": {
            "notification_id": "01M80000000000000000000000"
        },
    }
    for sentence, receipt in ids.items():
        id_ = receipt["notification_id"]
        if "withdrawn" in sentence:
            server.request("DELETE", f"/{NAMESPACE}/ingest/{id_}")
        path = f"/{NAMESPACE}/notifications/{id_}"
        for refused in (
            server.request("GET", path),
            server.request("PATCH", path, {"dismissed": False}),
            server.request("POST", f"{path}/reply", {"answer": "Yes"}),
        ):
            assert (refused.status_code, refused.json()["message"]) == (404, sentence)
