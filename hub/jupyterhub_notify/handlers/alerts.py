"""Routes for the webhooks of alerting engines, and the administrator's overview of alerts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ..alerts.models import AlertOverview, AlertsTaken, Webhook
from ..models.common import Name
from .dependencies import CallerOf, PartsOf

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["alerts"])

ServiceQuery = Annotated[
    Name | None,
    Query(title="Service", description="In whose name; by default the engine's: it needs a token"),
]


@router.post("/alerts/alertmanager", summary="Prometheus' Alertmanager")
async def alertmanager(
    body: Webhook, caller: CallerOf, parts: PartsOf, service: ServiceQuery = None
) -> AlertsTaken:
    """Take a webhook of version 4: firing alerts are shown to their users, resolved ones go."""
    return await parts.alerts.receive(caller, service or "alertmanager", "alertmanager", body)


@router.post("/alerts/grafana", summary="Grafana Alerting")
async def grafana(
    body: Webhook, caller: CallerOf, parts: PartsOf, service: ServiceQuery = None
) -> AlertsTaken:
    """Take a webhook of a contact point: firing alerts are shown to their users."""
    return await parts.alerts.receive(caller, service or "grafana", "grafana", body)


@router.get("/admin/alerts", summary="What alerts and rules have come to")
async def overview(caller: CallerOf, parts: PartsOf) -> AlertOverview:
    """Show what alerts reached nobody, and what rules have come to for whom."""
    return await parts.alert_overview.get(caller)
