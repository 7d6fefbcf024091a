"""Explain to its author why a file of settings is refused; rules and channels use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["plain_reason"]

#: pydantic's own words speak of Python's types.
_WORDS = {
    "model_type": "must have fields, as name: value",
    "dict_type": "must have fields, as name: value",
    "list_type": "must be a list",
    "string_type": "must be a text, in quotes if it looks like a number",
    "time_delta_type": "must be a time such as 90s, 5m or 1h30m",
    "missing": "is required",
}


def plain_reason(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field.

    Parameters
    ----------
    error
        An entry of a pydantic error.

    Returns
    -------
    str
        The part of a sentence that follows the field's name.
    """
    return _WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
