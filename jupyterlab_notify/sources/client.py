"""A client for the wire of the central service, and for nothing else.

``central`` calls it. It knows no store and no schedule; whatever goes wrong is a ``Failure``
with one sentence. httpx is imported when the first request is made.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from . import in_thread

if TYPE_CHECKING:
    import httpx

#: How many messages one page has.
PAGE = 500
#: How large an answer may be, in bytes, and from which size on a thread parses it.
MAX_ANSWER = 16 * 1024 * 1024
LARGE = 256 * 1024
MAX_REDIRECTS = 3
#: How long a connection is kept that is idle, in seconds.
KEPT_S = 5.0
#: How long a ``Retry-After`` is believed, in seconds.
MAX_RETRY_AFTER_S = 86_400.0
#: How long a summary may be, and a body, in characters.
MAX_SUMMARY = 4096
MAX_BODY = 256 * 1024

#: What may stand in a header; anything else is no token.
_TOKEN = re.compile(r"[\x21-\x7e]+")
_NEXT = re.compile(r'<([^>]*)>\s*;[^,<]*\brel="?next\b')

#: What of 400 to 499 may be otherwise the next time: some of it is a proxy's to say.
PASSING = (401, 403, 404, 405, 407, 408, 421, 425, 429)

#: Types of notifications for the categories of broadcasts.
CATEGORIES = {"info": "info", "notice": "warning", "outage": "error"}


class Failure(Exception):
    """The central service did not do what it was asked.

    Parameters
    ----------
    message
        One sentence for ``status`` and the log.
    status
        The HTTP status of its answer; 0: none that could be understood.
    retry_after_s
        How long it asks to be left alone, if it does.
    alone
        Whether other requests may succeed all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        retry_after_s: float | None = None,
        alone: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        self.alone = alone

    @property
    def unauthorized(self) -> bool:
        """Whether the token was refused."""
        return self.status in (401, 403)

    @property
    def missing(self) -> bool:
        """Whether there is no such thing at the central service."""
        return self.status in (404, 405, 501)

    @property
    def hopeless(self) -> bool:
        """Whether the same request will be refused for ever."""
        return 400 <= self.status < 500 and self.status not in PASSING


class NoToken(Failure):
    """There is no token, so only broadcasts can be asked for."""


