"""Structured logs: what happened, to which identifiers; never a text or a token."""

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
    """Return where an error was raised, and of what type it and its causes are.

    What an error says is left out, since it may quote a message's text or a token; but not what
    the system says of files and connections, and SQLite of itself.
    """
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < 5:
        said = ""
        if isinstance(cause, OSError) and cause.strerror:
            said = f": {cause.strerror}"
        elif isinstance(cause, sqlite3.Error):
            # It names tables and columns only: "database is locked".
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
        What the site has set.
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
    """A file that loses what cannot be written, such as to a full disk.

    Otherwise each line of the log would fail whatever it tells of, as the log of the standard
    library does not.

    Parameters
    ----------
    file
        Where to write.
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
    """A log line of a library."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with nothing of an error that another handler has formatted."""
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: ExcInfo) -> str:
        """Return where an error was raised."""
        return _format_traced(ei)


def _log_deliveries(level: int, as_json: bool) -> None:
    """Log a line for each delivery, as administrators know it from hubs: `[I] [Notification] …`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonLine() if as_json else logging.Formatter("[%(levelname).1s] %(message)s")
    )
    LOGGER.handlers = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(level)


class _JsonLine(logging.Formatter):
    """The same in one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps({"level": record.levelname.lower(), "event": record.getMessage()})
