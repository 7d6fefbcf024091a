"""The extension's own traffic does not keep an idle server alive."""

from __future__ import annotations

from collections.abc import Callable

from ..support.ingest import HUB_PAYLOAD
from ..support.servers import ALIAS, NAMESPACE, Server

#: Jupyter Server's own way to ask does not count as activity.
STATUS = "/api/status"


def last_activity(server: Server) -> str:
    return str(server.request("GET", STATUS, token=server.token).json()["last_activity"])


def test_our_own_traffic_is_nobodys_activity(make_server: Callable[..., Server]) -> None:
    server = make_server()
    before = last_activity(server)
    with server.websocket() as tab:
        tab.receive()
        for path in (f"/{NAMESPACE}/ingest", f"/{ALIAS}/ingest"):
            assert server.request("POST", path, HUB_PAYLOAD).status_code == 200
        tab.rows_until(lambda rows: len(rows) == 2)
        tab.send({"type": "ping"})
        assert tab.receive() == {"type": "pong"}
        # And the keep-alive of the protocol itself.
        assert tab.connection.ping().wait(5)
        (row, _) = server.page()["notifications"]
        server.detail(row["id"])
        server.change(row["id"], read=True)
        assert (
            server.request(
                "PATCH", f"/{NAMESPACE}/notifications", {"all": True, "dismissed": True}
            ).status_code
            == 200
        )
        assert server.request("PUT", f"/{NAMESPACE}/ingest/k", HUB_PAYLOAD).status_code == 200
        assert server.request("DELETE", f"/{NAMESPACE}/ingest/k").status_code == 200
        # Refused requests are not activity either.
        assert server.request("POST", f"/{NAMESPACE}/ingest", {}).status_code == 400
        assert server.request("POST", f"/{NAMESPACE}/ingest", {}, token="no").status_code == 403
        assert server.request("GET", f"/{NAMESPACE}/ingest").status_code == 405
        assert server.request("GET", f"/{NAMESPACE}/notifications/no").status_code == 404
        server.status()
        # Requests for welcome messages that a tab makes by itself.
        assert server.request("GET", f"/{NAMESPACE}/welcome").status_code == 200
        for what, value in (("seen", {"ids": ["x"]}), ("dismiss", {"ids": ["x"]}), ("reset", {})):
            answer = server.request("POST", f"/{NAMESPACE}/welcome/{what}", value)
            assert answer.status_code == 200
        image = f"/{NAMESPACE}/welcome/image/0/logo.png"
        assert server.request("GET", image).status_code == 404
        assert last_activity(server) == before
    with server.websocket(cursor="nonsense") as tab:
        tab.receive()
    assert last_activity(server) == before
    # A request that a user causes does count, so that this test could fail.
    assert server.request("GET", "/api/contents").status_code == 200
    assert last_activity(server) > before


def test_keeping_the_server_running_is_activity_as_often_as_the_site_allows(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(config={"NotifyApp": {"keep_running_interval": 3600}})
    before = last_activity(server)
    assert server.request("POST", f"/{NAMESPACE}/activity", {}).status_code == 200
    kept = last_activity(server)
    assert kept > before
    answer = server.request("POST", f"/{NAMESPACE}/activity", {})
    assert answer.status_code == 429
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert "in 60 minutes" in answer.json()["message"]
    assert last_activity(server) == kept
    assert server.request("POST", f"/{NAMESPACE}/activity", {}, token="no").status_code == 403
