"""``serve``: run the service."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading

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
    from ..logs import set_up
    from ..server import server_of
    from ..starting import Starting, Unusable

    settings = settings_of(
        host=options.host, port=options.port, prefix=options.prefix, database=options.database
    )
    set_up(settings)
    # The server listens at once; the application and its database come later.
    starting = Starting(settings, end=lambda: setattr(server, "should_exit", True))
    server = server_of(starting, settings, starting.begin_stop)
    # After its end uvicorn raises the signal that stopped it again. Without a handler the process
    # would die of the signal, which looks like a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run()
    if isinstance(starting.failure, Unusable):
        raise CommandError(str(starting.failure), starting.failure.code)
    if starting.failure is not None:
        raise starting.failure
    if server.started:
        _leave_threads()
    return 0 if server.started else 1


def _leave_threads() -> None:
    """End the process here if a library has threads: Python would wait for a thread that hangs.

    Apprise sends in threads, which nothing can stop.
    """
    others = (one for one in threading.enumerate() if one is not threading.current_thread())
    if any(not one.daemon for one in others):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
