"""The states of all users under the rules, in the database, and the turn to change them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ..storage.database import Database
from ..storage.rule_states import RuleStateStore
from ..storage.writer import Transaction, Writer
from .evaluation import UserState, advance
from .rules import Rule

__all__ = ["UserStates"]

LEASE = "rules"
#: Longer than one rule takes: a run renews the lease at each rule.
LEASE_FOR = timedelta(minutes=2)


class UserStates:
    """Reads and writes states; of several replicas only the holder of the lease should write.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store
        The table.
    clock
        Returns the present time.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        store: RuleStateStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._writer = writer
        self._store = store
        self._clock = clock
        self._holder = secrets.token_hex(8)

    async def take_turn(self) -> bool:
        """Take or keep the lease, and return whether this replica has it."""

        async def command(transaction: Transaction) -> bool:
            return await self._store.take_lease(
                transaction.connection, LEASE, self._holder, self._clock(), LEASE_FOR
            )

        return await self._writer.run(command)

    async def release_turn(self) -> None:
        """Leave the lease to another replica."""

        async def command(transaction: Transaction) -> None:
            await self._store.release(transaction.connection, LEASE, self._holder)

        await self._writer.run(command)

    async def rules(self) -> set[str]:
        """Return the names of the rules under which some user is not normal."""
        async with self._database.read() as connection:
            return {row["rule"] for row in await self._store.all(connection)}

    async def all(self) -> dict[str, dict[str, UserState]]:
        """Return, for each rule, the states of users who are not normal."""
        states: dict[str, dict[str, UserState]] = {}
        async with self._database.read() as connection:
            for row in await self._store.all(connection):
                state = UserState.from_json(row["state"])
                states.setdefault(row["rule"], {})[row["user"]] = state
        return states

    async def of(self, rule: str) -> dict[str, UserState]:
        """Return the states of users who are not normal under a rule."""
        async with self._database.read() as connection:
            return await self._of(connection, rule)

    async def advance(
        self, name: str, rule: Rule | None, values: dict[str, float]
    ) -> dict[str, UserState]:
        """Advance the states under a rule to now, and return those that are not normal.

        Parameters
        ----------
        name
            The rule's name.
        rule
            The rule; ``None`` if it no longer exists.
        values
            The users' values.
        """
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
            await self._store.put(transaction.connection, name, changed)
            return {user: state for user, state in after.items() if not state.is_normal}

        return await self._writer.run(command)

    async def put(self, rule: str, user: str, state: UserState) -> None:
        """Write one user's state."""

        async def command(transaction: Transaction) -> None:
            data = None if state.is_normal else state.to_json()
            await self._store.put(transaction.connection, rule, {user: data})

        await self._writer.run(command)

    async def _of(self, connection: AsyncConnection, name: str) -> dict[str, UserState]:
        return {
            row["user"]: UserState.from_json(row["state"])
            for row in await self._store.all(connection)
            if row["rule"] == name
        }
