"""The two lines that add the service to a hub: ``configure(c)`` in ``jupyterhub_config.py``.

This file imports the standard library only, and nothing of this package: the hub's environment
needs no other file (it may be copied there as ``jupyterhub_notify.py``). What is set here is what
``jupyterhub-notify doctor`` looks for.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

__all__ = ["configure"]

SERVICE = "notify"
BOT = "notify-bot"

#: The service's port on the hub's machine. It is fixed, since running labs have been told it.
PORT = 8092

#: Time in seconds that the hub waits for the service at its own start.
START_TIMEOUT_S = 120

#: The lab's variable for the service's address.
CENTRAL_URL = "JUPYTERLAB_NOTIFY_CENTRAL_URL"

ACCESS = f"access:services!service={SERVICE}"
ADMINISTER = "custom:notify:admin"
PUBLISH = "custom:notify:publish"

CUSTOM_SCOPES: dict[str, dict[str, str]] = {
    ADMINISTER: {"description": "Administer notifications: broadcasts, and what anybody publishes"},
    PUBLISH: {"description": "Publish notifications under one's own name"},
}

#: The narrowest scopes that suffice: to list users, their groups and their servers, and to mint
#: tokens for one user, the bot, who may reach servers and nothing else. (A hostile server could
#: replay the service's own token.)
SERVICE_SCOPES = ["list:users", "read:users:groups", "read:servers", f"tokens!user={BOT}"]
BOT_SCOPES = ["access:servers"]

#: JupyterHub's default scopes of a server's token, and of a user.
SERVER_SCOPES = ["users:activity!user", "access:servers!server"]
USER_SCOPES = ["self"]


def configure(
    c: Any,
    *,
    database: str | None = None,
    url: str | None = None,
    api_token: str | None = None,
    lab_url: str | None = None,
    port: int = PORT,
    command: Iterable[str] | None = None,
    environment: Mapping[str, str] | None = None,
    bot: bool = True,
    push_directly: bool = False,
    user_scopes: bool = True,
    hub_pages: bool = True,
) -> None:
    """Add the notification service to a hub; the last lines of ``jupyterhub_config.py``.

    Without ``url`` the hub starts the service itself. A later assignment to
    ``c.JupyterHub.services``, ``load_roles``, ``custom_scopes`` or a spawner's ``environment``
    would replace what is set here.

    Parameters
    ----------
    c
        The hub's configuration.
    database
        The database as SQLAlchemy names it, such as ``postgresql+asyncpg://…``; by default
        ``jupyterhub-notify.sqlite`` in the hub's working directory.
    url
        Where a service that the hub does not start is reached by the hub's proxy.
    api_token
        The token that such a service has; it needs ``url``.
    lab_url
        Where users' servers reach the service, if they cannot where it listens, such as
        ``https://hub.example.com/services/notify/``.
    port
        The port that a service which the hub starts listens on.
    command
        What starts it, if not this Python, such as ``["/opt/notify/bin/jupyterhub-notify"]``.
    environment
        More variables for a service that the hub starts.
    bot
        Whether the service may push to servers that do not ask it (older extensions), through a
        user of its own.
    push_directly
        Whether pushes go past the hub's proxy, so that they are no activity of the users'; the
        service may read the proxy's routes then.
    user_scopes
        Whether every user's servers may ask the service; without it, grant
        ``access:services!service=notify`` to the users who may.
    hub_pages
        Whether the hub's own pages show what is for everyone, and a bell to who is logged in.

    Raises
    ------
    ValueError
        If the arguments do not fit together, or the hub has a service of this name already.
    """
    _check(c, database=database, url=url, api_token=api_token, lab_url=lab_url, command=command)
    _add_service(
        c,
        database=database,
        url=url,
        api_token=api_token,
        port=port,
        command=command,
        environment={"JUPYTERHUB_NOTIFY_PUSH_DIRECT": "1", **(environment or {})}
        if push_directly
        else environment,
    )
    _add_roles(c, bot=bot, proxy=push_directly)
    if user_scopes:
        _let_users_in(c)
    _let_servers_in(c)
    _tell_servers(c, _address(c, url=url, lab_url=lab_url, port=port))
    # With `subdomain_host` the service has an origin of its own, and the hub's pages may not read
    # from another origin.
    if hub_pages and not _value(c.JupyterHub, "subdomain_host"):
        _add_to_pages(c)


def _check(
    c: Any,
    *,
    database: str | None,
    url: str | None,
    api_token: str | None,
    lab_url: str | None,
    command: Iterable[str] | None,
) -> None:
    if (url is None) != (api_token is None):
        raise ValueError(
            "configure(c, url=…, api_token=…) needs both: where the service is, and its token."
        )
    if url is not None and (database is not None or command is not None):
        raise ValueError(
            "configure(c, url=…) is for a service that the hub does not start: its database and "
            "its command are set where it runs."
        )
    if isinstance(command, str):
        raise ValueError("configure(c, command=…) takes a list of words.")
    if url is None and command is None and not __package__:
        # This file was copied alone into the hub's environment.
        raise ValueError(
            "jupyterhub-notify-center is not installed in the hub's environment: give configure(c) "
            "the command that starts it, or the url and api_token of a service that runs elsewhere."
        )
    for name, given in (("url", url), ("lab_url", lab_url)):
        if given is not None and not (
            urlsplit(given).scheme in ("http", "https") and urlsplit(given).hostname
        ):
            raise ValueError(f"configure(c, {name}={given!r}) is no http or https URL.")
    for service in _listed(c.JupyterHub, "services"):
        if isinstance(service, Mapping) and service.get("name") == SERVICE:
            raise ValueError(
                f"This hub has a service named {SERVICE!r} already: configure(c) is called once, "
                "and adds it."
            )


# --- The service


def _add_service(
    c: Any,
    *,
    database: str | None,
    url: str | None,
    api_token: str | None,
    port: int,
    command: Iterable[str] | None,
    environment: Mapping[str, str] | None,
) -> None:
    service: dict[str, Any] = {
        "name": SERVICE,
        "url": url or _listening_url(c, port),
        # The service belongs to the hub: users are not asked whether it may identify them.
        "oauth_no_confirm": True,
        # A login's token gets these only if the user holds them. The Hub adds the scope of access
        # to the service by itself.
        "oauth_client_allowed_scopes": [ADMINISTER, PUBLISH],
    }
    if _is_hub_6():
        # A hub ends if a service that it starts does not answer in this time. Hubs before 6 have
        # a fixed time.
        service["timeout"] = START_TIMEOUT_S
    if api_token is not None:
        service["api_token"] = api_token
    if url is None:
        host = _bind_host(c)
        service["command"] = [
            *(command or _command()),
            "serve",
            *("--host", host),
            *("--port", str(port)),
        ]
        variables = dict(environment or {})
        # The database is no argument of the command: its URL may hold a password, and `ps` shows
        # the arguments to other users.
        variables.setdefault("JUPYTERHUB_NOTIFY_PROXY_URL", _proxy_url(c))
        if database is not None:
            variables["JUPYTERHUB_NOTIFY_DATABASE"] = database
        service["environment"] = variables
    _append(c.JupyterHub, "services", service)
    _update(c.JupyterHub, "custom_scopes", CUSTOM_SCOPES)


def _command() -> list[str]:
    # Not `-m` first: it looks in the working directory, where a copy of this file may lie alone.
    script = os.path.join(os.path.dirname(sys.executable), "jupyterhub-notify")
    return [script] if os.path.exists(script) else [sys.executable, "-m", "jupyterhub_notify"]


def _listening_url(c: Any, port: int) -> str:
    return f"http://{_in_url(_connect_host(c))}:{port}"


def _bind_host(c: Any) -> str:
    """Return the interface that the Hub's API listens on, to be reachable from the same places."""
    hub = c.JupyterHub
    if _value(hub, "internal_ssl"):
        # Hubs up to 6.1 cannot wait for a service with a certificate, and end. So the service
        # uses no TLS, and its traffic with the proxy stays on this machine.
        return "127.0.0.1"
    bind_url = _value(hub, "hub_bind_url")
    host = urlsplit(bind_url).hostname if bind_url else _value(hub, "hub_ip", "127.0.0.1")
    return "0.0.0.0" if host in ("", "*", None) else str(host)


