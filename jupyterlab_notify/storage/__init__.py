"""Storage of notifications: one SQLite file, or memory while the file cannot be used.

Everything here is synchronous and runs in one thread, the worker's. Operations receive a
``Transaction``; repositories define what rows mean; the engine keeps the file usable.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..timings import StorageTimings
from .cursor import Cursor, StreamPosition
from .ids import central_tag, new_id
from .retention import Retention
from .state import VIEWS, StateChange
from .transaction import Clock, Operation, Transaction, no_operation

if TYPE_CHECKING:
    from .engine import Engine
    from .leases import LeaseRepository
    from .maintenance import Maintenance
    from .notifications import NotificationRepository
    from .outbox import OutboxRepository
    from .pictures import PictureRepository
    from .quiet import QuietRepository
    from .recovery import Recovery
    from .remote import RemoteRepository
    from .replies import ReplyRepository
    from .repositories import Repositories
    from .shapes import StoreStatus
    from .welcome import WelcomeRepository

__all__ = [
    "VIEWS",
    "Cursor",
    "Operation",
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
        self.retention = retention or Retention()
        self.central = central
        self._path = path
        self._log = log or logging.getLogger(__name__)
        self._clock = clock
        self._timings = timings
        self._monotonic = monotonic
        self._building = threading.Lock()
        self._built: Repositories | None = None

    # A server's start needs none of these parts. A server that has received nothing needs only the
    # engine, a second later. So each part is imported when it is first used.

    @cached_property
    def engine(self) -> Engine:
        """The engine, for the storage's thread."""
        from .database_file import DatabaseFile
        from .engine import Engine

        return Engine(
            None if self._path is None else DatabaseFile(self._path, self._log),
            make_recovery=self._make_recovery,
            maintenance=self.maintenance,
            clock=self._clock,
            log=self._log,
            timings=self._timings,
        )

    def _make_recovery(self) -> Recovery:
        from .recovery import Recovery

        return Recovery(lambda tx, reset_ms: self.welcome.repeat_reset(tx, reset_ms))

    @cached_property
    def maintenance(self) -> Maintenance:
        """What changes rows without a request, for the storage's thread."""
        from .maintenance import Maintenance

        return Maintenance(
            self.retention,
            lambda tx: self.notifications.wake_snoozed(tx),
            lambda tx, retention: self.notifications.prune(tx, retention),
            self._timings,
            self._monotonic,
        )

    @property
    def _repositories(self) -> Repositories:
        # Either the event loop or the storage's thread may come first; both share one object.
        if self._built is None:
            with self._building:
                if self._built is None:
                    from .repositories import Repositories

                    self._built = Repositories(self.central)
        return self._built

    @property
    def notifications(self) -> NotificationRepository:
        """The notifications."""
        return self._repositories.notifications

    @property
    def outbox(self) -> OutboxRepository:
        """The user's actions that a central service was not told of yet."""
        return self._repositories.outbox

    @property
    def welcome(self) -> WelcomeRepository:
        """The welcome messages."""
        return self._repositories.welcome

    @property
    def quiet(self) -> QuietRepository:
        """Do not disturb, and the muted sources."""
        return self._repositories.quiet

    @property
    def replies(self) -> ReplyRepository:
        """The user's answers."""
        return self._repositories.replies

    # Only some servers need these.

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
        """The servers of this user that poll the central service."""
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
