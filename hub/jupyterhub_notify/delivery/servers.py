"""The servers that run at the hub, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from ..hubapi import HubApi, HubRefused

__all__ = ["HubServers", "HubUserServers", "RunningServer", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """The address of a server.

    Parameters
    ----------
    url
        Its address, with a slash at its end.
    host
        The ``Host`` header, where it is not the address's: hubs with subdomains route by it.
    """

    url: str
    host: str | None = None

    def encode(self) -> str:
        """Return it as the ledger has it."""
        return self.url if self.host is None else f"{self.host} {self.url}"

    @classmethod
    def decode(cls, text: str) -> Target:
        """Return what `encode` made a text of."""
        host, _, url = text.rpartition(" ")
        return cls(url, host or None)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is ready.

    Parameters
    ----------
    name
        The server's name; the default's is empty.
    target
        Where it is pushed to; None where that cannot be told.
    started
        When the Hub began to start it.
    last_activity
        When its user was active last.
    """

    name: str
    target: Target | None
    started: datetime | None
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class HubUserServers:
    """A user with their servers that are ready."""

    name: str
    groups: frozenset[str]
    servers: tuple[RunningServer, ...]


class HubServers:
    """Lists users and their running servers at the Hub's API.

    Parameters
    ----------
    api
        The Hub's API; it needs the scopes ``list:users``, ``read:users:groups`` and
        ``read:servers``, and ``proxy`` for pushes past the proxy.
    proxy_url
        Where the hub's proxy is reached; None to use the servers' public addresses.
    direct
        Whether servers are reached where the proxy itself reaches them.
    """

    def __init__(self, api: HubApi, *, proxy_url: str | None, direct: bool = False) -> None:
        self._api = api
        self._proxy_url = proxy_url
        self._direct = direct

    async def users(self, *, running: bool) -> list[HubUserServers]:
        """Return all users, or those with a running server.

        Raises
        ------
        HubUnreachable
            If the Hub does not answer.
        HubRefused
            If it refuses.
        """
        routes = await self._routes() if self._direct else {}
        found: dict[str, HubUserServers] = {}
        async for model in self._api.entries("/users", {"state": "ready"} if running else {}):
            one = self._user(model, routes)
            if one is not None and (one.servers or not running):
                found[one.name] = one
        return list(found.values())

    async def _routes(self) -> dict[tuple[str, str], str]:
        """Return where the proxy reaches each server."""
        routes: dict[tuple[str, str], str] = {}
        async for _, route in self._api.entries("/proxy"):
            data = route.get("data") or {}
            if "user" in data:
                routes[data["user"], data.get("server_name") or ""] = str(route["target"])
        return routes

    def _user(self, model: Any, routes: dict[tuple[str, str], str]) -> HubUserServers | None:
        if not isinstance(model, dict) or not isinstance(model.get("name"), str):
            return None
        servers = model.get("servers")
        if not isinstance(servers, dict):
            raise HubRefused(
                "The Hub does not tell which servers run: the service needs the scope "
                "'read:servers'."
            )
        ready = [
            RunningServer(
                name=name,
                target=self._target(model["name"], server, routes),
                started=_time(server.get("started")),
                last_activity=_time(server.get("last_activity")),
            )
            for name, server in servers.items()
            if isinstance(server, dict) and server.get("ready")
        ]
        return HubUserServers(
            name=model["name"],
            groups=frozenset(map(str, model.get("groups") or ())),
            servers=tuple(ready),
        )

    def _target(
        self, user: str, server: dict[str, Any], routes: dict[tuple[str, str], str]
    ) -> Target | None:
        # Never built from the names: the Hub escapes them in its own way.
        url = str(server.get("url") or "")
        parts = urlsplit(url)
        if self._direct:
            base = routes.get((user, str(server.get("name") or "")))
            return None if base is None else Target(urljoin(base, parts.path))
        if self._proxy_url is None:
            whole = server.get("full_url") or (url if parts.netloc else None)
            return None if not whole else Target(str(whole))
        proxy = urlsplit(self._proxy_url)
        return Target(
            urlunsplit((proxy.scheme, proxy.netloc, parts.path, "", "")), parts.netloc or None
        )


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
