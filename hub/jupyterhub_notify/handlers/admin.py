"""Routes for senders of broadcasts and for administrators; the pages use nothing else."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from ..errors import ServiceError
from ..identity.caller import Caller
from ..models.admin import AuditLogEntry, LabServer, Publishing, SetPublishing
from ..models.broadcasts import (
    AdminBroadcast,
    CreateBroadcast,
    Delivered,
    Outcome,
    PatchBroadcast,
    SentBroadcast,
)
from ..models.common import Name, Text
from ..models.notifications import ServiceNotification
from ..models.recipients import (
    ChooseRecipients,
    Directory,
    Recipients,
    SavedTemplate,
    SaveTemplate,
    TemplateSample,
)
from ..models.welcome import AdminWelcome, CreateWelcome, PatchWelcome, WelcomeReader
from ..parts import Parts
from ..services.access import require_admin, require_sender
from ..services.views import dump
from .answers import (
    base_url,
    entity_tag,
    json_list,
    json_one,
    not_modified,
    offset_headers,
    page_headers,
    whole_headers,
)
from .dependencies import CallerOf, CursorQuery, LimitQuery, PartsOf, Reference
from .services import RecipientQuery, SinceQuery, UntilQuery

__all__ = ["router"]

router = APIRouter(prefix="/v1/admin", tags=["admin"])

Rows = Annotated[int, Query(title="Row limit", description="Most entries", ge=1, le=10_000)]
Offset = Annotated[
    int, Query(title="Offset", description="Entries to leave out", ge=0, le=10_000_000)
]
OutcomeQuery = Annotated[
    Outcome | None, Query(title="Outcome", description="Only those with this outcome")
]


TemplateName = Annotated[Name, Path(title="Name", description="Of the template", max_length=100)]


# --- Broadcasts


@router.post("/broadcasts", response_model=SentBroadcast, summary="Send a broadcast")
async def create_broadcast(body: CreateBroadcast, caller: CallerOf, parts: PartsOf) -> Response:
    """Send a broadcast, or replace the sender's one with the same key."""
    stored = await parts.broadcasting.create(caller, body)
    _, counts = await parts.broadcasting.one(caller, stored.id)
    return json_one(parts.broadcast_views.admin(stored, counts))


@router.get("/broadcasts", response_model=list[AdminBroadcast], summary="List broadcasts")
async def list_broadcasts(
    request: Request,
    caller: CallerOf,
    parts: PartsOf,
    limit: Rows = 100,
    offset: Offset = 0,
    q: Annotated[
        Text | None, Query(title="Search", description="Only those whose text has this in it")
    ] = None,
) -> Response:
    """List all broadcasts, revoked and past ones included; a group's sender sees their own."""
    found, total = await parts.broadcasting.listed(caller, limit=limit, offset=offset, words=q)
    tag = entity_tag(request, caller, total, found)
    known = not_modified(request, tag)
    if known is not None:
        return known
    items = [parts.broadcast_views.admin(stored, counts) for stored, counts in found]
    headers = offset_headers(request, total=total, limit=limit, offset=offset)
    return json_list(items, tag=tag, headers=headers)


@router.get("/broadcasts/{id}", response_model=AdminBroadcast, summary="Get a broadcast")
async def get_broadcast(
    request: Request, id: Reference, caller: CallerOf, parts: PartsOf
) -> Response:
    """Return a broadcast with the numbers of its outcomes."""
    stored, counts = await parts.broadcasting.one(caller, id)
    tag = entity_tag(request, caller, stored, counts)
    known = not_modified(request, tag)
    return known or json_one(parts.broadcast_views.admin(stored, counts), tag=tag)


@router.patch("/broadcasts/{id}", response_model=AdminBroadcast, summary="Change a broadcast")
async def change_broadcast(
    id: Reference, body: PatchBroadcast, caller: CallerOf, parts: PartsOf
) -> Response:
    """Change it in place on every screen."""
    stored = await parts.broadcasting.patch(caller, id, body)
    _, counts = await parts.broadcasting.one(caller, id)
    return json_one(parts.broadcast_views.admin(stored, counts))


