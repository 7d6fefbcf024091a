"""Alerts and rules, as the administrator sees them."""

from __future__ import annotations

from ..identity.caller import Caller
from ..services.access import require_admin
from ..storage.alert_problems import AlertProblemStore
from ..storage.database import Database
from ..storage.rule_states import RuleStateStore
from .models import AlertOverview, AlertProblem, RuleEntry

__all__ = ["AlertOverviewService"]


class AlertOverviewService:
    """Reads the problems of alerts and the states of rules.

    Parameters
    ----------
    database
        The database.
    problems, states
        The tables.
    """

    def __init__(
        self, *, database: Database, problems: AlertProblemStore, states: RuleStateStore
    ) -> None:
        self._database = database
        self._problems = problems
        self._states = states

    async def get(self, caller: Caller) -> AlertOverview:
        """Return all problems and states, for an administrator.

        Parameters
        ----------
        caller
            The caller.

        Returns
        -------
        AlertOverview
            The problems and states.
        """
        require_admin(caller)
        async with self._database.read() as connection:
            problems = await self._problems.all(connection)
            states = await self._states.all(connection)
        return AlertOverview(
            problems=[AlertProblem(**problem) for problem in problems],
            rules=[RuleEntry(**state) for state in states],
        )
