"""Which Jupyter server to send to, and the token for it; found without importing Jupyter Server.

A token that was found on this machine goes to the server that it was found for, on this
machine, and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .errors import BadUsage, NoServer, SeveralServers
from .processes import ancestors
from .runtime_files import EVERYWHERE, RunningServer, running_servers
from .server_url import LOOPBACK, bracketed, candidates, place, quoted
from .target import Target as Target

#: Where to send if nothing else is said.
URL_VARIABLE = "JUPYTER_NOTIFY_URL"
#: The token for a server that was named.
TOKEN_VARIABLE = "JUPYTER_NOTIFY_TOKEN"
#: So much of a token's file is read.
MAX_TOKEN_FILE = 64 * 1024


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
            f"Several Jupyter servers run here; say which one with --url (or {URL_VARIABLE}): "
            f"{urls}"
        )
    hub = _hub_by_name(env)
    if hub is not None:
        return hub
    # What was left out is said only where it may be what the user looks for.
    raise NoServer(
        "No Jupyter server of yours runs here; start one, or name one with --url "
        f"(or {URL_VARIABLE}).{' ' * bool(ignored)}{' '.join(ignored[:1])}"
    )


def _read(path: str | os.PathLike[str]) -> str:
    try:
        with open(Path(path).expanduser(), "rb") as file:
            # Bounded, since it may be any file.
            token = file.read(MAX_TOKEN_FILE).decode().strip()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadUsage(f"The token file {path} cannot be read: {reason}.") from None
    if not token or not token.isprintable() or any(c.isspace() for c in token):
        raise BadUsage(f"The token file {path} must hold one token and nothing else.")
    return token


# A server that was named


def _named(
    url: str, token: str | None, running: list[RunningServer], env: Mapping[str, str]
) -> Target:
    urls = candidates(url, f"into a file for --token-file, or into the variable {TOKEN_VARIABLE}")
    for one in urls:
        for each in running:
            if place(one) in (place(each.target.url), place(each.own_url)):
                return _with_token(each, token, env, explicit=token is not None)
    if token is None:
        raise BadUsage(
            f"There is no token for {urls[0]}; put one into a file for --token-file, or into the "
            f"variable {TOKEN_VARIABLE}."
        )
    return Target(urls[0], token)


# A server that this process runs inside


def _inside(running: list[RunningServer], env: Mapping[str, str]) -> RunningServer | None:
    """Return the server that started us: the nearest among our ancestors, or by what it told us."""
    by_pid = {each.pid: each for each in running}
    for pid in (os.getpid(), *ancestors(os.getpid())):
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


def _with_token(
    found: RunningServer, token: str | None, env: Mapping[str, str], *, explicit: bool
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
        if not parent.isdigit() or int(parent) not in ancestors(os.getpid()):
            return None
        host = EVERYWHERE.get(host, host)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Target(f"{parts.scheme}://{bracketed(host)}:{port}{quoted(prefix)}", token)
