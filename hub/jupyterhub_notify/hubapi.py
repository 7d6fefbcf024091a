"""A client of the Hub's REST API that bounds the number of requests at a time."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

__all__ = ["HubAnswer", "HubApi", "HubRefused", "HubUnreachable", "path", "read_whole"]

#: Time in seconds to wait for the Hub to connect, and for each part of its answer.
TIMEOUT_S = 10.0
#: Bytes read of an answer; a longer one is cut off, and its JSON is not valid then.
LARGEST = 16 * 1024 * 1024
#: Number of entries of a list that one request returns.
PAGE = 200
#: Number of entries after which reading a list ends, even if the Hub names another page.
MAX_LISTED = 500_000


class HubUnreachable(Exception):
    """The Hub does not answer, or what answers is not a Hub."""


class HubRefused(Exception):
    """The Hub refuses a request; `str()` is one sentence."""


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """An answer of the Hub.

    Parameters
    ----------
    status
        The HTTP status.
    body
        The parsed JSON; None if there is none.
    """

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Return whether the Hub did what was asked."""
        return self.status < 400


def path(*parts: str) -> str:
    """Return a path of the API from names that may hold any character."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


class HubApi:
    """Asks the Hub's API.

    Parameters
    ----------
    api_url
        Its address, such as ``http://127.0.0.1:8081/hub/api``.
    token
        The token of a request, unless the call gives another.
    trust
        Checks the Hub's certificate and shows ours (``internal_ssl``).
    at_once
        How many requests may be open at a time.
    """

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        trust: ssl.SSLContext | None = None,
        at_once: int = 20,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._trust = trust
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None

    @property
    def trust(self) -> ssl.SSLContext | None:
        """The certificates by which the Hub is trusted."""
        return self._trust

    async def request(
        self,
        method: str,
        where: str,
        *,
        token: str | None = None,
        body: Any = None,
        query: dict[str, str] | None = None,
        paged: bool = False,
    ) -> HubAnswer:
        """Ask the Hub.

        With ``paged`` a list comes as ``{"items", "_pagination"}``.

        Raises
        ------
        HubUnreachable
            If it does not answer.
        """
        session = self._session or self._open()
        headers = {"Authorization": f"token {token or self._token}"}
        if paged:
            headers["Accept"] = "application/jupyterhub-pagination+json"
        try:
            async with session.request(
                method,
                # The parts are quoted already, and a quoted slash must stay quoted.
                _url(self._api_url + where, query),
                json=body,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                content = await read_whole(answer.content, LARGEST)
                return HubAnswer(answer.status, _json(content))
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            raise HubUnreachable(
                f"The Hub does not answer at {self._api_url} ({type(error).__name__})."
            ) from None

    async def entries(self, where: str, query: dict[str, str] | None = None) -> AsyncIterator[Any]:
        """Yield the entries of a list, page by page; for a mapping, its items.

        A page may be shorter than it should be, since the Hub filters it after reading it.

        Raises
        ------
        HubUnreachable
            If the Hub does not answer.
        HubRefused
            If it refuses.
        """
        for offset in range(0, MAX_LISTED, PAGE):
            page = {**(query or {}), "limit": str(PAGE), "offset": str(offset)}
            answer = await self.request("GET", where, query=page, paged=True)
            body = answer.body
            if not answer.ok or not isinstance(body, dict) or "items" not in body:
                raise HubRefused(f"The Hub does not answer GET {where} ({answer.status}).")
            items = body["items"]
            for item in items.items() if isinstance(items, dict) else items:
                yield item
            if not (body.get("_pagination") or {}).get("next"):
                return

    async def close(self) -> None:
        """Close its connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._at_once, ssl=self._trust if self._trust is not None else True
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session


async def read_whole(content: aiohttp.StreamReader, most: int) -> bytes:
    """Return a whole answer, up to `most` bytes; a single `read` returns only what has arrived."""
    pieces: list[bytes] = []
    while most > 0 and (piece := await content.read(most)):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def _url(address: str, query: dict[str, str] | None) -> Any:
    from yarl import URL

    url = URL(address, encoded=True)
    return url.with_query(query) if query else url


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
