"""Evaluate a rule for one user: pure functions of a state, a value and a moment.

Each threshold is a switch of its own: on once the value has been above it for its ``hold``, off as
soon as the value is below ``clear_below``. The user's level is the highest threshold that is on. An
action goes through ``none → beginning → begun → ending → none``. Each step is written to the
database before it is called, so that after a crash the next run can go on from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from .rules import Rule

__all__ = ["ActionState", "UserState", "advance", "wants_retry"]

ActionState = Literal["none", "beginning", "begun", "ending"]

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class UserState:
    """One user's state under one rule.

    Parameters
    ----------
    value
        The latest value.
    seen
        When the latest value came.
    on
        Since when each threshold has been on, by its number from 1.
    rising
        Since when the value has been above each threshold that is not on yet.
    action
        The state of the action.
    acting_since
        When the action began.
    attempts
        How often the present step of the action has been tried.
    retry
        When the step is tried again.
    failure
        Why the step failed last.
    end
        The call that ends the action, as the rule had it at the beginning: the rule may be gone
        by the end.
    """

    value: float | None = None
    seen: datetime | None = None
    on: dict[int, datetime] = field(default_factory=dict)
    rising: dict[int, datetime] = field(default_factory=dict)
    action: ActionState = "none"
    acting_since: datetime | None = None
    attempts: int = 0
    retry: datetime | None = None
    failure: str | None = None
    end: dict[str, Any] | None = None

    @property
    def level(self) -> int:
        """The highest threshold that is on; 0 is normal."""
        return max(self.on, default=0)

    @property
    def is_normal(self) -> bool:
        """Return whether the state need not be stored."""
        return not self.on and not self.rising and self.action == "none"

    @property
    def is_acting(self) -> bool:
        """Return whether the action is in force, or about to be."""
        return self.action in ("beginning", "begun")

    def to_json(self) -> dict[str, Any]:
        """Return the state in its stored form."""
        data = {
            "value": self.value,
            "seen": _text(self.seen),
            "level": self.level,
            "on": {str(number): _text(since) for number, since in self.on.items()},
            "rising": {str(number): _text(since) for number, since in self.rising.items()},
            "action": self.action,
            "acting_since": _text(self.acting_since),
            "attempts": self.attempts,
            "retry": _text(self.retry),
            "failure": self.failure,
            "end": self.end,
        }
        return {name: value for name, value in data.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> UserState:
        """Read what `to_json` wrote."""
        return cls(
            value=data.get("value"),
            seen=_moment(data.get("seen")),
            on={int(number): _known(since) for number, since in data.get("on", {}).items()},
            rising={int(number): _known(since) for number, since in data.get("rising", {}).items()},
            action=data.get("action", "none"),
            acting_since=_moment(data.get("acting_since")),
            attempts=data.get("attempts", 0),
            retry=_moment(data.get("retry")),
            failure=data.get("failure"),
            end=data.get("end"),
        )


def advance(rule: Rule | None, state: UserState, value: float | None, now: datetime) -> UserState:
    """Advance a state to a moment.

    Parameters
    ----------
    rule
        The rule; ``None`` if it no longer exists.
    state
        The state before.
    value
        The user's value; ``None`` if the engine gives none for the user.
    now
        The moment.

    Returns
    -------
    UserState
        The state after; its ``action`` says what is to be called.
    """
    if rule is None:
        state = replace(state, on={}, rising={})
    elif value is not None:
        state = _with_value(rule, replace(state, value=value, seen=now), value, now)
    elif state.seen is None or now - state.seen >= rule.absent_after:
        state = replace(state, on={}, rising={})
    return _with_action(rule, state, now)


def _with_value(rule: Rule, state: UserState, value: float, now: datetime) -> UserState:
    on, rising = dict(state.on), {}
    for number, threshold in enumerate(rule.thresholds, 1):
        if number in on:
            if value < threshold.over_below:
                del on[number]
        elif value > threshold.above:
            since = state.rising.get(number, now)
            if now - since >= threshold.hold:
                on[number] = now
            else:
                rising[number] = since
    known = range(1, len(rule.thresholds) + 1)
    return replace(
        state, on={number: since for number, since in on.items() if number in known}, rising=rising
    )


def _with_action(rule: Rule | None, state: UserState, now: datetime) -> UserState:
    wanted = (
        rule is not None
        and rule.action is not None
        and not rule.dry_run
        and state.level >= rule.action.at
    )
    if wanted and state.action == "none":
        assert rule is not None and rule.action is not None
        return replace(
            state,
            action="beginning",
            acting_since=now,
            attempts=0,
            retry=now,
            failure=None,
            end=rule.action.end.model_dump(mode="json"),
        )
    if not wanted and state.is_acting:
        if state.action == "beginning" and state.attempts == 0:
            # The beginning was never called, so there is nothing to end.
            return replace(state, action="none", acting_since=None, retry=None, end=None)
        return replace(state, action="ending", attempts=0, retry=now, failure=None)
    return state


def tried(state: UserState) -> UserState:
    """Note that a step is about to be called: from now on it may have taken effect."""
    return replace(state, attempts=state.attempts + 1)


def settled(rule: Rule | None, state: UserState, failure: str | None, now: datetime) -> UserState:
    """Note the outcome of a call.

    Parameters
    ----------
    rule
        The rule; ``None`` if it no longer exists.
    state
        The state before.
    failure
        Why the call failed; ``None`` if it succeeded.
    now
        The moment.

    Returns
    -------
    UserState
        The state with the next step, or with the same step to be tried again later.
    """
    if failure is not None:
        wait = min(FIRST_RETRY * 2 ** min(state.attempts - 1, 10), LONGEST_RETRY)
        return replace(state, failure=failure, retry=now + wait)
    if state.action == "beginning":
        return replace(state, action="begun", attempts=0, retry=None, failure=None)
    ended = replace(
        state, action="none", acting_since=None, attempts=0, retry=None, failure=None, end=None
    )
    # The value may have risen again before the end could be called.
    return _with_action(rule, ended, now)


def wants_retry(state: UserState, now: datetime) -> bool:
    """Tell whether a call is due."""
    return state.action in ("beginning", "ending") and (state.retry is None or state.retry <= now)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _known(text: str) -> datetime:
    return datetime.fromisoformat(text)
