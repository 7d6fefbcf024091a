"""Route of the doctor, for the page and for `jupyterhub-notify doctor`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..doctor.examination import Examination
from ..errors import NotFound
from ..identity.settings import hub_of
from ..models.doctor import Report
from ..services.access import require_admin
from .answers import json_one
from .dependencies import CallerOf, PartsOf

__all__ = ["router"]

router = APIRouter(prefix="/v1/admin", tags=["admin"])


@router.get("/doctor", response_model=Report, summary="What is missing at the hub")
async def doctor(request: Request, caller: CallerOf, parts: PartsOf) -> Response:
    """Look at the service's scopes, the bot's, and at each running server."""
    require_admin(caller)
    hub = hub_of(request.app.state.identity)
    if hub is None:
        raise NotFound("This service has no hub that could be looked at")
    labs = await parts.administration.labs(caller)
    said_hello = {(lab.user, lab.server): (lab.version, lab.hello) for lab in labs}
    examination = Examination(hub.api, parts.settings.proxy_url, said_hello)
    return json_one(await examination.report())
