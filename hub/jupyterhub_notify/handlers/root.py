"""The service's description, health and metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from .. import __version__
from ..models.features import Index
from ..models.features import index as index_of
from ..services.access import require_admin
from .answers import entity_tag, json_one, not_modified
from .dependencies import CallerOf, PartsOf
from .errors import error_response
from .pages import front, wants_page

__all__ = ["router"]

router = APIRouter(tags=["service"])


@router.get("/", response_model=Index, summary="What this service is")
async def index(request: Request, parts: PartsOf) -> Response:
    """Return the service's version and features; a client asks for nothing that is not there.

    A browser gets the page here.
    """
    if wants_page(request):
        return await front(request, parts)
    caller = await request.app.state.identity.identify(request)
    tag = entity_tag(request, caller)
    known = not_modified(request, tag)
    if known is not None:
        return known
    return json_one(
        index_of(
            version=__version__,
            receipts=parts.settings.receipts,
            root=request.scope.get("root_path", ""),
        ),
        tag=tag,
    )


@router.get("/health/live", summary="Whether the process lives")
async def live() -> dict[str, str]:
    """Answer, which is enough."""
    return {"status": "ok"}


@router.get("/health/ready", summary="Whether requests can be answered")
async def ready(parts: PartsOf) -> Any:
    """Ask the database, and answer 503 if it or the service is going away."""
    if parts.feed.streams.closed:
        return error_response(503, [{"msg": "The service is stopping", "type": "stopping"}])
    await parts.database.position()
    return {"status": "ok"}


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics(caller: CallerOf, parts: PartsOf) -> Response:
    """Return the metrics of this process."""
    if not parts.settings.metrics_open:
        require_admin(caller)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
