"""HTTP to the central service: token, proxy, certificates, redirects, bounds.

httpx is imported for the first request.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from .clock import ServiceClock
from .content import ENCODING, NoCookies, read_content, read_text, skip_content
from .failure import Answer, Failure, NoToken, failure_of, malformed, run_in_thread
from .paths import decode_path

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

MAX_REDIRECTS = 3
#: Time in seconds for which an idle connection is kept.
KEEP_ALIVE_S = 5.0
#: OpenSSL's reasons if what is received is no TLS at all.
NO_TLS = frozenset(("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"))
#: What httpx's errors without a cause from the system mean.
CAUSES = {
    "RemoteProtocolError": "its answer is cut short, or is not HTTP",
    "ReadError": "the connection broke",
    "WriteError": "the connection broke",
}


class Transport:
    """Sends requests to one central service.

    Parameters
    ----------
    url
        Its base URL, without a slash at the end.
    token
        Returns the user's token; called in a thread for each request.
    timeout_s
        How long a whole request may take.
    ca_bundle
        A file of certificates to trust instead of the usual ones; empty for the usual ones.
    agent
        The ``User-Agent``.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Callable[[], str | None],
        timeout_s: float,
        ca_bundle: str = "",
        agent: str = "jupyterlab_notify",
    ) -> None:
        self._url = url
        self._origin = _origin(url)
        self._token = token
        self._timeout_s = timeout_s
        self._ca_bundle = ca_bundle
        self._agent = agent
        #: Learns from each answer how far this server's clock is ahead of the service's.
        self.clock = ServiceClock()
        self._client: httpx.AsyncClient | None = None
        self._connecting = asyncio.Lock()
        self._reading: asyncio.Future[str | None] | None = None
        self._resolving: asyncio.Future[OSError | None] | None = None
        self._resolved_until = float("-inf")
        self._active = 0

    async def close_idle(self) -> None:
        """Close the connections, unless one is in use."""
        if not self._active:
            await self.close()

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        headers: dict[str, str],
        content: bytes | None,
        *,
        anonymous: bool = False,
        unauthenticated: bool = False,
    ) -> Answer:
        """Send a request and return the answer.

        Parameters
        ----------
        method, path, params, headers, content
            The request.
        anonymous
            Whether the request may be sent without a token.
        unauthenticated
            Whether the request must be sent without a token.

        Raises
        ------
        Failure
            If there is no answer within the timeout.
        """
        self._active += 1
        try:
            return await self._in_time(
                self._exchange(method, path, params, headers, content, anonymous, unauthenticated)
            )
        except Failure as failure:
            # The traceback holds what was read of the answer, in a reference cycle with the task.
            raise failure.with_traceback(None) from None
        finally:
            self._active -= 1

    async def _in_time(self, answer: Awaitable[T]) -> T:
        """Wait for an answer within the timeout."""
        try:
            return await asyncio.wait_for(answer, self._timeout_s)
        except asyncio.TimeoutError:
            raise Failure(
                f"The central service did not answer within {self._timeout_s:g} s."
            ) from None

    async def _exchange(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        headers: dict[str, str],
        content: bytes | None,
        anonymous: bool,
        unauthenticated: bool,
    ) -> Answer:
        async with self._respond(
            method, path, params, headers, content, anonymous, unauthenticated
        ) as response:
            # Of an error, only the status and the headers are used.
            content = b""
            if response.status_code == 200:
                content = await read_content(response)
            else:
                await skip_content(response)
            return Answer(response.status_code, response.headers, content)

    @asynccontextmanager
    async def stream(
        self, path: str, headers: dict[str, str], silence_s: float
    ) -> AsyncIterator[AsyncIterator[str]]:
        """Open a stream of text, which ends when the service ends it.

        Parameters
        ----------
        path, headers
            The request.
        silence_s
            A connection that is silent for longer counts as dead.

        Raises
        ------
        Failure
            If the stream cannot be opened or breaks.
        """
        self._active += 1
        try:
            async with AsyncExitStack() as opened:
                # A service may send headers, or answers with a status below 200, without end.
                response = await self._in_time(
                    opened.enter_async_context(
                        self._respond("GET", path, None, headers, None, False, False, silence_s)
                    )
                )
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                if response.status_code != 200:
                    raise failure_of(Answer(response.status_code, response.headers, b""))
                if kind != "text/event-stream":
                    raise malformed()
                yield read_text(response)
        except asyncio.TimeoutError:
            raise Failure("The central service's event stream has fallen silent.") from None
        finally:
            self._active -= 1

    @asynccontextmanager
    async def _respond(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        headers: dict[str, str],
        content: bytes | None,
        anonymous: bool,
        unauthenticated: bool,
        silence_s: float | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Send a request, follow redirects, and let the caller read the answer."""
        token = None if unauthenticated else await self._read_token()
        if token is None and not anonymous:
            raise NoToken("There is no token for the central service.")
        client = await self._connected()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        import httpx

        url = httpx.URL(self._url + path, params=params)
        timeout = httpx.Timeout(self._timeout_s, read=silence_s or self._timeout_s)
        try:
            await self._resolve(url)
            for _ in range(MAX_REDIRECTS + 1):
                request = client.build_request(
                    method, url, headers=headers, content=content, timeout=timeout
                )
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        said = response.headers
                        self.clock.note(said.get("date"), said.get("age"))
                        yield response
                        return
                    url = url.join(response.headers["location"])
                finally:
                    await response.aclose()
                if (there := self._leads_elsewhere(url)) is not None:
                    raise Failure(
                        f"The central service redirects to {there}, which is not followed: "
                        "configure the URL that it redirects to, if that is right."
                    )
                if method != "GET" and response.status_code not in (307, 308):
                    raise Failure("The central service redirects a request that changes something.")
            raise Failure("The central service redirects in a circle.")
        except httpx.TimeoutException:
            raise asyncio.TimeoutError from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            # The error's own text is left out, because it may quote the request.
            if _is_untrusted(error) and self._client is client:
                # The next client reads the trusted certificates again: somebody may correct them.
                self._client = None
            way = " through the proxy that the environment names" if _proxy_of(url) else ""
            raise Failure(
                f"The central service cannot be reached{way} ({_explain_cause(error)})."
            ) from None

    async def _connected(self) -> httpx.AsyncClient:
        """Return the client, which is made for the first request."""
        async with self._connecting:
            if self._client is None:
                self._client = await run_in_thread(self._connect)
            return self._client

    def _leads_elsewhere(self, url: httpx.URL) -> str | None:
        """Tell where a redirect leads to that is not the service; None if it stays there.

        Other services, and the servers of other users, have the same origin on a hub.
        """
        import httpx

        if url.userinfo or _origin(str(url)) != self._origin:
            return "another origin"
        base = _segments(httpx.URL(self._url))
        path = _segments(url)
        if base is None or path is None or path[: len(base)] != base:
            return "a path outside of its own"
        return None

    async def _read_token(self) -> str | None:
        # Use one thread at a time, since the file may lie on a file system that hangs.
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(run_in_thread(self._token))
        return await asyncio.shield(self._reading)

    async def _resolve(self, url: httpx.URL) -> None:
        """Resolve the service's name, or its proxy's, before the request.

        httpx would resolve it in one of asyncio's threads, which keep the server from stopping.
        """
        if time.monotonic() < self._resolved_until:
            return
        if self._resolving is None or self._resolving.done():
            name = url.raw_host.decode()

            def look_up() -> OSError | None:
                proxy = _proxy_of(url)
                try:
                    socket.getaddrinfo(urlsplit(proxy).hostname if proxy else name, None)
                except (OSError, UnicodeError) as error:
                    # httpx itself reports a problem with a proxy, and an invalid name.
                    if not proxy and isinstance(error, OSError):
                        return error
                return None

            self._resolving = asyncio.ensure_future(run_in_thread(look_up))
        error = await asyncio.shield(self._resolving)
        if error is not None:
            raise error
        self._resolved_until = time.monotonic() + KEEP_ALIVE_S

    def _connect(self) -> httpx.AsyncClient:
        """Make the client; called in a thread, because reading the certificates takes time."""
        try:
            import httpx
        except ImportError:
            raise Failure(
                "The central service cannot be used: the package httpx is not installed."
            ) from None
        verify: ssl.SSLContext | bool = True
        if self._ca_bundle:
            verify = trust(self._ca_bundle)
        try:
            return httpx.AsyncClient(
                verify=verify,
                timeout=self._timeout_s,
                follow_redirects=False,
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": ENCODING,
                    "User-Agent": self._agent,
                },
                cookies=NoCookies(),
                limits=httpx.Limits(max_connections=4, keepalive_expiry=KEEP_ALIVE_S),
            )
        except ImportError:
            raise Failure(
                "The central service cannot be used: the environment names a SOCKS proxy, for "
                "which the package socksio is not installed."
            ) from None
        except OSError as error:
            raise Failure(
                "The central service cannot be used: the certificates that SSL_CERT_FILE or "
                f"SSL_CERT_DIR names cannot be read ({_explain(error)})."
            ) from None
        except (ValueError, httpx.InvalidURL):
            raise Failure(
                "The central service cannot be used: the environment names a proxy with an "
                "invalid URL."
            ) from None


def trust(ca_bundle: str) -> ssl.SSLContext:
    """Return a TLS context that trusts only the certificates of a file.

    Raises
    ------
    Failure
        If the file is missing or has no certificates.
    """
    path = Path(ca_bundle).expanduser()
    try:
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ValueError) as error:
        raise Failure(
            "The central service cannot be used: its CA bundle (NotifyApp.central_ca_bundle) "
            f"{path} cannot be used ({_explain(error)})."
        ) from None


def _explain(error: Exception) -> str:
    """Return the system's reason why a file of certificates cannot be used."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror:
        return error.strerror
    return "it holds no certificates"


def _proxy_of(url: httpx.URL) -> str | None:
    """Return the URL of the proxy that the environment names for a URL, if any."""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy and not proxy_bypass(url.host) else None


def _segments(url: httpx.URL) -> list[str] | None:
    """Return the segments of a URL's path; None if a proxy may understand the path differently.

    Some proxies decode a path once more before they look for slashes and dots in it, some leave out
    what follows a semicolon, and some take wide dots, or the longer encodings of a dot, for dots.
    """
    segments = []
    path = url.raw_path.decode().partition("?")[0].rstrip("/")
    for segment in path.split("/")[1:]:
        decoded = decode_path(segment)
        if decoded is None or "/" in decoded or "\\" in decoded:
            return None
        if decoded.partition(";")[0] in ("", ".", ".."):
            return None
        segments.append(decoded)
    return segments


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, (parts.hostname or "").lower(), port or default


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_untrusted(error: BaseException) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _explain_cause(error: BaseException) -> str:
    """Return the cause of an error from httpx: the system's message, or what the error means."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message.rstrip('.')}"
        if isinstance(cause, ssl.SSLError):
            return _explain_tls(cause)
        if isinstance(cause, OSError) and cause.strerror and cause.errno:
            # asyncio's message names the address instead of the reason.
            return os.strerror(cause.errno) if cause.errno in errno.errorcode else cause.strerror
    name = type(error).__name__
    refused = re.match(r"[45][0-9]{2}\b", str(error)) if name == "ProxyError" else None
    return f"it answered {refused[0]}" if refused else CAUSES.get(name, name)


def _explain_tls(error: ssl.SSLError) -> str:
    """Return the cause of an error of TLS, without OpenSSL's names and line numbers."""
    reason = error.reason or ""
    if reason in NO_TLS:
        return "what listens there does not speak TLS"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "it closes the connection during the TLS handshake"
    # An alert from the other end is named after the oldest version of TLS that has it.
    words = re.sub(r"^(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?", "", reason).replace("_", " ").lower()
    return f"TLS fails: {words}" if words else "TLS fails"