def _connect_host(c: Any) -> str:
    """Return the host at which the proxy and the hub's servers reach that interface."""
    hub = c.JupyterHub
    if _value(hub, "internal_ssl"):
        return "127.0.0.1"
    connect_url = _value(hub, "hub_connect_url")
    host = urlsplit(connect_url).hostname if connect_url else _value(hub, "hub_connect_ip")
    if host:
        return str(host)
    bound = _bind_host(c)
    return "127.0.0.1" if bound in ("0.0.0.0", "::") else bound


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


# --- Roles


def _add_roles(c: Any, *, bot: bool, proxy: bool) -> None:
    scopes = SERVICE_SCOPES if bot else [s for s in SERVICE_SCOPES if BOT not in s]
    if bot and proxy:
        scopes = [*scopes, "proxy"]
    _append(
        c.JupyterHub,
        "load_roles",
        {
            "name": SERVICE,
            "description": "What the notification service sees of the hub",
            "services": [SERVICE],
            "scopes": list(scopes),
        },
    )
    if not bot:
        return
    # If the authenticator manages roles, the hub refuses to start with users in `load_roles`. Then
    # the authenticator's `load_managed_roles` has to name the bot, and the doctor says so.
    if not _authenticator_manages_roles(c):
        _append(
            c.JupyterHub,
            "load_roles",
            {
                "name": BOT,
                "description": "Who pushes notifications to servers that do not ask for them",
                "users": [BOT],
                "scopes": list(BOT_SCOPES),
            },
        )
    _refuse_login(c)


