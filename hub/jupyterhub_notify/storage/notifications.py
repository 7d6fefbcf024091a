"""Reads and writes notifications and what each user did with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from ..models.stored import StoredNotification, StoredState
from ..schema import Notification, NotificationState
from .pages import Cursor, Page
from .upsert import upsert

__all__ = ["NotificationStore", "group_target", "targets_of", "user_target"]

_N = Notification.__table__.c
_S = NotificationState.__table__.c
_STATE = (
    "seq",
    "read",
    "dismissed",
    "snoozed_until",
    "replied",
    "reply",
    "stored",
    "shown",
    "tabs",
)
_FIELDS = (
    "id",
    "seq",
    "service",
    "target",
    "key",
    "type",
    "summary",
    "body",
    "template",
    "data",
    "options",
    "created",
    "updated",
    "expires",
    "state",
)
#: Maximum number of values in one statement.
CHUNK = 500


def user_target(name: str) -> str:
    """Return the target that stands for a user."""
    return f"u:{name}"


def group_target(name: str) -> str:
    """Return the target that stands for a group."""
    return f"g:{name}"


def targets_of(user: str, groups: Iterable[str]) -> list[str]:
    """Return the targets whose notifications a user sees."""
    return [user_target(user), *(group_target(group) for group in sorted(groups))]


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Split a long list for statements with a bounded number of values."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


def _joined(user: str) -> Select[Any]:
    columns = [_N[name] for name in _FIELDS] + [_S[name].label(f"s_{name}") for name in _STATE]
    return select(*columns).select_from(
        Notification.__table__.outerjoin(
            NotificationState.__table__,
            and_(_S.notification_id == _N.id, _S.user_name == user),
        )
    )


def _stored(row: Row[Any]) -> StoredNotification:
    values = row._mapping
    state = StoredState()
    if values.get("s_seq") is not None:
        state = StoredState(**{name: values[f"s_{name}"] for name in _STATE})
    return StoredNotification(**{name: values[name] for name in _FIELDS}, user_state=state)


# Longer than two screens: one method for each query of these tables, and none needs another.
class NotificationStore:
    """The queries of the tables of notifications; each method is given its connection."""

    async def for_user(
        self,
        connection: AsyncConnection,
        user: str,
        groups: Iterable[str],
        *,
        limit: int | None = None,
        cursor: Cursor | None = None,
        unread: bool = False,
    ) -> Page[StoredNotification]:
        """Return a user's active notifications, newest first.

        Parameters
        ----------
        connection
            The connection.
        user, groups
            The user, and the user's groups.
        limit, cursor
            The page; without a limit, all notifications.
        unread
            Whether to leave out read notifications.

        Returns
        -------
        Page
            The notifications, each with the user's state.
        """
        where = [_N.target.in_(targets_of(user, groups)), _N.state == "active"]
        if unread:
            where.append(_S.read.is_(None))
        return await self._page(connection, _joined(user), where, limit, cursor)

    async def of_services(
        self,
        connection: AsyncConnection,
        where: Sequence[ColumnElement[bool]],
        *,
        limit: int | None = None,
        cursor: Cursor | None = None,
    ) -> Page[StoredNotification]:
        """Return active notifications as senders see them, newest first.

        Parameters
        ----------
        connection
            The connection.
        where
            Conditions on columns of `Notification`.
        limit, cursor
            The page.

        Returns
        -------
        Page
            The notifications, each with its recipient's state.
        """
        return await self._page(
            connection, self._for_senders(), [_N.state == "active", *where], limit, cursor
        )

    def _for_senders(self) -> Select[Any]:
        columns = [_N[name] for name in _FIELDS] + [_S[name].label(f"s_{name}") for name in _STATE]
        return select(*columns).select_from(
            Notification.__table__.outerjoin(
                NotificationState.__table__,
                and_(_S.notification_id == _N.id, _N.target == "u:" + _S.user_name),
            )
        )

    async def _page(
        self,
        connection: AsyncConnection,
        statement: Select[Any],
        where: Sequence[ColumnElement[bool]],
        limit: int | None,
        cursor: Cursor | None,
    ) -> Page[StoredNotification]:
        counted = statement.with_only_columns(func.count()).where(*where)
        total = (await connection.execute(counted)).scalar_one()
        return await Page.read(
            connection,
            statement.where(*where),
            key=_N.id,
            cursor=cursor,
            limit=limit,
            total=total,
            convert=_stored,
            cursor_of=lambda item: (item.created, item.id),
        )

    async def unread_count(
        self, connection: AsyncConnection, user: str, groups: Iterable[str]
    ) -> int:
        """Return the number of active notifications that a user has neither read nor dismissed."""
        statement = (
            _joined(user)
            .with_only_columns(func.count())
            .where(
                _N.target.in_(targets_of(user, groups)),
                _N.state == "active",
                _S.read.is_(None),
                _S.dismissed.is_(None),
            )
        )
        return int((await connection.execute(statement)).scalar_one())

    async def one_for_user(
        self, connection: AsyncConnection, user: str, groups: Iterable[str], id_: int
    ) -> StoredNotification | None:
        """Return one active notification of a user; `None` if there is none."""
        statement = _joined(user).where(
            _N.id == id_, _N.target.in_(targets_of(user, groups)), _N.state == "active"
        )
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _stored(row)

    async def some_for_user(
        self, connection: AsyncConnection, user: str, groups: Iterable[str], ids: Sequence[int]
    ) -> list[StoredNotification]:
        """Return those of these notifications that are active and for the user."""
        found: list[StoredNotification] = []
        for part in chunks(ids):
            statement = _joined(user).where(
                _N.id.in_(part), _N.target.in_(targets_of(user, groups)), _N.state == "active"
            )
            found.extend(_stored(row) for row in await connection.execute(statement))
        return found

    async def some_with_state(
        self, connection: AsyncConnection, user: str, ids: Sequence[int]
    ) -> list[StoredNotification]:
        """Return the active ones of some notifications with a user's state, whatever the target."""
        found: list[StoredNotification] = []
        for part in chunks(ids):
            statement = _joined(user).where(_N.id.in_(part), _N.state == "active")
            found.extend(_stored(row) for row in await connection.execute(statement))
        return found

    async def changed_for_user(
        self,
        connection: AsyncConnection,
        user: str,
        groups: Iterable[str],
        after: int,
        upto: int,
        limit: int,
    ) -> list[StoredNotification]:
        """Return a user's notifications that changed in a range of numbers, in whatever state."""
        statement = (
            _joined(user)
            .where(
                _N.target.in_(targets_of(user, groups)),
                or_(
                    and_(_N.seq > after, _N.seq <= upto),
                    and_(_S.seq > after, _S.seq <= upto),
                ),
            )
            .limit(limit)
        )
        return [_stored(row) for row in await connection.execute(statement)]

    async def changed_targets(
        self, connection: AsyncConnection, after: int, upto: int
    ) -> list[tuple[str, int]]:
        """Return ``(target, seq)`` for the notifications in a range of numbers."""
        statement = select(_N.target, _N.seq).where(_N.seq > after, _N.seq <= upto)
        return [(row[0], row[1]) for row in await connection.execute(statement)]

    async def changed_users(
        self, connection: AsyncConnection, after: int, upto: int
    ) -> list[tuple[str, int]]:
        """Return ``(user, seq)`` for the states in a range of numbers."""
        statement = select(_S.user_name, _S.seq).where(_S.seq > after, _S.seq <= upto)
        return [(row[0], row[1]) for row in await connection.execute(statement)]

    async def changed(
        self, connection: AsyncConnection, after: int, upto: int, users: Collection[str]
    ) -> list[StoredNotification]:
        """Return the notifications in a range that groups or these users see, without states."""
        light = select(_N.id, _N.target).where(_N.seq > after, _N.seq <= upto)
        wanted = [
            row[0]
            for row in await connection.execute(light)
            if not row[1].startswith("u:") or row[1][2:] in users
        ]
        found: list[StoredNotification] = []
        for part in chunks(wanted):
            statement = select(*(_N[name] for name in _FIELDS)).where(
                _N.id.in_(part), _N.seq > after, _N.seq <= upto
            )
            found.extend(_stored(row) for row in await connection.execute(statement))
        return found

    async def states_of(
        self, connection: AsyncConnection, ids: Sequence[int], users: Collection[str]
    ) -> dict[int, dict[str, StoredState]]:
        """Return these users' states of some notifications."""
        found: dict[int, dict[str, StoredState]] = {}
        columns = [_S.notification_id, _S.user_name, *(_S[name] for name in _STATE)]
        for part in chunks(ids):
            statement = select(*columns).where(_S.notification_id.in_(part))
            for row in await connection.execute(statement):
                if row[1] in users:
                    state = StoredState(**dict(zip(_STATE, row[2:], strict=True)))
                    found.setdefault(row[0], {})[row[1]] = state
        return found

    async def changed_states(
        self, connection: AsyncConnection, after: int, upto: int
    ) -> list[tuple[str, int, StoredState]]:
        """Return ``(user, notification, state)`` for the states in a range of numbers."""
        columns = [_S.user_name, _S.notification_id, *(_S[name] for name in _STATE)]
        statement = select(*columns).where(_S.seq > after, _S.seq <= upto)
        return [
            (row[0], row[1], StoredState(**dict(zip(_STATE, row[2:], strict=True))))
            for row in await connection.execute(statement)
        ]

    async def of_service(
        self, connection: AsyncConnection, service: str, *, keys: Iterable[str] | None = None
    ) -> list[StoredNotification]:
        """Return a service's active notifications that have any key, or one of the given keys."""
        base = self._for_senders().where(
            _N.service == service, _N.state == "active", _N.key.is_not(None)
        )
        if keys is None:
            return [_stored(row) for row in await connection.execute(base)]
        found: list[StoredNotification] = []
        for part in chunks(sorted(set(keys))):
            rows = await connection.execute(base.where(_N.key.in_(part)))
            found.extend(_stored(row) for row in rows)
        return found

    async def one_of_service(
        self, connection: AsyncConnection, service: str, id_: int
    ) -> StoredNotification | None:
        """Return one notification of a service in whatever state; `None` if there is none."""
        statement = self._for_senders().where(_N.id == id_, _N.service == service)
        row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _stored(row)

    async def keys_of_service(
        self, connection: AsyncConnection, service: str, prefix: str
    ) -> list[tuple[str, str]]:
        """Return key and target of a service's active notifications, by the key's beginning."""
        statement = select(_N.key, _N.target).where(
            _N.service == service,
            _N.state == "active",
            _N.key.startswith(prefix, autoescape=True),
        )
        rows = await connection.execute(statement)
        # SQLite's LIKE ignores case, so compare again.
        return [(row[0], row[1]) for row in rows if row[0].startswith(prefix)]

    async def insert(self, connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
        """Insert notifications."""
        await connection.execute(insert(Notification), list(rows))

    async def change(self, connection: AsyncConnection, id_: int, values: dict[str, Any]) -> None:
        """Set columns of one notification."""
        await connection.execute(update(Notification).where(_N.id == id_).values(values))

    async def end(
        self, connection: AsyncConnection, seqs: Mapping[int, int], state: str, at: datetime
    ) -> None:
        """End notifications, given as their ids with their new numbers."""
        statement = (
            update(Notification)
            .where(_N.id == bindparam("of_id"))
            .values(state=state, ended=at, seq=bindparam("new_seq"))
        )
        rows = [{"of_id": id_, "new_seq": seq} for id_, seq in seqs.items()]
        if rows:
            await connection.execute(statement, rows)

    async def forget_states(self, connection: AsyncConnection, id_: int) -> None:
        """Delete all users' states of a notification, so that it is shown anew."""
        await connection.execute(delete(NotificationState).where(_S.notification_id == id_))

    async def set_states(self, connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
        """Insert or change users' states; each row has the columns to set."""
        for row in rows:
            await upsert(
                connection, NotificationState.__table__, ["notification_id", "user_name"], row
            )

    async def receipts(
        self, connection: AsyncConnection, id_: int
    ) -> list[tuple[str, StoredState]]:
        """Return each user's state of one notification, in the order of names."""
        columns = [_S.user_name, *(_S[name] for name in _STATE)]
        statement = select(*columns).where(_S.notification_id == id_).order_by(_S.user_name)
        return [
            (row[0], StoredState(**dict(zip(_STATE, row[1:], strict=True))))
            for row in await connection.execute(statement)
        ]
