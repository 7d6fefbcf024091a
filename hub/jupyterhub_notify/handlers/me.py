"""Who the caller is."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ..models.me import Me
from .answers import json_one
from .dependencies import CallerOf

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
