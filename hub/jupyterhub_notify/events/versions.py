"""Versions of each user's view, of which `ETag`s are made, mostly without the database.

`freshness.py` notes each range, and this process's own commits are noted before they are answered.
The numbers are those of the rows, so every replica computes the same version.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable

from ..storage.epochs import Epochs
from ..storage.writer import Committed

__all__ = ["Versions"]

MOST_USERS = 100_000


class Versions:
    """The number of the latest change that each user sees.

    Parameters
    ----------
    epochs
        The epochs in which the numbers were given.
    of_everyone
        Reads the number of the latest change that more than one user may see.
    of_user
        Reads the number of the latest change that only this user sees.
    """

    def __init__(
        self,
        *,
        epochs: Epochs,
        of_everyone: Callable[[], Awaitable[int]],
        of_user: Callable[[str], Awaitable[int]],
    ) -> None:
        self.epochs = epochs
        self._of_everyone = of_everyone
        self._of_user = of_user
        self.epoch = ""
        #: The number of the latest change that more than one user may see.
        self.everyone = 0
        self._users: OrderedDict[str, int] = OrderedDict()

    async def begin(self, epoch: str) -> None:
        """Start anew, with the store's present numbers."""
        everyone = await self._of_everyone()
        self._users.clear()
        self.epoch, self.everyone = epoch, everyone

    def note(self, committed: Committed) -> None:
        """Note the changes of a transaction of this process."""
        for user, seq in committed.users.items():
            self.changed([user], seq)
        self.everyone_changed(committed.everyone)

    def changed(self, users: Iterable[str], seq: int) -> None:
        """Note that these users' views changed."""
        for user in users:
            self._users[user] = max(seq, self._users.get(user, 0))
            self._users.move_to_end(user)
        while len(self._users) > MOST_USERS:
            self._users.popitem(last=False)

    def everyone_changed(self, seq: int) -> None:
        """Note that every user's view may have changed."""
        self.everyone = max(self.everyone, seq)

    @property
    def of_everyone(self) -> str:
        """The version of an anonymous caller's view."""
        # With the epoch in which the number was given, so that a later epoch leaves the version
        # as it is.
        return f"{self.epochs.of(self.everyone)}.{self.everyone}"

    async def of(self, user: str | None) -> str:
        """Return the version of a user's view, which changes whenever the view does."""
        if user is None:
            return self.of_everyone
        own = self._users.get(user)
        if own is None:
            self.changed([user], await self._of_user(user))
            own = self._users[user]
        return f"{self.of_everyone}.{self.epochs.of(own)}.{own}"
