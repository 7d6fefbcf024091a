"""The event stream that a lab holds while a tab is open."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.types import Receive, Scope, Send

from ..errors import TooMany
from ..events.feed import Feed
from ..events.streams import Stream
from ..identity.caller import Caller, IdentityError, IdentityUnavailable
from ..metrics import STREAMS
from ..models.common import Text
from ..services.access import require_user
from .dependencies import CallerOf, PartsOf
from .errors import error_response

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["events"])


class EventStreamResponse(Response):
    """Sends the frames of a stream until either side ends it.

    It talks to the server directly, since ten thousand streams may be open at once: each costs one
    more task, which waits for the client's disconnection.

    Parameters
    ----------
    feed
        Gives the stream its frames.
    stream
        The stream.
    cursor
        The cursor of its reader.
    life_s
        Seconds after which the stream ends, so that its caller is identified anew.
    still_valid
        Tells whether the caller is still the same, with the same groups.
    recheck_s
        Interval in seconds between these checks.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        *,
        feed: Feed,
        stream: Stream,
        cursor: str | None,
        life_s: float,
        still_valid: Callable[[], Awaitable[bool]],
        recheck_s: float,
    ) -> None:
        super().__init__(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-cache, no-transform",
                "X-Accel-Buffering": "no",
            }
        )
        del self.headers["content-length"]
        self._feed = feed
        self._stream = stream
        self._cursor = cursor
        self._life_s = life_s
        self._still_valid = still_valid
        self._recheck_s = recheck_s
        self._check: asyncio.TimerHandle | None = None
        self._checking: asyncio.Task[None] | None = None

    def _check_later(self) -> None:
        """Check the caller later; a timer for each stream costs less than a task."""
        self._check = asyncio.get_running_loop().call_later(
            self._recheck_s * random.uniform(0.8, 1.0), self._check_now
        )

    def _check_now(self) -> None:
        self._checking = asyncio.ensure_future(self._recheck())

    async def _recheck(self) -> None:
        if await self._still_valid():
            self._check_later()
        else:
            self._stream.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        stream = self._stream
        if not self._feed.streams.admit(stream):
            error = TooMany("Too many streams without credentials are open", retry_after_s=30)
            answer = error_response(429, [error.detail()], retry_after_s=error.retry_after_s)
            await answer(scope, receive, send)
            return
        gone = asyncio.ensure_future(_disconnected(receive, stream))
        life = asyncio.get_running_loop().call_later(
            self._life_s * random.uniform(0.9, 1.0), stream.end
        )
        self._check_later()
        STREAMS.inc()
        try:
            first = await self._feed.open(stream, self._cursor)
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": self.raw_headers,
                }
            )
            data: bytes | None = b"".join(first)
            while data is not None:
                await send({"type": "http.response.body", "body": data, "more_body": True})
                data = await stream.take()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            STREAMS.dec()
            life.cancel()
            for waiting in (self._check, self._checking):
                if waiting is not None:
                    waiting.cancel()
            self._feed.streams.remove(stream)
            self._feed.streams.release(stream)
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone


async def _disconnected(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


@router.get(
    "/events",
    summary="Follow events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events"}},
)
async def events(
    request: Request,
    caller: CallerOf,
    parts: PartsOf,
    last_event_id: Annotated[
        Text | None, Header(title="Cursor", description="Position of the reader", max_length=100)
    ] = None,
    cursor: Annotated[
        Text | None,
        Query(title="Cursor", description="The same, as the overview has it", max_length=100),
    ] = None,
) -> Response:
    """Send what the caller sees the moment it is committed.

    Each event has an `id`, which is a cursor; a reader that comes back with it in
    `Last-Event-ID` misses nothing. `message`, `broadcast` and `welcome` carry the present state,
    `…-changed` what the user did with it, `…-gone` that nobody sees it any more, and `reload`
    says that the cursor is too old: read the overview.
    """
    user = None if caller.is_anonymous else require_user(caller)

    async def still_valid() -> bool:
        try:
            found: Caller = await request.app.state.identity.identify(request)
        except IdentityUnavailable:
            # The Hub does not answer: open streams stay open.
            return True
        except IdentityError:
            return False
        # With other groups the reader may see other messages: end the stream, and it comes again
        # with its present groups.
        return (found.name, found.kind, found.groups) == (caller.name, caller.kind, caller.groups)

    return EventStreamResponse(
        feed=parts.feed,
        stream=Stream(user=user, groups=caller.groups),
        cursor=last_event_id or cursor,
        life_s=parts.settings.stream_s,
        still_valid=still_valid,
        recheck_s=parts.settings.recheck_s,
    )
