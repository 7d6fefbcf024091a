"""The users of the hub, their groups, and which of them have a running server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from ..hubapi import HubApi, HubRefused, HubUnreachable

__all__ = ["HubDirectory", "HubUser", "NobodyKnown", "UserDirectory"]

#: Time in seconds for which an answer is cached, and for which the Hub is not asked again after a
#: failure.
KEPT_S = 20.0
REST_S = 5.0


@dataclass(frozen=True, slots=True)
class HubUser:
    """A user of the hub.

    Parameters
    ----------
    name
        The user's name.
    groups
        The user's groups.
    running
        Whether one of the user's servers is ready.
    """

    name: str
    groups: frozenset[str]
    running: bool


class UserDirectory(Protocol):
    """Knows the users of a site."""

    async def users(self) -> Sequence[HubUser] | None:
        """Return all users by name; None if they are not known now."""

    async def groups_of(self, user: str) -> frozenset[str]:
        """Return a user's groups; none if they are not known now."""


class NobodyKnown:
    """The directory of a service without a hub: nobody is known."""

    async def users(self) -> Sequence[HubUser] | None:
        """Return None: the users are not known."""
        return None

    async def groups_of(self, user: str) -> frozenset[str]:
        """Return no groups."""
        return frozenset()


class HubDirectory:
    """Lists users at the Hub's API, page by page, and caches the list for a short time.

    Parameters
    ----------
    api
        The Hub's API; it needs the scopes ``list:users``, ``read:users:groups`` and
        ``read:servers``.
    """

    def __init__(self, api: HubApi) -> None:
        self._api = api
        self._users: Sequence[HubUser] | None = None
        self._asked = float("-inf")
        self._lock = asyncio.Lock()
        self._failed = False
        self._log = structlog.get_logger("jupyterhub_notify.directory")

    async def users(self) -> Sequence[HubUser] | None:
        """Return all users by name; None if the Hub does not answer."""
        async with self._lock:
            age = time.monotonic() - self._asked
            if age > (REST_S if self._users is None else KEPT_S):
                self._users = await self._list()
                self._asked = time.monotonic()
        return self._users

    async def groups_of(self, user: str) -> frozenset[str]:
        """Return a user's groups; none if the Hub does not answer."""
        for one in await self.users() or ():
            if one.name == user:
                return one.groups
        return frozenset()

    async def _list(self) -> Sequence[HubUser] | None:
        try:
            found = _users([model async for model in self._api.entries("/users")])
        except (HubUnreachable, HubRefused) as error:
            self._cannot(str(error))
            return None
        if self._failed:
            self._failed = False
            self._log.info("The Hub lists its users again.")
        return sorted(found, key=lambda user: user.name)

    def _cannot(self, reason: str) -> None:
        if not self._failed:
            self._log.warning("Recipients cannot be told.", reason=reason)
        self._failed = True


def _users(models: Iterable[object]) -> Iterable[HubUser]:
    for model in models:
        if not isinstance(model, dict) or not isinstance(model.get("name"), str):
            continue
        servers = model.get("servers")
        ready = (
            any(isinstance(one, dict) and one.get("ready") for one in servers.values())
            if isinstance(servers, dict)
            else bool(model.get("server"))
        )
        yield HubUser(model["name"], frozenset(map(str, model.get("groups") or ())), ready)
