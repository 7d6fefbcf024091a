"""Base classes of the handlers: authorization, bounds of the body, error answers."""

from __future__ import annotations

import errno
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
from ..exceptions import BadRequest, Busy, Encoded, NoFiles, NotifyError, TooLarge
from ..limits import MAX_REQUEST_BYTES
from ..manager import NotificationManager
from ..validation import parse_json

#: The only resource name that authorizers see.
AUTH_RESOURCE = "jupyterlab_notify"

#: How many bytes of a too large body are read and discarded. So a sender that is still sending gets
#: the answer instead of a broken connection.
MAX_DRAINED = 16 * 1024 * 1024

#: Number of request bodies that may be under way, pictures apart. Each may take twice its size, as
#: Tornado keeps what it has read last.
MAX_ARRIVING = 128
ARRIVING_SETTING = "jupyterlab_notify_arriving"

#: An image must not run scripts, even if a user opens it by itself.
IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

#: Headers that Jupyter Server parses as URLs, and the replacement for a malformed one: an opaque
#: origin, which is never this site's.
URL_HEADERS = ("Origin", "Sec-WebSocket-Origin", "Referer")
NO_SITE = "null"


class DiscreetHandler(web.RequestHandler):
    """A handler that logs errors without the query, which may hold a token."""

    def initialize(self, manager: NotificationManager) -> None:
        """Take the manager from the route."""
        self.manager = manager
        for name in URL_HEADERS:
            # Jupyter Server would answer 500 to a malformed origin, and fail to log a malformed
            # referer.
            try:
                urlsplit(self.request.headers.get(name, ""))
            except ValueError:
                self.request.headers[name] = NO_SITE

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Decode a part of the URL; Tornado's error would repeat, and log, the value."""
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
        """Log an error with the request's path only; Tornado would log the whole URL."""
        # Jupyter's handlers have a log, which this mixin's type does not declare.
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
    """Return the message of an error, or an empty string."""
    message = error.log_message or ""
    return message % error.args if message and error.args else message


