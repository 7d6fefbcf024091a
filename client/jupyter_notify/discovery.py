"""Which Jupyter server to send to, and the token for it; found without importing Jupyter Server.

A token that was found on this machine goes to the server that it was found for, on this
machine, and nowhere else.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import BadUsage, NoServer, SeveralServers

#: Where to send if nothing else is said.
URL_VARIABLE = "JUPYTER_NOTIFY_URL"
#: The token for a server that was named.
TOKEN_VARIABLE = "JUPYTER_NOTIFY_TOKEN"

#: What a server that listens everywhere says of itself, and where it is reached.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")

#: What follows the base URL in a browser's address bar.
PAGES = ("lab", "tree", "notebooks", "edit", "doc", "consoles", "terminals")


@dataclass(frozen=True)
class Target:
    """A server to send to.

    Parameters
    ----------
    url
        Its base URL, with a slash at the end.
    token
        What it lets us in for; None where it asks for nothing.
    unix_socket
        The socket that it listens on instead of a port.
    local
        Whether it was found running on this machine: its certificate then need not name it.
    root_dir
        The directory that paths in JupyterLab are relative to, if it is known.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    unix_socket: str | None = None
    local: bool = False
    root_dir: str | None = None


@dataclass(frozen=True)
class _Running:
    """A server that has told of itself in Jupyter's runtime directory."""

    pid: int
    target: Target
    #: What it calls itself, which its terminals know too.
    own_url: str
    base_url: str
    has_password: bool


def find(
    url: str | None = None,
    token_file: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] = os.environ,
) -> Target:
    """Return the server to send to.

    That is, in this order: the one that was named; the one that this process runs inside; the
    only one that runs here.

    Parameters
    ----------
    url
        The server's URL; by default what ``JUPYTER_NOTIFY_URL`` says.
    token_file
        A file that holds the token for it; by default ``JUPYTER_NOTIFY_TOKEN`` is that token.
    env
        The environment to look in.

    Raises
    ------
    NoServer
        If there is none.
    SeveralServers
        If it is not clear which one.
    BadUsage
        If the URL is none, or the token for it is missing.
    """
    token = env.get(TOKEN_VARIABLE, "").strip() or None
    if token_file is not None:
        token = _read(token_file)
    url = url or env.get(URL_VARIABLE) or None
    running = list(_running(env))
    if url is not None:
        return _named(_clean(url), token, running, env)
    found = _inside(running, env)
    if found is None and len(running) == 1:
        (found,) = running
    if found is not None:
        return _with_token(found, token, env, explicit=token_file is not None)
    if running:
        urls = " ".join(sorted(each.target.url for each in running))
        raise SeveralServers(
            f"Several Jupyter servers run here; say which one with --url (or {URL_VARIABLE}): "
            f"{urls}"
        )
    hub = _hub_by_name(env)
    if hub is not None:
        return hub
    raise NoServer(
        "No Jupyter server of yours runs here; start one, or name one with --url "
        f"(or {URL_VARIABLE})."
    )


def _read(path: str | os.PathLike[str]) -> str:
    try:
        token = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadUsage(f"The token file {path} cannot be read: {reason}.") from None
    if not token or not token.isprintable() or any(c.isspace() for c in token):
        raise BadUsage(f"The token file {path} must hold one token and nothing else.")
    return token


# A server that was named


def _clean(url: str) -> str:
    """Return a server's base URL for what a person copied from a browser."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadUsage(f"The URL {url.split('?')[0]!r} is none.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadUsage("The server's URL must begin with http:// or https:// and name a host.")
    if parts.username is not None or "token=" in parts.query:
        raise BadUsage(
            "A URL with a token in it can be read by other users; put the token into a file for "
            f"--token-file, or into the variable {TOKEN_VARIABLE}."
        )
    path: list[str] = []
    for part in parts.path.split("/"):
        if part in PAGES:
            break
        if part:
            path.append(part)
    return f"{parts.scheme}://{parts.netloc}/" + "".join(f"{part}/" for part in path)


def _place(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path, the names of this machine made one."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = "127.0.0.1" if host in LOOPBACK else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, host, port, parts.path.rstrip("/") + "/"


def _named(url: str, token: str | None, running: list[_Running], env: Mapping[str, str]) -> Target:
    place = _place(url)
    for each in running:
        if place in (_place(each.target.url), _place(each.own_url)):
            return _with_token(each, token, env, explicit=token is not None)
    if token is None:
        raise BadUsage(
            f"There is no token for {url}; put one into a file for --token-file, or into the "
            f"variable {TOKEN_VARIABLE}."
        )
    return Target(url, token)


# A server that this process runs inside


def _inside(running: list[_Running], env: Mapping[str, str]) -> _Running | None:
    """Return the server that started us: the nearest among our ancestors, or by what it told us."""
    by_pid = {each.pid: each for each in running}
    for pid in (os.getpid(), *_ancestors(os.getpid())):
        if pid in by_pid:
            return by_pid[pid]
    # In tmux or screen no ancestor is left; the environment still names the server.
    told = env.get("JUPYTER_SERVER_URL")
    if told:
        for each in running:
            if each.own_url == told:
                return each
    prefix = env.get("JUPYTERHUB_SERVICE_PREFIX")
    if prefix and env.get("JUPYTERHUB_API_TOKEN"):
        for each in running:
            if each.base_url == prefix:
                return each
    return None


def _ancestors(pid: int) -> Iterator[int]:
    """Return the processes that started this one, the nearest first."""
    if sys.platform == "win32":
        return
    parents: dict[int, int] | None = None
    seen = {0, 1}
    while pid not in seen:
        seen.add(pid)
        try:
            # The command's name, in brackets, may hold anything, brackets too.
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
            pid = int(stat.rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            if parents is None:
                parents = _parents()
            pid = parents.get(pid, 0)
        yield pid


def _parents() -> dict[int, int]:
    """Return each process's parent, where there is no ``/proc``."""
    import subprocess

    try:
        told = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, timeout=5
        ).stdout
        return {int(pid): int(parent) for pid, parent in map(str.split, told.splitlines())}
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}


