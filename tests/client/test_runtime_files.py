"""The owners whose files in the runtime directory are believed: only ourselves and root."""

from __future__ import annotations

import json
import os
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_notify.connection import Client
from jupyter_notify.discovery import find
from jupyter_notify.errors import NoServer, Unreachable
from jupyter_notify.target import Target

from ..support.sending import run
from .test_discovery import NOTIFY, info, write

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can make a file or a process another user's"
)
#: Another user's id, whether there is such a user or not.
OTHER = 54321


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "runtime"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def env(directory: Path) -> dict[str, str]:
    return {"JUPYTER_RUNTIME_DIR": str(directory)}


@pytest.fixture
def port() -> Iterator[int]:
    """Return a port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def unix_socket(tmp_path: Path) -> Iterator[Path]:
    """Return a socket on which this process listens."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen()
        yield path


def file(directory: Path) -> Path:
    return directory / "jpserver-1.json"


def owned_by_another(path: Path) -> None:
    os.chown(path, OTHER, OTHER)


def writable_by_all(path: Path) -> None:
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWOTH)


#: A group that another user of every machine is in.
SHARED_GROUP = 1


def writable_by_a_shared_group(path: Path) -> None:
    os.chown(path, -1, SHARED_GROUP)
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWGRP)


def writable_by_its_access_list(path: Path) -> None:
    # Its owner, another user, its group, the mask, all others.
    entries = [(1, 7, 2**32 - 1), (2, 6, OTHER), (4, 5, 2**32 - 1), (16, 6, 2**32 - 1)]
    packed = b"".join(struct.pack("<HHI", *one) for one in (*entries, (32, 5, 2**32 - 1)))
    try:
        os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + packed)
    except OSError as error:
        # Some file systems, such as overlays of containers, cannot hold what is to be refused.
        pytest.skip(f"this file system has no access lists: {error}")


FORGERIES = [
    (writable_by_its_access_list, "other users can write .* by its access list"),
    pytest.param(owned_by_another, "another user owns", marks=as_root),
    (writable_by_all, "other users can write"),
    pytest.param(writable_by_a_shared_group, "other users of its group can write", marks=as_root),
]


@pytest.mark.parametrize("which", ["directory", "file"])
@pytest.mark.parametrize(("forge", "said"), FORGERIES)
def test_what_others_can_have_written_is_not_believed(
    directory: Path,
    env: dict[str, str],
    port: int,
    which: str,
    forge: Callable[[Path], None],
    said: str,
) -> None:
    write(directory, "1", info(port))
    assert find(env=env).token == "local-secret"
    forge(directory if which == "directory" else file(directory))
    with pytest.raises(NoServer, match=said) as caught:
        find(env=env)
    assert str(directory) in str(caught.value)


@pytest.mark.parametrize("which", ["socket", "folder"])
@pytest.mark.parametrize(("forge", "said"), FORGERIES)
def test_a_socket_that_others_can_have_put_there_gets_no_token(
    directory: Path,
    env: dict[str, str],
    unix_socket: Path,
    which: str,
    forge: Callable[[Path], None],
    said: str,
) -> None:
    write(directory, "1", info(0, sock=str(unix_socket)))
    assert find(env=env).unix_socket == str(unix_socket)
    forge(unix_socket if which == "socket" else unix_socket.parent)
    hub = {"JUPYTERHUB_API_TOKEN": "hub-secret", "JUPYTERHUB_SERVICE_PREFIX": "/"}
    with pytest.raises(NoServer, match="its socket"):
        find(env={**env, **hub, "JUPYTER_NOTIFY_TOKEN": "secret"})


def test_in_a_sticky_directory_only_ours_are_believed(
    directory: Path, env: dict[str, str], port: int
) -> None:
    # As /tmp is: others can add files there, and cannot exchange ours.
    directory.chmod(0o1777)
    write(directory, "1", info(port))
    assert find(env=env).token == "local-secret"


@as_root
def test_a_forged_server_of_another_user_does_not_hide_ours(
    directory: Path, env: dict[str, str], port: int
) -> None:
    write(directory, "1", info(port))
    write(directory, "2", info(port, base_url="/forged/", token="forged"))
    owned_by_another(directory / "jpserver-2.json")
    assert find(env=env).url == f"http://127.0.0.1:{port}/"


