"""The question of a message to its readers, and the check of an answer to it."""

from __future__ import annotations

from typing import Any

from ..errors import Conflict, Invalid

__all__ = ["check_reply"]


def check_reply(options: dict[str, Any], reply: str) -> None:
    """Refuse an answer that was not asked for.

    Raises
    ------
    Conflict
        If nothing is asked.
    Invalid
        If it is none of the choices, and no text is asked for.
    """
    asked = options.get("reply")
    if asked is None:
        raise Conflict("This message asks for no reply", ["body", "reply"])
    if reply not in asked.get("choices", []) and not asked.get("text"):
        raise Invalid("This is none of the choices", ["body", "reply"])
