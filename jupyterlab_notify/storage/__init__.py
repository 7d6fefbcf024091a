"""Storage of notifications: one SQLite file, or memory while the file cannot be used.

Everything here is synchronous and runs in one thread, the worker's. Operations receive a
``Transaction``; repositories define what rows mean; the engine keeps the file usable.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..timings import StorageTimings
from .cursor import Cursor, StreamPosition
from .database_file import DatabaseFile
from .engine import Clock, Engine
from .ids import central_tag, new_id
from .maintenance import Maintenance
from .notifications import InsertNotification, NotificationRepository, Query
from .outbox import OutboxRepository
from .quiet import QuietChange, QuietRepository
from .recovery import Recovery
from .replies import ReplyRepository
from .retention import Retention
from .state import VIEWS, StateChange
from .transaction import Operation, Transaction, no_operation
from .welcome import WelcomeRepository

if TYPE_CHECKING:
    from .leases import LeaseRepository
    from .pictures import PictureRepository
    from .remote import RemoteRepository
    from .shapes import StoreStatus

__all__ = [
    "VIEWS",
    "Cursor",
    "InsertNotification",
    "Operation",
    "Query",
    "QuietChange",
    "Retention",
    "StateChange",
    "Storage",
    "StreamPosition",
    "Transaction",
    "central_tag",
    "new_id",
    "no_operation",
]


def _now_ms() -> int:
    return int(time.time() * 1000)


class Storage:
    """The engine and the repositories of one user's notifications.

    Parameters
    ----------
    path
        The database file; its folder is made if it is missing. None keeps everything in memory.
    retention
        How much is kept.
    central
        The tag of the central service that this server polls; empty if there is none.
    log
        The server's log.
    clock
        Returns the time in milliseconds since 1970.
    timings
        Waits and intervals.
    monotonic
        Returns monotonic seconds.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        retention: Retention | None = None,
        central: str = "",
        log: logging.Logger | None = None,
        clock: Clock = _now_ms,
        timings: StorageTimings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        log = log or logging.getLogger(__name__)
        self.retention = retention or Retention()
        self.central = central
        self.outbox = OutboxRepository(central)
        self.welcome = WelcomeRepository(self.outbox)
        self.quiet = QuietRepository()
        self.notifications = NotificationRepository(self.outbox, self.welcome, self.quiet)
        self.replies = ReplyRepository(self.outbox)
        self.maintenance = Maintenance(self.retention, self.notifications, timings, monotonic)
        self.engine = Engine(
            None if path is None else DatabaseFile(path, log),
            recovery=Recovery(self.welcome),
            maintenance=self.maintenance,
            clock=clock,
            log=log,
            timings=timings,
        )

    # Many servers never need these parts, so each is imported when it is first used. Recovery is
    # not among them: a process without free file descriptors needs it, and can import nothing.

    @cached_property
    def pictures(self) -> PictureRepository:
        """The pictures of notifications."""
        from .pictures import PictureRepository

        return PictureRepository(self.retention)

    @cached_property
    def remote(self) -> RemoteRepository:
        """The messages and broadcasts of a central service."""
        from .remote import RemoteRepository

        return RemoteRepository(self.outbox)

    @cached_property
    def leases(self) -> LeaseRepository:
        """The servers of this user that ask the central service."""
        from .leases import LeaseRepository

        return LeaseRepository(self.central)

    def run(self, operations: Iterable[tuple[Operation[Any], bool]]) -> list[Any | Exception]:
        """Run operations in one transaction; see ``Engine.run``."""
        return self.engine.run(operations)

    @property
    def position(self) -> StreamPosition:
        """The position of everything that tabs show, as of the last commit."""
        state = self.engine.state
        return StreamPosition(Cursor(state.epoch, state.seq), self.welcome.version_of(state))

    def status(self, transaction: Transaction) -> StoreStatus:
        """Return where and how notifications are stored; an operation."""
        return {
            **self.engine.status(),
            "epoch": transaction.state.epoch,
            "seq": transaction.state.seq,
        }

    def close(self) -> None:
        """Close the file."""
        self.engine.close()
