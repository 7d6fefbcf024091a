"""Change rows without a request: expiry, silent senders, retention.

The engine calls this with each batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..timings import StorageTimings
from .age import AgeReference
from .retention import Retention
from .state import ACTIVE, CLEAR_USER_STATES
from .transaction import Transaction

#: Marks a message whose sender's heartbeat did not come in time. The heartbeat counts from the
#: request, ``created_ms`` from the transaction, which may come milliseconds later.
INTERRUPT = f"""
    UPDATE notifications SET
        seq = :seq, position = :seq, type = 'warning', updated_ms = :now,
        stopped_ms = max(created_ms, interrupt_ms - coalesce(heartbeat_ms, 0)),
        interrupt_ms = NULL, heartbeat_ms = NULL,
        {CLEAR_USER_STATES}
    WHERE id = :id"""
#: Marks a question whose program no longer waits for the answer. It is no news to the user, and
#: it can be answered again if the program was only suspended, so the heartbeat stays.
LEAVE_UNANSWERED = """
    UPDATE notifications SET
        seq = :seq, stopped_ms = max(created_ms, interrupt_ms - heartbeat_ms), interrupt_ms = NULL
    WHERE id = :id"""

#: Number of writing batches after which the database is measured. A batch may hold 16 MB, but the
#: rate limit bounds how much comes in.
MEASURE_AFTER = 4


class Maintenance:
    """Expires, interrupts and deletes rows.

    Parameters
    ----------
    retention
        How much is kept.
    wake_snoozed
        Brings back what was snoozed until now.
    prune
        Deletes a chunk of superfluous rows; see ``pruning.prune``.
    timings
        Waits and intervals.
    monotonic
        Returns monotonic seconds.
    """

    def __init__(
        self,
        retention: Retention,
        wake_snoozed: Callable[[Transaction], None],
        prune: Callable[[Transaction, Retention], tuple[int, bool]],
        timings: StorageTimings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.retention = retention
        self._wake_snoozed = wake_snoozed
        self._prune = prune
        #: The time against which age counts.
        self.age = AgeReference(monotonic)
        self._timings = timings or StorageTimings()
        self._prune_at = 0.0
        #: Number of batches that have written since the database was measured.
        self._batches = 0
        #: The overdue notifications by id: when the heartbeat was due, and when it was first
        #: found missing.
        self._silent: dict[str, tuple[int, int]] = {}

    def expire(self, transaction: Transaction) -> None:
        """End messages, snoozes and do-not-disturb on time; called before a batch's operations."""
        # Imported here, since a server without messages has nothing to end.
        from .expiry import bring_back, expire_due
        from .quiet import end_quiet

        bring_back(transaction)
        expire_due(transaction)
        self._wake_snoozed(transaction)
        end_quiet(transaction)

    def follow_clock(self, transaction: Transaction) -> None:
        """Let a clock that is set right end nothing; called before anything may expire."""
        if self.age.step is not None:
            from .expiry import move_expiry

            move_expiry(transaction, self.age.step)

    def interrupt(self, transaction: Transaction) -> None:
        """Mark the messages of silent senders; called after a batch's operations."""
        now = transaction.now_ms
        overdue = transaction.execute(
            "SELECT id, interrupt_ms, type = 'in-progress' FROM notifications "
            f"WHERE interrupt_ms <= ? AND {ACTIVE}",
            (now,),
        ).fetchall()
        known = self._silent
        self._silent = {
            id_: (ms, known[id_][1] if id_ in known and known[id_][0] == ms else now)
            for id_, ms, _ in overdue
        }
        for id_, _, is_progress in overdue:
            if now - self._silent[id_][1] >= self._timings.second_look_ms:
                transaction.execute(
                    INTERRUPT if is_progress else LEAVE_UNANSWERED,
                    {"seq": transaction.next_seq(), "now": now, "id": id_},
                )

    # Retention

    def is_due(
        self, at_most: int, count_rows: Callable[[], int], measure: Callable[[], int]
    ) -> bool:
        """Return whether ``prune`` should run now.

        Parameters
        ----------
        at_most
            An upper bound of the number of rows.
        count_rows
            Counts the rows. Called only if there may be too many, since a statement for each batch
            costs throughput.
        measure
            Returns the size of the database. Called only every few batches.
        """
        keep = self.retention.count
        # A tenth more than is kept, so that not every new message deletes another.
        limit = keep + max(keep // 10, 1)
        crowded = keep and at_most > limit and count_rows() > limit
        self._batches += 1
        large = False
        if self._batches >= MEASURE_AFTER and self.retention.size:
            self._batches = 0
            large = measure() > self.retention.size * 1.1
        if not (crowded or large) and time.monotonic() < self._prune_at:
            return False
        self._prune_at = time.monotonic() + self._timings.prune_interval_s
        return True

    def prune_soon(self) -> None:
        """Let ``prune`` run after the next batch that writes."""
        self._prune_at = 0.0

    def prune(self, transaction: Transaction) -> tuple[int, bool]:
        """Delete a chunk of superfluous rows; return their number, and whether to go on."""
        return self._prune(transaction, self.retention)
