"""The notifications of users under a rule, kept in step with the users' states."""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError

from ..errors import ServiceError
from ..identity.caller import ANY, Caller
from ..models.common import MAX_BODY, MAX_SUMMARY
from ..models.notifications import ReconcileItem
from ..services.reconciling import ReconcilingService
from ..templates import sandbox
from .evaluation import UserState
from .rule_log import RuleLog
from .rules import FAULTS, Rule

__all__ = ["RuleNotifications"]

#: The service in whose name the notifications are sent.
SERVICE = "rules"
CALLER = Caller(
    name=SERVICE,
    kind="service",
    publish_as=frozenset({SERVICE}),
    send_groups=frozenset({ANY}),
    method="none",
)


class RuleNotifications:
    """Sends, changes and revokes the notifications of rules.

    Parameters
    ----------
    reconciling
        Reconciles the notifications.
    log
        Logs failures.
    """

    def __init__(self, *, reconciling: ReconcilingService, log: RuleLog) -> None:
        self._reconciling = reconciling
        self._log = log

    async def reconcile(self, name: str, rule: Rule | None, states: dict[str, UserState]) -> None:
        """Notify each user above a threshold of a rule; revoke the rule's other notifications.

        Parameters
        ----------
        name
            The rule's name.
        rule
            The rule; ``None`` if it no longer exists.
        states
            The users who are not normal.
        """
        items = []
        if rule is not None and not rule.dry_run:
            items = [self._item(rule, user, state) for user, state in states.items() if state.level]
        try:
            await self._reconciling.reconcile(CALLER, SERVICE, items, f"rule:{name}:")
        except ServiceError as error:
            self._log.problem(name, str(error))

    def _item(self, rule: Rule, user: str, state: UserState) -> ReconcileItem:
        threshold = rule.thresholds[state.level - 1]
        data: dict[str, Any] = {
            "user": user,
            "value": round(state.value or 0.0, 2),
            "threshold": threshold.above,
            "level": state.level,
            "since": state.on[state.level].isoformat(timespec="seconds"),
            "rule": rule.name,
            "acting": state.is_acting,
        }
        # Each level has a key of its own: a higher level is a new, unread message.
        shared: dict[str, Any] = {
            "recipient": user,
            "key": f"rule:{rule.name}:{state.level}",
            "type": threshold.type,
            "banner": threshold.banner,
            "important": rule.important,
        }
        if rule.template is not None:
            return ReconcileItem(**shared, template=rule.template, data=data)
        assert rule.summary is not None
        summary = self._text(rule, "summary", rule.summary, data)
        body = None if rule.body is None else self._text(rule, "body", rule.body, data)
        return ReconcileItem(
            **shared,
            summary=" ".join((summary or "").split())[:MAX_SUMMARY] or rule.name,
            body=body[:MAX_BODY] if body else None,
        )

    def _text(self, rule: Rule, field: str, text: str, data: dict[str, Any]) -> str | None:
        """Render a template, or return None: a template's fault must not hold up the alert."""
        try:
            return sandbox.render(sandbox.compile_text(sandbox.environment(), text), data)
        except (TemplateError, sandbox.TemplateLimitError, *FAULTS) as error:
            self._log.problem(f"{rule.name} ({field})", str(error))
            return None
