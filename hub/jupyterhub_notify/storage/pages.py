"""Pages of a list, with cursors in Semaphore's form: ``[p]SECONDS_ID``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import Invalid

__all__ = ["CURSOR_PATTERN", "Cursor", "Page"]

CURSOR_PATTERN = r"^p?[0-9]+_[0-9]+$"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The beginning of a page: the entry with this id or, backwards, the entry after its last.

    The time is only there because Semaphore's cursors have it: ids follow the order of creation.
    """

    time_s: int
    id: int
    backwards: bool = False

    @classmethod
    def parse(cls, value: str) -> Cursor:
        """Read the cursor that a client sent.

        Raises
        ------
        Invalid
            If it is not valid.
        """
        found = re.fullmatch(r"(p?)([0-9]{1,18})_([0-9]{1,18})", value)
        if found is None:
            raise Invalid("This is no cursor of a list", ["query", "cursor"])
        return cls(time_s=int(found[2]), id=int(found[3]), backwards=bool(found[1]))

    def __str__(self) -> str:
        return f"{'p' if self.backwards else ''}{self.time_s}_{self.id}"


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """A page of a list, newest first."""

    items: list[T]
    total: int
    next: Cursor | None = None
    previous: Cursor | None = None

    @classmethod
    async def read(
        cls,
        connection: AsyncConnection,
        statement: Select[Any],
        *,
        key: ColumnElement[Any],
        cursor: Cursor | None,
        limit: int | None,
        total: int,
        convert: Callable[[Row[Any]], T],
        cursor_of: Callable[[T], tuple[datetime, int]],
    ) -> Page[T]:
        """Read one page.

        Parameters
        ----------
        connection
            The connection.
        statement
            The query of the list, without its order.
        key
            The column of ids, which follow the order of creation.
        cursor, limit
            The page; one more entry is read to know whether there is a next page.
        total
            Number of entries of the whole list.
        convert
            Makes a model of a row.
        cursor_of
            Returns an entry's time and id.

        Returns
        -------
        Page
            The page.
        """
        backwards = cursor is not None and cursor.backwards
        if cursor is not None:
            statement = statement.where(key > cursor.id if backwards else key <= cursor.id)
        statement = statement.order_by(key.asc() if backwards else key.desc())
        if limit is not None:
            statement = statement.limit(limit + 1)
        items = [convert(row) for row in await connection.execute(statement)]
        more = limit is not None and len(items) > limit

        def at(item: T, back: bool) -> Cursor:
            time, id_ = cursor_of(item)
            return Cursor(time_s=int(time.timestamp()), id=id_, backwards=back)

        if backwards:
            items = items[:limit]
            items.reverse()
            previous = at(items[0], True) if more and items else None
            return cls(items=items, total=total, next=_forwards(cursor), previous=previous)
        following = at(items[-1], False) if more else None
        items = items[:limit]
        before = at(items[0], True) if cursor is not None and items else None
        return cls(items=items, total=total, next=following, previous=before)


def _forwards(cursor: Cursor | None) -> Cursor | None:
    return None if cursor is None else Cursor(time_s=cursor.time_s, id=cursor.id)
