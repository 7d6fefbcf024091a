"""What the states of a notification mean, in SQL; ``src/state.ts`` says the same in TypeScript.

A test compares the two on every combination. The indexes in ``schema`` repeat these conditions
word for word: SQLite uses a partial index only for the condition that it was made with.
"""

from __future__ import annotations

from typing import NamedTuple

#: Neither revoked nor expired. All others are tombstones.
ACTIVE = "revoked_ms IS NULL AND expired_ms IS NULL"
INBOX = f"{ACTIVE} AND dismissed_ms IS NULL"
UNREAD = f"{INBOX} AND read_ms IS NULL"
DISMISSED = f"{ACTIVE} AND dismissed_ms IS NOT NULL"
#: What toasts and the banner may show: the user has not closed it there.
PRESENTABLE = f"{INBOX} AND closed_ms IS NULL"
#: What must be in sight however old it is: banners, and what does not close by itself.
PINNED = (
    f"{PRESENTABLE} AND (banner = 1 OR (read_ms IS NULL AND "
    "(auto_close = 'false' OR type = 'in-progress')))"
)

#: The conditions of the list's views, by the name in the query.
VIEWS = {"inbox": INBOX, "unread": UNREAD, "dismissed": DISMISSED}


class UserState(NamedTuple):
    """A state that the user gives a notification and takes from it again.

    Parameters
    ----------
    column
        When it began.
    condition
        What must hold for it to be given, as SQL that begins with ``AND``.
    given, taken
        The events that tell of it.
    implied
        The column of a state that a row is given with it, unless the change says otherwise.
    """

    column: str
    condition: str
    given: str
    taken: str
    implied: str | None = None


#: By the name in ``models.StateChange``.
USER_STATES = {
    "read": UserState("read_ms", "", "read", "unread"),
    # Whoever closes a toast or banner has read it.
    "closed": UserState("closed_ms", " AND dismissable", "closed", "reopened", "read_ms"),
    "dismissed": UserState("dismissed_ms", " AND dismissable", "dismissed", "restored"),
}


class StateChange(NamedTuple):
    """What the user does with notifications; a state that is None stays as it is."""

    read: bool | None = None
    closed: bool | None = None
    dismissed: bool | None = None

    def sql(self, now_ms: int) -> tuple[str, str]:
        """Return the condition for the rows that change, and what is set in them."""
        wanted = []
        sets = []
        said = {
            state.column for name, state in USER_STATES.items() if getattr(self, name) is not None
        }
        for name, state in USER_STATES.items():
            on = getattr(self, name)
            if on is None:
                continue
            missing = f"{state.column} IS NULL{state.condition}"
            if on:
                wanted.append(f"({missing})")
                # A row that has the state already keeps the time at which it got it.
                sets.append(
                    f"{state.column} = CASE WHEN {missing} THEN {now_ms} ELSE {state.column} END"
                )
                implied = state.implied
                if implied is not None and implied not in said:
                    sets.append(
                        f"{implied} = CASE WHEN {missing} "
                        f"THEN coalesce({implied}, {now_ms}) ELSE {implied} END"
                    )
            else:
                wanted.append(f"({state.column} IS NOT NULL)")
                sets.append(f"{state.column} = NULL")
        return " OR ".join(wanted), ", ".join(sets)

    def events(self) -> list[str]:
        """Return the events that tell of it."""
        return [
            state.given if getattr(self, name) else state.taken
            for name, state in USER_STATES.items()
            if getattr(self, name) is not None
        ]
