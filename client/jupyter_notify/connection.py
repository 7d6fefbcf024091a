"""An HTTP client for one server, built on the standard library: no redirects, no proxies."""

from __future__ import annotations

import email.utils
import encodings.idna  # noqa: F401  # resolving a host imports it, which a thread must not do
import errno
import http.client
import io
import json
import math
import os
import re
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from .decoding import encodable
from .discovery import Target
from .errors import BadUsage, MalformedAnswer, Refused, SendError, Unreachable
from .message import encode

NAMESPACE = "jupyterlab-notify"
TIMEOUT_S = 10.0
#: The largest answer that is read: a page of 200 notifications with long summaries fits.
MAX_ANSWER = 16 * 1024 * 1024
#: The longest ``Retry-After`` that is obeyed.
MAX_RETRY_AFTER_S = 300.0


class _Deadline(io.RawIOBase):
    """A socket that is read until a deadline; a slow byte does not start a new timeout."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock = sock
        # http.client relies on this file to keep the socket open until the answer is read.
        self._file = sock.makefile("rb", buffering=0)
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response that must arrive completely within its connection's timeout."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        timeout_s = sock.gettimeout()
        end = time.monotonic() + (TIMEOUT_S if timeout_s is None else timeout_s)
        before, self.fp = self.fp, io.BufferedReader(_Deadline(sock, end))
        before.close()


class _UnixConnection(http.client.HTTPConnection):
    """A connection to a server that listens on a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._path)
            check_peer(self.sock)
        except BaseException:
            self.close()
            raise


def check_peer(sock: socket.socket) -> None:
    """Check that the process at the other end of a Unix socket belongs to this user or root.

    Raises
    ------
    PermissionError
        If the process belongs to another user.
    """
    user: int | None = None
    if hasattr(socket, "SO_PEERCRED"):
        answer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        user = struct.unpack("3i", answer)[1]
    elif sys.platform == "darwin":
        # LOCAL_PEERCRED gives a version and the user's id.
        user = struct.unpack("II", sock.getsockopt(0, 1, 76)[:8])[1]
    if user is not None and user not in (0, os.getuid()):
        raise PermissionError(errno.EACCES, "another user listens on its socket")


def tls(target: Target) -> ssl.SSLContext:
    """Return the TLS context for a server; a local one's certificate is not verified."""
    context = ssl.create_default_context()
    if target.local:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def headers(target: Target) -> dict[str, str]:
    """Return the headers that authenticate a request.

    Raises
    ------
    BadUsage
        If a header cannot hold the token.
    """
    if target.token is not None:
        if not re.fullmatch(r"[\x21-\x7e]+", target.token):
            # The library's own error would show the token.
            raise BadUsage(
                f"The token for {target.url} cannot be sent: it holds characters other than "
                "ASCII letters, digits and signs."
            )
        return {"Authorization": f"Bearer {target.token}"}
    # A server without a token still checks for cross-site request forgery.
    return {"Cookie": "_xsrf=notify", "X-XSRFToken": "notify"}


class Client:
    """A client of one server's notifications API; not thread-safe.

    Parameters
    ----------
    target
        The server.
    timeout_s
        How long a request may take.
    """

    def __init__(self, target: Target, timeout_s: float = TIMEOUT_S) -> None:
        self.target = target
        self._path = urlsplit(target.url).path + NAMESPACE
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self, method: str, path: str, value: dict[str, Any] | bytes | None = None
    ) -> dict[str, Any]:
        """Send a request and return the answer's JSON.

        Parameters
        ----------
        method
            The HTTP method.
        path
            The path below the extension's namespace, with a leading slash.
        value
            The body: JSON, or a picture's bytes.

        Raises
        ------
        Unreachable
            If there is no answer.
        Refused
            If the status is not 200.
        MalformedAnswer
            If the answer is not a JSON object.
        """
        body = encode(value) if isinstance(value, dict) else value
        reused = self._connection is not None
        try:
            try:
                status, fields, content = self._exchange(method, path, body)
            except (http.client.BadStatusLine, ConnectionError):
                self.close()
                if not reused:
                    raise
                # The server had closed the idle connection before it read the request.
                status, fields, content = self._exchange(method, path, body)
        except BadUsage:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(
                f"The Jupyter server {self.target.url} does not answer: {_reason(error)}."
            ) from None
        except BaseException:
            # After an interrupt the answer is still to come, and would be taken for the next one's.
            self.close()
            raise
        return self._parse(status, fields, content)

    def _exchange(
        self, method: str, path: str, body: bytes | None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        sent = headers(self.target)
        if body is not None:
            # The server determines a picture's type from its bytes.
            is_json = body.startswith(b"{")
            sent["Content-Type"] = "application/json" if is_json else "application/octet-stream"
        if self._connection.sock is not None:
            # Reading the last answer has left a shorter timeout on the socket.
            self._connection.sock.settimeout(self._timeout_s)
        self._connection.request(method, self._path + path, body, sent)
        answer = self._connection.getresponse()
        content = answer.read(MAX_ANSWER + 1)
        if len(content) > MAX_ANSWER:
            self.close()
            raise http.client.HTTPException("its answer is too long")
        return answer.status, answer.headers, content

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.target.url)
        # In a URL a percent sign, before the name of an IPv6 address's interface, may be encoded.
        host = unquote(parts.hostname or "")
        made: http.client.HTTPConnection
        if self.target.unix_socket is not None:
            made = _UnixConnection(self.target.unix_socket, self._timeout_s)
        elif parts.scheme == "https":
            made = http.client.HTTPSConnection(
                host, parts.port, timeout=self._timeout_s, context=tls(self.target)
            )
        else:
            made = http.client.HTTPConnection(host, parts.port, timeout=self._timeout_s)
        made.response_class = _Response
        return made

    def _parse(
        self, status: int, fields: http.client.HTTPMessage, content: bytes
    ) -> dict[str, Any]:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            value = None
        if status == HTTPStatus.OK:
            if isinstance(value, dict):
                return value
            raise malformed(self.target)
        answer = value if isinstance(value, dict) and "success" in value else None
        raise refusal_of(
            self.target, status, answer, fields.get("Location"), fields.get("Retry-After")
        )

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class ReconnectingClient:
    """A client that looks for its server again when the server is gone: the URL may have changed.

    Parameters
    ----------
    find
        Returns the server.
    timeout_s
        How long a request may take.
    """

    def __init__(self, find: Callable[[], Target], timeout_s: float = TIMEOUT_S) -> None:
        self._find = find
        self._timeout_s = timeout_s
        self._client: Client | None = None

    def connect(self) -> None:
        """Find the server, unless it was found already.

        Raises
        ------
        SendError
            If there is no server.
        """
        if self._client is None:
            self._client = Client(self._find(), self._timeout_s)

    def close(self) -> None:
        """Close the connection; the next request looks for the server again."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def id_in(self, answer: dict[str, Any]) -> str:
        """Return the notification's id from a receipt."""
        assert self._client is not None
        return id_in(self._client.target, answer)

    def request(
        self, method: str, path: str, value: dict[str, Any] | bytes | None = None
    ) -> dict[str, Any]:
        """Send a request and return the answer's JSON, as ``Client.request`` does."""
        fresh = self._client is None
        self.connect()
        assert self._client is not None
        try:
            return self._client.request(method, path, value)
        except (Unreachable, Refused) as error:
            if not _may_have_moved(error, method):
                raise
            before, self._client = self._client.target, None
            if fresh:
                raise
            # The server may be back on another port, with another token.
            try:
                target = self._find()
            except SendError:
                raise error from None
            if target == before:
                raise
            self._client = Client(target, self._timeout_s)
        return self._client.request(method, path, value)


