"""Turns an alerting engine's webhooks into notifications, and revokes them again.

Grouping, silences, inhibition and repetition are left to the engine. Each webhook has all alerts of
its group, so the group's notifications are reconciled with it. An alert that the engine does not
repeat expires: the engine may never report a silenced alert as resolved.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import structlog

from ..errors import Invalid
from ..identity.caller import Caller
from ..metrics import ALERTS
from ..models.common import MAX_BODY, MAX_SUMMARY
from ..models.notifications import Reconciled, ReconcileItem
from ..schema import now
from ..services.access import require_publisher
from ..services.pace import paced
from ..services.reconciling import ReconcilingService
from ..storage.alert_problems import AlertProblemStore
from ..storage.writer import Transaction, Writer
from .models import Alert, AlertsTaken, Webhook
from .users import KnownUsers, UserFinder, is_hashed, is_name

__all__ = ["AlertReceiver", "AlertSettings", "Engine"]

Engine = Literal["alertmanager", "grafana"]

#: Number of steps into which the time until an alert expires is divided.
STEPS = 10
#: Number of notifications that one transaction stores; others read and write between two of them.
AT_ONCE = 500

_TYPES = {
    "critical": "error",
    "error": "error",
    "page": "error",
    "high": "error",
    "warning": "warning",
    "warn": "warning",
    "info": "info",
    "low": "info",
    "none": "info",
}


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """The settings of a site.

    Parameters
    ----------
    expire_after
        The time without repetition after which an alert is over. It must be longer than the
        engine's ``repeat_interval``, which is four hours by default.
    template
        The template for the messages, in place of annotations.
    """

    expire_after: timedelta = timedelta(hours=5)
    template: str | None = None


class AlertReceiver:
    """Receives webhooks.

    Parameters
    ----------
    reconciling
        Reconciles a group's notifications with its webhook.
    writer, problems
        Store the alerts that reach nobody.
    finder
        Finds the user of an alert.
    known
        Knows the users' names.
    settings
        The settings of the site.
    """

    def __init__(
        self,
        *,
        reconciling: ReconcilingService,
        writer: Writer,
        problems: AlertProblemStore,
        finder: UserFinder,
        known: KnownUsers,
        settings: AlertSettings,
    ) -> None:
        self._reconciling = reconciling
        self._writer = writer
        self._problems = problems
        self._finder = finder
        self._known = known
        self._settings = settings
        self._log = structlog.get_logger("jupyterhub_notify.alerts")

    async def receive(
        self, caller: Caller, service: str, engine: Engine, webhook: Webhook
    ) -> AlertsTaken:
        """Take one webhook.

        Parameters
        ----------
        caller
            The sender: the engine, with a token that may publish as the service.
        service
            The service in whose name the notifications are sent.
        engine
            The engine whose format the webhook has.
        webhook
            The webhook.

        Returns
        -------
        AlertsTaken
            The numbers of alerts.

        Raises
        ------
        Invalid
            If the webhook is of another version.
        """
        require_publisher(caller, service)
        if engine == "alertmanager" and webhook.version != "4":
            message = f"version 4 is understood, not {webhook.version[:20]!r}"
            raise Invalid(message, ["body", "version"])
        alerts = await webhook.checked()
        scope = f"alert:{_digest(engine + webhook.group_key)}:"
        firing: dict[str, tuple[Alert, str]] = {}
        over: set[str] = set()
        problems: list[tuple[str, str]] = []
        found = [(alert, self._finder.candidates(alert.labels)) async for alert in paced(alerts)]
        slugs = [name for _, names in found for name in names if is_hashed(name)]
        read = await self._known.hashed(slugs) if slugs else {}
        found = [(alert, [read.get(name, name) for name in names]) for alert, names in found]
        unknown = await self._known.unknown([name for _, names in found for name in names])
        unknown |= set(slugs) - read.keys()
        async for alert, names in paced(found):
            name = next((one for one in names if one not in unknown), names[0] if names else None)
            key = scope + (alert.fingerprint or _digest(json.dumps(alert.labels, sort_keys=True)))
            ALERTS.labels(engine, alert.status).inc()
            if alert.status == "resolved":
                over.add(key)
            elif not name or not is_name(name):
                problems.append(("no-user-label", alert.labels.get("alertname", "")))
            elif name in unknown:
                problems.append(("unknown-user", name))
            else:
                firing[key] = (alert, name)
        await self._note(engine, problems)
        # A truncated webhook does not say whether the alerts that it leaves out still fire, so
        # revoke only those that it reports as resolved.
        revoke = over if webhook.truncated_alerts else None
        done = await self._reconcile(caller, service, scope, firing, webhook, revoke)
        return AlertsTaken(**done.model_dump(), unknown=len(problems))

    async def _reconcile(
        self,
        caller: Caller,
        service: str,
        scope: str,
        firing: dict[str, tuple[Alert, str]],
        webhook: Webhook,
        revoke: set[str] | None,
    ) -> Reconciled:
        for templates in (True, False):
            items = [
                self._item(alert, name, key, webhook, templates)
                async for key, (alert, name) in paced(firing.items())
            ]
            try:
                return await self._reconciling.reconcile(
                    caller, service, items, scope, revoke=revoke, size=AT_ONCE
                )
            except Invalid as error:
                # A bad template must not keep the alert from its user: send it without.
                if not templates or not any(item.template for item in items):
                    raise
                self._log.error("An alert's template is no good", error=str(error))
        raise AssertionError

    def _item(
        self, alert: Alert, user: str, key: str, webhook: Webhook, templates: bool
    ) -> ReconcileItem:
        texts = {**webhook.common_annotations, **alert.annotations}
        severity = alert.labels.get("severity", "").lower()
        shared: dict[str, Any] = {
            "recipient": user,
            "key": key,
            "expires": self._expires(),
            "banner": texts.get("banner", "").lower() == "true",
            "important": texts.get("important", "").lower() == "true",
        }
        template = texts.get("template") or self._settings.template
        if template is not None and templates:
            data = {"labels": alert.labels, "annotations": texts, "user": user}
            return ReconcileItem(**shared, template=template, data=data)
        summary = texts.get("summary") or texts.get("title") or alert.labels.get("alertname")
        body = texts.get("description") or texts.get("message")
        link = texts.get("runbook_url", "")
        if link.startswith(("https://", "http://")) and not set(link) & set("<>() \n"):
            body = f"{body or ''}\n\n[What to do]({link})".strip()
        return ReconcileItem(
            **shared,
            type=_TYPES.get(severity, "warning"),
            summary=" ".join((summary or "Alert").split())[:MAX_SUMMARY] or "Alert",
            body=body[:MAX_BODY] if body else None,
        )

    def _expires(self) -> datetime:
        """Return when the alert expires, rounded up in steps so that few repeats change its row."""
        after_s = self._settings.expire_after.total_seconds()
        step_s = after_s / STEPS
        return datetime.fromtimestamp(
            math.ceil((now().timestamp() + after_s) / step_s) * step_s, timezone.utc
        )

    async def _note(self, engine: str, problems: list[tuple[str, str]]) -> None:
        """Count the alerts that reach nobody, and log each kind once."""
        for reason, _ in problems:
            ALERTS.labels(engine, reason).inc()
        if not problems:
            return

        async def command(transaction: Transaction) -> list[tuple[str, str]]:
            return await self._problems.add(transaction.connection, engine, problems)

        for reason, subject in await self._writer.run(command):
            self._log.warning("An alert is about nobody", reason=reason, subject=subject)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
