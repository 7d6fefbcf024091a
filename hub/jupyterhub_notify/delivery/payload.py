"""The form in which a server is sent a broadcast: for this extension, and for the older one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..models.stored import StoredBroadcast
from ..rendering import plain_text
from ..schema import now

__all__ = ["IDENTITY", "key_of", "payload", "payload_of_older"]

#: The entry in a push's ``data`` that identifies the broadcast.
IDENTITY = "jupyterhub-notify"
#: The largest ``ttl`` in seconds that a lab accepts, ten years.
MAX_TTL_S = 315_360_000
#: The fields of a button that the older extension supports.
_OLDER_ACTION = ("label", "caption", "displayType")


def key_of(id_: str, occurrence: datetime) -> str:
    """Return the key of an occurrence of a broadcast.

    A lab that also asks the service recognises the broadcast by its key, and shows it only once.
    """
    return f"{id_}@{occurrence:%Y%m%dT%H%M%SZ}"


def payload(stored: StoredBroadcast, source: str) -> dict[str, Any]:
    """Return the body for this extension; the key is in the path."""
    options = stored.options
    body: dict[str, Any] = {
        "message": stored.summary,
        "markdown": True,
        "type": stored.type,
        "source": source,
        "data": {IDENTITY: {"broadcast": stored.id}},
    }
    for name, key in (
        ("banner", "banner"),
        ("dismissable", "dismissable"),
        ("actions", "actions"),
        ("progress", "progress"),
        ("autoClose", "auto_close"),
    ):
        if options.get(key) is not None:
            body[name] = options[key]
    if stored.body is not None:
        body["body"] = stored.body
    if stored.occurrence_ends is not None:
        # A duration, not a time: by the server's clock the time might be over already.
        left_s = (stored.occurrence_ends - now()).total_seconds()
        body["ttl"] = min(max(left_s, 0), MAX_TTL_S)
    return body


def payload_of_older(stored: StoredBroadcast) -> dict[str, Any]:
    """Return the body for the older extension: plain text, and buttons that it can draw."""
    options = stored.options
    body: dict[str, Any] = {
        "message": plain_text(stored.summary, block=False) or stored.summary,
        "type": stored.type,
        # It shows a toast and keeps nothing: a toast that closes by itself would be lost on a user
        # who is away.
        "autoClose": options.get("auto_close", False),
        "actions": [
            {name: action[name] for name in _OLDER_ACTION if action.get(name) is not None}
            for action in options.get("actions", [])
        ],
        "immediate": True,
        "data": {IDENTITY: {"broadcast": stored.id}},
    }
    if body["autoClose"] is True:
        # To close by itself is the older extension's default; it accepts no `true`.
        del body["autoClose"]
    if not body["actions"]:
        body["actions"] = [{"label": "Dismiss", "displayType": "default"}]
    return body
