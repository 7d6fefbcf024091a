"""``serve``: run the service."""

from __future__ import annotations

import argparse
import asyncio
import signal

from .exit import CommandError
from .local import add_database_argument, settings_of

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--host", help="the address to listen at (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to listen at (8765)")
    parser.add_argument("--prefix", help="the path below which it is reached, as a hub says it")
    add_database_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Run the service until it is told to stop."""
    from ..app import create_app
    from ..identity.settings import make_identity
    from ..logs import set_up
    from ..server import server_of

    settings = settings_of(
        host=options.host, port=options.port, prefix=options.prefix, database=options.database
    )
    set_up(settings)
    asyncio.run(_prepare(settings.database, settings.is_sqlite))
    try:
        identity = make_identity()
    except ValueError as error:
        raise CommandError(str(error), 2) from None
    server = server_of(create_app(settings, identity), settings)
    # uvicorn sends itself again what had stopped it: the end would look like a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run()
    return 0 if server.started else 1


async def _prepare(database: str, create: bool) -> None:
    """Bring a file of SQLite up to date; a shared database only by `upgrade`."""
    from sqlalchemy.exc import SQLAlchemyError

    from ..migrations import head, revision, upgrade
    from ..storage.database import create_engine

    engine = create_engine(database)
    try:
        if create:
            await upgrade(engine)
            return
        found = await revision(engine)
        if found != head():
            raise CommandError(
                "The database is of another version: run jupyterhub-notify upgrade "
                f"(found {found or 'an empty one'}, needed {head()})"
            )
    except (SQLAlchemyError, OSError) as error:
        raise CommandError(f"The database cannot be opened: {_reason(error)}") from None
    finally:
        await engine.dispose()


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
