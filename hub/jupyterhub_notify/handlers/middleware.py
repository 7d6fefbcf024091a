"""Middleware around every request: the body's limit, metrics, the stop, unexpected errors.

It is plain ASGI, which costs least: ten thousand open streams pass through here.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

import structlog
from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..metrics import REQUEST_SECONDS, REQUESTS
from ..under_way import UnderWay
from .errors import error_response

__all__ = ["BodyLimit", "Ending", "Failures", "Measure"]

MOST = 256 * 1024
#: For lists: all notifications that should be active, and all alerts of a group. An engine does not
#: repeat a webhook that was refused as too large.
MOST_OF_LISTS = 16 * 1024 * 1024
LISTS = ("/v1/alerts/alertmanager", "/v1/alerts/grafana")


class BodyLimit:
    """Refuses a body with 413 as soon as it is over the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        is_list = scope["method"] == "PUT" or scope["path"].endswith(LISTS)
        most = MOST_OF_LISTS if is_list else MOST
        detail = [
            {"msg": f"The body is over {most // 1024} KiB", "type": "too_large", "loc": ["body"]}
        ]
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            await error_response(413, detail)(scope, receive, send)
            return
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(413, detail)
            return message

        await self._app(scope, bounded, send)


class Measure:
    """Counts requests by route; the path could contain a user's name or a key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                REQUESTS.labels(scope["method"], route, str(message["status"])).inc()
                REQUEST_SECONDS.labels(route).observe(perf_counter() - began)
            await send(message)

        await self._app(scope, receive, measured)


class Failures:
    """Logs an unexpected error once, and answers 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log = structlog.get_logger("jupyterhub_notify.errors")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        begun = False

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noticed)
        except Exception as error:
            # Not raised again: the server would log it a second time.
            route = getattr(scope.get("route"), "path", None)
            name = type(error).__name__
            self._log.error("A request failed", route=route, error=name, exc_info=error)
            if not begun:
                detail = [{"msg": "The service failed", "type": "internal_error"}]
                await error_response(500, detail)(scope, receive, send)


class Ending:
    """Answers 503 to a request that the service's stop has cancelled.

    Parameters
    ----------
    app
        The application.
    under_way
        The requests under way.
    """

    def __init__(self, app: ASGIApp, under_way: UnderWay) -> None:
        self._app = app
        self._under_way = under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        task, ended = self._under_way.begin(), False
        try:
            await self._app(scope, receive, noticed)
        except asyncio.CancelledError:
            ended = self._under_way.end(task)
            if not ended:
                raise
        finally:
            self._under_way.end(task)
        if ended and not begun:
            detail = [{"msg": "The service is stopping", "type": "unavailable"}]
            await error_response(503, detail, retry_after_s=5)(scope, receive, send)
