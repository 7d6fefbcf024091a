"""The recipients of a broadcast, counted for its sender before it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..errors import NoHub, NotAllowed, Unavailable
from ..identity.caller import Caller
from ..models.recipients import ChooseRecipients, Directory, Group, Recipients
from .access import require_sender
from .directory import HubUser, UserDirectory

__all__ = ["RecipientService"]

#: Maximum number of names in one answer.
MOST_NAMES = 500


class RecipientService:
    """Finds the users and groups that a caller may send to.

    Parameters
    ----------
    directory
        Knows the users of the site; None without a hub.
    """

    def __init__(self, *, directory: UserDirectory | None) -> None:
        self._directory = directory

    async def reached(self, caller: Caller, chosen: ChooseRecipients) -> Recipients:
        """Return the users whom a broadcast to the chosen recipients would reach.

        Raises
        ------
        NoHub
            If the service has no hub.
        Unavailable
            If the hub does not answer.
        NotAllowed
            If the caller may not send to all of them.
        """
        users = await self._users(caller)
        if users is None:
            # No number would be right: without a hub a broadcast reaches every user who asks.
            raise NoHub("Whom it reaches cannot be told: this service has no hub")
        if chosen.audience == "anonymous":
            return Recipients(total=0, running=0, known=len(users), users=[])
        if chosen.audience != "named" and not caller.may_send_to_everyone():
            raise NotAllowed("This caller may not send to everyone", ["body", "audience"])
        for index, group in enumerate(chosen.groups):
            if not caller.may_send_to_group(group):
                raise NotAllowed(
                    "This caller may not send to this group", ["body", "groups", index]
                )
        named, groups = set(chosen.users), set(chosen.groups)
        found = [
            user
            for user in users
            if chosen.audience == "all"
            or (chosen.audience == "running" and user.running)
            or (
                chosen.audience == "named"
                and (user.name in named or not groups.isdisjoint(user.groups))
            )
        ]
        unknown: list[str] = []
        if chosen.audience == "named":
            unknown = sorted(named - {user.name for user in users})
            unknown += sorted(groups - {group for user in users for group in user.groups})
        return Recipients(
            total=len(found),
            running=sum(user.running for user in found),
            known=len(users),
            users=[user.name for user in found[:MOST_NAMES]],
            unknown=unknown[:MOST_NAMES],
        )

    async def found(self, caller: Caller, words: str, limit: int) -> Directory:
        """Return the users and groups whose names contain these letters, best first.

        Without a hub no users are known, and both lists are empty.
        """
        users = await self._users(caller) or ()
        wanted = words.casefold()
        names = [user.name for user in users if wanted in user.name.casefold()]
        names.sort(key=lambda name: (not name.casefold().startswith(wanted), name))
        members = Counter(group for user in users for group in user.groups)
        groups = [
            Group(name=name, members=count)
            for name, count in sorted(members.items())
            if wanted in name.casefold() and caller.may_send_to_group(name)
        ]
        return Directory(users=names[:limit], groups=groups)

    async def _users(self, caller: Caller) -> Sequence[HubUser] | None:
        require_sender(caller)
        if self._directory is None:
            return None
        users = await self._directory.users()
        if users is None:
            raise Unavailable("Who there is cannot be told: no hub answers", retry_after_s=5)
        return [user for user in users if caller.may_send_to_user(user.groups)]
