"""``upgrade``: upgrade the database to this version's schema."""

from __future__ import annotations

import argparse
import asyncio

from .exit import CommandError
from .local import add_database_argument, settings_of

__all__ = ["add_arguments", "run", "upgrade_database"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_database_argument(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Upgrade the database, and say what was done."""
    before, after = upgrade_database(options.database)
    if options.json:
        from .remote import print_json

        print_json({"from": before, "to": after})
    elif before == after:
        print(f"The database is at {after} already")
    else:
        print(f"Brought the database from {before or 'nothing'} to {after}")
    return 0


def upgrade_database(database: str | None) -> tuple[str | None, str]:
    """Upgrade the database; return the versions before and after.

    Raises
    ------
    CommandError
        If it cannot be upgraded.
    """
    return asyncio.run(_upgrade(settings_of(database=database).database))


async def _upgrade(database: str) -> tuple[str | None, str]:
    from sqlalchemy.exc import SQLAlchemyError

    from ..migrations import NewerSchema, head, revision, upgrade
    from ..storage.database import create_engine

    engine = create_engine(database)
    try:
        before = await revision(engine)
        await upgrade(engine)
    except NewerSchema as error:
        raise CommandError(str(error)) from None
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise CommandError(f"The database cannot be upgraded: {reason}") from None
    finally:
        await engine.dispose()
    return before, head()
