"""Runs the rules: queries the engines, evaluates, notifies users and calls actions.

The states are in the database. A run writes them first, then reconciles the notifications with
them, then calls the steps that are due. So the next run completes a run that was killed at any
point. Of several replicas only one runs the rules at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import aiohttp
import structlog

from ..errors import ServiceError
from ..metrics import ALERTS
from ..repeating import Repeating
from ..services.reconciling import ReconcilingService
from ..storage.database import Database
from ..storage.rule_states import RuleStateStore
from ..storage.writer import Writer
from .engines import EngineError, ask
from .evaluation import UserState, advance
from .rule_actions import RuleActions
from .rule_log import RuleLog
from .rule_notifications import RuleNotifications
from .rules import CheckTemplate, Rule, RulesError, read_rules
from .user_states import UserStates

__all__ = ["RuleRunner", "Run"]

#: Interval in seconds at which the service checks for rules and steps that are due.
LOOK_S = 1.0


@dataclass(kw_only=True)
class Run:
    """The result of one run.

    Parameters
    ----------
    states
        Each rule's users who are not normal.
    failures
        The failure of each rule that has one.
    mine
        Whether it was this replica's turn.
    """

    states: dict[str, dict[str, UserState]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    mine: bool = True
    #: The changes found by a rehearsal: the rule, the user, and the states before and after.
    changes: list[tuple[str, str, UserState, UserState]] = field(default_factory=list)


class RuleRunner:
    """Runs the rules of a file.

    Parameters
    ----------
    path
        The file; it is read again at each run.
    database, writer
        For reading and writing.
    states
        The table.
    reconciling
        Reconciles the notifications with the states.
    check_template
        Refuses a template that the service does not have.
    clock
        Returns the present time; for tests.
    """

    def __init__(
        self,
        *,
        path: Path,
        database: Database,
        writer: Writer,
        states: RuleStateStore,
        reconciling: ReconcilingService,
        check_template: CheckTemplate | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._path = path
        self._check_template = check_template
        self._clock = clock
        self._log = RuleLog()
        self._states = UserStates(database=database, writer=writer, store=states, clock=clock)
        self._notifications = RuleNotifications(reconciling=reconciling, log=self._log)
        self._actions = RuleActions(states=self._states, log=self._log, clock=clock)
        self._asked: dict[str, datetime] = {}
        self._problems: dict[str, str] = {}
        self._repeating = Repeating(
            self._run_due,
            name="rules",
            pause_s=lambda: LOOK_S,
            log=structlog.get_logger("jupyterhub_notify.rules"),
            failing="No rule is run now",
            working="The rules are run again",
        )

    @property
    def problems(self) -> dict[str, str]:
        """The problem of the file of rules, if it has one, by the name ``""``."""
        return self._problems

    def start(self) -> None:
        """Begin to run, each rule at its own interval."""
        self._repeating.start()

    async def stop(self) -> None:
        """Stop, and leave the turn to another replica."""
        await self._repeating.stop()
        try:
            await self.release()
        except ServiceError:
            # The lease ends by itself.
            return

    async def release(self) -> None:
        """Leave the turn to another replica."""
        await self._states.release_turn()

    async def _run_due(self) -> None:
        await self.run(only_due=True)

    async def run(self, *, only_due: bool = False) -> Run:
        """Run the rules once.

        Parameters
        ----------
        only_due
            Whether to leave out rules that ran less than their ``every`` ago.

        Returns
        -------
        Run
            The result.
        """
        run = Run()
        try:
            rules = await self._read()
        except RulesError as error:
            # The rules are unknown now, so everything stays as it is.
            self._log.problem("", str(error))
            self._problems = {"": str(error)}
            run.failures[""] = str(error)
            return run
        self._log.is_well("")
        self._problems = {}
        if not await self._states.take_turn():
            run.mine = False
            return run
        async with aiohttp.ClientSession(trust_env=True) as session:
            for rule in rules:
                if only_due and not self._is_due(rule):
                    continue
                self._asked[rule.name] = self._clock()
                await self._states.take_turn()
                await self._run_rule(session, rule, run)
            for name in await self._states.rules() - {rule.name for rule in rules}:
                await self._apply(session, name, None, {}, run)
        return run

    async def rehearse(self) -> Run:
        """Query the engines, and return what a run would change; write and call nothing."""
        run = Run()
        try:
            rules = await self._read()
        except RulesError as error:
            run.failures[""] = str(error)
            return run
        before = await self._states.all()
        async with aiohttp.ClientSession(trust_env=True) as session:
            for rule in rules:
                try:
                    values = await ask(session, rule)
                except EngineError as error:
                    run.failures[rule.name] = str(error)
                    continue
                self._compare(run, rule.name, rule, before.get(rule.name, {}), values)
        for name in before.keys() - {rule.name for rule in rules}:
            self._compare(run, name, None, before[name], {})
        return run

    async def _read(self) -> list[Rule]:
        return (await asyncio.to_thread(read_rules, self._path, self._check_template)).rules

    def _is_due(self, rule: Rule) -> bool:
        asked = self._asked.get(rule.name)
        return asked is None or self._clock() - asked >= rule.every

    async def _run_rule(self, session: aiohttp.ClientSession, rule: Rule, run: Run) -> None:
        try:
            values = await ask(session, rule)
        except EngineError as error:
            # Without new values all states stay as they are, but steps that are due are called.
            run.failures[rule.name] = str(error)
            ALERTS.labels("rules", "engine-failed").inc()
            self._log.problem(rule.name, str(error))
            run.states[rule.name] = await self._actions.call_due(session, rule.name, rule)
            return
        self._log.is_well(rule.name)
        await self._apply(session, rule.name, rule, values, run)

    async def _apply(
        self,
        session: aiohttp.ClientSession,
        name: str,
        rule: Rule | None,
        values: dict[str, float],
        run: Run,
    ) -> None:
        states = await self._states.advance(name, rule, values)
        await self._notifications.reconcile(name, rule, states)
        run.states[name] = await self._actions.call_due(session, name, rule)

    def _compare(
        self,
        run: Run,
        name: str,
        rule: Rule | None,
        before: dict[str, UserState],
        values: dict[str, float],
    ) -> None:
        at = self._clock()
        for user in sorted({*before, *values}):
            was = before.get(user, UserState())
            becomes = advance(rule, was, values.get(user), at)
            if not becomes.is_normal:
                run.states.setdefault(name, {})[user] = becomes
            if (was.level, was.action) != (becomes.level, becomes.action):
                run.changes.append((name, user, was, becomes))