def ingest_path(id_or_key: str, source: str | None = None) -> str:
    """Return the path of a notification by its id or key; each source has its own keys."""
    query = f"?{urlencode({'source': encodable(source)})}" if source else ""
    return f"/ingest/{quote(encodable(id_or_key), safe='')}{query}"


def image_path(id_or_key: str, source: str | None = None) -> str:
    """Return the path of a message's picture."""
    path, question, query = ingest_path(id_or_key, source).partition("?")
    return f"{path}/image{question}{query}"


def _may_have_moved(error: Unreachable | Refused, method: str) -> bool:
    if isinstance(error, Unreachable):
        return True
    # For a revocation, 404 is the real answer: there is nothing to revoke.
    return error.status in (401, 403) or (error.status == 404 and method != "DELETE")


def refusal_of(
    target: Target,
    status: int,
    answer: dict[str, Any] | None = None,
    location: str | None = None,
    retry_after: str | None = None,
) -> SendError:
    """Return the error for an answer whose status is not 200.

    Parameters
    ----------
    target
        The server.
    status
        The answer's status.
    answer
        The answer's JSON; None if the answer is not from this extension.
    location, retry_after
        The answer's headers of these names.
    """
    url = target.url
    text = answer.get("message") if answer else None
    text = text if isinstance(text, str) else ""
    if status in (301, 302, 303, 307, 308):
        # Never followed: the token is meant for this server only.
        text = (
            f"{url} redirects to {_place(location) or 'another place'}, where the token is not "
            "sent; the URL or the token is wrong."
        )
    elif status in (401, 403):
        text = f"The Jupyter server {url} does not accept the token."
    elif status == HTTPStatus.NOT_FOUND and answer is None:
        text = f"The Jupyter server {url} does not have jupyterlab-notify-center installed."
    elif not text:
        text = f"The Jupyter server {url} answered with status {status}."
    return Refused(text[:1000], status, _seconds(retry_after))


def _place(location: str | None) -> str:
    """Return where a redirect leads: the server, or the path on the same one."""
    try:
        where = urlsplit(location or "")
    except ValueError:
        # Not a URL.
        return ""
    return f"{where.scheme}://{where.netloc}" if where.netloc else where.path


def _seconds(retry_after: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for: it holds a number or a date."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        left = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
    except Exception:
        # The text is neither. Python versions differ in the exception that a wrong date raises.
        return None
    return min(max(left, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(left) else None


# Reading answers


def malformed(target: Target) -> MalformedAnswer:
    """Return the error for an answer that this extension does not give."""
    return MalformedAnswer(
        f"The Jupyter server {target.url} gave an answer that is not from jupyterlab-notify-center."
    )


def id_in(target: Target, answer: dict[str, Any]) -> str:
    """Return the notification's id from a receipt.

    Raises
    ------
    MalformedAnswer
        If the receipt holds no id.
    """
    id_ = answer.get("notification_id")
    if not isinstance(id_, str) or not id_:
        raise malformed(target)
    return id_


def rows_in(target: Target, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the notifications of a page.

    Raises
    ------
    MalformedAnswer
        If the page has no list, or a notification lacks a field that is shown.
    """
    rows = answer.get("notifications")
    if not isinstance(rows, list) or not all(is_row(row) for row in rows):
        raise malformed(target)
    return rows


def is_row(row: Any) -> bool:
    """Return whether a value is a notification with the fields that are shown."""
    return (
        isinstance(row, dict)
        and all(isinstance(row.get(name), str) for name in ("id", "type", "message", "updated"))
        and all(name in row for name in ("read", "progress", "key"))
        and isinstance(row["progress"], (int, float, type(None)))
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:].rstrip(".")
