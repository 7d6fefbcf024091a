"""Discovery: the right server is found, and no token goes anywhere else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_notify.discovery import find
from jupyter_notify.errors import BadUsage, NoServer, SeveralServers

from ..support.sending import Api, Recorder, Shell, one_line
from ..support.sending import find as find_row
from ..support.servers import Server

NOTIFY = Path(sys.executable).with_name("jupyter-notify")

#: An address that is no machine's.
NOWHERE = "192.0.2.1"


def info(listens: int, **changes: Any) -> dict[str, Any]:
    """Return what a server writes about itself, as this process would."""
    value = {
        "url": f"http://localhost:{listens}/",
        "hostname": "127.0.0.1",
        "port": listens,
        "sock": "",
        "secure": False,
        "base_url": "/",
        "token": "local-secret",
        "root_dir": "/srv/notebooks",
        "password": False,
        "pid": os.getpid(),
        "version": "2.0.0",
    }
    return value | changes


@pytest.fixture
def port() -> Any:
    """Return a port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"JUPYTER_RUNTIME_DIR": str(tmp_path)}


def write(directory: Path, name: str, value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    (directory / f"jpserver-{name}.json").write_text(text)


def test_the_only_one_that_runs_is_found_where_it_listens(
    tmp_path: Path, env: dict[str, str], port: int
) -> None:
    # A server that listens on all interfaces names its host, but is reached by loopback.
    write(tmp_path, "1", info(port, hostname="0.0.0.0", url=f"http://a.example:{port}/user/x/"))
    write(tmp_path, "2", '{"pid": 1, "por')
    write(tmp_path, "3", "[]")
    target = find(env=env)
    assert target.url == f"http://127.0.0.1:{port}/"
    assert target.token == "local-secret"
    assert "local-secret" not in repr(target)


@pytest.mark.parametrize(
    "changes",
    [
        {"pid": 2**22 - 1},
        {"pid": 1},
        {"hostname": NOWHERE},
        {"hostname": "no.such.host.invalid"},
        {"port": 1},
    ],
    ids=["gone", "somebody else's", "another machine's", "unknown", "not listening"],
)
def test_what_does_not_run_here_gets_no_token(
    tmp_path: Path, env: dict[str, str], port: int, changes: dict[str, Any]
) -> None:
    write(tmp_path, "1", info(port, **changes))
    with pytest.raises(NoServer):
        find(env=env)


# Longer than a screen: each server is listed beside the ones before it.
def test_several_are_listed_and_none_is_guessed(
    tmp_path: Path, env: dict[str, str], port: int
) -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import socket, sys; s = socket.create_server(('127.0.0.1', 0));"
            "print(s.getsockname()[1], flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        second = int(other.stdout.readline())
        write(tmp_path, "2", info(second, pid=other.pid, base_url="/b/", token="second-secret"))
        # A server of a process that is not our ancestor either.
        with subprocess.Popen(["sleep", "30"]) as third:
            write(tmp_path, "3", info(port, pid=third.pid))
            # The third does not listen there, so only the second is left.
            assert find(env=env).token == "second-secret"
            third.kill()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            mine = listening.getsockname()[1]
            code = (
                "import os\nfrom jupyter_notify.discovery import find\n"
                "try:\n    find()\nexcept Exception as e:\n    print(type(e).__name__, e)"
            )
            write(tmp_path, "4", info(mine))
            # We run inside this server, so the choice is clear.
            assert find(env=env).url == f"http://127.0.0.1:{mine}/"
            # A daemon runs inside neither server.
            ran = subprocess.run(
                ["setsid", "--fork", sys.executable, "-c", code],
                env={**os.environ, **env},
                stdout=subprocess.PIPE,
                text=True,
                timeout=20,
            )
        kind, _, said = ran.stdout.partition(" ")
        assert kind == SeveralServers.__name__
        assert f"http://127.0.0.1:{mine}/" in said
        assert f"http://127.0.0.1:{second}/b/" in said
        assert "secret" not in said
        # The command lists them too, in its one line, and sends to neither.
        with socket.create_server(("127.0.0.1", 0)) as listening:
            mine = listening.getsockname()[1]
            write(tmp_path, "4", info(mine))
            asked = subprocess.run(
                ["setsid", "--fork", "bash", "-c", f"{NOTIFY} send x; echo exit code $?"],
                env={**os.environ, **env},
                capture_output=True,
                text=True,
                timeout=20,
            )
        assert asked.stdout == "exit code 2\n"
        (line,) = asked.stderr.splitlines()
        assert f"http://127.0.0.1:{mine}/" in line
        assert f"http://127.0.0.1:{second}/b/" in line
        # In tmux no ancestor is left, but the terminal's environment is.
        named = {**env, "JUPYTER_SERVER_URL": f"http://localhost:{second}/"}
        assert find(f"http://localhost:{second}/b/lab/tree/x", env=named).token == "second-secret"
        other.stdin.close()


def test_a_local_token_never_goes_to_another_host(
    tmp_path: Path, env: dict[str, str], port: int
) -> None:
    write(tmp_path, "1", info(port))
    for url in (
        f"http://{NOWHERE}:{port}/",
        f"http://localhost.example.org:{port}/",
        f"http://127.0.0.1:{port + 1}/",
        f"https://127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}/other/",
    ):
        with pytest.raises(BadUsage, match="There is no token for"):
            find(url, env=env)
        # A hub's token in the environment is not sent there either.
        hub = {
            "JUPYTERHUB_API_TOKEN": "hub-secret",
            "JUPYTERHUB_SERVICE_PREFIX": "/",
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}/",
        }
        with pytest.raises(BadUsage, match="There is no token for"):
            find(url, env={**env, **hub})
    assert find(f"http://localhost:{port}/lab", env=env).token == "local-secret"


