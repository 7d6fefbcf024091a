"""Runs the rules: asks, decides, tells, acts; each run brings everything to what the rules say.

The states are in the database. A run writes them first, then makes the notifications what the
states say, then calls what is due, so that one that is killed anywhere is made good by the next.
Of several replicas, one at a time runs.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from jinja2 import TemplateError

from ..errors import ServiceError
from ..identity.caller import ANY, Caller
from ..metrics import ALERTS
from ..models.common import MAX_BODY, MAX_SUMMARY
from ..models.notifications import ReconcileItem
from ..services.reconciling import ReconcilingService
from ..storage.database import Database
from ..storage.rule_states import RuleStateStore
from ..storage.writer import Transaction, Writer
from ..templates import sandbox
from .actions import call
from .engines import EngineError, ask
from .evaluation import UserState, advance, settled, tried, wants_retry
from .rules import FAULTS, CheckTemplate, Request, Rule, RulesError, read_rules

__all__ = ["RuleRunner", "Run"]

#: In whose name the users are told.
SERVICE = "rules"
CALLER = Caller(
    name=SERVICE,
    kind="service",
    publish_as=frozenset({SERVICE}),
    send_groups=frozenset({ANY}),
    method="none",
)

LEASE = "rules"
#: Longer than a run takes, as a run renews it at each rule.
LEASE_FOR = timedelta(minutes=2)
#: How often the service looks what is due.
LOOK_S = 1.0


@dataclass(kw_only=True)
class Run:
    """The result of one run.

    Parameters
    ----------
    states
        Each rule's users who are not normal.
    failures
        What went wrong, by rule.
    mine
        Whether it was this replica's turn.
    """

    states: dict[str, dict[str, UserState]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    mine: bool = True
    #: Of a rehearsal: rule, user, and their state before and after.
    changes: list[tuple[str, str, UserState, UserState]] = field(default_factory=list)


class RuleRunner:
    """Runs the rules of a file.

    Parameters
    ----------
    path
        The file; it is read again at each run.
    database, writer
        Where to read and write.
    states
        The table.
    reconciling
        Makes the notifications what the states say.
    check_template
        Refuses a template that the service does not have.
    clock
        Tells the time; for tests.
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
        self._database = database
        self._writer = writer
        self._states = states
        self._reconciling = reconciling
        self._check_template = check_template
        self._clock = clock
        self._holder = secrets.token_hex(8)
        self._asked: dict[str, datetime] = {}
        self._said: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("jupyterhub_notify.rules")

    def start(self) -> None:
        """Begin to run, each rule as often as it says."""
        self._task = asyncio.create_task(self._work(), name="rules")

    async def stop(self) -> None:
        """Stop, and leave the turn to another replica."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self.release()
        except ServiceError:
            # The turn ends by itself.
            return

    async def release(self) -> None:
        """Leave the turn to another replica."""
        await self._writer.run(self._release)

    async def _work(self) -> None:
        while True:
            try:
                await self.run(only_due=True)
            except ServiceError as error:
                self._say("", str(error))
            except Exception:
                # A defect must not stop all rules; it is logged and tried again.
                self._log.exception("The rules failed")
            await asyncio.sleep(LOOK_S)

    async def run(self, *, only_due: bool = False) -> Run:
        """Run the rules once.

        Parameters
        ----------
        only_due
            Whether a rule that was asked less than its ``every`` ago is left out.

        Returns
        -------
        Run
            What it did.
        """
        run = Run()
        try:
            rules = await self._read()
        except RulesError as error:
            # Nothing is known of what the rules are: everything stays as it is.
            self._say("", str(error))
            run.failures[""] = str(error)
            return run
        self._said.pop("", None)
        if not await self._writer.run(self._take):
            run.mine = False
            return run
        async with aiohttp.ClientSession(trust_env=True) as session:
            for rule in rules:
                if only_due and not self._is_due(rule):
                    continue
                self._asked[rule.name] = self._clock()
                await self._writer.run(self._take)
                await self._run_rule(session, rule, run)
            names = {rule.name for rule in rules}
            async with self._database.read() as connection:
                kept = {row["rule"] for row in await self._states.all(connection)}
            for name in kept - names:
                await self._apply(session, name, None, {}, run)
        return run

    async def _read(self) -> list[Rule]:
        return (await asyncio.to_thread(read_rules, self._path, self._check_template)).rules

    async def rehearse(self) -> Run:
        """Ask the engines, and return what a run would change; nothing is written or called."""
        run = Run()
        try:
            rules = await self._read()
        except RulesError as error:
            run.failures[""] = str(error)
            return run
        async with self._database.read() as connection:
            kept = {row["rule"] for row in await self._states.all(connection)}
            before = {name: await self._of(connection, name) for name in kept}
        async with aiohttp.ClientSession(trust_env=True) as session:
            for rule in rules:
                try:
                    values = await ask(session, rule)
                except EngineError as error:
                    run.failures[rule.name] = str(error)
                    continue
                self._compare(run, rule.name, rule, before.get(rule.name, {}), values)
        for name in kept - {rule.name for rule in rules}:
            self._compare(run, name, None, before[name], {})
        return run

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

    def _is_due(self, rule: Rule) -> bool:
        asked = self._asked.get(rule.name)
        return asked is None or self._clock() - asked >= rule.every

    async def _run_rule(self, session: aiohttp.ClientSession, rule: Rule, run: Run) -> None:
        try:
            values = await ask(session, rule)
        except EngineError as error:
            # Nobody's state is known anew: all stay as they are, and what is due is still called.
            run.failures[rule.name] = str(error)
            ALERTS.labels("rules", "engine-failed").inc()
            self._say(rule.name, str(error))
            await self._act(session, rule.name, rule, run)
            return
        self._said.pop(rule.name, None)
        await self._apply(session, rule.name, rule, values, run)

    async def _apply(
        self,
        session: aiohttp.ClientSession,
        name: str,
        rule: Rule | None,
        values: dict[str, float],
        run: Run,
    ) -> None:
        at = self._clock()

        async def command(transaction: Transaction) -> dict[str, UserState]:
            before = await self._of(transaction.connection, name)
            after = {
                user: advance(rule, before.get(user, UserState()), values.get(user), at)
                for user in {*before, *values}
            }
            changed = {
                user: None if state.is_normal else state.to_json()
                for user, state in after.items()
                if state != before.get(user, UserState())
                and not (state.is_normal and user not in before)
            }
            await self._states.put(transaction.connection, name, changed)
            return {user: state for user, state in after.items() if not state.is_normal}

        states = await self._writer.run(command)
        run.states[name] = states
        await self._tell(name, rule, states)
        await self._act(session, name, rule, run)

    async def _tell(self, name: str, rule: Rule | None, states: dict[str, UserState]) -> None:
        items = []
        if rule is not None and not rule.dry_run:
            items = [self._item(rule, user, state) for user, state in states.items() if state.level]
        try:
            await self._reconciling.reconcile(CALLER, SERVICE, items, f"rule:{name}:")
        except ServiceError as error:
            self._say(name, str(error))

    def _item(self, rule: Rule, user: str, state: UserState) -> ReconcileItem:
        threshold = rule.thresholds[state.level - 1]
        data: dict[str, Any] = {
            "user": user,
            "value": round(state.value or 0.0, 2),
            "threshold": threshold.above,
            "level": state.level,
            "since": state.on[state.level].isoformat(timespec="seconds"),
            "rule": rule.name,
            "acting": state.action in ("beginning", "begun"),
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
            return _rendered(text, data)
        except (TemplateError, sandbox.TemplateLimitError, *FAULTS) as error:
            self._say(f"{rule.name} ({field})", str(error))
            return None

    async def _act(
        self, session: aiohttp.ClientSession, name: str, rule: Rule | None, run: Run
    ) -> None:
        async with self._database.read() as connection:
            states = await self._of(connection, name)
        run.states[name] = states
        for user, state in list(states.items()):
            if not wants_retry(state, self._clock()):
                continue
            if state.action == "beginning" and (rule is None or rule.action is None):
                continue
            trying = tried(state)
            # Written before the call: if this process ends in between, it may have happened.
            await self._write(name, user, trying)
            states[user] = trying
            failure = await self._call(session, name, rule, user, trying, states)
            states[user] = settled(trying, failure, self._clock())
            await self._write(name, user, states[user])
            ALERTS.labels("rules", f"{state.action}-{'failed' if failure else 'done'}").inc()
            self._log.info("A rule acts", rule=name, step=state.action, failure=failure)

    async def _call(
        self,
        session: aiohttp.ClientSession,
        name: str,
        rule: Rule | None,
        user: str,
        state: UserState,
        states: dict[str, UserState],
    ) -> str | None:
        if state.action == "beginning":
            assert rule is not None and rule.action is not None
            request = rule.action.begin
        else:
            # It was checked when it was stored, and must end whatever a file may say today.
            request = Request.model_construct(**(state.end or {}))
        since = state.acting_since
        return await call(
            session,
            request,
            user=user,
            value=state.value,
            users=sorted(
                one for one, other in states.items() if other.action in ("beginning", "begun")
            ),
            key=f"{name}:{user}:{since and since.isoformat()}:{state.action}",
        )

    async def _write(self, name: str, user: str, state: UserState) -> None:
        async def command(transaction: Transaction) -> None:
            data = None if state.is_normal else state.to_json()
            await self._states.put(transaction.connection, name, {user: data})

        await self._writer.run(command)

    async def _of(self, connection: Any, name: str) -> dict[str, UserState]:
        return {
            row["user"]: UserState.from_json(row["state"])
            for row in await self._states.all(connection)
            if row["rule"] == name
        }

    async def _take(self, transaction: Transaction) -> bool:
        return await self._states.take_lease(
            transaction.connection, LEASE, self._holder, self._clock(), LEASE_FOR
        )

    async def _release(self, transaction: Transaction) -> None:
        await self._states.release(transaction.connection, LEASE, self._holder)

    def _say(self, name: str, message: str) -> None:
        """Log what is wrong once, until it changes."""
        if self._said.get(name) != message:
            self._said[name] = message
            self._log.error("A rule cannot be run", rule=name, reason=message)


def _rendered(text: str, data: dict[str, Any]) -> str:
    return sandbox.render(sandbox.compile_text(sandbox.environment(), text), data)
