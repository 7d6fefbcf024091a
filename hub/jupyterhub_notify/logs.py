"""Structured logs: what happened, to which identifiers; never a text or a token."""

from __future__ import annotations

import json
import logging
import sys

import structlog

from .config import Settings
from .delivery.log import LOGGER

__all__ = ["set_up"]


def set_up(settings: Settings) -> None:
    """Set the format and the lowest level.

    Parameters
    ----------
    settings
        What the site has set.
    """
    level = getattr(logging, settings.log_level.upper())
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr)
    _log_deliveries(level, settings.log_format == "json")
    renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.log_format == "json":
        processors.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


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
