"""Validation of incoming JSON against the models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .exceptions import BadRequest

if TYPE_CHECKING:
    from pydantic import BaseModel


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

        from .validation_errors import from_validation

        if not isinstance(error, ValidationError):
            raise
        raise from_validation(error) from None
