"""Inserts rows or changes those with the same key, in the dialect of each database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import FromClause, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["upsert", "upsert_all"]


async def upsert(
    connection: AsyncConnection,
    table: Table | FromClause,
    key: Sequence[str],
    values: dict[str, Any],
) -> None:
    """Insert a row, or set its columns in the row with the same key.

    Parameters
    ----------
    connection
        The connection.
    table
        The table.
    key
        The columns of its primary key.
    values
        The row; missing columns keep their values in an existing row.
    """
    await connection.execute(_statement(connection, table, key, values), values)


async def upsert_all(
    connection: AsyncConnection,
    table: Table | FromClause,
    key: Sequence[str],
    rows: Sequence[dict[str, Any]],
) -> None:
    """Insert rows, or set their columns in rows with the same keys, in one call.

    Parameters
    ----------
    connection
        The connection.
    table
        The table.
    key
        The columns of its primary key.
    rows
        The rows, each with the same columns; no key comes twice.
    """
    if not rows:
        return
    await connection.execute(_statement(connection, table, key, rows[0]), list(rows))


def _statement(
    connection: AsyncConnection,
    table: Table | FromClause,
    key: Sequence[str],
    columns: Iterable[str],
) -> Any:
    assert isinstance(table, Table)
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    changes = {name: statement.excluded[name] for name in columns if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=changes)
