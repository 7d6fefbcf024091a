"""Lines of the page about alerts, rules and channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..alerts.models import AlertProblem, RuleEntry
from ..channels.service import ChannelSummary

__all__ = ["ChannelLine", "ProblemLine", "StateLine", "channels_of", "problems_of", "states_of"]

#: The meaning of `AlertProblem.reason` to an administrator.
_REASONS = {
    "no-user-label": "has no label that names a user",
    "unknown-user": "names a user whom the hub does not know",
}

_ACTIONS = {
    "beginning": "action begins",
    "begun": "action taken",
    "ending": "action ends",
}


@dataclass(frozen=True, kw_only=True)
class StateLine:
    """One user under one rule."""

    rule: str
    user: str
    #: The state in words, such as *told, level 2*.
    label: str
    tone: str
    value: str
    since: datetime | None
    action: str | None
    failure: str | None
    updated: datetime


@dataclass(frozen=True, kw_only=True)
class ProblemLine:
    """A line about alerts that reached nobody."""

    engine: str
    reason: str
    subject: str
    count: int
    last: datetime


@dataclass(kw_only=True)
class ChannelLine:
    """A channel of the site, with the numbers of its sends."""

    name: str
    counts: dict[str, int] = field(default_factory=dict)
    #: Why the channel fails now; `None` if it works.
    failure: str | None = None
    last: datetime | None = None


def states_of(rules: Iterable[RuleEntry]) -> list[StateLine]:
    """Return the lines of users under rules: the highest level first, then by rule and name."""
    return [_state(one) for one in sorted(rules, key=_urgency)]


def _urgency(one: RuleEntry) -> tuple[int, str, str]:
    return -int(one.state.get("level", 0)), one.rule, one.user


def _state(one: RuleEntry) -> StateLine:
    state: dict[str, Any] = one.state
    level = int(state.get("level", 0))
    action = state.get("action", "none")
    began = state.get("on", {}).get(str(level)) or min(state.get("rising", {}).values(), default="")
    value = state.get("value")
    return StateLine(
        rule=one.rule,
        user=one.user,
        label=_label(level, action, bool(state.get("rising"))),
        tone="failed" if action in ("beginning", "begun") else "warning" if level else "waiting",
        value="" if value is None else f"{value:.6g}",
        since=datetime.fromisoformat(began.replace("Z", "+00:00")) if began else None,
        action=_ACTIONS.get(action),
        failure=state.get("failure"),
        updated=one.updated,
    )


def _label(level: int, action: str, rising: bool) -> str:
    if level:
        return "told" if level == 1 else f"told, level {level}"
    if action != "none":
        return "over"
    return "above, not for long enough" if rising else "normal"


def problems_of(problems: Sequence[AlertProblem]) -> list[ProblemLine]:
    """Return the lines of alerts that reached nobody, the latest first."""
    return [
        ProblemLine(
            engine=one.engine,
            reason=_REASONS.get(one.reason, one.reason.replace("-", " ")),
            subject=one.subject,
            count=one.count,
            last=one.last,
        )
        for one in problems
    ]


def channels_of(names: Sequence[str], sends: Sequence[ChannelSummary]) -> list[ChannelLine]:
    """Return the site's channels, and removed channels that still have sends."""
    lines = {name: ChannelLine(name=name) for name in names}
    latest: dict[str, datetime] = {}
    for one in sends:
        if not one.channel:
            # Without a channel: no channel reaches these users.
            continue
        line = lines.setdefault(one.channel, ChannelLine(name=one.channel))
        line.counts[one.state] = line.counts.get(one.state, 0) + one.count
        line.last = one.last if line.last is None else max(line.last, one.last)
        if one.failure and one.state in ("waiting", "failed"):
            seen = latest.get(one.channel)
            if seen is None or one.last >= seen:
                latest[one.channel] = one.last
                line.failure = one.failure
    for one in sends:
        # A send has succeeded since the failure, so the channel works again.
        failed_at = latest.get(one.channel)
        if one.state == "sent" and failed_at is not None and one.last > failed_at:
            lines[one.channel].failure = None
    return list(lines.values())
