"""The caller's own account."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ..models.me import Me, Unread
from .answers import json_one
from .dependencies import CallerOf, PartsOf

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["service"])


@router.get("/me", response_model=Me, summary="Who asks")
async def me(caller: CallerOf) -> Response:
    """Return what the service knows of its caller."""
    return json_one(
        Me(
            name=caller.name,
            kind=caller.kind,
            groups=sorted(caller.groups),
            admin=caller.admin,
            publish_as=sorted(caller.publish_as),
            send_groups=sorted(caller.send_groups),
        )
    )


@router.get("/unread", response_model=Unread, summary="The number of unread messages")
async def unread(caller: CallerOf, parts: PartsOf) -> Response:
    """Return the number alone: scripts of the hub's own pages ask for it with a login's cookie.

    Without `subdomain_host` so may the page of another user's server; it learns no more than this.
    """
    return Response(
        Unread(unread=await parts.overview.unread(caller)).model_dump_json(),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
