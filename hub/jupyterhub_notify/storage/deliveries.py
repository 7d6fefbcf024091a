"""The ledger: the outcome of each occurrence of a broadcast at each server of each user."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..models.broadcasts import Delivered
from ..models.stored import StoredBroadcast
from ..schema import Delivery, now
from .upsert import upsert_all
from .writer import Transaction

__all__ = ["RANKS", "DeliveryStore", "Reported"]

_D = Delivery.__table__.c
_KEY = ["broadcast_id", "occurrence", "user_name", "server_name"]
#: Maximum number of users in one statement.
_AT_ONCE = 500

#: The rank of each outcome: a receipt counts if it has a higher rank than the known outcome, so it
#: also corrects a push's failure.
RANKS = {
    "expired": 0,
    "error": 0,
    "no-extension": 0,
    "refused": 0,
    "not-responding": 0,
    "waiting": 0,
    "stored": 1,
    "shown": 2,
    "read": 3,
    "dismissed": 4,
    "replied": 5,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    """A lab's report of a broadcast at one server.

    Parameters
    ----------
    user, server
        The user, and the name of the server.
    state
        One of the outcomes in `RANKS`.
    at
        The time of the state.
    tabs, reply
        The number of tabs that show it, and the reply; `None` leaves the known value.
    """

    user: str
    server: str
    state: str
    at: datetime
    tabs: int | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    outcome: str
    tabs: int | None
    reply: str | None
    attempts: int

    def and_then(self, one: Reported) -> _Known:
        """Return the row's values after a report."""
        tabs = self.tabs if one.tabs is None else one.tabs
        reply = self.reply if one.reply is None else one.reply
        return _Known(one.state, tabs, reply, self.attempts)


