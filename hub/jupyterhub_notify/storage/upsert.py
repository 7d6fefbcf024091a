"""Insert a row, or change the one with the same key: each database says it by itself."""

from __future__ import annotations

from collections.abc import Sequence
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
    assert isinstance(table, Table)
    changes = {name: value for name, value in values.items() if name not in key}
    if connection.dialect.name == "sqlite":
        lite = sqlite.insert(table).values(values)
        await connection.execute(lite.on_conflict_do_update(index_elements=key, set_=changes))
    else:
        big = postgresql.insert(table).values(values)
        await connection.execute(big.on_conflict_do_update(index_elements=key, set_=changes))


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
    assert isinstance(table, Table)
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    changes = {name: statement.excluded[name] for name in rows[0] if name not in key}
    statement = statement.on_conflict_do_update(index_elements=key, set_=changes)
    await connection.execute(statement, list(rows))