def _authenticator_manages_roles(c: Any) -> bool:
    """Return whether the authenticator manages roles, by its configuration or its class."""
    for name, section in _sections(c):
        if name.endswith("Authenticator") and "manage_roles" in section:
            return bool(section["manage_roles"])
    found = _class(c, "authenticator_class", "jupyterhub.authenticators")
    traits: dict[str, Any] = found.class_traits() if hasattr(found, "class_traits") else {}
    trait = traits.get("manage_roles")
    if trait is not None and trait.default_value:
        return True
    for name, section in _sections(c):
        if found is not None and name == found.__name__ and "manage_roles" in section:
            return bool(section["manage_roles"])
    return False


def _refuse_login(c: Any) -> None:
    """Let nobody log in as the bot or sign up under its name: the bot may reach every server."""
    for section in _that_set(c, "Authenticator", "post_auth_hook"):
        section["post_auth_hook"] = _refusing(section.get("post_auth_hook"))


def _refusing(before: Callable[..., Any] | None) -> Callable[..., Any]:
    async def refuse_the_bot(authenticator: Any, handler: Any, model: Any) -> Any:
        if before is not None:
            model = before(authenticator, handler, model)
            if inspect.isawaitable(model):
                model = await model
        return None if model and model.get("name") == BOT else model

    return refuse_the_bot


# --- What users and their servers may


def _let_users_in(c: Any) -> None:
    """Give every user the scope: a server's token cannot have a scope that its user lacks."""
    for role in _listed(c.JupyterHub, "load_roles"):
        if isinstance(role, dict) and role.get("name") == "user" and "scopes" in role:
            role["scopes"] = _with(role["scopes"], ACCESS)
            return
    if _is_hub_6():
        if "extra_user_scopes" in c.JupyterHub and _is_lazy(c.JupyterHub["extra_user_scopes"]):
            c.JupyterHub["extra_user_scopes"].update({ACCESS})
        else:
            extra = set(_value(c.JupyterHub, "extra_user_scopes") or ())
            c.JupyterHub["extra_user_scopes"] = extra | {ACCESS}
        return
    for role in _listed(c.JupyterHub, "load_roles"):
        if isinstance(role, dict) and role.get("name") == "user":
            role["scopes"] = [*USER_SCOPES, ACCESS]
            return
    _append(c.JupyterHub, "load_roles", {"name": "user", "scopes": [*USER_SCOPES, ACCESS]})


