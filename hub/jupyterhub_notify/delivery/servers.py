"""The running servers of the hub, and their users."""

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
        The address, which ends with a slash.
    host
        The ``Host`` header, if it differs from the address's: hubs with subdomains route by it.
    """

    url: str
    host: str | None = None

    def encode(self) -> str:
        """Return the address as text, for the ledger."""
        return self.url if self.host is None else f"{self.host} {self.url}"

    @classmethod
    def decode(cls, text: str) -> Target:
        """Read what `encode` wrote."""
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
        The address for pushes; None if it is not known.
    started
        When the Hub began to start the server.
    last_activity
        When the user was last active.
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
        The address of the hub's proxy; None to use the servers' public addresses.
    direct
        Whether to go past the proxy, to the addresses that the proxy itself uses.
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
        """Return the address at which the proxy reaches each server."""
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
        # The path is the Hub's own, never built from names: the Hub escapes names in its own way.
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
