"""What other server extensions use: they find it on the running application.

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

#: Told what happened (``created``, ``updated``, ``read``, ``unread``, ``dismissed``, ``restored``,
#: ``revoked``) and the ids that were named; no ids: all of the inbox, or a range of it.
Observer = Callable[[str, list[str]], None]


class Notifications:
    """Sends notifications to the user of this server, and tells what becomes of them.

    Its methods are for the server's event loop.

    Parameters
    ----------
    manager
        Where they go.
    log
        Where the administrator looks.
    """

    def __init__(self, manager: NotificationManager, log: logging.Logger) -> None:
        self._manager = manager
        self._log = log
        self._observers: list[Observer] = []

    async def emit(self, message: str, *, source: str, **options: Any) -> Received:
        """Send a message; returns once it is committed.

        Parameters
        ----------
        message
            The summary.
        source
            Who says it: the extension's name for people.
        options
            Any other field of ``docs/ingest.md``: ``type``, ``body``, ``actions``, ``key``, …

        Returns
        -------
        Received
            Its id and ``seq``.

        Raises
        ------
        NotifyError
            If a field is wrong, or too much waits to be stored; its text is a sentence, and
            nothing is stored.
        """
        from .models import IngestMessage

        value = {**options, "message": message, "source": source}
        return await self._manager.receive(validate(IngestMessage, value), source=source)

    async def update(self, key: str, message: str, *, source: str, **options: Any) -> Received:
        """Replace the message that ``source`` sent under ``key``, or send it; as ``emit``."""
        return await self.emit(message, source=source, **{**options, "key": key})

    async def revoke(self, id_or_key: str, *, source: str) -> Received:
        """Take a message back by its id, or by the key under which ``source`` sent it.

        Raises
        ------
        NotFound
            If there is none.
        """
        return await self._manager.revoke(id_or_key, source, any_source=False)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Have ``observer`` told of each change that this server makes; returns what ends that."""
        self._observers.append(observer)

        def end() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return end

    def tell(self, action: str, ids: list[str]) -> None:
        """Tell the observers; one that fails is logged and the others are told all the same."""
        for observer in tuple(self._observers):
            try:
                observer(action, list(ids))
            except Exception:
                self._log.warning("An observer of notifications failed.", exc_info=True)
