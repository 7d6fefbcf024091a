"""The user's quiet: do not disturb, which holds for a while, and muted sources."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..exceptions import Conflict
from ..limits import MAX_MUTED, MAX_QUIET_S
from .fields import rfc3339
from .transaction import Transaction

if TYPE_CHECKING:
    from .shapes import Quiet

#: The name of do-not-disturb's row; no source has an empty name.
EVERYTHING = ""
#: Number of unmuted sources that are remembered, so that other servers learn of the unmuting.
MAX_UNMUTED = 100


class QuietChange(NamedTuple):
    """A change of do-not-disturb and muted sources; a field that is None changes nothing.

    Parameters
    ----------
    do_not_disturb
        Whether nothing shall pop up.
    until_ms
        When do-not-disturb ends; None: when the user turns it off.
    mute, unmute
        A source whose messages shall go to the center only, or no longer.
    keeps_end
        Whether do-not-disturb keeps its end if it is on already: a switch that knows of no end is
        turned on.
    """

    do_not_disturb: bool | None = None
    until_ms: int | None = None
    mute: str | None = None
    unmute: str | None = None
    keeps_end: bool = False


class UntoldQuiet(NamedTuple):
    """An entry that a central service was not told of yet.

    Parameters
    ----------
    source
        The source; empty for do-not-disturb.
    on, until_ms
        Whether it is muted, and until when.
    changed_ms, age_ms
        When the user changed it, and how long ago that is.
    """

    source: str
    on: bool
    until_ms: int | None
    changed_ms: int
    age_ms: int


class SharedQuiet(NamedTuple):
    """An entry as a central service has it, which all servers of the user follow.

    Parameters
    ----------
    source, on, until_ms
        As in ``UntoldQuiet``.
    stamp
        When the user changed it, by the service's clock: the last change counts.
    """

    source: str
    on: bool
    until_ms: int | None
    stamp: int


class QuietRepository:
    """The table ``quiet``: a row for each source that was muted, and one for do-not-disturb.

    The row of do-not-disturb stays when do-not-disturb ends. Without that row, do-not-disturb was
    never turned on here, and tabs follow JupyterLab's own switch.
    """

    def read(self, transaction: Transaction) -> Quiet | None:
        """Return what holds; None if nothing is muted and do-not-disturb was never changed."""
        rows = transaction.execute(
            "SELECT source, active, until_ms FROM quiet WHERE active OR source = ? ORDER BY source",
            (EVERYTHING,),
        ).fetchall()
        if not rows:
            return None
        if not all(isinstance(source, str) for source, _, _ in rows):
            raise sqlite3.DatabaseError("malformed row: its source is not text")
        everything = next((row for row in rows if row[0] == EVERYTHING), None)
        on = None if everything is None else bool(everything[1])
        return {
            "doNotDisturb": on,
            "until": rfc3339(everything[2]) if everything is not None and on else None,
            "muted": [source for source, _, _ in rows if source != EVERYTHING],
        }

    def change(self, transaction: Transaction, change: QuietChange) -> Quiet | None:
        """Apply a change, and return what holds then.

        Raises
        ------
        Conflict
            If too many sources are muted already, or the end lies in the past or too far ahead.
        """
        if change.do_not_disturb and change.until_ms is not None:
            ahead_ms = change.until_ms - transaction.now_ms
            if not 0 < ahead_ms <= MAX_QUIET_S * 1000:
                raise Conflict(
                    "The end of do-not-disturb must lie in the future, at most a year ahead."
                )
        if change.unmute is not None:
            _unmute(transaction, change.unmute)
        if change.mute is not None:
            (others,) = transaction.execute(
                "SELECT count(*) FROM quiet WHERE active AND source NOT IN (?, ?)",
                (EVERYTHING, change.mute),
            ).fetchone()
            if others >= MAX_MUTED:
                raise Conflict(f"{MAX_MUTED} sources are muted, which is the most: unmute another.")
            _set(transaction, change.mute, True)
        if change.do_not_disturb is not None and not (
            change.do_not_disturb and change.keeps_end and _is_active(transaction, EVERYTHING)
        ):
            _set(transaction, EVERYTHING, change.do_not_disturb, change.until_ms)
        # The new seq tells tabs and other servers of the change.
        transaction.next_seq()
        return self.read(transaction)

    def untold(self, transaction: Transaction) -> list[UntoldQuiet]:
        """Return what the user has changed and the central service does not know yet."""
        return _unsent(transaction, "stamp IS NULL")

    def adopt(
        self,
        transaction: Transaction,
        entries: Iterable[SharedQuiet],
        sent: Sequence[UntoldQuiet] = (),
    ) -> list[UntoldQuiet]:
        """Take over what the user changed at another server.

        Parameters
        ----------
        transaction
            A transaction that writes.
        entries
            All entries of the central service.
        sent
            What the service was told before it answered with these entries.

        Returns
        -------
        list of UntoldQuiet
            What holds here and the service has lost, as after a restore of its database.
        """
        told = {entry.source: entry.changed_ms for entry in sent}
        rows = {
            row[0]: row[1:]
            for row in transaction.execute(
                "SELECT source, active, until_ms, changed_ms, stamp FROM quiet"
            )
        }
        changed = False
        stamps: dict[str, int] = {}
        for entry in entries:
            stamps[entry.source] = entry.stamp
            known = rows.get(entry.source)
            if known is None and not entry.on and entry.source != EVERYTHING:
                continue
            active, until_ms, changed_ms, stamp = known or (0, None, 0, 0)
            if stamp is None:
                if told.get(entry.source) != changed_ms:
                    # The user has changed the entry since, and the service is told of that next.
                    continue
            elif stamp >= entry.stamp:
                continue
            here = SharedQuiet(entry.source, bool(active), until_ms, entry.stamp)
            there = _present(entry, transaction.now_ms)
            if known is None or not _is_same(here, there):
                here, changed = there, True
            transaction.execute(
                "INSERT OR REPLACE INTO quiet (source, active, until_ms, changed_ms, stamp) "
                "VALUES (?, ?, ?, ?, ?)",
                (here.source, int(here.on), here.until_ms, here.stamp, here.stamp),
            )
        self.refuse(transaction, (entry for entry in sent if entry.source not in stamps))
        if changed:
            _forget(transaction)
            transaction.next_seq()
        held = transaction.execute("SELECT source, stamp FROM quiet WHERE active AND stamp > 0")
        lost = {source for source, stamp in held if stamps.get(source, 0) < stamp}
        return [row for row in _unsent(transaction, "active") if row.source in lost]

    def refuse(self, transaction: Transaction, sent: Iterable[UntoldQuiet]) -> None:
        """Mark what the central service does not accept, so that it holds at this server only."""
        for entry in sent:
            transaction.execute(
                "UPDATE quiet SET stamp = 0 WHERE source = ? AND changed_ms = ?",
                (entry.source, entry.changed_ms),
            )


def end_quiet(transaction: Transaction) -> None:
    """End the entries whose time has come."""
    ended = transaction.execute(
        "UPDATE quiet SET active = 0, until_ms = NULL WHERE until_ms <= ?", (transaction.now_ms,)
    ).rowcount
    if ended:
        transaction.next_seq()


def _set(transaction: Transaction, source: str, active: bool, until_ms: int | None = None) -> None:
    # Each change has a later time than the change before, even if the clock was set back.
    transaction.execute(
        "INSERT INTO quiet (source, active, until_ms, changed_ms) "
        "VALUES (:source, :on, :end, :now) "
        "ON CONFLICT (source) DO UPDATE SET active = :on, until_ms = :end, "
        "changed_ms = max(:now, changed_ms + 1), stamp = NULL",
        {
            "source": source,
            "on": int(active),
            "end": until_ms if active else None,
            "now": transaction.now_ms,
        },
    )


def _is_active(transaction: Transaction, source: str) -> bool:
    active = transaction.execute("SELECT 1 FROM quiet WHERE source = ? AND active", (source,))
    return active.fetchone() is not None


def _unmute(transaction: Transaction, source: str) -> None:
    if _is_active(transaction, source):
        _set(transaction, source, False)
        _forget(transaction)


def _forget(transaction: Transaction) -> None:
    """Forget which sources were unmuted long ago."""
    transaction.execute(
        "DELETE FROM quiet WHERE source IN (SELECT source FROM quiet "
        "WHERE NOT active AND source <> ? ORDER BY changed_ms DESC LIMIT -1 OFFSET ?)",
        (EVERYTHING, MAX_UNMUTED),
    )


def _present(entry: SharedQuiet, now_ms: int) -> SharedQuiet:
    """Return an entry without an end that has passed."""
    if entry.on and entry.until_ms is not None and entry.until_ms <= now_ms:
        return entry._replace(on=False, until_ms=None)
    return entry if entry.on else entry._replace(until_ms=None)


def _is_same(here: SharedQuiet, there: SharedQuiet) -> bool:
    """Return whether two entries say the same; the service keeps whole seconds only."""
    if here.on != there.on or (here.until_ms is None) != (there.until_ms is None):
        return False
    return abs((here.until_ms or 0) - (there.until_ms or 0)) < 1000


def _unsent(transaction: Transaction, where: str) -> list[UntoldQuiet]:
    return [
        UntoldQuiet(source, bool(on), until_ms, changed_ms, max(transaction.now_ms - changed_ms, 0))
        for source, on, until_ms, changed_ms in transaction.execute(
            f"SELECT source, active, until_ms, changed_ms FROM quiet WHERE {where} ORDER BY source"
        )
    ]
