"""What is wrong with a message, in one sentence, from pydantic's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .exceptions import BadRequest

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


def from_validation(error: ValidationError) -> BadRequest:
    """Return pydantic's error as a ``BadRequest`` of one sentence."""
    problems: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_context=True):
        field = _field(detail["loc"])
        text = _size(detail) or detail["msg"].removeprefix("Value error, ")
        # Each member of a union reports a problem; the field gets one that joins them.
        known = problems.get(field)
        problems[field] = text if known is None or known == text else f"{known}; or {text}"
    errors = [{"field": field, "message": text} for field, text in problems.items()]
    first = errors[0]
    where = f"Field {first['field']}: " if first["field"] else "The request "
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return BadRequest(f"{where}{first['message']}{more}", errors)


def _size(detail: ErrorDetails) -> str:
    """Describe a wrong length; pydantic would call characters "items after validation"."""
    if detail["type"] not in ("too_long", "too_short", "string_too_long", "string_too_short"):
        return ""
    given, bounds = detail["input"], detail.get("ctx", {})
    if not given:
        return "must not be empty"
    what = "characters" if isinstance(given, str) else "entries"
    if "max_length" in bounds:
        return f"must have at most {bounds['max_length']} {what}, not {len(given)}"
    return f"must have at least {bounds['min_length']} {what}, not {len(given)}"


def _field(location: tuple[int | str, ...]) -> str:
    """Return ``actions[0].url`` for pydantic's location, without its names of union members."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier() and part not in {"bool", "int", "float", "str"}:
            path += f".{part}" if path else part
    return path
