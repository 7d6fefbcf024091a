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

__all__ = ["add_error_handlers", "error_response", "validation_error"]

MOST_INPUT = 200


def error_response(
    status: int, detail: list[dict[str, Any]], *, retry_after_s: int | None = None
) -> Response:
    """Return the answer for an error."""
    headers = {}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="jupyterhub-notify"'
    # In ASCII: what is quoted may be half of a surrogate pair.
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
    """Answer a request that makes no sense."""
    assert isinstance(error, RequestValidationError)
    return error_response(422, [_entry(one) for one in error.errors()])


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and isinstance(error.detail, str):
        # FastAPI says so of what `json` fails at by itself: bytes that are no text, and a nesting
        # that is too deep.
        detail = {"type": "json_invalid", "loc": ["body"], "msg": "The body is no JSON to be read"}
        return error_response(422, [detail])
    return await http_exception_handler(request, error)


def _entry(one: dict[str, Any]) -> dict[str, Any]:
    entry = {"type": one["type"], "loc": list(one["loc"]), "msg": one["msg"]}
    value = one.get("input")
    quotable = isinstance(value, (str, int, float, bool)) and len(str(value)) <= MOST_INPUT
    if quotable and not (isinstance(value, float) and not math.isfinite(value)):
        entry["input"] = value
    return entry


def add_error_handlers(app: FastAPI) -> None:
    """Make an application answer errors so."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(IdentityError, _identity_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(HTTPException, _http_error)