@router.delete("/broadcasts/{id}", status_code=204, summary="Revoke a broadcast")
async def revoke_broadcast(id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Take it from every screen."""
    await parts.broadcasting.revoke(caller, id)


@router.post("/broadcasts/{id}/retry", response_model=AdminBroadcast, summary="Retry failed")
async def retry_broadcast(id: Reference, caller: CallerOf, parts: PartsOf) -> Response:
    """Push it again to the servers where that failed."""
    stored = await parts.broadcasting.retry(caller, id)
    _, counts = await parts.broadcasting.one(caller, id)
    return json_one(parts.broadcast_views.admin(stored, counts))


@router.get(
    "/broadcasts/{id}/deliveries",
    response_model=list[Delivered],
    summary="What became of it",
    responses={200: {"content": {"text/csv": {}}}},
)
async def list_deliveries(
    request: Request,
    id: Reference,
    caller: CallerOf,
    parts: PartsOf,
    outcome: OutcomeQuery = None,
    user: Annotated[
        Text | None, Query(title="User", description="Only users whose name has this in it")
    ] = None,
    limit: Rows = 10_000,
    offset: Offset = 0,
    format: Annotated[
        Literal["csv"] | None,
        Query(title="Format", description="csv: as a file, whatever is accepted"),
    ] = None,
) -> Response:
    """List recipients of the latest occurrence and their servers, as JSON or `text/csv`.

    Where the site keeps numbers only, the list is empty.
    """
    items, total, highest = await parts.broadcasting.deliveries(
        caller, id, outcome=outcome, user=user, limit=limit, offset=offset
    )
    if parts.settings.receipts == "counts":
        items, total = [], 0
    tag = entity_tag(request, caller, total, highest, request.headers.get("accept"), format)
    known = not_modified(request, tag)
    if known is not None:
        return known
    headers = offset_headers(request, total=total, limit=limit, offset=offset)
    if format == "csv":
        headers["Content-Disposition"] = f'attachment; filename="{quote(id, safe="")}.csv"'
    if format == "csv" or _wants_csv(request):
        names = list(Delivered.model_fields)
        return _csv(names, ([getattr(one, name) for name in names] for one in items), headers)
    return json_list(items, tag=tag, headers=headers)


@router.get(
    "/broadcasts/{id}/events",
    summary="Follow what becomes of it",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events"}},
)
async def broadcast_events(id: Reference, caller: CallerOf, parts: PartsOf) -> Response:
    """Send `counts`, with the broadcast as it is now, and `delivery` for each row that changes."""
    await parts.broadcasting.one(caller, id)
    return StreamingResponse(
        _progress(parts, caller, id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


async def _progress(parts: Parts, caller: Caller, id_: str) -> AsyncIterator[bytes]:
    """Yield the progress of a broadcast, at most some times a second."""
    changed = asyncio.Event()
    parts.feed.followers.append(changed.set)
    seen, last, quiet_s = 0, b"", 0.0
    try:
        while not parts.feed.streams.closed:
            try:
                stored, counts = await parts.broadcasting.one(caller, id_)
            except ServiceError:
                # The broadcast was deleted, or the database does not answer: the page asks again.
                return
            data = dump(parts.broadcast_views.admin(stored, counts))
            if parts.settings.receipts != "counts":
                rows, _, highest = await parts.broadcasting.deliveries(caller, id_, after_seq=seen)
                seen = max(seen, highest)
                for row in rows:
                    yield b"event: delivery\ndata: " + row.model_dump_json().encode() + b"\n\n"
            if data != last:
                last, quiet_s = data, 0.0
                yield b"event: counts\ndata: " + data + b"\n\n"
            changed.clear()
            await asyncio.sleep(0.2)
            quiet_s += 0.2
            while not changed.is_set() and not parts.feed.streams.closed:
                await asyncio.sleep(0.2)
                quiet_s += 0.2
                if quiet_s >= parts.settings.keep_alive_s:
                    quiet_s = 0.0
                    yield b": keep-alive\n\n"
    finally:
        parts.feed.followers.remove(changed.set)


# --- Recipients


@router.post("/recipients", response_model=Recipients, summary="Whom a broadcast would reach")
async def choose_recipients(body: ChooseRecipients, caller: CallerOf, parts: PartsOf) -> Response:
    """Return how many users a broadcast to these would reach now, and their first names."""
    return json_one(await parts.recipients.reached(caller, body))


@router.get("/directory", response_model=Directory, summary="Find users and groups")
async def find_recipients(
    caller: CallerOf,
    parts: PartsOf,
    q: Annotated[Text, Query(title="Search", description="Letters of a name")] = "",
    limit: Annotated[int, Query(title="Users", description="Most users", ge=1, le=500)] = 10,
) -> Response:
    """Return the users and groups that the caller may send to whose names hold these letters."""
    return json_one(await parts.recipients.found(caller, q, limit))


@router.get("/templates", response_model=list[TemplateSample], summary="List templates")
async def list_templates(caller: CallerOf, parts: PartsOf) -> Response:
    """List the templates that a broadcast may start from, each filled with its own sample."""
    require_sender(caller)
    samples = []
    for name in parts.content.names:
        made = parts.content.sample(name)
        fields = {f: getattr(made, f) for f in TemplateSample.model_fields if f != "name"}
        samples.append(TemplateSample(name=name, **fields))
    return json_list(samples)


@router.get("/templates/saved", response_model=list[SavedTemplate], summary="List saved templates")
async def list_saved_templates(caller: CallerOf, parts: PartsOf) -> Response:
    """List what senders have saved in the composer: administrators' templates, and one's own."""
    return json_list(await parts.saved_templates.listed(caller))


@router.put("/templates/saved/{name:path}", response_model=SavedTemplate, summary="Save a template")
async def save_template(
    name: TemplateName, body: SaveTemplate, caller: CallerOf, parts: PartsOf
) -> Response:
    """Save a broadcast as a template, in place of the sender's own of the same name."""
    return json_one(await parts.saved_templates.save(caller, name, body))


@router.delete("/templates/saved/{name:path}", status_code=204, summary="Delete a saved template")
async def delete_template(name: TemplateName, caller: CallerOf, parts: PartsOf) -> None:
    """Delete a template; an administrator may delete every one."""
    await parts.saved_templates.delete(caller, name)


# --- Welcome messages


@router.post("/welcome", response_model=AdminWelcome, summary="Add a welcome message")
async def create_welcome(body: CreateWelcome, caller: CallerOf, parts: PartsOf) -> Response:
    """Add a welcome message; it is due to all of its audience."""
    return json_one(parts.welcome.admin_view(await parts.welcome.create(caller, body)))


@router.get("/welcome", response_model=list[AdminWelcome], summary="List welcome messages")
async def list_welcome(request: Request, caller: CallerOf, parts: PartsOf) -> Response:
    """List all that have not ended, first ones first."""
    found = await parts.welcome.listed(caller)
    tag = entity_tag(request, caller, found)
    known = not_modified(request, tag)
    if known is not None:
        return known
    items = [parts.welcome.admin_view(one) for one in found]
    return json_list(items, tag=tag, headers=whole_headers(request, len(items)))


@router.get("/welcome/{id}", response_model=AdminWelcome, summary="Get a welcome message")
async def get_welcome(id: Reference, caller: CallerOf, parts: PartsOf) -> Response:
    """Return one."""
    return json_one(parts.welcome.admin_view(await parts.welcome.one(caller, id)))


@router.patch("/welcome/{id}", response_model=AdminWelcome, summary="Change a welcome message")
async def change_welcome(
    id: Reference, body: PatchWelcome, caller: CallerOf, parts: PartsOf
) -> Response:
    """Change it; a new text is due to everyone again, unless the change is quiet."""
    return json_one(parts.welcome.admin_view(await parts.welcome.patch(caller, id, body)))


@router.delete("/welcome/{id}", status_code=204, summary="Revoke a welcome message")
async def revoke_welcome(id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Take it from every screen."""
    await parts.welcome.revoke(caller, id)


@router.get(
    "/welcome/{id}/readers",
    response_model=list[WelcomeReader],
    summary="Who has accepted",
    responses={200: {"content": {"text/csv": {}}}},
)
async def list_readers(
    request: Request,
    id: Reference,
    caller: CallerOf,
    parts: PartsOf,
    limit: Rows = 10_000,
    offset: Offset = 0,
) -> Response:
    """List what users did with a message, as JSON or `text/csv`; who is missing did nothing."""
    stored, rows, total = await parts.welcome.readers(caller, id, limit=limit, offset=offset)
    tag = entity_tag(request, caller, stored, rows, request.headers.get("accept"))
    known = not_modified(request, tag)
    if known is not None:
        return known
    items = [
        WelcomeReader(
            user=user,
            views=state.views if state.seen_version == stored.updated else 0,
            dismissed=state.dismissed,
            accepted=state.accepted,
            accepted_current=state.accepted is not None and state.accepted >= stored.updated,
        )
        for user, state in rows
    ]
    headers = offset_headers(request, total=total, limit=limit, offset=offset)
    if _wants_csv(request):
        names = list(WelcomeReader.model_fields)
        return _csv(names, ([getattr(one, name) for name in names] for one in items), headers)
    return json_list(items, tag=tag, headers=headers)


# --- The service itself


@router.get(
    "/notifications", response_model=list[ServiceNotification], summary="List all notifications"
)
async def list_notifications(
    request: Request,
    caller: CallerOf,
    parts: PartsOf,
    cursor: CursorQuery = None,
    limit: LimitQuery = None,
    since: SinceQuery = None,
    until: UntilQuery = None,
    recipient: RecipientQuery = None,
    sender: Annotated[
        Name | None, Query(title="Sender", description="Only those of this service")
    ] = None,
) -> Response:
    """List every service's active notifications, newest first."""
    require_admin(caller)
    page = await parts.publishing.listed(
        caller,
        sender,
        cursor=cursor,
        limit=limit,
        since=since,
        until=until,
        recipient=recipient,
    )
    tag = entity_tag(request, caller, page.items, page.total, parts.content.revision)
    known = not_modified(request, tag)
    if known is not None:
        return known
    url = f"{base_url(request)}/v1/services"
    items = [
        parts.views.for_sender(one, f"{url}/{one.service}/notifications/{one.id}")
        for one in page.items
    ]
    return json_list(items, tag=tag, headers=page_headers(request, page))


@router.get("/publishing", response_model=Publishing, summary="Whether publishing is stopped")
async def get_publishing(caller: CallerOf, parts: PartsOf) -> Response:
    """Return whether all publishing has been stopped, and why."""
    return Response(
        (await parts.administration.publishing(caller)).model_dump_json(),
        media_type="application/json",
    )


@router.put("/publishing", status_code=204, summary="Stop publishing")
async def set_publishing(body: SetPublishing, caller: CallerOf, parts: PartsOf) -> None:
    """Stop all publishing on every replica, or let it go on; revoking works all the same."""
    await parts.administration.set_publishing(caller, body.stopped, body.reason)


@router.get("/audit", response_model=list[AuditLogEntry], summary="Who did what")
async def list_audit(
    request: Request, caller: CallerOf, parts: PartsOf, limit: Rows = 100, offset: Offset = 0
) -> Response:
    """List the audit log, newest first."""
    items, total = await parts.administration.audit_log(caller, limit=limit, offset=offset)
    tag = entity_tag(request, caller, total, items[0].id if items else 0)
    known = not_modified(request, tag)
    if known is not None:
        return known
    headers = offset_headers(request, total=total, limit=limit, offset=offset)
    return json_list(items, tag=tag, headers=headers)


@router.get("/servers", response_model=list[LabServer], summary="Labs that have said hello")
async def list_servers(request: Request, caller: CallerOf, parts: PartsOf) -> Response:
    """List the servers whose labs ask the service by themselves."""
    items = await parts.administration.labs(caller)
    tag = entity_tag(request, caller, items)
    known = not_modified(request, tag)
    if known is not None:
        return known
    return json_list(items, tag=tag, headers=whole_headers(request, len(items)))


@router.delete("/users/{name}", status_code=204, summary="Forget a user")
async def forget_user(name: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Delete everything that is kept of a user: notifications, states, receipts, servers."""
    await parts.administration.forget_user(caller, name)


def _wants_csv(request: Request) -> bool:
    return "text/csv" in request.headers.get("accept", "")


def _csv(names: list[str], rows: Iterable[list[object]], headers: dict[str, str]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: object) -> str:
    """Return a cell that no spreadsheet treats as a formula."""
    if value is None:
        return ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    # Some spreadsheets ignore spaces and line ends before the formula.
    risky = text[:1] in ("\t", "\r") or text.lstrip()[:1] in ("=", "+", "-", "@")
    return f"'{text}" if risky else text
