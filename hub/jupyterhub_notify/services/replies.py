"""The check of a reply to the question that a message asks its readers."""

from __future__ import annotations

from typing import Any

from ..errors import Conflict, Invalid

__all__ = ["check_reply"]


def check_reply(options: dict[str, Any], reply: str) -> None:
    """Refuse a reply that was not asked for.

    Raises
    ------
    Conflict
        If the message asks nothing.
    Invalid
        If the reply is none of the choices, and no text is asked for.
    """
    asked = options.get("reply")
    if asked is None:
        raise Conflict("This message asks for no reply", ["body", "reply"])
    if reply not in asked.get("choices", []) and not asked.get("text"):
        raise Invalid("This is none of the choices", ["body", "reply"])
