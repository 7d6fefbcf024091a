"""A client of the central service's API.

The sync classes call it. It knows neither storage nor schedule. Every error is a ``Failure`` with a
one-sentence message.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from ...storage.fields import rfc3339
from ...storage.quiet import SharedQuiet, UntoldQuiet
from ...storage.remote import MAX_BROADCASTS, RemoteMessage, RemoteState
from .clock import moved
from .content import MAX_CONTAINERS, parse_json
from .failure import Answer, Failure, failure_of, malformed
from .parsing import (
    MAX_BODY,
    MAX_WELCOME,
    ListedBroadcasts,
    Page,
    Tagged,
    parse_channels,
    parse_entries,
    parse_etag,
    parse_id,
    parse_listed_broadcast,
    parse_message,
    parse_next_cursor,
    parse_quiet,
    parse_read,
    parse_state,
    parse_text,
    parse_total,
    parse_welcome,
    parse_whole_message,
)
from .server_sent_events import is_cursor
from .transport import Transport

if TYPE_CHECKING:
    from ...storage.shapes import WelcomeContent

#: Number of messages in one page.
PAGE_SIZE = 500


class Features(NamedTuple):
    """The features that a service offers beyond Semaphore's routes.

    Parameters
    ----------
    names
        The names of the features, from ``GET /``.
    receipts
        How the service stores receipts; ``off`` if none should be sent.
    """

    names: frozenset[str]
    receipts: str


class CentralClient:
    """The client of one central service.

    Parameters
    ----------
    transport
        Sends the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.clock = transport.clock
        #: The number of requests with a valid answer.
        self.answered = 0

    async def close_idle(self) -> None:
        """Close the connections, unless one is in use."""
        await self._transport.close_idle()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def broadcasts(self, etag: str | None = None) -> ListedBroadcasts | None:
        """Return the active broadcasts; None if the list is unchanged since ``etag``."""
        try:
            answer = await self._get("/v1/broadcasts", etag=etag, anonymous=True)
        except Failure as failure:
            if not failure.unauthorized:
                raise
            # Broadcasts are public: an expired token must not hide an outage, or its end.
            answer = await self._get(
                "/v1/broadcasts", etag=etag, anonymous=True, unauthenticated=True
            )
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        listed, notice = parse_entries(
            await parse_json(answer), parse_listed_broadcast, MAX_BROADCASTS, "broadcasts"
        )
        # A broadcast that is listed twice counts once.
        by_id = {
            item["remote"]: (self.clock.to_local(item), self.clock.state_to_local(state))
            for item, state in reversed(listed)
        }
        return ListedBroadcasts(
            tuple(item for item, _ in reversed(by_id.values())),
            parse_etag(answer),
            notice,
            {remote: state for remote, (_, state) in by_id.items()},
        )

    async def messages(
        self,
        *,
        unread: bool,
        limit: int = PAGE_SIZE,
        cursor: str | None = None,
        etag: str | None = None,
    ) -> Page | None:
        """Return a page of the user's messages; None if it is unchanged since ``etag``."""
        params = {"limit": str(limit)}
        if unread:
            params["unread"] = "true"
        if cursor is not None:
            params["cursor"] = cursor
        answer = await self._get("/v1/notifications/messages", params, etag=etag)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        items, notice = parse_entries(
            await parse_json(answer), parse_message, MAX_CONTAINERS, "messages"
        )
        cursor, total = parse_next_cursor(answer), parse_total(answer)
        for item in items:
            self.clock.to_local(item.options)
        return Page(items, cursor, total, parse_etag(answer), notice)

    async def message(self, remote: str) -> tuple[bool, str | None]:
        """Return whether a message is read, and its body; 404 means that it was revoked."""
        entry = await self._message(remote)
        return parse_read(entry), parse_text(entry.get("body"), MAX_BODY)

    async def whole_message(self, remote: str) -> tuple[RemoteMessage, RemoteState]:
        """Return a message and the user's state of it; 404 means that it was revoked."""
        entry = await self._message(remote)
        state = self.clock.state_to_local(parse_state(entry))
        return self.clock.to_local(parse_whole_message(entry)), state

    async def _message(self, remote: str) -> dict[str, Any]:
        answer = await self._get(f"/v1/notifications/messages/{quote(remote, safe='')}")
        entry = await parse_json(answer)
        if not isinstance(entry, dict) or parse_id(entry) != remote:
            raise malformed()
        return entry

    async def mark(self, what: str, remotes: list[str]) -> None:
        """Mark messages as ``read`` or ``unread``; or ``unsnooze`` them, or ``wake`` them."""
        await self._post(f"/v1/notifications/{what}", {"ids": remotes})

    async def welcome(self, aspect: str, etag: str | None = None) -> Tagged[WelcomeContent] | None:
        """Return the welcome messages that are due; None if they are unchanged since ``etag``."""
        answer = await self._get("/v1/welcome", {"aspect": aspect}, etag=etag)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        items, notice = parse_entries(
            await parse_json(answer),
            lambda entry: parse_welcome(entry, aspect),
            MAX_WELCOME,
            "welcome messages",
        )
        return Tagged(items, parse_etag(answer), notice)

    async def dismiss_welcome(self, ids: list[str] | None) -> None:
        """Dismiss welcome messages for good; None dismisses all."""
        await self._post("/v1/welcome/dismiss", {"all": True} if ids is None else {"ids": ids})

    async def accept_welcome(self, ids: list[str]) -> None:
        """Report that the user accepts these welcome messages."""
        await self._post("/v1/welcome/accept", {"ids": ids})

    async def reset_welcome(self) -> None:
        """Make every welcome message due again."""
        await self._post("/v1/welcome/reset", None)

    # Routes that Semaphore does not have

    async def features(self) -> Features:
        """Return the features beyond Semaphore's routes; none if the service is Semaphore."""
        try:
            entry = await parse_json(await self._get("/", anonymous=True))
        except Failure as failure:
            if failure.status is None or not (failure.missing or failure.status in (401, 403)):
                raise
            return Features(frozenset(), "off")
        listed = entry.get("features") if isinstance(entry, dict) else None
        if not isinstance(listed, list):
            return Features(frozenset(), "off")
        return Features(
            frozenset(name for name in listed[:100] if isinstance(name, str)),
            str(entry.get("receipts", "off")),
        )

    async def cursor(self) -> str | None:
        """Return the present cursor of the event stream."""
        entry = await parse_json(await self._get("/v1/overview", {"limit": "1"}))
        cursor = entry.get("cursor") if isinstance(entry, dict) else None
        return cursor if isinstance(cursor, str) and is_cursor(cursor) else None

    def events(
        self, cursor: str | None, silence_s: float
    ) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Open the event stream, which yields its text in pieces.

        Parameters
        ----------
        cursor
            The last event that is known; None starts with the next event.
        silence_s
            A connection that is silent for longer counts as dead.
        """
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if cursor is not None:
            headers["Last-Event-ID"] = cursor
        return self._transport.stream("/v1/events", headers, silence_s)

    async def hello(self, value: dict[str, Any]) -> None:
        """Announce that this lab has started and polls by itself."""
        await self._post("/v1/hello", value, accept=HTTPStatus.OK)

    async def send_receipts(self, receipts: list[dict[str, Any]]) -> None:
        """Send receipts: which messages are stored or shown."""
        await self._post("/v1/receipts", {"receipts": receipts})

    async def mark_broadcast(self, action: str, remote: str) -> None:
        """Send an action on a broadcast that needs no details, for example ``read``."""
        await self._post(f"/v1/broadcasts/{quote(remote, safe='')}/{action}", None)

    async def snooze(self, remotes: list[str], until_ms: int) -> None:
        """Report that the user has snoozed messages until a time."""
        value = {"ids": remotes, "until": rfc3339(self.clock.to_service(until_ms))}
        await self._post("/v1/notifications/snooze", value)

    async def snooze_broadcast(self, remote: str, until_ms: int) -> None:
        """Report that the user has snoozed a broadcast until a time."""
        value = {"until": rfc3339(self.clock.to_service(until_ms))}
        await self._post(f"/v1/broadcasts/{quote(remote, safe='')}/snooze", value)

    async def reply(self, what: str, remote: str, answer: str, server: str) -> None:
        """Report the user's answer.

        Parameters
        ----------
        what
            ``broadcasts`` or ``notifications/messages``.
        remote
            The service's id.
        answer
            A choice, or a text.
        server
            The name of the user's server, for the broadcast's ledger.
        """
        await self._post(
            f"/v1/{what}/{quote(remote, safe='')}/reply", {"reply": answer, "server": server}
        )

    async def channels(
        self, change: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], str | None]:
        """Return the user's channels, in the shape of ``models.Channels``, after a change to them.

        With them comes a sentence about what was left out.

        Parameters
        ----------
        change
            What to change first, under the service's names; None changes nothing.
        """
        if change is None:
            return parse_channels(await parse_json(await self._get("/v1/channels")))
        return parse_channels(await parse_json(await self._patch("/v1/channels", change)))

    async def quiet(
        self, changes: Sequence[UntoldQuiet] = ()
    ) -> tuple[tuple[SharedQuiet, ...], str | None]:
        """Send changes, if there are any, and return do-not-disturb and the muted sources.

        With them comes a sentence about what was left out.
        """
        path, ahead_ms = "/v1/quiet", self.clock.ahead_ms
        if not changes:
            return parse_quiet(await parse_json(await self._get(path)), ahead_ms)
        entries = [
            {
                "source": change.source,
                "on": change.on,
                "until": change.until_ms and rfc3339(moved(change.until_ms, -ahead_ms)),
                "age_ms": change.age_ms,
            }
            for change in changes
        ]
        return parse_quiet(
            await parse_json(await self._patch(path, {"entries": entries})), ahead_ms
        )

    # HTTP

    async def _patch(self, path: str, value: Any) -> Answer:
        headers = {"Content-Type": "application/json"}
        content = json.dumps(value).encode()
        answer = await self._transport.ask("PATCH", path, None, headers, content)
        if answer.status != HTTPStatus.OK:
            raise failure_of(answer)
        self.answered += 1
        return answer

    async def _get(
        self,
        path: str,
        params: dict[str, str] | None = None,
        *,
        etag: str | None = None,
        anonymous: bool = False,
        unauthenticated: bool = False,
    ) -> Answer:
        headers = {"If-None-Match": etag} if etag else {}
        answer = await self._transport.ask(
            "GET", path, params, headers, None, anonymous=anonymous, unauthenticated=unauthenticated
        )
        if answer.status == HTTPStatus.OK or (
            etag is not None and answer.status == HTTPStatus.NOT_MODIFIED
        ):
            self.answered += 1
            return answer
        raise failure_of(answer)

    async def _post(
        self, path: str, value: Any, *, accept: HTTPStatus = HTTPStatus.NO_CONTENT
    ) -> None:
        content = None if value is None else json.dumps(value).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        answer = await self._transport.ask("POST", path, None, headers, content)
        if 200 <= answer.status < 300 and answer.status != accept:
            # Perhaps a login page, so the request has not reached the service.
            raise malformed()
        if answer.status != accept:
            raise failure_of(answer)
        self.answered += 1
