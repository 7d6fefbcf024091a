"""Logs a line for each delivery. Only here a message's text is logged, shortened."""

from __future__ import annotations

import logging
from functools import lru_cache

from ..models.broadcasts import Outcome
from ..models.stored import StoredBroadcast
from ..rendering import plain_text, single_line

__all__ = ["LOGGER", "log_delivery"]

LOGGER = logging.getLogger("jupyterhub_notify.delivery.lines")
MOST = 50

_WORDS: dict[Outcome, tuple[int, str]] = {
    "stored": (logging.INFO, "SUCCESS"),
    "waiting": (logging.INFO, "WAITING"),
    "no-extension": (logging.WARNING, "NO EXTENSION"),
    "refused": (logging.WARNING, "REFUSED"),
    "not-responding": (logging.WARNING, "NOT RESPONDING"),
    "error": (logging.ERROR, "ERROR"),
}


def log_delivery(
    stored: StoredBroadcast, user: str, server: str, outcome: Outcome, reason: str | None
) -> None:
    """Log the outcome of a broadcast at one server.

    Parameters
    ----------
    stored
        The broadcast.
    user, server
        The server's owner, and its name.
    outcome, reason
        The outcome, and the reason of a failure.
    """
    level, word = _WORDS.get(outcome, (logging.INFO, outcome.upper()))
    who = f"{user}/{server}" if server else user
    text = _line(stored.summary)
    why = f": {reason}" if reason and level > logging.INFO else ""
    LOGGER.log(
        level, "[Notification] %s: '%s' (%s) - %s%s", _printable(who), text, stored.type, word, why
    )


@lru_cache(maxsize=16)
def _line(summary: str) -> str:
    """Return a message as it appears in the log; cached, since thousands of lines have the same."""
    return _shortened(single_line(plain_text(summary, block=False)))


def _shortened(text: str) -> str:
    return _printable(text if len(text) <= MOST else text[:MOST] + "...")


def _printable(text: str) -> str:
    """Return a text with unprintable characters escaped, so that it stays one line."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