def test_an_environment_that_travelled_to_another_machine_sends_nothing(
    env: dict[str, str],
) -> None:
    hub = {
        **env,
        "JUPYTERHUB_API_TOKEN": "hub-secret",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
        "JPY_PARENT_PID": "999999",
    }
    for host in ("127.0.0.1", "0.0.0.0", "[::]", "localhost"):
        with pytest.raises(NoServer):
            find(env={**hub, "JUPYTERHUB_SERVICE_URL": f"http://{host}:8888/user/ada/"})
    # An address that is not loopback means the token's own server on every machine.
    target = find(env={**hub, "JUPYTERHUB_SERVICE_URL": "http://10.0.0.7:8888/user/ada/"})
    assert (target.url, target.token) == ("http://10.0.0.7:8888/user/ada/", "hub-secret")


@pytest.mark.parametrize(
    "changes",
    [
        {"JUPYTERHUB_SERVICE_URL": "http://[/"},
        {"JUPYTERHUB_SERVICE_URL": "http://h:99999/"},
        {"JUPYTERHUB_SERVICE_URL": "http://h h/"},
        {"JUPYTERHUB_SERVICE_URL": "ftp://h/"},
        {"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1/", "JPY_PARENT_PID": "\u00b2"},
        {"JUPYTERHUB_SERVICE_PREFIX": "@elsewhere.example/"},
        {"JUPYTERHUB_SERVICE_PREFIX": ".elsewhere.example/"},
        {"JUPYTERHUB_SERVICE_PREFIX": "/\ud800/"},
        {"JUPYTERHUB_SERVICE_PREFIX": "/?x"},
    ],
    ids=ascii,
)
def test_an_environment_of_nonsense_names_no_server(
    env: dict[str, str], changes: dict[str, str]
) -> None:
    hub = {
        "JUPYTERHUB_API_TOKEN": "hub-secret",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
        "JUPYTERHUB_SERVICE_URL": "http://10.0.0.7:8888/user/ada/",
    }
    with pytest.raises(NoServer):
        find(env={**env, **hub, **changes})