@as_root
def test_any_number_of_anothers_files_in_a_sticky_directory_hides_none_of_ours(
    directory: Path, env: dict[str, str], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_notify.runtime_files.MAX_FILES", 2)
    directory.chmod(0o1777)
    write(directory, "5", info(port))
    for name in ("1", "2", "8", "9"):
        write(directory, name, {})
        owned_by_another(directory / f"jpserver-{name}.json")
    assert find(env=env).token == "local-secret"


def test_what_cannot_be_looked_at_for_now_is_not_taken_for_nothing(
    directory: Path, env: dict[str, str], port: int
) -> None:
    write(directory, "1", info(port))
    code = (
        "import resource\n"
        "from jupyter_notify import notify\n"
        "from jupyter_notify.send_queue import import_all\n"
        "import_all()\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "try: notify._find()\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    ran = run(sys.executable, "-c", code, env={**os.environ, **env})
    said = "Unreachable Jupyter servers cannot be looked for: too many open files.\n"
    assert ran.stdout == said, ran.stderr


@as_root
def test_who_listens_on_a_socket_is_asked_once_it_is_connected(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    # The socket itself is root's, and so beyond doubt.
    code = (
        f"import os, socket\ns = socket.socket(socket.AF_UNIX)\ns.bind({str(path)!r})\n"
        f"os.setuid({OTHER}); s.listen(); print('listens', flush=True)\n"
        "connection, _ = s.accept(); print(connection.recv(1000), flush=True)\n"
    )
    command = [sys.executable, "-S", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forger:
        assert forger.stdout is not None
        assert forger.stdout.readline() == "listens\n"
        with pytest.raises(Unreachable, match="another user listens on its socket"):
            Client(Target("http://localhost/", "secret", unix_socket=str(path))).request("GET", "/")
        # It was told nothing.
        assert forger.stdout.readline() == "b''\n"


@pytest.mark.parametrize(
    "kind", ["fifo", "link to a device", "link to ours", "huge", "directory", "loop", "nested"]
)
def test_what_is_no_small_file_neither_hangs_nor_fills_memory(
    directory: Path, tmp_path: Path, port: int, kind: str
) -> None:
    path = file(directory)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "link to ours":
        (tmp_path / "elsewhere.json").write_text(json.dumps(info(port)))
        path.symlink_to(tmp_path / "elsewhere.json")
    elif kind == "huge":
        with path.open("wb") as huge:
            huge.truncate(2**40)
    elif kind == "directory":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path.write_text("[" * 60_000)
    limited = f"ulimit -v 2000000; exec {NOTIFY} send x"
    ran = run(
        *("bash", "-c", limited),
        env={**os.environ, "JUPYTER_RUNTIME_DIR": str(directory), "HOME": str(tmp_path)},
        cwd=tmp_path,
    )
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("jupyter notify: No Jupyter server of yours runs here")


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "@elsewhere.example/"},
        {"base_url": "elsewhere/"},
        {"base_url": "/\n/"},
        {"base_url": "/a?b"},
        {"base_url": None},
        {"hostname": "127.0.0.1@elsewhere.example"},
        {"hostname": ["127.0.0.1"]},
        # No machine can have these names.
        {"hostname": "\u202e"},
        {"hostname": "."},
        {"hostname": "x" * 64},
        {"pid": 2**80},
        {"pid": "1"},
        {"pid": True},
        {"pid": -1},
        {"pid": 0},
        {"pid": float("nan")},
        {"port": float("inf")},
        {"base_url": "/\ud800/"},
        {"port": 2**40},
        {"port": None},
        {"sock": "/etc/passwd"},
        {"sock": "/no/such/socket"},
    ],
    ids=str,
)
def test_a_file_of_nonsense_names_no_server(
    directory: Path, env: dict[str, str], port: int, changes: dict[str, Any]
) -> None:
    write(directory, "1", info(port, **changes))
    with pytest.raises(NoServer):
        find(env=env)


@pytest.mark.parametrize(
    "url", ["http://[", "http://h:99999/", "http://h:x/", 5, "\ud800"], ids=ascii
)
def test_a_file_with_an_address_that_is_none_hides_no_server_that_is_named(
    directory: Path, env: dict[str, str], port: int, url: object
) -> None:
    write(directory, "1", info(port, url=url))
    assert find(f"http://localhost:{port}/lab", env=env).token == "local-secret"


def test_any_number_of_files_of_servers_that_have_ended_hides_no_server(
    directory: Path, env: dict[str, str], port: int
) -> None:
    """A server that a batch system kills leaves its file."""
    for number in range(1001):
        (directory / f"jpserver-0{number}.json").write_text("{}")
    for odd in ("", "0", "9" * 30, "2147483648", "\u00b2"):
        (directory / f"jpserver-{odd}.json").write_text("{}")
    write(directory, str(os.getpid()), info(port))
    assert find(env=env).token == "local-secret"


def test_the_name_of_a_bad_file_is_told_without_what_controls_a_terminal(
    directory: Path, env: dict[str, str]
) -> None:
    path = directory / "jpserver-\x1b[31m\n\u202e.json"
    path.write_text("{}")
    writable_by_all(path)
    with pytest.raises(NoServer, match="other users can write it") as caught:
        find(env=env)
    assert str(caught.value).isprintable()


def test_a_token_is_read_from_a_pipe_and_never_from_what_has_no_end(tmp_path: Path) -> None:
    env = {**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    command = f"{NOTIFY} list --url http://127.0.0.1:9/ --token-file"
    ran = run("bash", "-c", f"{command} <(echo secret)", env=env, cwd=tmp_path)
    assert "does not answer" in ran.stderr
    ran = run("bash", "-c", f"{command} /dev/zero", env=env, cwd=tmp_path)
    assert (ran.returncode, "must hold one token" in ran.stderr) == (2, True)


def test_no_text_of_a_bad_file_hides_a_good_one(
    directory: Path, env: dict[str, str], port: int
) -> None:
    # Half of a surrogate pair, which no system and no header takes.
    for number, name in enumerate(("base_url", "sock", "token", "url", "root_dir", "hostname")):
        write(directory, f"{number}", info(1, **{name: "/\ud800"}))
    write(directory, "9", info(port))
    assert find(env=env).token == "local-secret"
