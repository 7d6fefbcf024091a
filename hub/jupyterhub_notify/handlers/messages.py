"""Routes of a user's own notifications, the same as Semaphore's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ..models.notifications import Message, MessageIds, MessageSummary, SnoozeMessages
from .answers import base_url, json_list, json_one, page_headers
from .dependencies import CallerOf, CursorQuery, LimitQuery, PartsOf, Reference
from .revalidation import RevalidatedRoute, ViewTag

__all__ = ["router"]

router = APIRouter(prefix="/v1/notifications", tags=["notifications"], route_class=RevalidatedRoute)


@router.get("/messages", response_model=list[MessageSummary], summary="List notifications")
async def list_messages(
    request: Request,
    caller: CallerOf,
    parts: PartsOf,
    tag: ViewTag,
    cursor: CursorQuery = None,
    limit: LimitQuery = None,
    unread: Annotated[
        bool, Query(title="Unread", description="True to leave out read ones")
    ] = False,
) -> Response:
    """List the caller's notifications, newest first, without bodies."""
    page = await parts.inbox.listed(caller, limit=limit, cursor=cursor, unread=unread)
    url = f"{base_url(request)}/v1/notifications/messages"
    items = [parts.views.summary(one, f"{url}/{one.id}") for one in page.items]
    return json_list(items, tag=tag, headers=page_headers(request, page))


@router.get("/messages/{id}", response_model=Message, summary="Get notification")
async def get_message(id: Reference, caller: CallerOf, parts: PartsOf) -> Response:
    """Return one of the caller's notifications with its body."""
    return json_one(parts.views.message(await parts.inbox.one(caller, id)))


@router.post("/read", status_code=204, summary="Mark as read")
async def mark_read(body: MessageIds, caller: CallerOf, parts: PartsOf) -> None:
    """Mark notifications as read; unknown ones are ignored."""
    await parts.inbox.mark(caller, body.ids, "read")


@router.post("/unread", status_code=204, summary="Mark as unread")
async def mark_unread(body: MessageIds, caller: CallerOf, parts: PartsOf) -> None:
    """Mark notifications as unread; unknown ones are ignored."""
    await parts.inbox.mark(caller, body.ids, "unread")


@router.post("/dismiss", status_code=204, summary="Put away")
async def dismiss(body: MessageIds, caller: CallerOf, parts: PartsOf) -> None:
    """Put notifications away; unknown ones are ignored."""
    await parts.inbox.mark(caller, body.ids, "dismiss")


@router.post("/restore", status_code=204, summary="Take back")
async def restore(body: MessageIds, caller: CallerOf, parts: PartsOf) -> None:
    """Take notifications back that were put away; unknown ones are ignored."""
    await parts.inbox.mark(caller, body.ids, "restore")


@router.post("/snooze", status_code=204, summary="Snooze")
async def snooze(body: SnoozeMessages, caller: CallerOf, parts: PartsOf) -> None:
    """Keep notifications out of sight until a time; unknown ones are ignored.

    So are those that cannot be dismissed. Labs bring them back when the time has come.
    """
    await parts.inbox.snooze(caller, body.ids, body.until)


@router.post("/unsnooze", status_code=204, summary="End a snooze")
async def unsnooze(body: MessageIds, caller: CallerOf, parts: PartsOf) -> None:
    """Bring notifications back as they were; unknown ones are ignored."""
    await parts.inbox.snooze(caller, body.ids, None)


@router.post("/wake", status_code=204, summary="Bring back what was snoozed until now")
async def wake(body: MessageIds, caller: CallerOf, parts: PartsOf) -> None:
    """Make those unread whose snooze has ended; all others stay as they are."""
    await parts.inbox.wake(caller, body.ids)