def _is_hub_6() -> bool:
    # Imported late: it takes longer than the rest of this file, and only a hub needs it.
    from importlib import metadata

    try:
        major = int(metadata.version("jupyterhub").split(".")[0])
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return major >= 6


def _let_servers_in(c: Any) -> None:
    """Request the scope for servers' tokens, beside the scopes that they would have anyway."""
    default = list(SERVER_SCOPES)
    for role in _listed(c.JupyterHub, "load_roles"):
        if isinstance(role, dict) and role.get("name") == "server" and role.get("scopes"):
            default = list(role["scopes"])
    for section in _that_set(c, "Spawner", "server_token_scopes"):
        before = section.get("server_token_scopes")
        if callable(before):
            section["server_token_scopes"] = _asking(before, default)
        elif before is not None and _is_lazy(before):
            before.extend([ACCESS])
        else:
            section["server_token_scopes"] = _with(before or default, ACCESS)


def _asking(before: Callable[[Any], Any], default: list[str]) -> Callable[[Any], Any]:
    async def server_token_scopes(spawner: Any) -> list[str]:
        scopes = before(spawner)
        if inspect.isawaitable(scopes):
            scopes = await scopes
        return _with(scopes or default, ACCESS)

    return server_token_scopes


def _with(scopes: Iterable[str], scope: str) -> list[str]:
    known = list(scopes)
    covered = {"inherit", "access:services", scope}
    return known if covered.intersection(known) else [*known, scope]


# --- Where servers find the service


def _address(
    c: Any, *, url: str | None, lab_url: str | None, port: int
) -> str | Callable[[Any], str]:
    """Return the value of the servers' variable, or a function that computes it at their start."""
    if lab_url is not None:
        return lab_url if lab_url.endswith("/") else lab_url + "/"
    if url is not None:
        return _service_url(url, _base_url(c))
    if _value(c.JupyterHub, "internal_ssl"):
        # With `internal_ssl` the hub arranges no trust between servers and services, so servers
        # go through the proxy.
        return _service_url(_public_url(c), _base_url(c))

    def central_url(spawner: Any) -> str:
        # The host under which this spawner's servers reach the Hub: the service is on it too.
        host = urlsplit(spawner.hub.api_url).hostname or _connect_host(c)
        base_url = spawner.hub.base_url.rstrip("/").rpartition("/")[0] + "/"
        return _service_url(f"http://{_in_url(host)}:{port}", base_url)

    return central_url


def _service_url(url: str, base_url: str) -> str:
    parts = urlsplit(url)
    prefix = f"{base_url}services/{SERVICE}/"
    path = parts.path.rstrip("/") + "/"
    # The given URL may have the service's prefix already.
    whole = path if path.endswith(prefix) else path.rstrip("/") + prefix
    return urlunsplit((parts.scheme, parts.netloc, whole, "", ""))


def _base_url(c: Any) -> str:
    base_url = _value(c.JupyterHub, "base_url")
    bind_url = _value(c.JupyterHub, "bind_url")
    if not base_url and bind_url:
        base_url = urlsplit(bind_url).path
    return f"/{(base_url or '/').strip('/')}/".replace("//", "/")


def _public_url(c: Any) -> str:
    parts = urlsplit(_value(c.JupyterHub, "public_url") or "")
    if parts.scheme and parts.hostname:
        return urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    return _proxy_url(c)


