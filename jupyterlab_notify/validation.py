"""Validation of incoming JSON against the models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .exceptions import BadRequest

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a request holds.

    Raises
    ------
    BadRequest
        If the body is not UTF-8, not JSON, holds ``NaN`` or ``Infinity``, or is not an object.
    """

    def refuse(name: str) -> None:
        raise BadRequest(f"The request body holds {name}, which is not JSON.")

    try:
        value = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The request body is not UTF-8 (at byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise BadRequest(
            f"The request body is not JSON: {error.msg} at line {error.lineno}, "
            f"column {error.colno}."
        ) from None
    except RecursionError:
        raise BadRequest("The request body is nested too deeply.") from None
    except ValueError:
        # Python refuses whole numbers of more than 4300 digits.
        raise BadRequest("The request body holds a number that is too long.") from None
    if not isinstance(value, dict):
        raise BadRequest("The request body must be a JSON object.")
    return value


def validate(model: type[BaseModel], value: dict[str, Any]) -> Any:
    """Return ``value`` as ``model``.

    Raises
    ------
    BadRequest
        If the value does not fit; the error names each wrong field.
    """
    try:
        return model.model_validate(value)
    except ValueError as error:
        # Imported for an error only: even of a loaded module, an import with each message shows.
        from pydantic import ValidationError

        if not isinstance(error, ValidationError):
            raise
        raise from_validation(error) from None


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
