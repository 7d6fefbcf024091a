"""Permissions: nobody else may do or store anything."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from jupyterlab_notify.handlers import routes

from ..support.ingest import HUB_PAYLOAD
from ..support.servers import ALIAS, NAMESPACE, OPENAPI, Server

EVERYTHING = [
    *(("POST", f"/{prefix}/ingest") for prefix in (NAMESPACE, ALIAS)),
    *(
        (method, f"/{prefix}/ingest/k")
        for method in ("GET", "PUT", "DELETE")
        for prefix in (NAMESPACE, ALIAS)
    ),
    *(
        (method, f"/{prefix}/ingest/k/image")
        for method in ("PUT", "DELETE")
        for prefix in (NAMESPACE, ALIAS)
    ),
    *((method, f"/{NAMESPACE}/notifications") for method in ("GET", "PATCH")),
    *((method, f"/{NAMESPACE}/notifications/{{id}}") for method in ("GET", "PATCH")),
    ("POST", f"/{NAMESPACE}/notifications/{{id}}/reply"),
    ("GET", f"/{NAMESPACE}/notifications/{{id}}/image/v0"),
    *((method, f"/{NAMESPACE}/quiet") for method in ("GET", "PATCH")),
    *((method, f"/{NAMESPACE}/channels") for method in ("GET", "PATCH")),
    ("GET", f"/{NAMESPACE}/status"),
    ("POST", f"/{NAMESPACE}/activity"),
    ("GET", f"/{NAMESPACE}/welcome"),
    *(("POST", f"/{NAMESPACE}/welcome/{what}") for what in ("seen", "dismiss", "accept", "reset")),
    ("GET", f"/{NAMESPACE}/welcome/image/0/logo.png"),
]
WRITES = [(method, path) for method, path in EVERYTHING if method != "GET"]
READS = [(method, path) for method, path in EVERYTHING if method == "GET"]

BODIES: dict[str, Any] = {
    "POST": HUB_PAYLOAD,
    "PUT": HUB_PAYLOAD,
    "PATCH": {"read": True, "dismissed": True},
}


@pytest.fixture
def unchanged(server: Server) -> Iterator[str]:
    """Return the id of a notification; a test must not change anything."""
    id_ = server.ingest("kept", key="k")["notification_id"]
    before = server.status()["store"]["seq"]
    yield id_
    assert server.status()["store"]["seq"] == before


def test_everything_is_all_that_there_is() -> None:
    patterns = [re.compile(pattern) for pattern, *_ in routes(None)]  # type: ignore[arg-type]  # it is only passed on
    paths = {path for _, path in EVERYTHING} | {f"/{NAMESPACE}/stream"}
    assert all(any(pattern.fullmatch(path) for path in paths) for pattern in patterns)
    described = {
        (method.upper(), re.sub(r"{\w+}", "*", path))
        for path, methods in json.loads(OPENAPI.read_text())["paths"].items()
        for method in methods
    }
    names = re.compile(r"(?<=/ingest/)k(?=/image$|$)|{id}|v0$|0/logo\.png$")
    assert {(method, names.sub("*", path)) for method, path in EVERYTHING} == described


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
@pytest.mark.parametrize("token", [None, "0" * 32, "é"], ids=["none", "wrong", "odd"])
def test_without_the_token_everything_is_refused_and_nothing_is_stored(
    server: Server, unchanged: str, token: str | None, method: str, path: str
) -> None:
    answer = server.request(
        method,
        path.format(id=unchanged),
        BODIES.get(method),
        token=None,
        headers={"Authorization": f"Bearer {token}".encode()} if token else None,  # type: ignore[dict-item]
    )
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["success"] is False
    assert answer.json()["message"]
    assert "kept" not in answer.text


@pytest.mark.parametrize("where", ["header", "query", "basic"])
def test_a_wrong_token_is_refused_wherever_it_stands(
    server: Server, unchanged: str, where: str
) -> None:
    del unchanged
    answer = server.request(
        "POST",
        f"/{ALIAS}/ingest" + ("?token=wrong" if where == "query" else ""),
        HUB_PAYLOAD,
        token=None,
        headers={
            "header": {"Authorization": "token wrong"},
            "query": {},
            "basic": {"Authorization": f"Basic {server.token}"},
        }[where],
    )
    assert answer.status_code == 403


def test_who_is_refused_sends_the_whole_body_and_keeps_the_connection(server: Server) -> None:
    """Else a proxy, still sending, sees a reset connection instead of the 403."""
    body = b'{"message": "' + b"m" * 4000 + b'"}'
    head = (
        f"POST /{ALIAS}/ingest HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer wrong\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for _ in range(3):
            connection.sendall(head)
            connection.sendall(body)
            answer = b""
            while b"\r\n\r\n" not in answer:
                part = connection.recv(65536)
                assert part, "the connection was closed"
                answer += part
            assert answer.startswith(b"HTTP/1.1 403 ")
            headers, _, rest = answer.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", headers)
            assert length
            while len(rest) < int(length[1]):
                rest += connection.recv(65536)


@pytest.fixture(scope="module")
def cookie(server: Server) -> dict[str, str]:
    """Return the header that the user's browser sends with each request."""
    login = server.request("GET", "/api/status", token=None, params={"token": server.token})
    cookies = SimpleCookie()
    for header in login.headers.get_list("set-cookie"):
        cookies.load(header)
    assert any(name.startswith("username") for name in cookies)
    return {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())}


