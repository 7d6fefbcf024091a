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

__all__ = ["NewerSchema", "configuration", "head", "revision", "upgrade"]


class NewerSchema(Exception):
    """A database has a schema that only a newer version of the service knows.

    Parameters
    ----------
    found
        Its revision.
    """

    def __init__(self, found: str) -> None:
        super().__init__(
            f"A newer version of the service wrote the database, whose schema is {found}; this "
            f"version knows {head()}. Install the newer one again, or restore a backup from before"
        )


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

    Raises
    ------
    NewerSchema
        If only a newer version knows it.
    """
    async with engine.connect() as connection:
        return await connection.run_sync(_known_revision)


def _known_revision(connection: Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    known = ScriptDirectory.from_config(configuration()).walk_revisions()
    if found is not None and all(found != one.revision for one in known):
        raise NewerSchema(found)
    return found


async def upgrade(engine: AsyncEngine, to: str = "head") -> None:
    """Bring a database to a revision; of replicas that start together, one upgrades it.

    Parameters
    ----------
    engine
        The database.
    to
        The revision.

    Raises
    ------
    NewerSchema
        If the database is at a revision that only a newer version knows.
    """

    def run(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            # The number is arbitrary, but must be the same in all versions.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7304117)")
        _known_revision(connection)
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    async with engine.begin() as connection:
        await connection.run_sync(run)
