"""The steps of a rule's actions: each is written, then called, then its outcome is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import aiohttp

from ..metrics import ALERTS
from .actions import call
from .evaluation import UserState, settled, tried, wants_retry
from .rule_log import RuleLog
from .rules import Request, Rule
from .user_states import UserStates

__all__ = ["RuleActions"]


class RuleActions:
    """Calls the steps that are due.

    Parameters
    ----------
    states
        Stores the steps.
    log
        Logs the calls.
    clock
        Returns the present time.
    """

    def __init__(self, *, states: UserStates, log: RuleLog, clock: Callable[[], datetime]) -> None:
        self._states = states
        self._log = log
        self._clock = clock

    async def call_due(
        self, session: aiohttp.ClientSession, name: str, rule: Rule | None
    ) -> dict[str, UserState]:
        """Call the steps due under a rule, and return the states of users who are not normal.

        Parameters
        ----------
        session
            The HTTP session.
        name
            The rule's name.
        rule
            The rule; ``None`` if it no longer exists: its actions still end.
        """
        states = await self._states.of(name)
        for user in list(states):
            # At most two steps: an end that a killed run left open, and the next beginning.
            while wants_retry(states[user], self._clock()):
                if states[user].action == "beginning" and (rule is None or rule.action is None):
                    break
                await self._take_step(session, name, rule, user, states)
        return states

    async def _take_step(
        self,
        session: aiohttp.ClientSession,
        name: str,
        rule: Rule | None,
        user: str,
        states: dict[str, UserState],
    ) -> None:
        """Call one user's step, and write the state before and after the call."""
        trying = tried(states[user])
        # Written before the call: if this process dies in between, the call may have been made.
        await self._states.put(name, user, trying)
        states[user] = trying
        failure = await self._call(session, name, rule, user, states)
        states[user] = settled(rule, trying, failure, self._clock())
        await self._states.put(name, user, states[user])
        ALERTS.labels("rules", f"{trying.action}-{'failed' if failure else 'done'}").inc()
        self._log.acted(name, trying.action, failure)

    async def _call(
        self,
        session: aiohttp.ClientSession,
        name: str,
        rule: Rule | None,
        user: str,
        states: dict[str, UserState],
    ) -> str | None:
        """Call one user's step; return why it failed, or None."""
        state = states[user]
        if state.action == "beginning":
            assert rule is not None and rule.action is not None
            request = rule.action.begin
        else:
            # Not validated again: it was checked when it was stored, and the action must end
            # whatever the file says today.
            request = Request.model_construct(**(state.end or {}))
        since = state.acting_since
        return await call(
            session,
            request,
            user=user,
            value=state.value,
            users=sorted(one for one, other in states.items() if other.is_acting),
            key=f"{name}:{user}:{since and since.isoformat()}:{state.action}",
        )