def test_a_token_comes_from_a_file_or_a_variable_and_never_from_the_url(
    server: Server, tmp_path: Path
) -> None:
    shell = Shell(server, JUPYTER_RUNTIME_DIR=str(tmp_path))
    token = tmp_path / "token"
    token.write_text(f"{server.token}\n")
    assert shell("send", "By file", "--url", server.url, "--token-file", token).returncode == 0
    by_variable = {"JUPYTER_NOTIFY_URL": server.url, "JUPYTER_NOTIFY_TOKEN": server.token}
    assert shell("send", "By variable", **by_variable).returncode == 0
    assert find_row(server, "By file") and find_row(server, "By variable")
    for url in (f"{server.url}/?token={server.token}", f"http://{server.token}@127.0.0.1:1/"):
        ran = shell("send", "In the URL", "--url", url)
        assert ran.returncode == 2
        assert "Other users can read a token" in one_line(ran)
        assert server.token not in ran.stderr
    token.write_text("two words")
    ran = shell("send", "x", "--url", server.url, "--token-file", token)
    assert (ran.returncode, "must hold one token" in one_line(ran)) == (2, True)
    # The error about a token that no header can hold does not show the token.
    for value in ("very\nsecret", "secret\N{SNOWMAN}"):
        ran = shell("send", "x", "--url", server.url, JUPYTER_NOTIFY_TOKEN=value)
        assert (ran.returncode, "secret" in ran.stderr) == (2, False)
        assert "it holds characters other than ASCII letters, digits and signs" in one_line(ran)
    ran = shell("send", "x", "--url", server.url, JUPYTER_NOTIFY_TOKEN=f" {server.token}\n")
    assert ran.returncode == 0, ran.stderr
    # And there is no option for one.
    assert "--token " not in shell("send", "--help").stdout


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("command", ["send", "watch"])
def test_a_redirect_is_not_followed(server: Server, status: int, command: str) -> None:
    with Recorder() as elsewhere, Recorder(status, {"Location": elsewhere.url}) as first:
        arguments = ("send", "x") if command == "send" else ("watch",)
        ran = Shell(server)(*arguments, "--url", first.url, JUPYTER_NOTIFY_TOKEN="secret")
        assert ran.returncode == 1
        assert f"redirects to {elsewhere.url.rstrip('/')}, where" in one_line(ran)
        assert first.requests[0].headers["Authorization"] == "Bearer secret"
        assert elsewhere.requests == []


def test_a_server_that_is_not_there_or_not_ours_is_exit_code_1(
    server: Server, tmp_path: Path
) -> None:
    shell = Shell(server, JUPYTER_RUNTIME_DIR=str(tmp_path))
    ran = shell("send", "x")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "No Jupyter server of yours runs here" in one_line(ran)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for command in (("send", "x"), ("watch",), ("list",)):
        ran = shell(*command, "--url", f"http://127.0.0.1:{port}", JUPYTER_NOTIFY_TOKEN="t")
        assert ran.returncode == 1
        assert "does not answer" in one_line(ran)
    with Recorder(404) as without:
        ran = shell("list", "--url", without.url, JUPYTER_NOTIFY_TOKEN="t")
        assert ran.returncode == 1


def test_a_server_that_asks_for_no_token_is_reached_too(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(config={"IdentityProvider": {"token": ""}}, env={"JUPYTER_TOKEN": ""})
    assert server.request("POST", "/jupyterlab-notify/ingest", {}, token=None).status_code == 403
    shell = Shell(server)
    ran = shell("send", "Open door")
    assert ran.returncode == 0, ran.stderr
    assert [row["message"] for row in shell.json("list")] == ["Open door"]


def test_a_terminal_knows_its_server_without_its_ancestors(server: Server) -> None:
    with Api(server.url, server.token).terminal() as terminal:
        code, shown = terminal.run(
            f"setsid --fork --wait {sys.executable} -m jupyter_notify.cli send 'Daemon'"
        )
        assert code == 0, shown
    assert find_row(server, "Daemon")
