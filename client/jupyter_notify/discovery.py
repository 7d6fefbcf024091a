"""Find the Jupyter server to send to, and its token, without importing Jupyter Server.

A token that was found on this machine is only ever sent to the local server that it belongs to.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .errors import BadUsage, NoServer, SeveralServers
from .processes import ancestors
from .runtime_files import EVERYWHERE, RunningServer, running_servers
from .server_url import LOOPBACK, bracketed, candidates, is_base, known_place, place, quoted
from .target import Target as Target

#: The variable that names the server, unless an option does.
URL_VARIABLE = "JUPYTER_NOTIFY_URL"
#: The variable that holds the token for a named server.
TOKEN_VARIABLE = "JUPYTER_NOTIFY_TOKEN"
#: Bytes of a token file that are read.
MAX_TOKEN_FILE = 64 * 1024


def find(
    url: str | None = None,
    token_file: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] = os.environ,
) -> Target:
    """Return the server to send to.

    In this order: the server that is named; the server that started this process; the only server
    that runs here.

    Parameters
    ----------
    url
        The server's URL; by default the value of ``JUPYTER_NOTIFY_URL``.
    token_file
        A file that holds its token; by default the token is in ``JUPYTER_NOTIFY_TOKEN``.
    env
        The environment variables.

    Raises
    ------
    NoServer
        If there is no server.
    SeveralServers
        If there are several servers to choose from.
    BadUsage
        If the URL is invalid or its token is missing.
    """
    token = env.get(TOKEN_VARIABLE, "").strip() or None
    if token_file is not None:
        token = _read(token_file)
    url = url or env.get(URL_VARIABLE) or None
    running, ignored = running_servers(env)
    if url is not None:
        return _named(url, token, running, env)
    found = _inside(running, env)
    if found is None and len(running) == 1:
        (found,) = running
    if found is not None:
        return _with_token(found, token, env, explicit=token_file is not None)
    if running:
        urls = " ".join(sorted(each.target.url for each in running))
        raise SeveralServers(
            f"Several Jupyter servers run here; choose one with --url (or {URL_VARIABLE}): {urls}"
        )
    hub = _hub_by_name(env)
    if hub is not None:
        return hub
    # Ignored servers are mentioned only here, where one may be the server that the user wants.
    raise NoServer(
        "No Jupyter server of yours runs here; start one, or name one with --url "
        f"(or {URL_VARIABLE}).{' ' * bool(ignored)}{' '.join(ignored[:1])}"
    )


def _read(path: str | os.PathLike[str]) -> str:
    try:
        with open(Path(path).expanduser(), "rb") as file:
            # Read only a part, since the user may have named any file.
            token = file.read(MAX_TOKEN_FILE).decode().strip()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadUsage(f"The token file {path} cannot be read: {reason}.") from None
    if not token or not token.isprintable() or any(c.isspace() for c in token):
        raise BadUsage(f"The token file {path} must hold one token and nothing else.")
    return token


# A named server


def _named(
    url: str, token: str | None, running: list[RunningServer], env: Mapping[str, str]
) -> Target:
    urls = candidates(url, f"into a file for --token-file, or into the variable {TOKEN_VARIABLE}")
    for one in urls:
        for each in running:
            if place(one) in (place(each.target.url), known_place(each.own_url)):
                return _with_token(each, token, env, explicit=token is not None)
    if token is None:
        raise BadUsage(
            f"There is no token for {urls[0]}; put one into a file for --token-file, or into the "
            f"variable {TOKEN_VARIABLE}."
        )
    return Target(urls[0], token)


# The server that started this process


def _inside(running: list[RunningServer], env: Mapping[str, str]) -> RunningServer | None:
    """Return the server that started us: our nearest ancestor, or the environment's server."""
    by_pid = {each.pid: each for each in running}
    for pid in (os.getpid(), *ancestors(os.getpid())):
        if pid in by_pid:
            return by_pid[pid]
    # In tmux or screen the server is no ancestor, but the environment still names it.
    server_url = env.get("JUPYTER_SERVER_URL")
    if server_url:
        for each in running:
            if each.own_url == server_url:
                return each
    prefix = env.get("JUPYTERHUB_SERVICE_PREFIX")
    if prefix and env.get("JUPYTERHUB_API_TOKEN"):
        for each in running:
            if each.base_url == prefix:
                return each
    return None


def _with_token(
    found: RunningServer, token: str | None, env: Mapping[str, str], *, explicit: bool
) -> Target:
    """Return a server with its token: the one given explicitly, its own, or the hub's."""
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
            f"The server {target.url} accepts only a password; give it a token as well, and put "
            f"the token into a file for --token-file, or into the variable {TOKEN_VARIABLE}."
        )
    return Target(target.url, own, target.unix_socket, True, target.root_dir)


def _hub_by_name(env: Mapping[str, str]) -> Target | None:
    """Return the hub's server that the environment names, where its runtime files are not visible.

    A batch job takes the environment to another machine, where ``127.0.0.1`` is a different
    machine. So a loopback address counts only if the server is an ancestor of this process.
    """
    url = env.get("JUPYTERHUB_SERVICE_URL")
    token = env.get("JUPYTERHUB_API_TOKEN")
    prefix = env.get("JUPYTERHUB_SERVICE_PREFIX")
    if not (url and token and prefix and is_base(prefix) and known_place(url)):
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in EVERYWHERE or host in LOOPBACK:
        parent = env.get("JPY_PARENT_PID", "")
        if parent not in map(str, ancestors(os.getpid())):
            return None
        host = EVERYWHERE.get(host, host)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Target(f"{parts.scheme}://{bracketed(host)}:{port}{quoted(prefix)}", token)
