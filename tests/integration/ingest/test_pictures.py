"""Pictures over HTTP: given to a message, served to tabs, replaced and gone with it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from ...support.ingest import PATHS, bearer, curl, in_pieces, path_of
from ...support.pictures import HEIGHT, JPEG, PICTURES, WIDTH, png, png_of
from ...support.servers import NAMESPACE, Server, wait_for


def put(server: Server, name: str, data: Any = None, **options: Any) -> httpx.Response:
    content = png() if data is None else data
    return server.request("PUT", path_of(name) + "/image", content=content, **options)


def image_of(server: Server, id_: str) -> dict[str, Any] | None:
    image = server.detail(id_)["image"]
    assert image is None or isinstance(image, dict)
    return image


def get(server: Server, id_: str, version: str, **options: Any) -> httpx.Response:
    path = f"/{NAMESPACE}/notifications/{id_}/image/{version}"
    return server.request("GET", path, **options)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_served_as_it_was_given(server: Server, name: str) -> None:
    data, media_type = PICTURES[name]
    id_ = server.ingest("Training done")["notification_id"]
    assert image_of(server, id_) is None
    # The type in the header does not matter.
    answer = put(server, id_, data, headers={"Content-Type": "text/html"})
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert receipt.keys() == {"success", "notification_id", "seq", "tabs", "durable"}
    assert receipt["notification_id"] == id_
    image = image_of(server, id_)
    assert image == {
        "version": image and image["version"],
        "type": media_type,
        "width": WIDTH,
        "height": HEIGHT,
    }
    served = get(server, id_, image["version"])
    assert served.status_code == 200
    assert served.content == data
    assert served.headers["Content-Type"] == media_type
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    policy = served.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")


@PATHS
def test_curl_gives_a_file(server: Server, prefix: str, tmp_path: Any) -> None:
    server.ingest("Loss", key="loss")
    file = tmp_path / "loss.png"
    file.write_bytes(png())
    url = f"{server.url}/{prefix}/ingest/loss/image"
    status, body = curl(*bearer(server), "--upload-file", str(file), url)
    assert status == 200, body


def test_a_picture_is_replaced_and_tabs_see_another_url(server: Server) -> None:
    id_ = server.ingest("Training", key="training", type="in-progress")["notification_id"]
    with server.websocket() as tab:
        tab.receive()
        put(server, "training", png(shade=1))
        first = tab.rows_until(lambda rows: bool(rows.get(id_, {}).get("image")))[id_]
        put(server, "training", png(shade=2))
        # Look only at the frames that come from now on.
        second = tab.rows_until(lambda rows: id_ in rows)[id_]
    assert second["image"]["version"] != first["image"]["version"]
    assert second["seq"] > first["seq"]
    # It does not ask for attention.
    assert second["position"] == first["position"]
    assert second["updated"] == first["updated"]
    assert get(server, id_, second["image"]["version"]).content == png(shade=2)
    assert get(server, id_, first["image"]["version"]).status_code == 404


def test_a_read_message_stays_read_with_another_picture(server: Server) -> None:
    id_ = server.ingest("Loss", key="loss")["notification_id"]
    server.change(id_, read=True)
    put(server, "loss")
    assert server.detail(id_)["read"]


def test_the_same_picture_again_changes_nothing(server: Server) -> None:
    id_ = server.ingest("Loss")["notification_id"]
    first = put(server, id_).json()
    assert put(server, id_).json() == first
    assert server.status()["store"]["seq"] == first["seq"]


def test_another_message_under_the_key_keeps_the_picture(server: Server) -> None:
    id_ = server.ingest("Epoch 1", key="t", type="in-progress")["notification_id"]
    put(server, "t")
    image = image_of(server, id_)
    assert image
    server.ingest("Done", key="t", type="success")
    assert image_of(server, id_) == image


def test_a_picture_is_taken_away(server: Server) -> None:
    id_ = server.ingest("Loss", key="loss")["notification_id"]
    put(server, "loss")
    image = image_of(server, id_)
    assert image
    path = path_of("loss") + "/image"
    for _ in range(2):
        answer = server.request("DELETE", path)
        assert answer.status_code == 200
        assert image_of(server, id_) is None
    assert get(server, id_, image["version"]).status_code == 404


def test_it_goes_with_its_message(server: Server) -> None:
    id_ = server.ingest("Loss", key="gone")["notification_id"]
    put(server, "gone")
    image = image_of(server, id_)
    assert image
    with server.websocket() as tab:
        tab.receive()
        server.request("DELETE", path_of("gone"))
        rows = tab.rows_until(lambda rows: bool(rows.get(id_, {}).get("revoked")))
    assert rows[id_]["image"] is None
    assert get(server, id_, image["version"]).status_code == 404


def test_source_names_whose_message_is_meant(server: Server) -> None:
    id_ = server.ingest("Loss", key="trainers", source="trainer")["notification_id"]
    assert put(server, "trainers").status_code == 404
    assert put(server, id_).status_code == 404
    assert put(server, "trainers", params={"source": "trainer"}).status_code == 200
    assert put(server, id_, params={"source": "trainer"}).status_code == 200
    assert put(server, "trainers", params={"source": ""}).status_code == 400


def test_a_key_may_hold_a_slash(server: Server) -> None:
    id_ = server.ingest("Loss", key="runs/7")["notification_id"]
    assert put(server, quote("runs/7", safe="")).json()["notification_id"] == id_
    # A key that ends like a picture's path still works unquoted, as before pictures.
    answer = server.request("PUT", path_of("a/b/image"), {"message": "m"})
    assert server.detail(answer.json()["notification_id"])["key"] == "a/b/image"


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (400, b""),
        (400, png()[:-1]),
        (400, JPEG[:300]),
        (413, bytes(2 * 1024 * 1024 + 1)),
        (413, png() + bytes(3 * 1024 * 1024)),
        (413, bytes(17 * 1024 * 1024)),
        (413, png_of(60_000, 60_000, b"")),
        (415, b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        (415, b'{"message": "m"}'),
    ],
)
def test_what_is_no_picture_is_refused(server: Server, status: int, data: bytes) -> None:
    receipt = server.ingest("Loss", key="refused")
    put(server, "refused", png(shade=9))
    before = server.detail(receipt["notification_id"])
    seq = server.status()["store"]["seq"]
    answer = server.request("PUT", path_of("refused") + "/image", content=in_pieces(data))
    assert answer.status_code == status, answer.text
    message = answer.json()["message"]
    assert message.endswith(".")
    assert message.count(". ") == 0, "one sentence"
    assert server.detail(receipt["notification_id"]) == before
    assert server.status()["store"]["seq"] == seq


def test_the_largest_picture_is_taken(server: Server) -> None:
    id_ = server.ingest("Loss")["notification_id"]
    rest = 2 * 1024 * 1024 - len(png_of(40, 40, b""))
    data = png_of(40, 40, bytes(rest))
    assert len(data) == 2 * 1024 * 1024
    assert put(server, id_, data).status_code == 200
    image = image_of(server, id_)
    assert image
    assert get(server, id_, image["version"]).content == data


def test_an_unknown_message_or_a_wrong_token_is_said(server: Server) -> None:
    assert put(server, "nobody").status_code == 404
    assert put(server, "x" * 201).status_code == 400
    assert put(server, "nobody", headers={"Content-Encoding": "gzip"}).status_code == 415
    assert put(server, "nobody", token="wrong").status_code == 403
    id_ = server.ingest("Loss")["notification_id"]
    put(server, id_)
    image = image_of(server, id_)
    assert image
    assert get(server, id_, image["version"], token=None).status_code == 403
    answer = server.request("POST", path_of(id_) + "/image", content=png())
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "DELETE, PUT, OPTIONS"


def test_the_rate_limit_counts_pictures(make_server: Callable[..., Server]) -> None:
    server = make_server(config={"NotifyApp": {"ingest_rate": 0.3}})
    id_ = server.ingest("Loss")["notification_id"]
    # The message counts too. A slow machine has more than three seconds for the four.
    statuses = [put(server, id_, png(shade=n)).status_code for n in range(3)]
    assert statuses == [200] * 2 + [429]


def begin_slowly(server: Server, id_: str) -> socket.socket:
    """Send half a picture, and wait until the server has reserved a place for it."""
    address = urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port))
    connection.settimeout(30)
    connection.sendall(
        (
            f"PUT {address.path}{path_of(id_)}/image HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {server.token}\r\nContent-Length: 1000\r\n"
            "Expect: 100-continue\r\n\r\n"
        ).encode()
    )
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    connection.sendall(b"x" * 500)
    return connection


def test_very_many_at_once_are_asked_to_come_again(server: Server) -> None:
    id_ = server.ingest("Loss")["notification_id"]
    waiting = [begin_slowly(server, id_) for _ in range(8)]
    try:
        answer = put(server, id_)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        # One that goes away makes room.
        waiting.pop().close()
        wait_for(lambda: put(server, id_).status_code == 200, "a place")
    finally:
        for connection in waiting:
            connection.close()


def test_pictures_that_arrive_for_ever_keep_no_other_away(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(
        config_py="from jupyterlab_notify.handlers import pictures\npictures.UPLOAD_S = 0.5\n"
    )
    id_ = server.ingest("Loss")["notification_id"]
    waiting = [begin_slowly(server, id_) for _ in range(8)]
    try:
        wait_for(lambda: put(server, id_).status_code == 200, "a place")
        # The slowest one has lost its place, and is told so once it has come.
        waiting[0].sendall(b"x" * 500)
        assert b" 503 " in waiting[0].recv(1000)
    finally:
        for connection in waiting:
            connection.close()
