"""The words, colours and order of outcomes on the page of a broadcast's results."""

from __future__ import annotations

from dataclasses import dataclass

from ..models.broadcasts import Delivered

__all__ = ["FAILED", "LOOKS", "Look", "label_of"]


@dataclass(frozen=True)
class Look:
    """The look of one outcome.

    Parameters
    ----------
    name
        The name on the wire.
    label
        The word in a sum: *12 shown*.
    tone
        The CSS class of the colour.
    """

    name: str
    label: str
    tone: str


#: In the order in which the bar shows them.
LOOKS = (
    Look("replied", "replied", "reached"),
    Look("dismissed", "dismissed", "reached"),
    Look("read", "read", "reached"),
    Look("shown", "shown", "reached"),
    Look("stored", "stored, no tab open", "stored"),
    Look("waiting", "waiting", "waiting"),
    Look("no-extension", "no extension", "missing"),
    Look("expired", "expired", "missing"),
    Look("refused", "token refused", "failed"),
    Look("not-responding", "not responding", "failed"),
    Look("error", "error", "failed"),
)

#: Outcomes that *Retry failed* tries again.
FAILED = ("refused", "not-responding", "error", "no-extension")

_ROWS = {
    "read": "Read",
    "dismissed": "Dismissed",
    "replied": "Replied",
    "stored": "Stored, no tab open",
    "waiting": "Waiting for the server’s start or a tab",
    "no-extension": "No extension (404)",
    "refused": "Token refused",
    "not-responding": "Not responding, will be tried again",
    "expired": "Expired before it was seen",
    "error": "Error",
}


def label_of(row: Delivered) -> str:
    """Return the outcome of a broadcast at one server, in words."""
    tabs = "" if row.tabs is None else f" in {row.tabs} {'tab' if row.tabs == 1 else 'tabs'}"
    if row.outcome == "shown":
        return f"Shown{tabs}"
    return _ROWS[row.outcome]
