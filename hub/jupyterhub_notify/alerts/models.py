"""The webhooks of Prometheus' Alertmanager (version 4) and of Grafana Alerting.

Grafana's is Alertmanager's with more fields. Fields that are not named here are ignored, since
newer engines add some. The documents are
prometheus.io/docs/alerting/latest/configuration/#webhook_config and
grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
)

from ..errors import Invalid
from ..models.common import Text, Utc
from ..services.pace import paced

__all__ = ["Alert", "AlertOverview", "AlertProblem", "AlertsTaken", "RuleEntry", "Webhook"]

MAX_LABELS = 200
MAX_ALERTS = 20_000


def _cleaned(value: Any) -> Any:
    """Make labels storable: an odd label must not keep a whole group of alerts from its users."""
    if value is None:
        # Go writes a nil map as null.
        return {}
    if not isinstance(value, dict):
        return value
    if len(value) <= MAX_LABELS and all(_is_plain(text) for pair in value.items() for text in pair):
        # The fast path for nearly all labels: a large group has tens of thousands.
        return value
    first = list(value.items())[:MAX_LABELS]
    return {_storable(name): _storable(text) for name, text in first}


def _is_plain(text: Any) -> bool:
    return isinstance(text, str) and text.isascii() and "\0" not in text


def _storable(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


#: The cleaning has checked the texts. Checking them again would double the cost of a large webhook.
Labels = Annotated[dict[str, str], BeforeValidator(_cleaned)]


def _is_list(value: Any, _: Any) -> Any:
    if not isinstance(value, list):
        raise ValueError("must be a list")
    if len(value) > MAX_ALERTS:
        raise ValueError(f"must be {MAX_ALERTS} alerts at most")
    return value


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Alert(_Wire):
    """One alert of a webhook."""

    status: Annotated[
        Literal["firing", "resolved"], Field(title="Status", description="`firing` while it lasts")
    ]
    labels: Annotated[
        Labels, Field(title="Labels", description="Labels, which tell alerts apart")
    ] = {}
    annotations: Annotated[
        Labels, Field(title="Annotations", description="Texts: summary, description and others")
    ] = {}
    fingerprint: Annotated[
        Text, Field(title="Fingerprint", description="Stands for the labels", max_length=100)
    ] = ""


class Webhook(_Wire):
    """One group's alerts, as an engine sends them."""

    version: Annotated[Text, Field(title="Version", description="Of the webhook's format")] = ""
    group_key: Annotated[
        Text,
        Field(
            alias="groupKey",
            title="Group",
            description="The group's key; each webhook says all of its alerts",
            min_length=1,
            max_length=10_000,
        ),
    ]
    truncated_alerts: Annotated[
        int,
        Field(
            alias="truncatedAlerts",
            title="Left out",
            description="Number of the group's alerts that the webhook leaves out",
            ge=0,
        ),
    ] = 0
    common_annotations: Annotated[
        Labels,
        Field(alias="commonAnnotations", title="Annotations", description="Those that all have"),
    ] = {}
    #: The alerts as they came. `checked` validates them some at a time: validating all at once
    #: would block other requests for too long.
    alerts: Annotated[
        list[Alert],
        Field(title="Alerts", description="The group's alerts", max_length=MAX_ALERTS),
        WrapValidator(_is_list),
    ]

    async def checked(self) -> list[Alert]:
        """Validate and return the alerts.

        Raises
        ------
        Invalid
            If an alert is not valid; the error says which.
        """
        return [_alert(index, raw) async for index, raw in paced(enumerate(self.alerts))]


def _alert(index: int, raw: Any) -> Alert:
    try:
        return Alert.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(str(first["msg"]), ["body", "alerts", index, *first["loc"]]) from None


class AlertsTaken(BaseModel):
    """The result of a webhook, in numbers of alerts."""

    created: Annotated[int, Field(title="Created", description="Notifications that are new")]
    changed: Annotated[int, Field(title="Changed", description="Those that are different")]
    revoked: Annotated[int, Field(title="Revoked", description="Those whose alert is over")]
    unchanged: Annotated[int, Field(title="Unchanged", description="Those that were so already")]
    unknown: Annotated[
        int, Field(title="Unknown", description="Alerts whose user cannot be told or is not known")
    ]


class AlertProblem(BaseModel):
    """A reason for which alerts reach nobody."""

    engine: Annotated[str, Field(title="Engine", description="Name of the engine or the rule")]
    reason: Annotated[str, Field(title="Reason", description="The problem")]
    subject: Annotated[
        str, Field(title="Subject", description="The user or alert that it is about")
    ]
    count: Annotated[int, Field(title="Count", description="Number of times")]
    first: Annotated[Utc, Field(title="First", description="Time at which it came up first")]
    last: Annotated[Utc, Field(title="Last", description="Time at which it came up last")]


class RuleEntry(BaseModel):
    """The state of one rule for one user."""

    rule: Annotated[str, Field(title="Rule", description="Its name")]
    user: Annotated[str, Field(title="User", description="The user's name")]
    state: Annotated[
        dict[str, Any], Field(title="State", description="Level, its beginning, value and actions")
    ]
    updated: Annotated[Utc, Field(title="Updated", description="Time of its last change")]


class AlertOverview(BaseModel):
    """The state of all alerts and rules."""

    problems: Annotated[
        list[AlertProblem],
        Field(title="Problems", description="Alerts that reached nobody, counted by reason"),
    ]
    rules: Annotated[
        list[RuleEntry], Field(title="Rules", description="Users who are not in their normal state")
    ]
