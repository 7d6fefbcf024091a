"""Opens the database and makes the application; `starting` imports this once it listens."""

from __future__ import annotations

import asyncio
import sqlite3

from fastapi import FastAPI
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from .app import create_app
from .config import Settings
from .errors import Unavailable
from .identity.settings import make_identity
from .migrations import NewerSchema, head, revision, upgrade
from .starting import NotYet, Unusable
from .storage.database import UNREACHABLE, create_engine

__all__ = ["NOT_THERE", "not_yet", "open_app"]

#: Errors that mean that the database cannot be reached.
NOT_THERE = (*UNREACHABLE, SQLAlchemyError, Unavailable)


async def open_app(settings: Settings) -> FastAPI:
    """Return the application, if the database answers and is of this version.

    Parameters
    ----------
    settings
        The settings of the site.

    Returns
    -------
    FastAPI
        The application; it is not started yet.

    Raises
    ------
    NotYet
        If the database does not answer, or is of another version.
    Unusable
        If another try would not help.
    """
    try:
        identity = make_identity()
    except ValueError as error:
        raise Unusable(str(error), 2) from None
    await _prepare(settings.database, settings.is_sqlite)
    # In a thread: it takes a while, and requests must be answered meanwhile.
    return await asyncio.to_thread(create_app, settings, identity)


def not_yet(error: BaseException) -> NotYet:
    """Return the error for a database that does not answer."""
    return NotYet("The database cannot be reached", _reason(error))


async def _prepare(database: str, create: bool) -> None:
    """Upgrade a SQLite file; a shared database is only checked, and upgraded by `upgrade`."""
    try:
        engine = create_engine(database)
    except (ArgumentError, ImportError) as error:
        raise Unusable(f"The database cannot be opened: {_reason(error)}", 2) from None
    try:
        if create:
            await upgrade(engine)
            return
        found = await revision(engine)
    except NewerSchema as error:
        # Only another version of the service helps, or an older database: a shared one may still be
        # restored meanwhile.
        if create:
            raise Unusable(str(error)) from None
        raise NotYet("The database is of a newer version", str(error)) from None
    except NOT_THERE as error:
        if create and not _is_busy(error):
            raise Unusable(f"The database cannot be opened: {_reason(error)}") from None
        raise not_yet(error) from None
    finally:
        await engine.dispose()
    if found != head():
        raise NotYet(
            "The database is of another version: run jupyterhub-notify upgrade",
            f"found {found or 'an empty one'}, needed {head()}",
        )


def _is_busy(error: BaseException) -> bool:
    """Return whether another process holds the file just now."""
    origin = getattr(error, "orig", None)
    return isinstance(origin, sqlite3.OperationalError) and "locked" in str(origin)


def _reason(error: BaseException) -> str:
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
