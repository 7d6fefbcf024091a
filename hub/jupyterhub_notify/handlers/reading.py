"""Routes for labs and pages: overview, broadcasts, welcome messages, hello."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from .. import __version__
from ..models.broadcasts import Broadcast
from ..models.common import Name, Snooze
from ..models.features import FEATURES
from ..models.overview import Overview
from ..models.receipts import Hello, HelloAnswer, Reply
from ..models.welcome import WelcomeIds, WelcomeMessage
from .answers import json_list, json_one, whole_headers
from .dependencies import CallerOf, PartsOf, Reference
from .revalidation import RevalidatedRoute, ViewTag

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["reading"], route_class=RevalidatedRoute)

AspectQuery = Annotated[
    Name | None, Query(title="Aspect", description="Of welcome messages; all if missing")
]


@router.get("/overview", response_model=Overview, summary="Everything at once")
async def overview(
    caller: CallerOf,
    parts: PartsOf,
    tag: ViewTag,
    aspect: AspectQuery = None,
    limit: Annotated[
        int, Query(title="Messages", description="Most notifications", ge=1, le=200)
    ] = 50,
) -> Response:
    """Return all that the caller sees now, and the cursor from which events go on."""
    return json_one(await parts.overview.of(caller, aspect=aspect, limit=limit), tag=tag)


@router.get("/broadcasts", response_model=list[Broadcast], summary="List broadcasts")
async def list_broadcasts(
    request: Request,
    caller: CallerOf,
    parts: PartsOf,
    tag: ViewTag,
    everyone: Annotated[
        bool, Query(title="Everyone", description="Only what is for everyone, logged in or not")
    ] = False,
) -> Response:
    """List what is shown to the caller now; anonymous callers see what is for everyone."""
    shown = await parts.reading.shown(caller)
    if everyone:
        shown = [one for one in shown if one.audience == "all"]
    items = [parts.broadcast_views.reader(one) for one in shown]
    return json_list(items, tag=tag, headers=whole_headers(request, len(items)))


@router.post("/broadcasts/{id}/read", status_code=204, summary="Mark a broadcast as read")
async def read_broadcast(id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Note that the caller has read it."""
    await parts.reading.mark(caller, id, "read")


@router.post("/broadcasts/{id}/dismiss", status_code=204, summary="Put a broadcast away")
async def dismiss_broadcast(id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Put it away in all of the caller's labs."""
    await parts.reading.mark(caller, id, "dismiss")


@router.post("/broadcasts/{id}/restore", status_code=204, summary="Take a broadcast back")
async def restore_broadcast(id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Take it back that was put away."""
    await parts.reading.mark(caller, id, "restore")


@router.post("/broadcasts/{id}/snooze", status_code=204, summary="Snooze a broadcast")
async def snooze_broadcast(id: Reference, body: Snooze, caller: CallerOf, parts: PartsOf) -> None:
    """Keep it out of sight until a time; labs bring it back when that has come."""
    await parts.reading.snooze(caller, id, body.until)


@router.post("/broadcasts/{id}/unsnooze", status_code=204, summary="End a broadcast's snooze")
async def unsnooze_broadcast(id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Bring it back as it was."""
    await parts.reading.snooze(caller, id, None)


@router.post("/broadcasts/{id}/wake", status_code=204, summary="Bring a snoozed broadcast back")
async def wake_broadcast(id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Make it unread if its snooze has ended; else it stays as it is."""
    await parts.reading.wake(caller, id)


@router.post("/broadcasts/{id}/accept", status_code=204, summary="Accept a broadcast")
async def accept_broadcast(id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Accept one that must be accepted."""
    await parts.reading.mark(caller, id, "accept")


@router.post("/broadcasts/{id}/reply", status_code=204, summary="Answer a broadcast")
async def reply_to_broadcast(id: Reference, body: Reply, caller: CallerOf, parts: PartsOf) -> None:
    """Answer it; a later answer replaces an earlier one."""
    await parts.reading.reply(caller, id, body.reply, body.server)


@router.post("/notifications/messages/{id}/reply", status_code=204, summary="Answer a notification")
async def reply_to_message(id: Reference, body: Reply, caller: CallerOf, parts: PartsOf) -> None:
    """Answer it; a later answer replaces an earlier one."""
    await parts.inbox.reply(caller, id, body.reply)


@router.get("/welcome", response_model=list[WelcomeMessage], summary="What is due")
async def list_welcome(
    request: Request,
    caller: CallerOf,
    parts: PartsOf,
    tag: ViewTag,
    aspect: AspectQuery = None,
) -> Response:
    """List the welcome messages that are due to the caller, first ones first."""
    items = [parts.welcome.reader_view(one) for one in await parts.welcome.due(caller, aspect)]
    return json_list(items, tag=tag, headers=whole_headers(request, len(items)))


@router.post("/welcome/dismiss", status_code=204, summary="Never again")
async def dismiss_welcome(body: WelcomeIds, caller: CallerOf, parts: PartsOf) -> None:
    """Dismiss some, or all that are due, until their text changes."""
    await parts.welcome.mark(caller, "dismiss", body.ids, all_=body.all)


@router.post("/welcome/accept", status_code=204, summary="Accept")
async def accept_welcome(body: WelcomeIds, caller: CallerOf, parts: PartsOf) -> None:
    """Accept those that must be accepted, until their text changes."""
    await parts.welcome.mark(caller, "accept", body.ids, all_=body.all)


@router.post("/welcome/seen", status_code=204, summary="Count a view")
async def seen_welcome(body: WelcomeIds, caller: CallerOf, parts: PartsOf) -> None:
    """Count a view of each."""
    await parts.welcome.mark(caller, "seen", body.ids, all_=body.all)


@router.post("/welcome/reset", status_code=204, summary="Show all again")
async def reset_welcome(caller: CallerOf, parts: PartsOf) -> None:
    """Make every welcome message due again to the caller."""
    await parts.welcome.mark(caller, "reset", all_=True)


@router.post("/hello", response_model=HelloAnswer, summary="A lab has started")
async def hello(body: Hello, caller: CallerOf, parts: PartsOf) -> Response:
    """Note that this server's lab asks by itself: nothing is pushed to it any more."""
    await parts.administration.hello(caller, body)
    return json_one(
        HelloAnswer(version=__version__, features=FEATURES, receipts=parts.settings.receipts)
    )