class NotifyHandler(DiscreetHandler, APIHandler):
    """A handler that takes and returns JSON and records no user activity."""

    auth_resource = AUTH_RESOURCE
    # A push from a hub or a request that a tab makes by itself does not show that a user is
    # there: if these counted, no idle server would ever be culled.
    _track_activity = False
    #: False until a handler that streams its body has begun to wait for it.
    _awaits_body = True

    def check_xsrf_cookie(self) -> None:
        """Check the XSRF token; if the caller is not authenticated, report that instead."""
        if hasattr(self, "_jupyter_current_user") and self.current_user is None:
            raise web.HTTPError(403, "Authentication failed: the request has no valid token.")
        super().check_xsrf_cookie()

    def answer_error(self, message: str, errors: list[dict[str, str]] | None = None) -> None:
        """Finish with an error in the shape of ``models.ErrorAnswer``."""
        self.answer({"success": False, "message": message, "errors": errors or []})

    def answer_notify_error(self, error: NotifyError) -> None:
        """Finish with an error, its status and when to try again."""
        self.set_status(error.status)
        if error.retry_after_s is not None:
            self.set_header("Retry-After", str(math.ceil(error.retry_after_s)))
        self.answer_error(str(error), getattr(error, "errors", None))

    def arrived(self) -> None:
        """Note that all of the request is there, and its method begins."""

    def answer(self, value: Mapping[str, Any] | str) -> None:
        """Finish with a JSON answer."""
        self.set_header("Content-Type", "application/json")
        self.finish(value if isinstance(value, str) else dumps(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write an error in the shape of ``models.ErrorAnswer``."""
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
            # The request is refused before its body has arrived. Tornado closes the connection
            # then, so the answer says so.
            self.set_header("Connection", "close")
        self.answer_error(message)

    def query_argument(self, name: str, most: int) -> str | None:
        """Return a query parameter; refuse it if given twice or longer than ``most`` characters."""
        # Tornado's own method would make spaces of control characters, and so name another source.
        sent = self.request.query_arguments.get(name, [])
        values = [self.decode_argument(value, name) for value in sent]
        if len(values) > 1:
            raise BadRequest(f"The query parameter {name} must be given once.")
        if values and len(values[0]) > most:
            raise BadRequest(f"The query parameter {name} is longer than {most} characters.")
        return values[0] if values else None


def _offers(handler: type[web.RequestHandler], method: str) -> bool:
    name = method.lower()
    return getattr(handler, name) is not getattr(web.RequestHandler, name)


class Arriving:
    """The requests whose bodies have arrived in part, which take memory until all is there."""

    def __init__(self) -> None:
        #: The earliest first.
        self._requests: dict[BodyHandler, None] = {}

    def add(self, request: BodyHandler) -> None:
        """Add a request; above the bound, answer the one that has been arriving longest.

        What a sender means to send arrives in a moment, so the newest are preferred.
        """
        self._requests[request] = None
        if len(self._requests) > MAX_ARRIVING:
            slowest = next(iter(self._requests))
            del self._requests[slowest]
            slowest.cut_off()

    def remove(self, request: BodyHandler) -> None:
        """Remove a request that has arrived, or is gone."""
        self._requests.pop(request, None)


@web.stream_request_body
class BodyHandler(NotifyHandler):
    """A handler that bounds the body while it arrives, not afterwards."""

    #: The maximum size of the body, in bytes.
    max_body = MAX_REQUEST_BYTES

    def initialize(self, manager: NotificationManager) -> None:
        """Take the manager from the route."""
        super().initialize(manager)
        self._awaits_body = False
        self._body: bytes | bytearray = b""
        self._received = 0
        self._arriving: Arriving | None = None

    async def prepare(self) -> None:  # type: ignore[override]  # Tornado takes a coroutine here
        """Check the caller, but delay a refusal until the body has arrived.

        Tornado closes a connection that it answers earlier. A proxy that still sends the body
        then sees a reset instead of the 403, and JupyterHub's proxy turns that into a 503.
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
        """Keep the body as it arrives, up to the bound."""
        self._received += len(chunk)
        if self._is_whole():
            self.arrived()
        elif self._arriving is None:
            self._arriving = self.settings.setdefault(ARRIVING_SETTING, Arriving())
            self._arriving.add(self)
        if self._received > self.max_body:
            self._body = b""
            if self._received > MAX_DRAINED:
                self._answer_early(self.too_large())
        elif not self._body:
            # Tornado keeps this object too, so it takes no memory of its own.
            self._body = chunk
        elif isinstance(self._body, bytearray):
            self._body += chunk
        else:
            self._body = bytearray(self._body) + chunk

    def _is_whole(self) -> bool:
        """Return whether all of the body is there, as far as its length is known."""
        length = self.request.headers.get("Content-Length", "")
        return length == str(self._received)

    def arrived(self) -> None:
        """Give the place to another body: this one has arrived, or never will."""
        if self._arriving is not None:
            self._arriving.remove(self)

    def cut_off(self) -> None:
        """Answer before the body has arrived, since too many others are arriving too."""
        self._body = b""
        self._answer_early(Busy("Too many requests arrive at once; try again in a few seconds."))

    def _answer_early(self, error: NotifyError) -> None:
        # Tornado cuts off a request that is answered before its end. An exception raised by
        # ``data_received`` would be logged as a fault of this server.
        if not self._finished:
            self.set_header("Connection", "close")
            self.answer_notify_error(error)

    def on_finish(self) -> None:
        """Give the place to another body."""
        self.arrived()
        super().on_finish()

    def on_connection_close(self) -> None:
        """Give the place to another body."""
        self.arrived()
        super().on_connection_close()

    def too_large(self) -> TooLarge:
        """Return the error for a body of more bytes than ``max_body``."""
        return TooLarge()

    def body(self) -> bytes:
        """Return the body; raises ``BadRequest`` if it is too large or compressed."""
        if self._received > self.max_body:
            raise self.too_large()
        if self.request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Encoded
        return bytes(self._body)

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body; raises ``BadRequest``."""
        return parse_json(self.body())


Method = Callable[..., Awaitable[None]]


def with_errors(method: Method) -> Method:
    """Answer a ``NotifyError`` that a method raises with its status and message."""

    @wraps(method)
    async def wrapper(self: NotifyHandler, *args: Any, **kwargs: Any) -> None:
        if self._finished:
            # It was cut off while its caller was checked.
            return
        self.arrived()
        try:
            try:
                await method(self, *args, **kwargs)
            except OSError as fault:
                # Modules are imported when they are first needed, and their files opened then.
                if fault.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
                self.log.warning("%s %s failed: %s", self.request.method, self.request.path, fault)
                raise NoFiles from None
        except NotifyError as error:
            self.answer_notify_error(error)

    return wrapper


class ImageHandler(BodyHandler):
    """An image that came from outside, which must not run anything."""

    @property
    def content_security_policy(self) -> str:
        """The policy that keeps an image from running anything."""
        return IMAGE_POLICY

    def finish_image(self, image: bytes, media_type: str, cache: str) -> None:
        """Answer with the image as its media type; only the user's browser may cache it."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", f"private, {cache}")
        self.finish(image, set_content_type=media_type)
