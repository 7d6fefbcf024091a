"""The user's quiet: do not disturb, which holds for a while, and muted sources."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

from ..exceptions import Conflict
from ..limits import MAX_MUTED, MAX_QUIET_S
from .fields import rfc3339
from .transaction import Transaction

#: The row of do-not-disturb; no source has such a name.
EVERYTHING = ""


class Quiet(TypedDict):
    """The shape of ``models.Quiet``."""

    doNotDisturb: bool | None
    until: str | None
    muted: list[str]


class QuietChange(NamedTuple):
    """A change of what the user is left alone by; what is None stays as it is.

    Parameters
    ----------
    do_not_disturb
        Whether nothing shall pop up.
    until_ms
        When that ends; None: when the user says so.
    mute, unmute
        A source whose messages shall go to the center only, or no longer.
    """

    do_not_disturb: bool | None = None
    until_ms: int | None = None
    mute: str | None = None
    unmute: str | None = None


class QuietRepository:
    """The table ``quiet``: a row for each muted source, and one for do-not-disturb.

    That row stays when do-not-disturb ends, so that a tab can tell its end from its never having
    been turned on here, when JupyterLab's own switch counts.
    """

    def read(self, transaction: Transaction) -> Quiet | None:
        """Return what holds; None if the user never changed it."""
        rows = transaction.execute(
            "SELECT source, active, until_ms FROM quiet ORDER BY source"
        ).fetchall()
        if not rows:
            return None
        everything = next((row for row in rows if row[0] == EVERYTHING), None)
        on = None if everything is None else bool(everything[1])
        return {
            "doNotDisturb": on,
            "until": rfc3339(everything[2]) if everything is not None and on else None,
            "muted": [source for source, _, _ in rows if source != EVERYTHING],
        }

    def change(self, transaction: Transaction, change: QuietChange) -> Quiet | None:
        """Change it, and return what holds then.

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
            transaction.execute("DELETE FROM quiet WHERE source = ?", (change.unmute,))
        if change.mute is not None:
            (others,) = transaction.execute(
                "SELECT count(*) FROM quiet WHERE source NOT IN (?, ?)", (EVERYTHING, change.mute)
            ).fetchone()
            if others >= MAX_MUTED:
                raise Conflict(f"{MAX_MUTED} sources are muted, which is the most: unmute another.")
            _set(transaction, change.mute, True)
        if change.do_not_disturb is not None:
            _set(transaction, EVERYTHING, change.do_not_disturb, change.until_ms)
        # Tabs and other servers hear of it as of any other change.
        transaction.next_seq()
        return self.read(transaction)


def end_quiet(transaction: Transaction) -> None:
    """End what has had its time."""
    ended = transaction.execute(
        "UPDATE quiet SET active = 0, until_ms = NULL WHERE until_ms <= ?", (transaction.now_ms,)
    ).rowcount
    if ended:
        transaction.next_seq()


def _set(transaction: Transaction, source: str, active: bool, until_ms: int | None = None) -> None:
    transaction.execute(
        "INSERT OR REPLACE INTO quiet (source, active, until_ms) VALUES (?, ?, ?)",
        (source, int(active), until_ms if active else None),
    )
