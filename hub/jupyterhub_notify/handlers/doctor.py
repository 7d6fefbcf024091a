"""The doctor's route, for the page and for `jupyterhub-notify doctor`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ..doctor.examination import Examination
from ..identity.settings import hub_of
from ..models.doctor import Problem, Report
from ..services.access import require_admin
from .answers import json_one
from .dependencies import CallerOf, PartsOf

__all__ = ["router"]

router = APIRouter(prefix="/v1/admin", tags=["admin"])


@router.get("/doctor", response_model=Report, summary="What is missing")
async def doctor(request: Request, caller: CallerOf, parts: PartsOf) -> Response:
    """Look at the service's files and, where it has a hub, at its scopes and each server."""
    require_admin(caller)
    problems = [
        Problem(
            what="files",
            problem=f"A file is no good. {one.sentence}",
            remedy="Mend it: the service looks again by itself within seconds.",
        )
        for one in parts.files.problems()
    ]
    hub = hub_of(request.app.state.identity)
    if hub is None:
        return json_one(Report(ok=not problems, problems=problems, servers=[]))
    labs = await parts.administration.labs(caller)
    said_hello = {(lab.user, lab.server): (lab.version, lab.hello) for lab in labs}
    examination = Examination(hub.api, parts.settings.proxy_url, said_hello)
    report = await examination.report()
    problems = [*report.problems, *problems]
    return json_one(Report(ok=not problems, problems=problems, servers=report.servers))