class DeliveryStore:
    """The queries of the ledger; each method is given its connection or transaction."""

    async def begin(self, transaction: Transaction, stored: StoredBroadcast) -> None:
        """Add waiting rows for the recipients whom an occurrence names."""
        at = now()
        rows = [
            {
                "broadcast_id": stored.id,
                "occurrence": stored.occurrence or stored.created,
                "user_name": user,
                "server_name": "",
                "seq": transaction.bump(),
                "outcome": "waiting",
                "attempts": 0,
                "updated": at,
            }
            for user in dict.fromkeys(stored.users)
        ]
        if rows:
            known = await self.users(transaction.connection, stored)
            rows = [row for row in rows if row["user_name"] not in known]
        if rows:
            await transaction.connection.execute(insert(Delivery), rows)

    async def users(self, connection: AsyncConnection, stored: StoredBroadcast) -> set[str]:
        """Return the users who have a row of the present occurrence."""
        statement = select(_D.user_name).where(*_of(stored))
        return set((await connection.execute(statement)).scalars())

    async def end(self, transaction: Transaction, id_: str, reason: str | None) -> None:
        """Mark waiting rows as expired, so that nothing more is pushed.

        A push that is under way stays claimed: its outcome replaces this one.
        """
        await transaction.connection.execute(
            update(Delivery)
            .where(_D.broadcast_id == id_, _D.outcome == "waiting")
            .values(
                outcome="expired",
                reason=reason,
                due=None,
                seq=transaction.bump(),
                updated=now(),
            )
        )

    async def push_again(self, transaction: Transaction, stored: StoredBroadcast) -> None:
        """Push a change to the servers that accepted the broadcast by our route.

        A push that is under way stays claimed, so that the new text arrives after the old one.
        """
        await self._make_due(transaction, stored, _D.route == "notify")

    async def withdraw(self, transaction: Transaction, stored: StoredBroadcast) -> None:
        """Push the end to the servers that accepted, or may have accepted, it by our route."""
        may_have_it = or_(_D.route == "notify", _D.outcome == "not-responding")
        await self._make_due(transaction, stored, may_have_it)

    async def _make_due(
        self, transaction: Transaction, stored: StoredBroadcast, which: ColumnElement[bool]
    ) -> None:
        await transaction.connection.execute(
            update(Delivery)
            .where(*_of(stored), which, _D.url.is_not(None))
            .values(due=now(), attempts=0)
        )

    async def asks(self, transaction: Transaction, user: str, server: str) -> None:
        """Cancel the pushes to a server, since its lab asks by itself."""
        await transaction.connection.execute(
            update(Delivery)
            .where(
                _D.user_name == user,
                _D.server_name == server,
                _D.outcome == "waiting",
                _D.due.is_not(None),
            )
            .values(due=None)
        )

    async def receipts(
        self, transaction: Transaction, stored: StoredBroadcast, reported: Sequence[Reported]
    ) -> None:
        """Note labs' reports; a report with a lower rank than the known outcome changes nothing.

        A waiting row of the default server that was never pushed to is replaced by the row of the
        server that reports: it only stood for the user.
        """
        connection = transaction.connection
        known = await self._known(connection, stored, {one.user for one in reported})
        taken_over: list[str] = []
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for one in reported:
            servers = known.setdefault(one.user, {})
            before = servers.get(one.server)
            if before is not None and not _is_further(before, one):
                continue
            first = servers.get("")
            if before is None and first and first.outcome == "waiting" and not first.attempts:
                del servers[""]
                taken_over.append(one.user)
            after = (before or _Known("waiting", None, None, 0)).and_then(one)
            servers[one.server] = after
            rows[one.user, one.server] = _row(transaction, stored, one, after)
        for users in _chunks(taken_over):
            mine = (*_of(stored), _D.user_name.in_(users), _D.server_name == "")
            await connection.execute(delete(Delivery).where(*mine))
        await upsert_all(connection, Delivery.__table__, _KEY, list(rows.values()))

    async def _known(
        self, connection: AsyncConnection, stored: StoredBroadcast, users: Collection[str]
    ) -> dict[str, dict[str, _Known]]:
        """Return the rows of some users by server."""
        known: dict[str, dict[str, _Known]] = {}
        columns = [_D.user_name, _D.server_name, _D.outcome, _D.tabs, _D.reply, _D.attempts]
        for some in _chunks(list(users)):
            statement = select(*columns).where(*_of(stored), _D.user_name.in_(some))
            for user, server, *rest in await connection.execute(statement):
                known.setdefault(user, {})[server] = _Known(*rest)
        return known

    async def mark(
        self,
        transaction: Transaction,
        stored: StoredBroadcast,
        user: str,
        state: str,
        at: datetime,
    ) -> None:
        """Note what a user did with a broadcast; it holds for all of the user's servers.

        The outcome is set for each server that has the broadcast. If none has it, such as after an
        act on the inbox page, it is set for the default server.
        """
        connection = transaction.connection
        mine = (
            *_of(stored),
            _D.user_name == user,
        )
        columns = [_D.server_name, _D.outcome, _D.tabs]
        rows = (await connection.execute(select(*columns).where(*mine))).all()
        servers = [row.server_name for row in rows if RANKS[row.outcome]]
        reported = [
            Reported(user=user, server=server, state=state, at=at) for server in servers or [""]
        ]
        await self.receipts(transaction, stored, reported)

    async def counts(
        self, connection: AsyncConnection, found: Iterable[StoredBroadcast]
    ) -> dict[str, dict[str, int]]:
        """Return, by broadcast, the numbers of the latest occurrence's rows by outcome."""
        latest = {one.id: one.occurrence or one.created for one in found}
        counts: dict[str, dict[str, int]] = {id_: {} for id_ in latest}
        if not latest:
            return counts
        statement = (
            select(_D.broadcast_id, _D.occurrence, _D.outcome, func.count())
            .where(_D.broadcast_id.in_(latest))
            .group_by(_D.broadcast_id, _D.occurrence, _D.outcome)
        )
        for id_, occurrence, outcome, count in await connection.execute(statement):
            if occurrence == latest[id_]:
                counts[id_][outcome] = count
        return counts

    async def listed(
        self,
        connection: AsyncConnection,
        stored: StoredBroadcast,
        *,
        outcome: str | None = None,
        user: str | None = None,
        after_seq: int | None = None,
        limit: int = 10_000,
        offset: int = 0,
    ) -> tuple[list[Delivered], int, int]:
        """Return rows of the latest occurrence, how many there are, and the highest number."""
        where = [
            *_of(stored),
        ]
        if outcome is not None:
            where.append(_D.outcome == outcome)
        if user:
            where.append(_D.user_name.icontains(user, autoescape=True))
        if after_seq is not None:
            where.append(_D.seq > after_seq)
        counted = select(func.count(), func.max(_D.seq)).where(*where)
        total, highest = (await connection.execute(counted)).one()
        columns = [
            _D.seq,
            _D.user_name,
            _D.server_name,
            _D.outcome,
            _D.reason,
            _D.tabs,
            _D.reply,
            _D.updated,
        ]
        statement = (
            select(*columns)
            .where(*where)
            .order_by(*([_D.seq] if after_seq is not None else [_D.user_name, _D.server_name]))
            .limit(limit)
            .offset(offset)
        )
        names = ("user", "server", "outcome", "reason", "tabs", "reply", "updated")
        rows: Sequence[Any] = (await connection.execute(statement)).all()
        items = [Delivered(**dict(zip(names, row[1:], strict=True))) for row in rows]
        if after_seq is not None and rows:
            # The caller goes on from this number in the next call.
            highest = rows[-1][0]
        return items, total, highest or 0

    async def retry(
        self, transaction: Transaction, stored: StoredBroadcast, outcomes: Sequence[str]
    ) -> int:
        """Make failed deliveries due again; return their number."""
        result = await transaction.connection.execute(
            update(Delivery)
            .where(
                *_of(stored),
                _D.outcome.in_(outcomes),
            )
            .values(
                outcome="waiting",
                reason=None,
                due=now(),
                attempts=0,
                seq=transaction.bump(),
                updated=now(),
            )
        )
        return int(result.rowcount)


def _of(stored: StoredBroadcast) -> tuple[Any, ...]:
    """Return the condition for rows of the present occurrence."""
    return _D.broadcast_id == stored.id, _D.occurrence == (stored.occurrence or stored.created)


def _chunks(users: list[str]) -> Iterable[list[str]]:
    return (users[start : start + _AT_ONCE] for start in range(0, len(users), _AT_ONCE))


def _row(
    transaction: Transaction, stored: StoredBroadcast, one: Reported, after: _Known
) -> dict[str, Any]:
    """Return the row after a report."""
    return {
        "broadcast_id": stored.id,
        "occurrence": stored.occurrence or stored.created,
        "user_name": one.user,
        "server_name": one.server,
        "seq": transaction.bump(),
        "outcome": one.state,
        "reason": None,
        "tabs": after.tabs,
        "reply": after.reply,
        "due": None,
        "leased_by": None,
        "leased_until": None,
        "updated": one.at,
    }


def _is_further(known: _Known, one: Reported) -> bool:
    """Return whether a report has something new for the row."""
    if RANKS[known.outcome] != RANKS[one.state]:
        return RANKS[known.outcome] < RANKS[one.state]
    if one.reply is not None and one.reply != known.reply:
        return known.outcome == one.state
    return known.outcome == one.state and (one.tabs or 0) > (known.tabs or 0)
