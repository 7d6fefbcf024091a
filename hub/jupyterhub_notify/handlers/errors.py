"""Turns every error into an answer of the same shape: ``{"detail": [{"msg", "type", "loc"?}]}``."""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ..errors import ServiceError
from ..identity.caller import IdentityError

__all__ = ["add_error_handlers", "error_response", "http_error", "validation_error"]

MOST_INPUT = 200
#: Maximum number of errors listed, and of characters of a field's name: the caller controls both.
MOST_ERRORS, MOST_NAME = 100, 100
#: Replaces pydantic's sentence on an unknown field, which does not help with a misspelt one.
UNKNOWN_FIELD = "There is no field of this name"


def error_response(
    status: int, detail: list[dict[str, Any]], *, retry_after_s: int | None = None
) -> Response:
    """Return the answer for an error."""
    headers = {}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="jupyterhub-notify"'
    # In ASCII: a quoted text may contain half of a surrogate pair, which UTF-8 cannot encode.
    return Response(
        json.dumps({"detail": detail}),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )


async def _service_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return error_response(error.status, [error.detail()], retry_after_s=error.retry_after_s)


async def _identity_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, IdentityError)
    detail = [{"msg": str(error), "type": error.code}]
    return error_response(error.status, detail, retry_after_s=error.retry_after_s)


async def validation_error(_request: Request, error: Exception) -> Response:
    """Answer a request that is not valid."""
    assert isinstance(error, RequestValidationError)
    return error_response(422, [_entry(one) for one in error.errors()[:MOST_ERRORS]])


#: Replace the framework's own two words on an unknown address or method.
SENTENCES = {
    404: ("not_found", "There is nothing at this address"),
    405: ("method_not_allowed", "This address does not take this method"),
}


async def http_error(request: Request, error: Exception) -> Response:
    """Answer an unknown address, and the framework's other errors."""
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and isinstance(error.detail, str):
        # FastAPI answers 400 if `json` fails with other errors than its own: on bytes that are no
        # text, and on too deep a nesting.
        detail = {"type": "json_invalid", "loc": ["body"], "msg": "The body is no JSON to be read"}
        return error_response(422, [detail])
    if error.status_code in SENTENCES and isinstance(error.detail, str):
        code, sentence = SENTENCES[error.status_code]
        answer = error_response(error.status_code, [{"msg": sentence, "type": code}])
        # Such as `Allow`, with the methods that the address does accept.
        answer.headers.update(error.headers or {})
        return answer
    return await http_exception_handler(request, error)


def _entry(one: dict[str, Any]) -> dict[str, Any]:
    message = UNKNOWN_FIELD if one["type"] == "extra_forbidden" else one["msg"]
    place = [part[:MOST_NAME] if isinstance(part, str) else part for part in one["loc"]]
    entry = {"type": one["type"], "loc": place, "msg": message}
    value = one.get("input")
    quotable = isinstance(value, (str, int, float, bool)) and len(str(value)) <= MOST_INPUT
    if quotable and not (isinstance(value, float) and not math.isfinite(value)):
        entry["input"] = value
    return entry


def add_error_handlers(app: FastAPI) -> None:
    """Add these handlers of errors to an application."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(IdentityError, _identity_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(HTTPException, http_error)
