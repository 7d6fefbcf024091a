"""Routes for services: Semaphore's, and in addition change, revoke and reconcile."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from ..models.common import Name, Utc
from ..models.notifications import (
    CreateNotification,
    PatchNotification,
    Receipt,
    Reconciled,
    ReconcileItem,
    ServiceNotification,
)
from ..models.stored import StoredNotification
from ..services.access import require_known
from .answers import (
    base_url,
    entity_tag,
    json_list,
    json_one,
    not_modified,
    page_headers,
    whole_headers,
)
from .dependencies import CallerOf, CursorQuery, LimitQuery, PartsOf, Reference, ServiceName

__all__ = ["router"]

router = APIRouter(prefix="/v1/services/{service}/notifications", tags=["services"])

RecipientQuery = Annotated[
    Name | None, Query(title="Recipient", description="Only those to this user")
]
SinceQuery = Annotated[
    Utc | None, Query(title="Not before", description="Only those created at or after this")
]
UntilQuery = Annotated[
    Utc | None, Query(title="Not after", description="Only those created at or before this")
]


def _url(request: Request, service: str, stored: StoredNotification) -> str:
    return f"{base_url(request)}/v1/services/{service}/notifications/{stored.id}"


@router.post("", response_model=ServiceNotification | list[ServiceNotification], summary="Send")
async def create(
    request: Request,
    service: ServiceName,
    body: CreateNotification,
    caller: CallerOf,
    parts: PartsOf,
) -> Response:
    """Send a notification; with `recipients` the answer is a list, one for each."""
    stored = await parts.publishing.create(caller, service, body)
    items = [parts.views.for_sender(one, _url(request, service, one)) for one in stored]
    return json_list(items) if body.recipients is not None else json_one(items[0])


@router.get("", response_model=list[ServiceNotification], summary="List what was sent")
async def list_sent(
    request: Request,
    service: ServiceName,
    caller: CallerOf,
    parts: PartsOf,
    cursor: CursorQuery = None,
    limit: LimitQuery = None,
    since: SinceQuery = None,
    until: UntilQuery = None,
    recipient: RecipientQuery = None,
) -> Response:
    """List the service's active notifications, newest first."""
    page = await parts.publishing.listed(
        caller,
        service,
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
    items = [parts.views.for_sender(one, _url(request, service, one)) for one in page.items]
    return json_list(items, tag=tag, headers=page_headers(request, page))


@router.put("", response_model=Reconciled, summary="Reconcile")
async def reconcile(
    service: ServiceName,
    body: Annotated[list[ReconcileItem], Body(max_length=10_000)],
    caller: CallerOf,
    parts: PartsOf,
    scope: Annotated[
        str,
        Query(
            title="Scope",
            description="Only keys that begin so are looked at",
            max_length=200,
        ),
    ] = "",
) -> Response:
    """Make the service's active notifications with keys what the list says, at once."""
    return json_one(await parts.reconciling.reconcile(caller, service, body, scope))


# A key may contain slashes, such as `jobs/4711`, which are part of the decoded path. So a route
# with a further part after the key has to come before the routes without.
@router.get("/{id:path}/receipts", response_model=list[Receipt], summary="What became of it")
async def list_receipts(
    request: Request, service: ServiceName, id: Reference, caller: CallerOf, parts: PartsOf
) -> Response:
    """Return what became of a notification at each user."""
    require_known(caller)
    receipts = await parts.publishing.receipts(caller, service, id)
    tag = entity_tag(request, caller, receipts)
    known = not_modified(request, tag)
    if known is not None:
        return known
    return json_list(receipts, tag=tag, headers=whole_headers(request, len(receipts)))


@router.get("/{id:path}", response_model=ServiceNotification, summary="Get what was sent")
async def get_sent(
    request: Request, service: ServiceName, id: Reference, caller: CallerOf, parts: PartsOf
) -> Response:
    """Return one notification of the service's, revoked and expired ones included."""
    stored = await parts.publishing.one(caller, service, id)
    return json_one(parts.views.for_sender(stored, _url(request, service, stored)))


@router.patch("/{id:path}", response_model=list[ServiceNotification], summary="Change")
async def change(
    request: Request,
    service: ServiceName,
    id: Reference,
    body: PatchNotification,
    caller: CallerOf,
    parts: PartsOf,
) -> Response:
    """Change the notification with this id, or all that have this key."""
    stored = await parts.publishing.patch(caller, service, id, body)
    return json_list([parts.views.for_sender(one, _url(request, service, one)) for one in stored])


@router.delete("/{id:path}", status_code=204, summary="Revoke")
async def revoke(service: ServiceName, id: Reference, caller: CallerOf, parts: PartsOf) -> None:
    """Revoke the notification with this id, or all that have this key."""
    await parts.publishing.revoke(caller, service, id)
