"""Identifiers of notifications and of central services."""

from __future__ import annotations

import hashlib
import os
import re

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: The key of a pushed broadcast. Not compiled here: most servers never see one.
_PUSHED = r"(b-[0-9a-f]{8,64})@\d{8}T\d{6}Z"


def new_id(now_ms: int) -> str:
    """Return a ULID: 48 bits of time and 80 random bits, in Crockford's base 32."""
    return _ulid((now_ms << 80) | int.from_bytes(os.urandom(10), "big"))


def remote_id(central: str, origin: str, remote: str, created_ms: int = 0) -> str:
    """Return the id of a notification from a central service: a ULID, the same on every server."""
    digest = hashlib.sha256(f"{central}\n{origin}\n{remote}".encode()).digest()
    return _ulid((max(created_ms, 0) << 80) | int.from_bytes(digest[:10], "big"))


def central_tag(url: str) -> str:
    """Return a short tag for a central service, which marks its rows."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def pushed_broadcast(key: str) -> str | None:
    """Return the broadcast's id from a pushed message's key; None if it is not a broadcast.

    A service pushes to labs that do not poll it. The key holds the service's id and the time at
    which the occurrence begins.
    """
    found = re.fullmatch(_PUSHED, key)
    return found[1] if found else None


def _ulid(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
