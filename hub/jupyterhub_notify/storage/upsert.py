"""Insert a row, or change the one with the same key: each database says it by itself."""

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
    """Insert a row, or set its columns in the row with this key.

    Parameters
    ----------
    connection
        Where to.
    table
        The table.
    key
        Its primary key's columns.
    values
        The row; columns that are not there keep their values in a row that exists.
    """
    await connection.execute(_statement(connection, table, key, values), values)


async def upsert_all(
    connection: AsyncConnection,
    table: Table | FromClause,
    key: Sequence[str],
    rows: Sequence[dict[str, Any]],
) -> None:
    """Insert rows, or set their columns in those with their keys, in one call.

    Parameters
    ----------
    connection
        Where to.
    table
        The table.
    key
        Its primary key's columns.
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
