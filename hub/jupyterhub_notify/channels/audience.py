"""The audience of a message to many, by the hub's present users and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from ..services.directory import HubUser, UserDirectory
from ..storage.channel_spreads import ChannelSpreadStore, ToMany
from ..storage.database import Database

__all__ = ["Audience"]


class Audience:
    """Finds the users whom messages to groups, and broadcasts, are for.

    Parameters
    ----------
    directory
        Knows the users of the site; `None` without a hub.
    database, store
        Hold the ledger of deliveries.
    nobody
        Users of the hub that are not people, such as the bot.
    """

    def __init__(
        self,
        *,
        directory: UserDirectory | None,
        database: Database,
        store: ChannelSpreadStore,
        nobody: frozenset[str] = frozenset(),
    ) -> None:
        self._nobody = nobody
        self._directory = directory
        self._database = database
        self._store = store
        self._listed: Sequence[HubUser] | None = None
        self._by_name: dict[str, HubUser] = {}
        self._said = False
        self._log = structlog.get_logger("jupyterhub_notify.channels")

    async def users(self) -> Mapping[str, HubUser] | None:
        """Return the hub's users by name; `None` if they are not known now."""
        if self._directory is None:
            return None
        users = await self._directory.users()
        if users is not self._listed:
            self._listed = users
            self._by_name = {
                user.name: user for user in users or () if user.name not in self._nobody
            }
        return None if users is None else self._by_name

    async def of(self, message: ToMany) -> list[str] | None:
        """Return the names of the users whom a message is for.

        Returns
        -------
        list of str
            The names; `None` if the hub does not answer now and should be asked again.
        """
        stored = message.broadcast
        if stored is not None and stored.audience == "anonymous":
            return []
        users = await self.users()
        named = set() if stored is None else set(stored.users)
        if users is None:
            if self._directory is None:
                self._say_that_no_hub_tells(only_named=stored is not None and not stored.groups)
                return sorted(named)
            return sorted(named) if named and stored and not stored.groups else None
        if stored is None:
            return sorted(name for name, user in users.items() if message.group in user.groups)
        if stored.audience == "running":
            async with self._database.read() as connection:
                found = await self._store.in_ledger(connection, stored)
            return sorted(found | {name for name, user in users.items() if user.running})
        return sorted(
            named | {name for name, user in users.items() if stored.is_for(name, user.groups)}
        )

    def _say_that_no_hub_tells(self, *, only_named: bool) -> None:
        if not self._said and not only_named:
            self._said = True
            self._log.warning(
                "An important message to many goes to the users that it names only: this service"
                " has no hub that says who else there is"
            )
