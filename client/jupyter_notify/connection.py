"""One HTTP connection to a server, with the standard library: no redirects, no proxies."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from .discovery import Target
from .errors import BadUsage, Refused, SendError, Unreachable

NAMESPACE = "jupyterlab-notify"
TIMEOUT_S = 10.0
#: The largest answer that is read: a page of 200 notifications with long summaries.
MAX_ANSWER = 16 * 1024 * 1024


class _UnixConnection(http.client.HTTPConnection):
    """A connection to a server that listens on a socket of the file system."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def tls(target: Target) -> ssl.SSLContext:
    """Return how to speak TLS with a server; one of this machine's need not prove its name."""
    context = ssl.create_default_context()
    if target.local:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def headers(target: Target) -> dict[str, str]:
    """Return what lets us in.

    Raises
    ------
    BadUsage
        If the token is none that a header can hold.
    """
    if target.token is not None:
        if not re.fullmatch(r"[\x21-\x7e]+", target.token):
            # The library's own error would show it.
            raise BadUsage(
                f"The token for {target.url} holds more than the letters, digits and signs of "
                "ASCII, so it cannot be sent."
            )
        return {"Authorization": f"Bearer {target.token}"}
    # A server that asks for no token still asks whether a browser was tricked.
    return {"Cookie": "_xsrf=notify", "X-XSRFToken": "notify"}


class Client:
    """A connection to a server's notifications; not to be shared between threads.

    Parameters
    ----------
    target
        The server.
    timeout_s
        How long it may take to answer.
    """

    def __init__(self, target: Target, timeout_s: float = TIMEOUT_S) -> None:
        self.target = target
        self._path = urlsplit(target.url).path + NAMESPACE
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self, method: str, path: str, value: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the answer to a request.

        Parameters
        ----------
        method
            The HTTP method.
        path
            Below the extension's namespace, beginning with a slash.
        value
            The body.

        Raises
        ------
        Unreachable
            If there is no answer.
        Refused
            If the answer is no.
        """
        body = None if value is None else json.dumps(value, separators=(",", ":")).encode()
        reused = self._connection is not None
        try:
            try:
                status, given, content = self._exchange(method, path, body)
            except (http.client.BadStatusLine, ConnectionError):
                self.close()
                if not reused:
                    raise
                # The server has closed a connection that was idle, before it read anything.
                status, given, content = self._exchange(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(
                f"The Jupyter server {self.target.url} does not answer: {_reason(error)}."
            ) from None
        return self._judge(status, given, content)

    def _exchange(
        self, method: str, path: str, body: bytes | None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        sent = headers(self.target)
        if body is not None:
            sent["Content-Type"] = "application/json"
        self._connection.request(method, self._path + path, body, sent)
        answer = self._connection.getresponse()
        content = answer.read(MAX_ANSWER)
        return answer.status, answer.headers, content

    def _connect(self) -> http.client.HTTPConnection:
        if self.target.unix_socket is not None:
            return _UnixConnection(self.target.unix_socket, self._timeout_s)
        parts = urlsplit(self.target.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(
                host, parts.port, timeout=self._timeout_s, context=tls(self.target)
            )
        return http.client.HTTPConnection(host, parts.port, timeout=self._timeout_s)

    def _judge(self, status: int, given: http.client.HTTPMessage, content: bytes) -> dict[str, Any]:
        try:
            value = json.loads(content)
        except ValueError:
            value = None
        if status == HTTPStatus.OK and isinstance(value, dict):
            return value
        said = value if isinstance(value, dict) and "success" in value else None
        raise refusal_of(self.target, status, said, given.get("Location"), given.get("Retry-After"))

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class ReconnectingClient:
    """Asks a server that may come back in another place: it is looked for again when it is gone.

    Parameters
    ----------
    find
        Returns the server.
    """

    def __init__(self, find: Callable[[], Target]) -> None:
        self._find = find
        self._client: Client | None = None

    def look(self) -> None:
        """Find the server, unless it is found already.

        Raises
        ------
        SendError
            If there is none.
        """
        if self._client is None:
            self._client = Client(self._find())

    def request(
        self, method: str, path: str, value: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the answer to a request, as ``Client.request`` does."""
        fresh = self._client is None
        self.look()
        assert self._client is not None
        try:
            return self._client.request(method, path, value)
        except (Unreachable, Refused) as error:
            if not _may_have_moved(error, method):
                raise
            before, self._client = self._client.target, None
            if fresh:
                raise
            # It may be back on another port, with another token.
            try:
                target = self._find()
            except SendError:
                raise error from None
            if target == before:
                raise
            self._client = Client(target)
        return self._client.request(method, path, value)


def _may_have_moved(error: Unreachable | Refused, method: str) -> bool:
    if isinstance(error, Unreachable):
        return True
    # Nothing to take back is an answer as well.
    return error.status in (401, 403) or (error.status == 404 and method != "DELETE")


def refusal_of(
    target: Target,
    status: int,
    said: dict[str, Any] | None = None,
    location: str | None = None,
    retry_after: str | None = None,
) -> SendError:
    """Return what an answer that is not 200 means, in one sentence."""
    url = target.url
    text = str(said.get("message", "")) if said else ""
    if status in (301, 302, 303, 307, 308):
        # Never followed: the token is for this server, and for no other place.
        where = urlsplit(location or "")
        at = f"{where.scheme}://{where.netloc}" if where.netloc else where.path
        text = (
            f"{url} sends us on to {at or 'another place'}, where the token does not go; "
            "the URL or the token is not right."
        )
    elif status in (401, 403):
        text = f"The Jupyter server {url} does not take the token."
    elif status == HTTPStatus.NOT_FOUND and said is None:
        text = f"The Jupyter server {url} does not have jupyterlab-notify-center installed."
    elif not text:
        text = f"The Jupyter server {url} answered with status {status}."
    wait_s = float(retry_after) if retry_after and re.fullmatch("[0-9]+", retry_after) else None
    return Refused(text, status, wait_s)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:].rstrip(".")