@dataclass(frozen=True)
class Answer:
    """What the service said: its status, headers and bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Item:
    """A message in a list."""

    remote: str
    created_ms: int
    read: bool
    message: str


@dataclass(frozen=True)
class Page:
    """A page of messages, newest first.

    Parameters
    ----------
    items
        The messages.
    cursor
        Where the next page begins; None: this is the last.
    total
        How many messages there are on all pages, if the service says so.
    etag
        For the next request.
    """

    items: tuple[Item, ...]
    cursor: str | None
    total: int | None
    etag: str | None


@dataclass(frozen=True)
class Tagged:
    """A list that comes whole, and its ``ETag``."""

    items: tuple[dict[str, Any], ...]
    etag: str | None


def token_reader(file: str, variable: str) -> Callable[[], str | None]:
    """Return what finds the user's token, afresh each time.

    Parameters
    ----------
    file, variable
        The configured file and environment variable, or nothing.
    """

    def from_file(path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return None

    def read() -> str | None:
        mounts = os.environ.get("NUBLADO_RUNTIME_MOUNTS_DIR")
        places: tuple[Callable[[], str | None], ...] = (
            lambda: from_file(Path(file).expanduser()) if file else None,
            lambda: os.environ.get(variable) if variable else None,
            lambda: from_file(Path(mounts) / "secrets" / "token") if mounts else None,
            lambda: from_file(Path("/etc/nublado/secrets/token")),
            lambda: os.environ.get("JUPYTERHUB_API_TOKEN"),
        )
        for find in places:
            token = find()
            if token and _TOKEN.fullmatch(token.strip()):
                return token.strip()
        return None

    return read


class Client:
    """Asks one central service.

    Parameters
    ----------
    url
        Its base URL, without a slash at the end.
    token
        Finds the user's token; called in a thread, for each request.
    timeout_s
        How long one request may take as a whole.
    ca_bundle
        A file of certificates to trust instead of the usual ones; empty: those.
    agent
        What this client calls itself.
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
        self._client: httpx.AsyncClient | None = None
        self._connecting = asyncio.Lock()
        self._reading: asyncio.Future[str | None] | None = None
        self._finding: asyncio.Future[OSError | None] | None = None
        self._found_until = float("-inf")
        self._under_way = 0
        #: How many requests had an answer that could be used.
        self.answered = 0

    async def rest(self) -> None:
        """Close the connections, unless one is in use."""
        if not self._under_way:
            await self.close()

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    # The wire

    async def broadcasts(self, etag: str | None = None) -> Tagged | None:
        """Return the active broadcasts, or None if the list is the one of ``etag``."""
        try:
            answer = await self._get("/v1/broadcasts", etag=etag, anonymous=True)
        except Failure as failure:
            if not failure.unauthorized:
                raise
            # Anybody may read them: an expired token must not hide an outage, or its end.
            answer = await self._get("/v1/broadcasts", etag=etag, anonymous=True, nameless=True)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        items = []
        for entry in await self._list(answer):
            if not (entry.get("active") and entry.get("enabled", True)):
                continue
            category = entry.get("category")
            items.append(
                {
                    "remote": _id(entry),
                    "type": CATEGORIES.get(str(category), "info"),
                    "message": _summary(entry),
                    "body": _text(entry.get("body"), MAX_BODY),
                    "dismissable": int(category != "outage"),
                    "banner": 1,
                }
            )
        return Tagged(tuple(items), _etag(answer))

    async def messages(
        self, *, unread: bool, limit: int = PAGE, cursor: str | None = None, etag: str | None = None
    ) -> Page | None:
        """Return a page of the user's messages, or None if it is the one of ``etag``."""
        params = {"limit": str(limit)}
        if unread:
            params["unread"] = "true"
        if cursor is not None:
            params["cursor"] = cursor
        answer = await self._get("/v1/notifications/messages", params, etag=etag)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        entries = await self._list(answer)
        items = tuple(
            Item(_id(entry), _time_ms(entry.get("created")), _is_read(entry), _summary(entry))
            for entry in entries
        )
        total = answer.headers.get("x-total-count", "")
        return Page(
            items,
            _next_cursor(answer.headers.get("link", "")),
            int(total) if total.isascii() and total.isdigit() and len(total) < 16 else None,
            _etag(answer),
        )

    async def message(self, remote: str) -> tuple[bool, str | None]:
        """Return whether a message is read, and its body; a 404 says that it was revoked."""
        answer = await self._get(f"/v1/notifications/messages/{quote(remote, safe='')}")
        entry = await self._json(answer)
        if not isinstance(entry, dict) or _id(entry) != remote:
            raise _nonsense()
        return _is_read(entry), _text(entry.get("body"), MAX_BODY)

    async def mark(self, what: str, remotes: list[str]) -> None:
        """Tell that messages are ``read`` or ``unread``."""
        await self._post(f"/v1/notifications/{what}", {"ids": remotes})

    async def welcome(self, aspect: str, etag: str | None = None) -> Tagged | None:
        """Return the welcome messages that are due, or None if they are those of ``etag``."""
        answer = await self._get("/v1/welcome", {"aspect": aspect}, etag=etag)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        items = []
        for entry in await self._list(answer):
            title, most, updated = entry.get("title"), entry.get("max_views"), entry.get("updated")
            if not isinstance(title, str) or isinstance(most, bool):
                raise _nonsense()
            if most is not None and not isinstance(most, int):
                raise _nonsense()
            items.append(
                {
                    "id": _id(entry),
                    "aspect": _clean(str(entry.get("aspect", aspect)))[:200],
                    "title": _clean(title)[:200],
                    "summary": _text(entry.get("summary"), MAX_SUMMARY),
                    "body": _text(entry.get("body"), MAX_BODY) or "",
                    "dismissable": entry.get("dismissable", True) is not False,
                    "max_views": most,
                    "updated": _clean(updated)[:40] if isinstance(updated, str) else None,
                    "updated_ms": None if updated is None else _time_ms(updated),
                }
            )
        return Tagged(tuple(items), _etag(answer))

    async def dismiss_welcome(self, ids: list[str] | None) -> None:
        """Tell that these welcome messages, or any, are never to be shown again."""
        await self._post("/v1/welcome/dismiss", {"all": True} if ids is None else {"ids": ids})

    async def reset_welcome(self) -> None:
        """Tell that every welcome message is due again."""
        await self._post("/v1/welcome/reset", None)

    # HTTP

    async def _get(
        self,
        path: str,
        params: dict[str, str] | None = None,
        *,
        etag: str | None = None,
        anonymous: bool = False,
        nameless: bool = False,
    ) -> Answer:
        headers = {"If-None-Match": etag} if etag else {}
        answer = await self._ask(
            "GET", path, params, headers, None, anonymous=anonymous, nameless=nameless
        )
        if answer.status == HTTPStatus.OK or (
            etag is not None and answer.status == HTTPStatus.NOT_MODIFIED
        ):
            self.answered += 1
            return answer
        raise _failure(answer)

    async def _post(self, path: str, value: Any) -> None:
        content = None if value is None else json.dumps(value).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        answer = await self._ask("POST", path, None, headers, content)
        if 200 <= answer.status < 300 and answer.status != HTTPStatus.NO_CONTENT:
            # A login page, for instance: what was said has not arrived.
            raise _nonsense()
        if answer.status != HTTPStatus.NO_CONTENT:
            raise _failure(answer)

    async def _ask(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        headers: dict[str, str],
        content: bytes | None,
        *,
        anonymous: bool = False,
        nameless: bool = False,
    ) -> Answer:
        self._under_way += 1
        try:
            return await asyncio.wait_for(
                self._exchange(method, path, params, headers, content, anonymous, nameless),
                self._timeout_s,
            )
        except asyncio.TimeoutError:
            raise Failure(
                f"The central service did not answer within {self._timeout_s:g} s."
            ) from None
        finally:
            self._under_way -= 1

    async def _exchange(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        headers: dict[str, str],
        content: bytes | None,
        anonymous: bool,
        nameless: bool,
    ) -> Answer:
        token = None if nameless else await self._read_token()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        elif not anonymous:
            raise NoToken("There is no token with which the central service could be asked.")
        async with self._connecting:
            if self._client is None:
                self._client = await in_thread(self._connect)
            client = self._client
        import httpx

        url = httpx.URL(self._url + path, params=params)
        try:
            await self._find(url)
            for _ in range(MAX_REDIRECTS + 1):
                request = client.build_request(method, url, headers=headers, content=content)
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        parts, size = [], 0
                        async for part in response.aiter_bytes():
                            size += len(part)
                            if size > MAX_ANSWER:
                                raise Failure("The central service's answer has no end.")
                            parts.append(part)
                        return Answer(response.status_code, response.headers, b"".join(parts))
                    url = url.join(response.headers["location"])
                finally:
                    await response.aclose()
                if _origin(str(url)) != self._origin:
                    raise Failure(
                        "The central service redirects to another origin, which is not followed: "
                        "configure the URL that it redirects to, if that is right."
                    )
                if method != "GET" and response.status_code not in (307, 308):
                    raise Failure("The central service redirects what it is told.")
            raise Failure("The central service redirects in a circle.")
        except httpx.TimeoutException:
            raise asyncio.TimeoutError from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            # Without the error's own words: they may hold what was sent.
            if _is_untrusted(error) and self._client is client:
                # The next one reads the certificates to trust anew: somebody may mend them.
                self._client = None
            way = " through the proxy that the environment names" if _proxy(url) else ""
            raise Failure(
                f"The central service cannot be reached{way} ({_cause(error)})."
            ) from None

    async def _read_token(self) -> str | None:
        # In a thread, and in one at a time: the file may lie on a file system that hangs.
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(in_thread(self._token))
        return await asyncio.shield(self._reading)

    async def _find(self, url: httpx.URL) -> None:
        """Wait until the resolver answers, for the service's name or its proxy's.

        httpx would wait for it in a thread of asyncio's, which keeps the server from stopping.
        """
        if time.monotonic() < self._found_until:
            return
        if self._finding is None or self._finding.done():
            name = url.raw_host.decode()

            def look_up() -> OSError | None:
                proxy = _proxy(url)
                try:
                    socket.getaddrinfo(urlsplit(proxy).hostname if proxy else name, None)
                except (OSError, UnicodeError) as error:
                    # What is wrong with a proxy, or is no name at all, httpx says itself.
                    if not proxy and isinstance(error, OSError):
                        return error
                return None

            self._finding = asyncio.ensure_future(in_thread(look_up))
        error = await asyncio.shield(self._finding)
        if error is not None:
            raise error
        self._found_until = time.monotonic() + KEPT_S

    def _connect(self) -> httpx.AsyncClient:
        """Make the client, in a thread: reading all certificates takes its time."""
        try:
            import httpx
        except ImportError:
            raise Failure(
                "The central service cannot be asked: the package httpx is not installed."
            ) from None
        verify: ssl.SSLContext | bool = True
        if self._ca_bundle:
            verify = trust(self._ca_bundle)
        try:
            return httpx.AsyncClient(
                verify=verify,
                timeout=self._timeout_s,
                follow_redirects=False,
                headers={"Accept": "application/json", "User-Agent": self._agent},
                limits=httpx.Limits(max_connections=4, keepalive_expiry=KEPT_S),
            )
        except ImportError:
            raise Failure(
                "The central service cannot be asked: the environment names a SOCKS proxy, for "
                "which the package socksio is not installed."
            ) from None
        except OSError as error:
            raise Failure(
                "The central service cannot be asked: what SSL_CERT_FILE or SSL_CERT_DIR names "
                f"cannot be used ({_why(error)})."
            ) from None
        except (ValueError, httpx.InvalidURL):
            raise Failure(
                "The central service cannot be asked: the environment names a proxy whose URL "
                "cannot be used."
            ) from None

    async def _list(self, answer: Answer) -> list[dict[str, Any]]:
        value = await self._json(answer)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise _nonsense()
        return value

    async def _json(self, answer: Answer) -> Any:
        content = answer.content
        try:
            if len(content) > LARGE:
                return await in_thread(lambda: json.loads(content))
            return json.loads(content)
        except (ValueError, RecursionError):
            raise _nonsense() from None


