"""Routes of do not disturb and of muted sources."""

from __future__ import annotations

from fastapi import APIRouter

from ..models.quiet import ChangeQuiet, Quiet
from .dependencies import CallerOf, PartsOf

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["notifications"])


@router.get("/quiet", summary="Do not disturb, and muted sources")
async def get_quiet(caller: CallerOf, parts: PartsOf) -> Quiet:
    """Show what the user's labs follow; the event `quiet` has the same."""
    return await parts.quiet.get(caller)


@router.patch("/quiet", summary="Change it")
async def change_quiet(body: ChangeQuiet, caller: CallerOf, parts: PartsOf) -> Quiet:
    """Apply what a lab's user changed; for each source the last change counts."""
    return await parts.quiet.change(caller, body)
