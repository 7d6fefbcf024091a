"""The engine: keeps one SQLite file usable, and runs operations in shared transactions.

It opens the file, goes on in memory while the file cannot be used, and starts a new file if it is
corrupt. What rows mean is up to the repositories.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import Unavailable
from ..timings import StorageTimings
from . import connection
from .batch import OperationFailed, perform
from .connection import (
    FAULTS,
    connect,
    explain_foreign_log,
    is_corrupt,
    measure,
    open_file,
    shrink,
)
from .database_file import Damaged, DatabaseFile, Unusable
from .maintenance import Maintenance
from .schema import migrate
from .transaction import (
    Clock,
    Operation,
    StoreState,
    Transaction,
    load_state,
    newest_ms,
    no_operation,
)

if TYPE_CHECKING:
    from .recovery import Recovery, Salvage
    from .shapes import StoreStatus

#: Number of attempts at a batch whose file fails or is replaced each time.
MAX_FAULTS = 4


class _MustWrite(Exception):
    """A read-only transaction has found that something must be written."""


# Longer than a screen: commit, rollback and fallback guard one connection and one state.
class Engine:
    """A SQLite file, or memory while the file cannot be used.

    All methods must be called from the same thread.

    Parameters
    ----------
    file
        The database file; None keeps everything in memory, which is not durable.
    make_recovery
        Makes what saves the content of a failing file, and merges memory back into it. Called
        before the first operation, or at a fault that comes earlier.
    maintenance
        Handles expiry, silent senders and retention with each batch.
    clock
        Returns the time in milliseconds since 1970.
    log
        The server's log; each fault is logged once.
    timings
        Waits and intervals.
    """

    def __init__(
        self,
        file: DatabaseFile | None,
        make_recovery: Callable[[], Recovery],
        maintenance: Maintenance,
        clock: Clock,
        log: logging.Logger,
        timings: StorageTimings | None = None,
    ) -> None:
        self._file = file
        self._make_recovery = make_recovery
        self._recovery: Recovery | None = None
        self._maintenance = maintenance
        self._clock = clock
        self._log = log
        self._timings = timings or StorageTimings()
        self._db: sqlite3.Connection | None = None
        self.mode = "memory"
        self.problem: str | None = None
        #: The state as of the last commit.
        self.state = StoreState()
        #: The file's fingerprint at the last read, and the time of that read.
        self._fingerprint: tuple[int, ...] | None = None
        self._read_at = 0.0
        self._heal_at = 0.0
        #: True if tabs know a newer version of the file.
        self._restored = False
        #: True if the file was damaged, and has not been checked since.
        self._suspect = False
        #: True if there may be unused pages to return to the disk.
        self._shrinks = False

    @property
    def path(self) -> Path | None:
        """The file; None if everything is in memory."""
        return None if self._file is None else self._file.path

    @property
    def durable(self) -> bool:
        """Return whether committed changes survive the process."""
        return self.mode != "memory"

    def status(self) -> StoreStatus:
        """Return the state of the store, in the shape of ``models.StoreStatus``."""
        size = 0
        if self.durable:
            for suffix in ("", "-wal"):
                with suppress(OSError):
                    size += os.stat(f"{self.path}{suffix}").st_size
        quarantined = None if self._file is None else self._file.quarantined
        return {
            "path": None if self.path is None else _readable(str(self.path)),
            "mode": self.mode,
            "durable": self.durable,
            "problem": None if self.problem is None else _readable(self.problem),
            "setAside": None if quarantined is None else _readable(str(quarantined)),
            "epoch": self.state.epoch,
            "seq": self.state.seq,
            "size": size,
        }

    # Running operations

    def run(self, operations: Iterable[tuple[Operation[Any], bool]]) -> list[Any | Exception]:
        """Run operations in one transaction, so that they share its commit.

        Parameters
        ----------
        operations
            Each operation, and whether it writes. It may run more than once, if the file fails
            or is replaced.

        Returns
        -------
        list
            For each operation its result or the exception that it raised. An operation that
            raised has changed nothing.
        """
        pending = list(operations)
        calls = [operation for operation, _ in pending]
        write = any(writes for _, writes in pending)
        if sqlite3.sqlite_version_info < connection.MINIMUM_SQLITE:
            # A database in memory would have the same old SQLite.
            text = self._report_old_sqlite()
            return [Unavailable(text) for _ in calls]
        if calls.count(no_operation) == len(calls):
            if self._is_quiet():
                return [None for _ in calls]
        else:
            # Made before a fault can cost anything: a process without free file descriptors can
            # import nothing.
            self._get_recovery()
        if self._db is None:
            self.open()
        elif not self.durable and self._file is not None and time.monotonic() >= self._heal_at:
            self._heal()
        results, wrote = self._run_until_committed(calls, write)
        if wrote:
            try:
                self._maintain()
            except FAULTS as fault:
                # The batch is committed already; only the file has failed since.
                self._handle_fault(fault)
        return results

    def _run_until_committed(
        self, calls: Sequence[Operation[Any]], write: bool
    ) -> tuple[list[Any | Exception], bool]:
        """Run operations until a commit holds; return their results, and whether any wrote."""
        failed: dict[int, Exception] = {}
        faults = 0
        while faults < MAX_FAULTS:
            try:
                results = self._run_once(calls, failed, write)
                if write and self._is_lost():
                    # The file was replaced during the commit, so the new one lacks the changes.
                    faults += 1
                elif write or not self._restored:
                    return results, write
                else:
                    write = True
            except _MustWrite:
                write = True
            except OperationFailed as failure:
                if (tampered := self._find_tampering()) is not None:
                    faults += 1
                    self._handle_fault(tampered)
                else:
                    # Run the others again without it. A savepoint for each would cost more.
                    failed[failure.index] = failure.error
            except FAULTS as fault:
                faults += 1
                if not self._is_known_lost():
                    self._handle_fault(fault)
        raise RuntimeError("The notification database keeps failing.")

    def _run_once(
        self, calls: Sequence[Operation[Any]], failed: dict[int, Exception], write: bool
    ) -> list[Any | Exception]:
        if self._is_lost():
            self._reopen()
        if self.mode == "rollback":
            if self._file is not None:
                # SQLite looks for a journal at the start of each transaction.
                self._file.check_sidecars(("-journal",))
            self._fingerprint, self._read_at = self._get_fingerprint(), time.monotonic()
        with self._transaction(write=write) as transaction:
            if write:
                self._maintenance.follow_clock(transaction)
            due = write and transaction.state.is_due(transaction.now_ms)
            if due:
                self._maintenance.expire(transaction)
            results = perform(transaction, calls, failed)
            if due:
                # After the batch, since a silent sender may have sent something in it.
                self._maintenance.interrupt(transaction)
        if write:
            self._maintenance.age.step = None
        return results

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Transaction]:
        db, last = self._connection, self.state
        db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            state = load_state(db)
            state.reset_ms = last.reset_ms
            # The time is read now that the lock is held: what another server wrote while this one
            # waited would otherwise lie in the future.
            now_ms = self._clock()
            age_ms = self._maintenance.age.at(now_ms)
            transaction = Transaction(db, state, now_ms=now_ms, age_ms=age_ms, durable=self.durable)
            self._check_journal_mode()
            # If a backup was restored in place, the file went back in time: start a new epoch.
            back = self._restored or (state.epoch == last.epoch and state.seq < last.seq)
            if not write and (back or state.is_due(transaction.now_ms)):
                raise _MustWrite
            if back:
                state.epoch = os.urandom(8).hex()
                db.execute("UPDATE state SET epoch = ?", (state.epoch,))
            before = state.columns()
            yield transaction
            state.rows += max(state.seq - before[0], 0)
            if state.columns() != before:
                state.clock = self._maintenance.age.record(now_ms)
                db.execute(
                    "UPDATE state SET seq = ?, pruned = ?, welcome = ?, muted_ms = ?, "
                    "reached_ms = ?, clock_ms = ?, steady_ms = ?",
                    (*state.columns(), *state.clock),
                )
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise
        finally:
            if write and self._file is not None:
                self._file.note_write()
        self.state = state
        self._restored = (self._restored and not back) or transaction.restored

    def _maintain(self) -> None:
        """Apply retention when it is due, and shorten the file afterwards."""
        if self._maintenance.is_due(
            self.state.rows,
            lambda: load_state(self._connection).rows,
            lambda: measure(self._connection),
        ):
            self.prune()
            self._shrinks = True
        elif not self._shrinks:
            return
        self._shrinks = shrink(self._connection)
        if self._file is not None:
            self._file.note_write()
            # A look at what was written now, which the next one compares with.
            self._is_lost()

    def prune(self) -> int:
        """Delete the rows that retention does not keep; return their number."""
        deleted = 0
        more = True
        while more:
            with self._transaction(write=True) as transaction:
                count, more = self._maintenance.prune(transaction)
            deleted += count
        return deleted

    def _report_old_sqlite(self) -> str:
        needed = ".".join(map(str, connection.MINIMUM_SQLITE))
        text = (
            "Notifications cannot be stored: this server's Python uses SQLite "
            f"{sqlite3.sqlite_version}, and {needed} or later is needed."
        )
        if self.problem is None:
            self.problem = text
            self._log.warning(text)
        return text

    # Opening and closing

    @property
    def _connection(self) -> sqlite3.Connection:
        assert self._db is not None
        return self._db

    def open(self) -> None:
        """Open the file, or memory if the file cannot be used; never raises because of the file."""
        try:
            self._open_file(self._timings.busy_timeout_s)
        except FAULTS as fault:
            self._handle_fault(fault)

    def close(self) -> None:
        """Close the file, after a last attempt to store what is only in memory."""
        if self._db is not None and not self.durable and self._get_recovery().has_news(self.state):
            self._heal()
        if self._db is not None and self.durable:
            try:
                self._is_lost()
            except FAULTS as fault:
                # Otherwise SQLite would copy a damaged log into the file on closing it.
                self._handle_fault(fault)
        if self._db is not None and self.durable:
            self._keep_clock()
        self._disconnect()

    def _keep_clock(self) -> None:
        """Tell the next server for how long this one has run."""
        record = self._maintenance.age.record(self._clock())
        # Where the file has failed, the next server only believes its clock a little later.
        with suppress(*FAULTS):
            if not self._is_lost():
                wait_ms = self._timings.retry_timeout_s * 1000
                self._connection.execute(f"PRAGMA busy_timeout = {wait_ms:.0f}")
                self._connection.execute(
                    "UPDATE state SET reached_ms = ?, clock_ms = ?, steady_ms = ?", record
                )

    def _disconnect(self) -> None:
        if self._db is not None:
            if self._file is not None:
                self._file.secure_index()
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
            if self._file is not None:
                self._file.end_watch()

    def _open_file(self, timeout_s: float) -> None:
        if self._file is None:
            raise Unusable("no database file is configured")
        db, mode = open_file(self._file, timeout_s, self._timings.busy_timeout_s)
        self._disconnect()
        self._db, self.mode = db, mode
        self._restored = False
        if self._suspect:
            from .faults import check_integrity

            check_integrity(db)
            self._suspect = False
        self.state = load_state(db)
        self._maintenance.age.begin(self.state.clock, newest_ms(db), self._clock())
        self._file.remember_sidecars()

    def _reopen(self) -> None:
        self._log.warning(
            "The notification database %s or its log was deleted or replaced; the present file is "
            "used now.",
            self.path,
        )
        # Write the log back into the file that it belongs to, wherever both are now, and remove it:
        # SQLite would otherwise replay it onto the new file.
        if self._file is not None:
            self._file.secure_index()
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._disconnect()
        if self._file is not None:
            self._file.remove_sidecars()
        self.open()

    def _check_journal_mode(self) -> None:
        """Adapt to a write-ahead log that another program has set; SQLite shows it after a read."""
        if self.mode == "rollback" and self._file is not None:
            if self._connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                return
            if self._file.shared:
                raise Unusable(explain_foreign_log(self._file))
            self.mode = "wal"

    def _is_lost(self) -> bool:
        """Return whether what is written now would be lost with this process.

        Fails, and so makes the engine fall back to memory, if the file's path leads nowhere.
        """
        return (
            self._file is not None
            and self.durable
            and self._file.is_lost(has_log=self.mode == "wal")
        )

    def _is_known_lost(self) -> bool:
        """Return whether another file is there, after a fault; False if that is unknown."""
        try:
            return self._is_lost()
        except (OSError, Damaged):
            return False

    def _get_fingerprint(self) -> tuple[int, ...] | None:
        return None if self._file is None else self._file.fingerprint()

    def _is_quiet(self) -> bool:
        """Return whether nothing is due, and a shared file is unchanged since it was last read."""
        return (
            self.mode == "rollback"
            and self._fingerprint is not None
            and time.monotonic() - self._read_at < self._timings.quiet_s
            and not self._restored
            and not self.state.is_due(self._clock())
            and self._get_fingerprint() == self._fingerprint
        )

    # Failing and healing

    def _get_recovery(self) -> Recovery:
        if self._recovery is None:
            # What is imported at a fault: it may be that no file can be opened then.
            import_module(".faults", __package__)
            self._recovery = self._make_recovery()
        return self._recovery

    def _handle_fault(self, fault: Exception) -> None:
        """Go on after ``fault``: with a new file if it is corrupt, or else in memory."""
        if self._file is not None:
            self._file.secure_index()
        salvage = self._get_recovery().salvage(self._db, self.path, self._timings.retry_timeout_s)
        from .faults import explain, find_cause, quarantine

        if isinstance(fault, Damaged):
            self._read_anew(fault, salvage)
            return
        fault = find_cause(fault, self._file)
        if self._file is not None and is_corrupt(fault):
            quarantined = quarantine(self._file, self._timings.busy_timeout_s, self._log)
            # Another server of this home directory may have been faster.
            if self._file.is_replaced():
                self._disconnect()
                try:
                    self._open_file(self._timings.busy_timeout_s)
                    with self._transaction(write=True) as transaction:
                        self._get_recovery().restore(transaction, salvage)
                except FAULTS as other:
                    fault = other
                else:
                    self._log.warning(
                        "The notification database %s was corrupt (%s). It was set aside as %s, "
                        "and a new one was started with the %d notifications that could be read.",
                        *(self.path, fault, quarantined or "another file", len(salvage.rows)),
                    )
                    return
        self._fall_back_to_memory(explain(fault, self._file), salvage)

    def _find_tampering(self) -> Exception | None:
        """Return the fault of a file that holds what was never stored; None if it holds nothing.

        An operation that fails unexpectedly may have met such a value.
        """
        if not self.durable:
            # Memory holds only what was looked at before.
            return None
        # Imported with the recovery, which was made before the first operation.
        from .soundness import find_unsound

        try:
            table = find_unsound(self._connection)
        except FAULTS as fault:
            return fault
        if table is None:
            return None
        return sqlite3.DatabaseError(f"malformed: the table {table} holds a value of another kind")

    def _read_anew(self, fault: Damaged, salvage: Salvage) -> None:
        """Go on with what the next process would find in the file, and store again what it lacks.

        What SQLite still holds in memory may be more than that, so memory takes over in between.
        """
        from .faults import explain

        assert self._file is not None
        self._log.warning(
            "Another program has changed the notification database %s while it was in use (%s). It "
            "is read anew, and what is missing in it is stored again as far as it is known.",
            *(self.path, fault),
        )
        self._file.begin_anew(self._timings.retry_timeout_s)
        self._suspect = True
        self._begin_in_memory(explain(fault, self._file), salvage)
        self._heal()
        if not self.durable and time.monotonic() >= self._heal_at:
            # It is corrupt and was set aside, so that a new one can be begun at once.
            self._heal()

    def _fall_back_to_memory(self, problem: str, salvage: Salvage) -> None:
        """Go on in memory, with the newest rows of the file, and say so."""
        self._begin_in_memory(problem, salvage)
        if self.path is None:
            self._log.info("Notifications are kept in memory only: %s.", problem)
        else:
            self._log.warning(
                "Notifications are kept in memory only and will be lost when this server stops: "
                "%s. The file is tried again automatically.",
                problem,
            )

    def _begin_in_memory(self, problem: str, salvage: Salvage) -> None:
        """Go on in memory, with the newest rows of the file.

        Memory has an epoch of its own, because the file will use the same numbers again if the
        process ends.
        """
        self._disconnect()
        if self._file is not None:
            self._file.forget()
        self._db = connect(":memory:")
        migrate(self._db, 0, None)
        self.mode, self.problem = "memory", problem
        self.state = load_state(self._db)
        with self._transaction(write=True) as transaction:
            self._get_recovery().restore(transaction, salvage)
        self._get_recovery().begin(salvage, self.state)
        self._heal_at = time.monotonic() + self._timings.heal_interval_s

    def _heal(self) -> None:
        """Try the file again, and store in it what memory has received in the meantime."""
        memory, state, self._db = self._connection, self.state, None
        try:
            self._open_file(self._timings.retry_timeout_s)
            same = self._get_recovery().is_origin(self.state)
            self._restored = self._get_recovery().is_older(self.state)
            with self._transaction(write=True) as transaction:
                self._get_recovery().merge(transaction, memory, state.reset_ms, same=same)
        except FAULTS as fault:
            self._disconnect()
            self._db, self.mode, self.state = memory, "memory", state
            self._heal_at = time.monotonic() + self._timings.heal_interval_s
            self._report_still_failing(fault)
            return
        memory.close()
        self.problem = None
        self._log.info(
            "The notification database %s works again; everything received meanwhile is stored.",
            self.path,
        )

    def _report_still_failing(self, fault: Exception) -> None:
        from .faults import explain, find_cause, quarantine

        fault = find_cause(fault, self._file)
        problem = explain(fault, self._file)
        if self._file is not None:
            if is_corrupt(fault):
                quarantined = quarantine(self._file, self._timings.busy_timeout_s, self._log)
                if quarantined:
                    self._heal_at = 0.0
                    problem += f". It was set aside as {quarantined}"
            self._file.forget()
        if problem != self.problem:
            self.problem = problem
            self._log.warning("Notifications are still kept in memory only: %s.", problem)


def _readable(text: str) -> str:
    """Return a text that UTF-8 can encode, since a file's name may hold any bytes."""
    return text.encode("utf-8", "backslashreplace").decode()
