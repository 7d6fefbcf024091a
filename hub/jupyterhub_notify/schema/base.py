"""The base of all tables: their registry, their column types, and the clock's precision."""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, MetaData, String
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

__all__ = ["Base", "UtcDateTime", "new_id", "now"]


def now() -> datetime:
    """Return the present time in UTC and whole seconds, as on the wire."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def new_id(prefix: str) -> str:
    """Return an id that sorts by its time of creation and cannot be guessed.

    Parameters
    ----------
    prefix
        The prefix of its kind, so that it is never a number as ids of notifications are.
    """
    return f"{prefix}-{time.time_ns():016x}{secrets.token_hex(4)}"


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC, always aware, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite keeps no zone, so it is left out there."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored")
        value = value.astimezone(timezone.utc)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware time."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=timezone.utc)
        return value.astimezone(timezone.utc)


class Base(DeclarativeBase):
    """The registry of all tables."""

    # Names that do not depend on the database, so that a later migration can drop an index or
    # constraint by its name.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way to set it
        datetime: UtcDateTime,
        dict[str, Any]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
        str: String,
    }