def trust(ca_bundle: str) -> ssl.SSLContext:
    """Return what trusts the certificates of a file, and nothing else.

    Raises
    ------
    Failure
        If the file holds none, or is not there.
    """
    path = Path(ca_bundle).expanduser()
    try:
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ValueError) as error:
        raise Failure(
            "The central service cannot be asked: its CA bundle (NotifyApp.central_ca_bundle) "
            f"{path} cannot be used ({_why(error)})."
        ) from None


def _why(error: Exception) -> str:
    """Say in the system's own words why a file of certificates cannot be used."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.strerror:
        return error.strerror
    return "it holds no certificates"


def _proxy(url: httpx.URL) -> str | None:
    """Return the URL of the proxy that the environment names for a URL, if it does."""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy and not proxy_bypass(url.host) else None


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


def _cause(error: BaseException) -> str:
    """Say what lies behind an error of httpx: the system's own word, or a name."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, OSError) and cause.strerror and cause.errno:
            # asyncio says which address it was instead of what was wrong.
            plain = cause.errno in errno.errorcode and not isinstance(cause, ssl.SSLError)
            return os.strerror(cause.errno) if plain else cause.strerror
    name = type(error).__name__
    refused = re.match(r"[45][0-9]{2}\b", str(error)) if name == "ProxyError" else None
    return f"it answered {refused[0]}" if refused else name


