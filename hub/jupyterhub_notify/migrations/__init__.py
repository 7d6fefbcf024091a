"""Alembic's migrations, in the package so that every wheel has them.

`upgrade` runs them. A change of the schema is a new file in ``versions/``, never an edit of a
released file.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["configuration", "head", "revision", "upgrade"]


def configuration() -> Config:
    """Return Alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def head() -> str:
    """Return the revision that this version of the service needs."""
    found = ScriptDirectory.from_config(configuration()).get_current_head()
    assert found is not None
    return found


async def revision(engine: AsyncEngine) -> str | None:
    """Return the revision that a database is at; `None` if it is empty.

    Parameters
    ----------
    engine
        The database.
    """

    def current(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with engine.connect() as connection:
        return await connection.run_sync(current)


async def upgrade(engine: AsyncEngine, to: str = "head") -> None:
    """Bring a database to a revision; of replicas that start together, one upgrades it.

    Parameters
    ----------
    engine
        The database.
    to
        The revision.
    """

    def run(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            # The number is arbitrary, but must be the same in all versions.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7304117)")
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    async with engine.begin() as connection:
        await connection.run_sync(run)
