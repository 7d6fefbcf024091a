"""Sync the welcome messages with the central service."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...storage.welcome import ContradictedDismissals
from .broadcasts import BroadcastSync
from .failure import Failure
from .session import CentralSession, ListState

if TYPE_CHECKING:
    from ...storage.shapes import WelcomeContent

#: The most requests in a row, if the user's actions overtake each list.
ATTEMPTS = 3


class WelcomeSync:
    """Keeps the stored welcome messages in step with the service's list.

    Parameters
    ----------
    session
        The service.
    broadcasts
        Knows whether the service still answers.
    """

    def __init__(self, session: CentralSession, broadcasts: BroadcastSync) -> None:
        self._session = session
        self._broadcasts = broadcasts
        self._state = ListState()
        #: True if the service has welcome messages; None if that is not known yet.
        self.is_offered: bool | None = None
        self._requested_ms = 0
        #: The dismissals that the last list contradicted, and since when.
        self._doubted = ContradictedDismissals()
        self._doubted_at = 0.0
        #: True if the last list could not be used because the user acted in the meantime.
        self.is_behind = False

    @property
    def is_doubtful(self) -> bool:
        """Return whether the last list contradicted dismissals, which the next one may confirm."""
        return bool(self._doubted)

    @property
    def is_missing(self) -> bool:
        """Return whether the service is known to have no welcome messages."""
        return self.is_offered is False

    async def sync(self) -> None:
        """Request the messages that are due, and store the list if it has changed.

        A list cannot be used if the user acts while it is requested. A page acts as it starts,
        since it counts the views of the messages that it shows.
        """
        for _ in range(ATTEMPTS):
            if self.is_missing or not await self._sync_once():
                return

    async def _sync_once(self) -> bool:
        """Request the list and store it; return whether another request may do better at once."""
        session, welcome = self._session, self._session.storage.welcome
        epoch, version, was_dismissed = await session.submit(
            lambda tx: (
                tx.cursor.epoch,
                welcome.sync_version(tx),
                welcome.is_list_dismissed(tx),
            ),
            write=False,
        )
        state = self._state if self._state.epoch == epoch else ListState(epoch)
        before_ms = self._requested_ms if state is self._state else 0
        requested_ms = int(time.time() * 1000)
        items: tuple[WelcomeContent, ...] = ()
        etag = None
        try:
            # If the service lists dismissed messages, they were reset elsewhere. The answer
            # "unchanged" would hide that, so the request carries no ETag then.
            known = None if was_dismissed else state.etag
            listed = await session.client.welcome(session.settings.aspect, known)
        except Failure as failure:
            if not (failure.missing and await self._broadcasts.still_answers()):
                raise
            # The service has no welcome messages, so only the files count until the next start.
            self.is_offered = False
        else:
            self.is_offered = True
            if listed is None:
                self._requested_ms = requested_ms
                self.is_behind = False
                return False
            items, etag = listed.items, listed.etag
            session.notices["welcome messages"] = listed.notice
        # Two lists in quick succession may come from the same replica of the service.
        now = time.monotonic()
        is_later = now - self._doubted_at >= session.schedule.spacing_s
        doubted = self._doubted if is_later else ContradictedDismissals()
        # The replicas of a service with events share a database, so every list is up to date.
        trusted = None if session.has("events") else doubted
        taken, contradicted = await session.submit(
            lambda tx: welcome.sync(tx, version, items, before_ms, trusted), write=True
        )
        if not contradicted & self._doubted:
            self._doubted_at = now
        self._doubted = contradicted
        self._state = ListState(epoch, etag if taken else None)
        self._requested_ms = requested_ms if taken else before_ms
        if not taken and self.is_offered is False:
            # The messages that the service listed before are still stored, so try again.
            self.is_offered = None
        self.is_behind = not taken and not contradicted
        # While an action waits to be sent, the next list cannot be used either.
        return self.is_behind and version is not None