def test_a_page_of_another_site_cannot_push_with_the_persons_cookie(
    server: Server, unchanged: str, cookie: dict[str, str]
) -> None:
    """The cookie alone does not do: the request needs the page's XSRF token too."""
    listed = server.request("GET", f"/{NAMESPACE}/notifications", token=None, headers=cookie)
    assert listed.status_code == 200
    for method, path in WRITES:
        answer = server.request(
            method, path.format(id=unchanged), BODIES.get(method), token=None, headers=cookie
        )
        assert answer.status_code == 403, (method, path)
        assert "xsrf" in answer.json()["message"]


@pytest.mark.parametrize("token", [None, "0" * 32], ids=["none", "wrong"])
def test_a_stream_without_the_token_is_refused_before_its_handshake(
    server: Server, token: str | None
) -> None:
    with pytest.raises(InvalidStatus) as error, server.websocket(token=token):
        pass
    assert error.value.response.status_code == 403


def test_a_page_of_another_site_cannot_open_a_stream_with_the_persons_cookie(
    server: Server, cookie: dict[str, str]
) -> None:
    for origin in ("https://evil.example", "null", f"http://localhost:{server.port + 1}"):
        with (
            pytest.raises(InvalidStatus) as error,
            server.websocket(origin=origin, token=None, headers=cookie),
        ):
            pass
        assert error.value.response.status_code == 403, origin
    with server.websocket(origin=server.url, token=None, headers=cookie) as tab:
        assert tab.receive()["type"] == "snapshot"


@pytest.mark.parametrize("origin", ["http://[::1", "http://a]"])
def test_an_origin_that_is_no_url_is_that_of_another_site(
    server: Server, unchanged: str, cookie: dict[str, str], origin: str
) -> None:
    headers = {**cookie, "Origin": origin.encode()}
    for method, path in EVERYTHING:
        answer = server.request(
            method, path.format(id=unchanged), BODIES.get(method), token=None, headers=headers
        )
        assert answer.status_code in (403, 404), (method, path)
        assert answer.json()["success"] is False
    with pytest.raises(InvalidStatus) as error:
        server.websocket(origin="http://[::1", token=None, headers=cookie)
    assert error.value.response.status_code == 403
    referer = {"Referer": "http://[::1"}
    answer = server.request("GET", f"/{NAMESPACE}/notifications/none", headers=referer)
    assert answer.status_code == 404
    assert "Traceback" not in server.log


def test_what_is_not_utf8_in_a_url_is_not_repeated(server: Server, unchanged: str) -> None:
    for query in ("token=secret%FF", "q=secret%FF"):
        answer = server.request("GET", f"/{NAMESPACE}/notifications?{query}")
        assert (answer.status_code, "is not UTF-8" in answer.text) == (400, True)
        assert "secret" not in answer.text
    answer = server.request("GET", f"/{NAMESPACE}/notifications/secret%FF")
    assert answer.json()["message"] == "The part id of the URL is not UTF-8."
    assert "b'secret" not in server.log


READ_ONLY = """
from jupyter_server.auth import Authorizer

class ReadOnly(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        if resource == "jupyterlab_notify":
            return action == ALLOWED
        return True

c.ServerApp.authorizer_class = ReadOnly
"""


def test_who_may_only_read_may_list_but_not_change(make_server: Callable[..., Server]) -> None:
    server = make_server(config_py=READ_ONLY.replace("ALLOWED", '"read"'))
    before = server.status()["store"]["seq"]
    for method, path in WRITES:
        answer = server.request(method, path.format(id="01"), BODIES.get(method))
        assert answer.status_code == 403, (method, path)
        assert answer.json()["success"] is False
    assert server.page()["notifications"] == []
    with server.websocket() as tab:
        assert tab.receive()["type"] == "snapshot"
    assert server.status()["store"]["seq"] == before


def test_who_may_only_write_may_push_but_not_look(make_server: Callable[..., Server]) -> None:
    server = make_server(config_py=READ_ONLY.replace("ALLOWED", '"write"'))
    id_ = server.ingest("kept")["notification_id"]
    for method, path in READS:
        answer = server.request(method, path.format(id=id_))
        assert answer.status_code == 403, (method, path)
        assert "kept" not in answer.text
    with pytest.raises(InvalidStatus) as error, server.websocket():
        pass
    assert error.value.response.status_code == 403


def test_a_program_that_pushes_gets_no_login_cookie(server: Server) -> None:
    pushed = server.request("POST", f"/{NAMESPACE}/ingest", {"message": "m"})
    assert (pushed.status_code, pushed.headers.get("set-cookie")) == (200, None)
    # So that the test could fail.
    assert "set-cookie" in server.request("GET", f"/{NAMESPACE}/status").headers
