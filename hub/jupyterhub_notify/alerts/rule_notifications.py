"""The notifications of users under a rule, kept to what the states say."""

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

#: In whose name the users are told.
SERVICE = "rules"
CALLER = Caller(
    name=SERVICE,
    kind="service",
    publish_as=frozenset({SERVICE}),
    send_groups=frozenset({ANY}),
    method="none",
)


class RuleNotifications:
    """Sends, changes and takes back.

    Parameters
    ----------
    reconciling
        Makes the notifications what they should be.
    log
        Where to say what fails.
    """

    def __init__(self, *, reconciling: ReconcilingService, log: RuleLog) -> None:
        self._reconciling = reconciling
        self._log = log

    async def reconcile(self, name: str, rule: Rule | None, states: dict[str, UserState]) -> None:
        """Tell each user who is above a threshold of a rule, and nobody else.

        Parameters
        ----------
        name
            The rule's name.
        rule
            The rule; ``None`` if it is there no more.
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
        # A higher level is another message: it is unread, and shown anew.
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
        """Render a template; one that cannot cope with a value must not keep the alert back."""
        try:
            return sandbox.render(sandbox.compile_text(sandbox.environment(), text), data)
        except (TemplateError, sandbox.TemplateLimitError, *FAULTS) as error:
            self._log.problem(f"{rule.name} ({field})", str(error))
            return None
