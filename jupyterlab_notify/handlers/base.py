"""What the handlers share: who may call, how large a body may be, how errors are said."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..encoding import dumps
from ..exceptions import BadRequest, Encoded, NotifyError, TooLarge
from ..limits import MAX_REQUEST_BYTES
from ..manager import NotificationManager
from ..validation import parse_json

#: The one resource that an authorizer is asked about.
AUTH_RESOURCE = "jupyterlab_notify"

#: So much of a body that is too large is read and thrown away, so that its sender, still
#: sending, sees the answer instead of a broken connection.
MAX_DRAINED = 16 * 1024 * 1024


#: Headers that Jupyter Server takes for URLs, and what stands for one that is none: another site.
URL_HEADERS = ("Origin", "Sec-WebSocket-Origin", "Referer")
NO_SITE = "null"


class DiscreetHandler(web.RequestHandler):
    """A handler that logs what went wrong without the query, which may hold a token."""

    def initialize(self, manager: NotificationManager) -> None:
        """Take the manager from the route."""
        self.manager = manager
        for name in URL_HEADERS:
            # Jupyter Server would fail with a 500 at the one, and in its own log at the other.
            try:
                urlsplit(self.request.headers.get(name, ""))
            except ValueError:
                self.request.headers[name] = NO_SITE

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Decode a part of the URL; Tornado would say, and log, the value of one that it cannot."""
        try:
            return value.decode()
        except UnicodeDecodeError:
            part = "A part" if name is None else f"The part {name.rstrip('_')}"
            raise web.HTTPError(400, f"{part} of the URL is not UTF-8.") from None

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log an error with the request's path; Tornado would say its whole URL."""
        # Jupyter's handlers have it; this mixin's own type does not say so.
        log: logging.Logger = self.log  # type: ignore[attr-defined]
        request = self.request
        if not isinstance(value, web.HTTPError):
            fault = (typ, value, tb) if typ and value else True
            log.error("%s %s failed", request.method, request.path, exc_info=fault)
        elif value.log_message:
            log.warning(
                "%d %s %s: %s", value.status_code, request.method, request.path, reason(value)
            )


def reason(error: web.HTTPError) -> str:
    """Return what an error says, or nothing."""
    message = error.log_message or ""
    return message % error.args if message and error.args else message


class NotifyHandler(DiscreetHandler, APIHandler):
    """A handler of notifications: JSON in, JSON out, no user activity."""

    auth_resource = AUTH_RESOURCE
    # What a hub pushes or a tab fetches by itself does not show that a user is there:
    # with it, no idle server would ever be culled.
    _track_activity = False
    #: False until a handler whose body comes piece by piece has begun to wait for it.
    _awaits_body = True

    def check_xsrf_cookie(self) -> None:
        """Check the browser's token, and say what is really missing to who has none at all."""
        if hasattr(self, "_jupyter_current_user") and self.current_user is None:
            raise web.HTTPError(403, "Authentication failed: the request has no valid token.")
        super().check_xsrf_cookie()

    def answer_error(self, message: str, errors: list[dict[str, str]] | None = None) -> None:
        """Finish with an answer in the shape of ``models.ErrorAnswer``."""
        self.answer({"success": False, "message": message, "errors": errors or []})

    def answer(self, value: Mapping[str, Any] | str) -> None:
        """Finish with a JSON answer."""
        self.set_header("Content-Type", "application/json")
        self.finish(value if isinstance(value, str) else dumps(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say an error in the shape of ``models.ErrorAnswer``."""
        error = (kwargs.get("exc_info") or (None, None))[1]
        message = reason(error) if isinstance(error, web.HTTPError) else ""
        if not message:
            try:
                message = HTTPStatus(status_code).phrase
            except ValueError:
                message = "Unknown error"
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            offered = (m for m in self.SUPPORTED_METHODS if _offers(type(self), m))
            self.set_header("Allow", ", ".join(offered))
        if self.request.method not in self.SUPPORTED_METHODS or not self._awaits_body:
            # Refused before its body has come: Tornado closes the connection, so say it.
            self.set_header("Connection", "close")
        self.answer_error(message)

    def query_argument(self, name: str, most: int) -> str | None:
        """Return a query parameter of at most ``most`` characters, once."""
        values = self.get_query_arguments(name, strip=False)
        if len(values) > 1:
            raise BadRequest(f"The query parameter {name} must be given once.")
        if values and len(values[0]) > most:
            raise BadRequest(f"The query parameter {name} is longer than {most} characters.")
        return values[0] if values else None


def _offers(handler: type[web.RequestHandler], method: str) -> bool:
    name = method.lower()
    return getattr(handler, name) is not getattr(web.RequestHandler, name)


@web.stream_request_body
class BodyHandler(NotifyHandler):
    """A handler that takes a body: bounded while it arrives, not after."""

    def initialize(self, manager: NotificationManager) -> None:
        """Take the manager from the route."""
        super().initialize(manager)
        self._awaits_body = False
        self._body = bytearray()
        self._received = 0

    # Tornado takes a coroutine here; the types of the base class know only its own.
    async def prepare(self) -> None:  # type: ignore[override]
        """Check the caller; a caller who is refused is told after the body has arrived.

        Tornado closes a connection that it answers earlier, and a proxy that still sends the
        body then sees a reset instead of the 403: JupyterHub's makes a 503 of it.
        """
        self._awaits_body = True
        try:
            await super().prepare()
        except web.HTTPError as error:
            refused = error

            async def refuse(*args: Any, **kwargs: Any) -> None:
                raise refused

            setattr(self, (self.request.method or "GET").lower(), refuse)

    def data_received(self, chunk: bytes) -> None:
        """Keep what arrives, up to the bound."""
        self._received += len(chunk)
        if self._received > MAX_REQUEST_BYTES:
            self._body.clear()
            if self._received > MAX_DRAINED and not self._finished:
                # Answered before its end, the request is cut off by Tornado; an exception
                # from here would be logged as a fault of this server's.
                self.set_status(413)
                self.set_header("Connection", "close")
                self.answer_error(str(TooLarge()))
        else:
            self._body += chunk

    def json(self) -> dict[str, Any]:
        """Return the JSON object that was sent; raises ``BadRequest``."""
        if self._received > MAX_REQUEST_BYTES:
            raise TooLarge
        if self.request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Encoded
        return parse_json(bytes(self._body))


Method = Callable[..., Awaitable[None]]


def with_errors(method: Method) -> Method:
    """Answer a ``NotifyError`` that a method raises with its status and its sentence."""

    @wraps(method)
    async def wrapper(self: NotifyHandler, *args: Any, **kwargs: Any) -> None:
        try:
            await method(self, *args, **kwargs)
        except NotifyError as error:
            self.set_status(error.status)
            if error.retry_after_s is not None:
                self.set_header("Retry-After", str(math.ceil(error.retry_after_s)))
            self.answer_error(str(error), getattr(error, "errors", None))

    return wrapper
