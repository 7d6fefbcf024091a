"""``copy``: copy everything from one database into another, such as from SQLite to PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from .exit import CommandError

__all__ = ["add_arguments", "run"]

AT_ONCE = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("source", metavar="FROM", help="SQLAlchemy's URL of the old database")
    parser.add_argument("target", metavar="TO", help="and of the new one, which must be empty")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Copy the database; the service must not run meanwhile."""
    counts = asyncio.run(_copy(options.source, options.target))
    if options.json:
        from .remote import print_json

        print_json({"rows": counts})
    else:
        for table, count in counts.items():
            print(f"{count}\t{table}")
    return 0


async def _copy(source_url: str, target_url: str) -> dict[str, int]:
    from sqlalchemy.exc import SQLAlchemyError

    from ..migrations import NewerSchema, head, revision, upgrade
    from ..storage.database import create_engine

    if source_url == target_url:
        raise CommandError("FROM and TO are the same database", 2)
    try:
        source, target = create_engine(source_url), create_engine(target_url)
    except SQLAlchemyError as error:
        raise CommandError(f"This is no URL of a database: {error}", 2) from None
    try:
        found = await revision(source)
        if found != head():
            raise CommandError(
                f"The old database is at {found or 'nothing'}: run jupyterhub-notify upgrade first"
            )
        if await revision(target) is not None:
            raise CommandError("The new database is not empty")
        await upgrade(target)
        return await _tables(source, target)
    except NewerSchema as error:
        raise CommandError(str(error)) from None
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise CommandError(f"A database failed: {reason}") from None
    finally:
        await source.dispose()
        await target.dispose()


async def _tables(source: Any, target: Any) -> dict[str, int]:
    """Copy every table in one transaction, so that an interrupted copy leaves nothing behind."""
    from sqlalchemy import delete, insert, select, text

    from ..schema import Base

    counts: dict[str, int] = {}
    async with source.connect() as old, target.begin() as new:
        for table in Base.metadata.sorted_tables:
            await new.execute(delete(table))
            counts[table.name] = 0
            rows = await old.stream(select(table))
            async for part in rows.partitions(AT_ONCE):
                await new.execute(insert(table), [dict(row._mapping) for row in part])
                counts[table.name] += len(part)
        if target.dialect.name == "postgresql":
            for name in ("notifications", "audit"):
                # The rows were copied with their numbers: the sequence must go on above them.
                await new.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{name}', 'id'),"
                        f" (SELECT coalesce(max(id), 0) + 1 FROM {name}), false)"
                    )
                )
    return counts
