"""The start of the extension: its cost, what it says, and what it never says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ..support.imports import RECORD, imported
from ..support.servers import ALIAS, NAMESPACE, PATIENT, Server

SECRET = "Xyzzy-secret-text"


def has_pydantic(server: Server) -> bool:
    """Return whether pydantic's compiled part is loaded, which no code in the process can hide."""
    assert server.process is not None
    maps = psutil.Process(server.process.pid).memory_maps()
    return any("pydantic_core" in found.path for found in maps)


def test_an_idle_server_has_loaded_neither_pydantic_nor_yaml_nor_httpx(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    record = tmp_path / "imports"
    server = make_server(others=True, timings=PATIENT, config_py=RECORD.format(file=record))
    with server.websocket() as tab:
        tab.receive()
        server.page()
        server.status()
        assert server.request("GET", f"/{NAMESPACE}/welcome").json()["messages"] == []
        assert server.request("POST", f"/{NAMESPACE}/ingest", {}, token="no").status_code == 403
        assert not has_pydantic(server)
        assert imported(record) == set()
        server.ingest("m")
        tab.receive()
        # So that the test could fail.
        assert has_pydantic(server)
        assert imported(record) == {"pydantic"}
        welcome = server.data_dir / "notify" / "welcome" / "hello.md"
        welcome.parent.mkdir()
        welcome.write_text("---\nid: hello\ntitle: Hello\n---\nYou.")
        (hello,) = server.request("GET", f"/{NAMESPACE}/welcome").json()["messages"]
        assert hello["title"] == "Hello"
        assert imported(record) == {"pydantic", "yaml"}


def test_no_text_and_no_token_is_in_the_log(make_server: Callable[..., Server]) -> None:
    server = make_server()
    sent = {
        "message": f"{SECRET} message",
        "body": f"{SECRET} body",
        "source": f"{SECRET} source",
        "data": {f"{SECRET} name": f"{SECRET} data"},
        "actions": [{"label": f"{SECRET} label", "url": f"https://example.org/{SECRET}"}],
    }
    with server.websocket() as tab:
        tab.receive()
        id_ = server.ingest(sent)["notification_id"]
        tab.receive()
        tab.send(f'{{"type": "{SECRET}"}}')
    server.detail(id_)
    for query in (f"token={SECRET}", f"cursor=x:1&token={server.token}&token={SECRET}"):
        for path in ("stream", "notifications", "notifications/x", "status"):
            for method in ("GET", "POST", "PATCH"):
                server.request(method, f"/{NAMESPACE}/{path}?{query}", token=None)
    for path in (f"/{NAMESPACE}/ingest", f"/{ALIAS}/ingest"):
        for wrong in (
            {**sent, "type": SECRET},
            {**sent, "autoClose": SECRET},
            {**sent, "ttl": -1},
            {**sent, SECRET: "x" * 70_000},
            [SECRET],
        ):
            assert server.request("POST", path, wrong).status_code in (400, 413)
        for content in (f'{{"message": "{SECRET}"', f'"{SECRET}\xff"'.encode("latin-1")):
            assert server.request("POST", path, content=content).status_code == 400
        assert server.request("POST", path, sent, token=f"{SECRET}-token").status_code == 403
        for token, status in ((server.token, 200), (f"{SECRET}-token", 403)):
            answer = server.request("POST", path, sent, token=None, params={"token": token})
            assert answer.status_code == status
    server.stop()
    log = server.log
    assert f"/{ALIAS}/ingest" in log
    assert "Traceback" not in log
    assert SECRET not in log
    assert server.token not in log


NAMESAKE = "The package jupyterlab-notify is installed too."


def test_the_namesake_is_warned_of_once(make_server: Callable[..., Server], tmp_path: Path) -> None:
    info = tmp_path / "jupyterlab_notify-2.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jupyterlab-notify\nVersion: 2\n")
    server = make_server(env={"PYTHONPATH": str(tmp_path)})
    assert server.log.count(NAMESAKE) == 1
    # The extension works in spite of the warning.
    server.ingest("m")


def test_a_start_says_nothing_worrying(make_server: Callable[..., Server]) -> None:
    server = make_server(others=True)
    with server.websocket() as tab:
        tab.receive()
        server.ingest("m")
        tab.receive()
    server.stop()
    ours = [line for line in server.log.splitlines() if "otif" in line]
    assert not [line for line in ours if line.startswith(("[W", "[E", "[C"))]
    assert "Traceback" not in server.log
    assert NAMESAKE not in server.log


@pytest.mark.parametrize("lab", [False, True], ids=["server", "lab"])
def test_it_is_enabled_without_being_asked(make_server: Callable[..., Server], lab: bool) -> None:
    server = make_server(lab=lab, others=True)
    assert "jupyterlab_notify | extension was successfully loaded." in server.log
    assert server.status()["store"]["durable"] is True