def _proxy_url(c: Any) -> str:
    """Return the address of the hub's proxy, as seen from its own machine."""
    hub = c.JupyterHub
    bound = urlsplit(_value(hub, "bind_url") or "")
    scheme = bound.scheme or ("https" if _value(hub, "ssl_cert") else "http")
    host = bound.hostname or _value(hub, "ip") or ""
    host = "127.0.0.1" if host in ("", "*", "0.0.0.0", "::") else host
    return f"{scheme}://{_in_url(host)}:{bound.port or _value(hub, 'port') or 8000}"


def _tell_servers(c: Any, address: str | Callable[[Any], str]) -> None:
    # An `environment` in a subclass's section replaces the one of `Spawner`, so set it in each.
    for section in _that_set(c, "Spawner", "environment"):
        _update(section, "environment", {CENTRAL_URL: address})


# --- The hub's own pages


def _add_to_pages(c: Any) -> None:
    """Let the hub's pages load our script, after the site's own announcement.

    A single page's announcement (`announcement_login`) replaces the general one, and so gets the
    script too.
    """
    script = (
        f'<script src="{_base_url(c)}services/{SERVICE}/static/hub-pages.js" async'
        " data-jupyterhub-notify></script>"
    )
    # Without the site's own announcement the box holds only ours: keep it hidden until there is
    # one.
    hidden = "<style>.announcement:has(> [data-jupyterhub-notify-box]){display:none}</style>"
    alone = f"<i data-jupyterhub-notify-box></i>{hidden}{script}"
    announced = dict(_value(c.JupyterHub, "template_vars") or {})
    if "template_vars" in c.JupyterHub and _is_lazy(c.JupyterHub["template_vars"]):
        announced = dict(c.JupyterHub["template_vars"].to_dict().get("update", {}))
    ours = {
        name: f"{text}{script}" if text else alone
        for name, text in announced.items()
        if name.partition("_")[0] == "announcement" and isinstance(text, str)
    }
    ours.setdefault("announcement", alone)
    _update(c.JupyterHub, "template_vars", ours)


# --- Traitlets' configuration, whose values may be absent, plain, or changes to a default


def _is_lazy(value: Any) -> bool:
    return type(value).__name__ == "LazyConfigValue"


def _value(section: Any, name: str, default: Any = None) -> Any:
    """Return a plain value; reading an absent trait as an attribute would set it."""
    value = section.get(name)
    return default if value is None or _is_lazy(value) else value


def _listed(section: Any, name: str) -> list[Any]:
    if name not in section:
        return []
    value = section[name]
    if _is_lazy(value):
        return [entry for entries in value.to_dict().values() for entry in entries]
    return list(value)


def _append(section: Any, name: str, entry: Any) -> None:
    if name in section and _is_lazy(section[name]):
        section[name].append(entry)
    else:
        section[name] = [*_listed(section, name), entry]


def _update(section: Any, name: str, entries: Mapping[str, Any]) -> None:
    if name in section and _is_lazy(section[name]):
        section[name].update(dict(entries))
    else:
        section[name] = {**section.get(name, {}), **entries}


def _sections(c: Any) -> list[tuple[str, Any]]:
    return [(name, c[name]) for name in list(c) if name[:1].isupper()]


def _that_set(c: Any, base: str, trait: str) -> list[Any]:
    """Return the section of a base class, and those of its subclasses that set the trait."""
    found = [c[base]]
    names = {base}
    for name, section in _sections(c):
        if name.endswith(base) and name not in names and trait in section:
            found.append(section)
    return found


def _class(c: Any, trait: str, group: str) -> Any:
    """Return the class that a trait of the hub names, or None if it cannot be imported here."""
    wanted = _value(c.JupyterHub, trait)
    if not isinstance(wanted, str):
        return wanted
    from importlib import metadata

    try:
        for entry_point in metadata.entry_points(group=group):
            if entry_point.name.lower() == wanted.lower():
                return entry_point.load()
        module, _, name = wanted.rpartition(".")
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        # The hub itself reports this at its start, and better.
        return None
