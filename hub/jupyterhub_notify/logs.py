"""Structured logs: they name events and identifiers, never a message's text or a token."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import traceback
from contextlib import suppress
from types import TracebackType
from typing import TextIO, cast

import structlog

from .config import Settings
from .delivery.log import LOGGER

__all__ = ["set_up", "traced"]

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def traced(error: BaseException) -> str:
    """Return where an error was raised, its type and the types of its causes.

    The error's own text is left out, since it may quote a message or a token. Kept are the
    system's texts about files and connections, and SQLite's.
    """
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < 5:
        said = ""
        if isinstance(cause, OSError) and cause.strerror:
            said = f": {cause.strerror}"
        elif isinstance(cause, sqlite3.Error):
            # SQLite's text names at most tables and columns, such as "database is locked".
            said = f": {cause}"
        frames = "".join(traceback.format_tb(cause.__traceback__))
        parts.append(f"{frames}{type(cause).__module__}.{type(cause).__qualname__}{said}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\nraised because of\n".join(parts)


def set_up(settings: Settings) -> None:
    """Set the format and the lowest level.

    Parameters
    ----------
    settings
        The settings of the site.
    """
    level = getattr(logging, settings.log_level.upper())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(levelname)s:%(name)s:%(message)s"))
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    _log_deliveries(level, settings.log_format == "json")
    renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=_write_traced
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.log_format == "json":
        processors.append(structlog.processors.ExceptionRenderer(_format_traced))
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Lossy(sys.stderr))),
        cache_logger_on_first_use=True,
    )


class _Lossy:
    """A file that drops what cannot be written, such as to a full disk.

    Without it structlog would raise an error in the code that logs; the standard library's logging
    does not.

    Parameters
    ----------
    file
        For writing.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write a text."""
        with suppress(OSError, ValueError):
            self._file.write(text)

    def flush(self) -> None:
        """Write what is pending."""
        with suppress(OSError, ValueError):
            self._file.flush()


def _format_traced(exc_info: ExcInfo) -> str:
    return "" if exc_info[1] is None else traced(exc_info[1])


def _write_traced(stream: TextIO, exc_info: ExcInfo) -> None:
    stream.write("\n" + _format_traced(exc_info))


class _Line(logging.Formatter):
    """Formats a log line of a library."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without the text of an error that another handler has formatted."""
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: ExcInfo) -> str:
        """Return where an error was raised."""
        return _format_traced(ei)


def _log_deliveries(level: int, as_json: bool) -> None:
    """Log a line for each delivery, in the form of the hub's own log: `[I] [Notification] …`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonLine() if as_json else logging.Formatter("[%(levelname).1s] %(message)s")
    )
    LOGGER.handlers = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(level)


class _JsonLine(logging.Formatter):
    """Formats a log line as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps({"level": record.levelname.lower(), "event": record.getMessage()})
