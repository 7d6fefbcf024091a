"""The interface for other server extensions, an attribute of the running application.

::

    app = serverapp.web_app.settings.get("jupyterlab_notify")  # None where it is not installed
    if app is not None:
        sent = await app.notifications.emit("Quota at 90 %", type="warning", source="quota")
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from .manager import NotificationManager, Received
from .validation import validate

#: Called with the action (``created``, ``updated``, ``read``, ``unread``, ``closed``,
#: ``reopened``, ``dismissed``, ``restored``, ``snoozed``, ``unsnoozed``, ``revoked``,
#: ``answered``) and the ids that were named; without ids, the whole inbox or a range of it changed.
Observer = Callable[[str, list[str]], None]


class Notifications:
    """Sends notifications to the user of this server, and reports changes to them.

    Call its methods in the server's event loop.

    Parameters
    ----------
    manager
        Receives the notifications.
    log
        The server's log.
    """

    def __init__(self, manager: NotificationManager, log: logging.Logger) -> None:
        self._manager = manager
        self._log = log
        self._observers: list[Observer] = []

    async def emit(self, message: str, *, source: str, **options: Any) -> Received:
        """Send a message and return once it is committed.

        Parameters
        ----------
        message
            The summary.
        source
            The extension's name as users should see it.
        options
            Any other field of ``docs/ingest.md``: ``type``, ``body``, ``actions``, ``key``, …

        Returns
        -------
        Received
            The id and ``seq`` of the notification.

        Raises
        ------
        NotifyError
            If a field is wrong, or too many operations are waiting. Its text is a sentence, and
            nothing is stored.
        """
        from .models import IngestMessage

        value = {**options, "message": message, "source": source}
        return await self._manager.receive(validate(IngestMessage, value), source=source)

    async def update(self, key: str, message: str, *, source: str, **options: Any) -> Received:
        """Replace the message that ``source`` sent under ``key``, or send it; see ``emit``."""
        return await self.emit(message, source=source, **{**options, "key": key})

    async def revoke(self, id_or_key: str, *, source: str) -> Received:
        """Revoke a message of ``source`` by its id, or by its key.

        Raises
        ------
        NotFound
            If there is no such message.
        """
        return await self._manager.revoke(id_or_key, source)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call ``observer`` on each change made through this server; return its remover."""
        self._observers.append(observer)

        def end() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return end

    def tell(self, action: str, ids: list[str]) -> None:
        """Call every observer; log one that fails and go on with the others."""
        for observer in tuple(self._observers):
            try:
                observer(action, list(ids))
            except Exception:
                self._log.warning("An observer of notifications failed.", exc_info=True)
