"""One push to one server, and what its answer means."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
from yarl import URL

from ..hubapi import read_whole
from ..models.broadcasts import Outcome
from .servers import Target

__all__ = ["OURS", "UNKNOWN", "Pushed", "Pusher", "Route"]

Route = Literal["notify", "older"]

OURS = "jupyterlab-notify/ingest"
OLDER = "jupyterlab-notifications-extension/ingest"
#: Bytes read of a server's answer; a hostile server might send without end.
LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Pushed:
    """The result of a push.

    Parameters
    ----------
    outcome
        The outcome for the ledger; ``waiting`` if the server no longer runs.
    reason
        The reason of a failure; never the server's own text.
    route
        The route by which the server accepted the message.
    again
        Whether the service should try again by itself.
    stale_token
        Whether the token may have been the cause.
    """

    outcome: Outcome
    reason: str | None = None
    route: Route | None = None
    again: bool = False
    stale_token: bool = False


#: The result of a push by the older route whose end is not known. It is not repeated, since the
#: message might be shown twice.
UNKNOWN = Pushed("not-responding", "it may have arrived: the service stopped meanwhile")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    is_json: bool
    body: Any


class Pusher:
    """Sends to servers.

    Parameters
    ----------
    timeout_s
        Seconds that a server has to answer.
    at_once
        Maximum number of pushes at a time.
    trust
        Checks servers' certificates on a hub with ``internal_ssl``.
    """

    def __init__(
        self, *, timeout_s: float, at_once: int, trust: ssl.SSLContext | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(at_once)
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None

    async def push(
        self,
        target: Target,
        token: str,
        key: str,
        ours: dict[str, Any],
        older: dict[str, Any],
        before_older: Callable[[], Awaitable[bool]],
    ) -> Pushed:
        """Send a message; if the server does not have our route, try the older extension's.

        Parameters
        ----------
        target, token
            The server's address, and a token for it.
        key
            The same for each try of the same message.
        ours, older
            The bodies for the two routes.
        before_older
            Notes that the older route is about to be used, which has no keys; returns False if it
            must not be used.

        Returns
        -------
        Pushed
            The result.
        """
        async with self._slots:
            where = f"{OURS}/{quote(key, safe='')}"
            first = await self._send("PUT", target, where, token, ours)
            if not isinstance(first, _Answer):
                return first
            if first.status != 404:
                return _meaning(first, "notify")
            if not await before_older():
                return UNKNOWN
            second = await self._send("POST", target, OLDER, token, older)
            if isinstance(second, _Answer):
                return _meaning(second, "older")
            if second.outcome == "not-responding":
                # The older extension keeps no key: another try might show the message twice.
                return Pushed("not-responding", second.reason, again=False)
            return second

    async def withdraw(self, target: Target, token: str, key: str, source: str) -> Pushed:
        """Withdraw a message from a server that accepted it by our route."""
        async with self._slots:
            where = f"{OURS}/{quote(key, safe='')}?source={quote(source, safe='')}"
            answer = await self._send("DELETE", target, where, token, None)
            if not isinstance(answer, _Answer):
                return answer
            if answer.status == 404:
                return Pushed("stored", route="notify")
            return _meaning(answer, "notify")

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(
        self, method: str, target: Target, where: str, token: str, body: dict[str, Any] | None
    ) -> _Answer | Pushed:
        headers = {"Authorization": f"token {token}"}
        if target.host is not None:
            headers["Host"] = target.host
        try:
            async with self._opened().request(
                method,
                # `encoded` keeps quoted characters quoted: `carol%40example.org`.
                URL(target.url + where, encoded=True),
                json=body,
                headers=headers,
                allow_redirects=False,
                # The time counts from here: waiting for a free slot is not part of it.
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            ) as answer:
                content = await read_whole(answer.content, LARGEST)
                is_json = answer.content_type == "application/json"
                return _Answer(answer.status, is_json, _json(content) if is_json else None)
        except asyncio.TimeoutError:
            return Pushed("not-responding", f"no answer within {self._timeout_s:g} s", again=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Pushed("not-responding", f"no connection ({type(error).__name__})", again=True)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, ssl=self._trust if self._trust is not None else True
                ),
                # A cookie that one server sets must never be sent to another.
                cookie_jar=aiohttp.DummyCookieJar(),
                json_serialize=json.dumps,
            )
        return self._session


def _meaning(answer: _Answer, route: Route) -> Pushed:
    """Return the result that an answer means; the cases are those seen at real hubs."""
    status = answer.status
    if status == 200 and answer.is_json:
        return Pushed("stored", route=route)
    if status in (401, 403):
        if not answer.is_json:
            # The answer is a page of the Hub's own: the server no longer runs.
            return Pushed("waiting")
        return Pushed("refused", f"the server refused the token ({status})", stale_token=True)
    if status == 404:
        return Pushed("no-extension", "the server has no extension that takes it in (404)")
    if status in (502, 503, 504):
        reason = f"the server's process does not answer ({status})"
        return Pushed("not-responding", reason, again=True)
    if 200 <= status < 400:
        return Pushed("error", f"what answered is not the extension ({status})")
    again = status == 429 or status >= 500
    return Pushed("error", f"the server did not take it in ({status})", again=again)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
