"""Sync the broadcasts with the central service."""

from __future__ import annotations

from ...storage.remote import BroadcastChanges
from ...storage.transaction import Transaction
from .failure import Failure
from .session import CentralSession, ListState


class BroadcastSync:
    """Keeps the stored broadcasts in step with the service's list.

    Parameters
    ----------
    session
        The service.
    """

    def __init__(self, session: CentralSession) -> None:
        self._session = session
        self._state = ListState()
        #: True once the list was answered in the present pass.
        self.answered = False

    async def sync(self) -> None:
        """Request the list, and store it if it has changed."""
        session, storage = self._session, self._session.storage
        epoch, shown = await session.submit(
            lambda tx: (tx.cursor.epoch, storage.remote.shown_broadcasts(tx)), write=False
        )
        state = self._state
        if state.epoch != epoch or {remote for remote, *_ in shown} != set(state.ids):
            # Drop the ETag: the answer "unchanged" would not bring back what was dropped here.
            state = ListState(epoch)
        listed = await session.client.broadcasts(state.etag)
        self.answered = True
        if listed is None:
            return
        session.notices["broadcasts"] = listed.notice
        name = session.settings.name
        follows = session.has("broadcasts")

        def store(tx: Transaction) -> BroadcastChanges | None:
            changed = storage.remote.sync_broadcasts(tx, listed.items, name, shown)
            if changed is not None and follows:
                for remote, state in listed.states.items():
                    storage.remote.snooze(tx, "broadcast", remote, state)
                    storage.remote.mark(tx, "broadcast", remote, state)
            return changed

        changed = await session.submit(store, write=True)
        if changed is None:
            self._state = ListState()
            return
        self._state = ListState(epoch, listed.etag, tuple(item["remote"] for item in listed.items))
        session.created(changed.created)
        session.emit_event("revoked", changed.revoked)

    async def still_answers(self) -> bool:
        """Return whether the service still answers, and not a proxy that answers 404 to everything.

        The service may have gone away in the middle of a pass, so the list is requested again.
        """
        if not self.answered:
            return False
        try:
            await self._session.client.broadcasts(self._state.etag)
        except Failure:
            self.answered = False
        return self.answered