def _failure(answer: Answer) -> Failure:
    status = answer.status
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        message = f"The proxy that the environment names refuses the request ({phrase})."
    elif status in (401, 403):
        message = f"The central service refuses the user's token ({phrase})."
    else:
        message = f"The central service answered {phrase}."
    retry_after_s = _retry_after_s(answer.headers.get("retry-after", ""))
    return Failure(
        message,
        status=status,
        retry_after_s=retry_after_s,
        alone=status not in (401, 403, 407, 429) and retry_after_s is None,
    )


def _nonsense() -> Failure:
    return Failure("The central service's answer cannot be understood.", alone=True)


def _retry_after_s(text: str) -> float | None:
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            then = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return None
        if then.tzinfo is None:
            then = then.replace(tzinfo=timezone.utc)
        seconds = then.timestamp() - time.time()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _next_cursor(link: str) -> str | None:
    """Return the cursor of the next page.

    Only that is taken from the link: what leads to the service is configured here, and the
    service may believe that it is somewhere else.
    """
    found = _NEXT.search(link)
    if found is None:
        return None
    cursor = parse_qs(urlsplit(found[1]).query).get("cursor", [""])[0]
    if not cursor or len(cursor) > 500:
        raise _nonsense()
    return cursor


def _etag(answer: Answer) -> str | None:
    """Return the tag of an answer, if it can stand in a header of the next request."""
    etag = answer.headers.get("etag", "")
    return etag if etag.isascii() and etag.isprintable() and 0 < len(etag) <= 500 else None