def _with_token(
    found: _Running, token: str | None, env: Mapping[str, str], *, explicit: bool
) -> Target:
    """Return a server with the token for it: what was given for it, its own, or its hub's."""
    target = found.target
    hub_token = env.get("JUPYTERHUB_API_TOKEN")
    if explicit:
        own = token
    elif target.token:
        own = target.token
    elif hub_token and env.get("JUPYTERHUB_SERVICE_PREFIX") == found.base_url:
        own = hub_token
    else:
        own = token
    if own is None and found.has_password:
        raise BadUsage(
            f"The server {target.url} lets in by password only; give it a token too, and put "
            f"that into a file for --token-file, or into the variable {TOKEN_VARIABLE}."
        )
    return Target(target.url, own, target.unix_socket, True, target.root_dir)


def _hub_by_name(env: Mapping[str, str]) -> Target | None:
    """Return the hub's server that the environment names, where its files cannot be seen.

    An environment travels: a batch job takes it to another machine, where ``127.0.0.1`` is
    somebody else. So a name for "this machine" counts only if our parent is that server.
    """
    url = env.get("JUPYTERHUB_SERVICE_URL")
    token = env.get("JUPYTERHUB_API_TOKEN")
    prefix = env.get("JUPYTERHUB_SERVICE_PREFIX")
    if not (url and token and prefix):
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in EVERYWHERE or host in LOOPBACK:
        parent = env.get("JPY_PARENT_PID", "")
        if not parent.isdigit() or int(parent) not in _ancestors(os.getpid()):
            return None
        host = EVERYWHERE.get(host, host)
    return Target(f"{parts.scheme}://{_bracketed(host)}:{parts.port or 80}{prefix}", token)


# The servers that run on this machine


def running(env: Mapping[str, str] = os.environ) -> list[Target]:
    """Return the servers of this person's that run on this machine."""
    return [each.target for each in _running(env)]


def _running(env: Mapping[str, str]) -> Iterator[_Running]:
    directory = env.get("JUPYTER_RUNTIME_DIR")
    if not directory:
        # It takes some 20 ms, and every server tells its kernels and terminals the directory.
        from jupyter_core.paths import jupyter_runtime_dir

        directory = jupyter_runtime_dir()
    for path in sorted(Path(directory).glob("jpserver-*.json")):
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
            found = _read_info(info)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Half written, or of something else.
            continue
        if found is not None:
            yield found


def _read_info(info: dict[str, Any]) -> _Running | None:
    pid, port, base_url = int(info["pid"]), int(info["port"]), str(info["base_url"])
    unix_socket = str(info.get("sock") or "") or None
    host = EVERYWHERE.get(str(info["hostname"]), str(info["hostname"]))
    if not _alive(pid):
        return None
    if unix_socket is None and (not _is_here(host) or _listens(pid, port) is False):
        # Of another machine that shares the home directory, or left by one that is gone.
        return None
    scheme = "https" if info.get("secure") else "http"
    where = "localhost" if unix_socket else f"{_bracketed(host)}:{port}"
    return _Running(
        pid=pid,
        target=Target(
            url=f"{scheme}://{where}{base_url}",
            token=str(info.get("token") or "") or None,
            unix_socket=unix_socket,
            local=True,
            root_dir=str(info.get("root_dir") or "") or None,
        ),
        own_url=str(info["url"]),
        base_url=base_url,
        has_password=bool(info.get("password")),
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _alive(pid: int) -> bool:
    """Whether it is a process of ours."""
    if sys.platform == "win32":
        # There, asking whether a process lives is asking it to end.
        return True
    try:
        os.kill(pid, 0)
    except OSError:
        # Gone, or somebody else's.
        return False
    return True


def _is_here(host: str) -> bool:
    """Whether an address is one of this machine's."""
    if host in LOOPBACK:
        return True
    try:
        family, _, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.bind(address)
    except OSError:
        return False
    return True


def _listens(pid: int, port: int) -> bool | None:
    """Whether a process listens on a port; None where the system does not say.

    A home directory that machines share shows the servers of all of them; there, a number may
    belong to quite another process.
    """
    try:
        held = {_link(one) for one in list(Path(f"/proc/{pid}/fd").iterdir())}
        tables = [Path(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6")]
        lines = [line for table in tables if table.exists() for line in _lines(table)]
    except PermissionError:
        # Another person's.
        return False
    except OSError:
        return None
    for line in lines:
        columns = line.split()
        # Local address, state (0A: listening) and inode.
        listens = columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port
        if listens and f"socket:[{columns[9]}]" in held:
            return True
    return False


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        # Closed meanwhile.
        return ""


def _lines(table: Path) -> list[str]:
    return table.read_text().splitlines()[1:]
