"""A ``logging`` handler that shows records as notifications."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from .message import MAX_MESSAGE, compose, shorten
from .send_queue import log, with_key
from .terminal_text import fenced

if TYPE_CHECKING:
    from .api import Notify

#: At most ``BURST`` records are shown within ``WINDOW_S``; the others are only counted.
BURST = 10
WINDOW_S = 60.0


class NotifyHandler(logging.Handler):
    """Shows log records as notifications; never raises into the caller, never recurses.

    If a program logs a thousand errors a second, ten of them are shown each minute, and then the
    number of the others.

    Parameters
    ----------
    level
        The lowest level that is shown.
    source
        The notifications' source; by default the logger's name.
    notify
        The sender; by default ``jupyter_notify.notify``.
    """

    def __init__(
        self,
        level: int | str = logging.WARNING,
        source: str | None = None,
        notify: Notify | None = None,
    ) -> None:
        super().__init__(level)
        if notify is None:
            from .api import notify as default

            notify = default
        self._notify = notify
        self._source = source
        self._inside = threading.local()
        self._window_began = float("-inf")
        self._shown = 0
        self._hidden = 0

    def handle(self, record: logging.LogRecord) -> bool:
        """Ignore records from sending itself, since a failure would cause records without end."""
        ours = record.name == log.name or record.name.startswith(log.name + ".")
        if ours or self._notify.queue.in_thread or getattr(self._inside, "busy", False):
            return False
        return bool(super().handle(record))

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        self._inside.busy = True
        try:
            hidden = self._count()
            if hidden is None:
                return
            text = record.getMessage().strip() or record.name
            details = self.format(record)
            message = compose(
                shorten(text.splitlines()[0], MAX_MESSAGE),
                type=_type(record.levelno),
                body=fenced(details) if details != text or "\n" in details else None,
                source=shorten(self._source or record.name, 80),
            )
            self._notify.queue.submit(with_key(message))
            if hidden:
                more = compose(
                    f"{hidden} more log messages were not shown",
                    type="warning",
                    source=message["source"],
                )
                self._notify.queue.submit(with_key(more))
        except Exception:
            self.handleError(record)
        finally:
            self._inside.busy = False

    def _count(self) -> int | None:
        """Return how many records were hidden before this one; None to hide this one too."""
        now_s = time.monotonic()
        if now_s - self._window_began >= WINDOW_S:
            hidden, self._hidden = self._hidden, 0
            self._window_began, self._shown = now_s, 1
            return hidden
        if self._shown < BURST:
            self._shown += 1
            return 0
        self._hidden += 1
        return None


def _type(level: int) -> str:
    if level >= logging.ERROR:
        return "error"
    if level >= logging.WARNING:
        return "warning"
    return "info" if level >= logging.INFO else "default"