def _clean(text: str) -> str:
    """Replace what no UTF-8 file can hold: half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def _id(entry: dict[str, Any]) -> str:
    id_ = entry.get("id")
    if isinstance(id_, int) and not isinstance(id_, bool):
        id_ = str(id_)
    if not isinstance(id_, str) or not 0 < len(id_) <= 200 or _clean(id_) != id_:
        raise _nonsense()
    return id_


def _text(value: Any, most: int) -> str | None:
    """Return the Markdown of a formatted text; its HTML may hold anything, and is not used."""
    if isinstance(value, dict):
        value = value.get("gfm")
    if value is None:
        return None
    if not isinstance(value, str):
        raise _nonsense()
    return shorten(_clean(value), most) or None


def _summary(entry: dict[str, Any]) -> str:
    text = _text(entry.get("summary"), MAX_SUMMARY)
    if text is None and not isinstance(entry.get("summary"), (dict, str)):
        raise _nonsense()
    return text if text and text.strip() else "…"


def shorten(text: str, most: int) -> str:
    """Cut a text to ``most`` characters, at the end of a word where there is one."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    space = max(cut.rfind(" "), cut.rfind("\n"))
    if space > most // 2:
        cut = cut[:space]
    return cut.rstrip() + "…"


def _is_read(entry: dict[str, Any]) -> bool:
    read = entry.get("read")
    if read is not None and not isinstance(read, str):
        raise _nonsense()
    return read is not None


def _time_ms(value: Any) -> int:
    if not isinstance(value, str):
        raise _nonsense()
    text = re.sub(r"(\.\d{6})\d+", r"\1", value.strip().replace("Z", "+00:00"))
    # Before 3.11 Python wants three or six digits.
    text = re.sub(r"\.(\d{1,6})", lambda match: "." + match[1].ljust(6, "0"), text)
    try:
        then = datetime.fromisoformat(text)
        if then.tzinfo is None:
            then = then.replace(tzinfo=timezone.utc)
        return max(int(then.timestamp() * 1000), 0)
    except (ValueError, OverflowError):
        raise _nonsense() from None
