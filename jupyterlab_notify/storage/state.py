"""The meaning of a notification's states in SQL; ``src/state.ts`` is the same in TypeScript.

A test compares the two on every combination. The indexes in ``schema`` repeat these conditions
word for word, because SQLite uses a partial index only for exactly its own condition.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

#: Rows that are neither revoked nor expired. All others are tombstones.
ACTIVE = "revoked_ms IS NULL AND expired_ms IS NULL"
INBOX = f"{ACTIVE} AND dismissed_ms IS NULL AND snoozed_until_ms IS NULL"
UNREAD = f"{INBOX} AND read_ms IS NULL"
DISMISSED = f"{ACTIVE} AND dismissed_ms IS NOT NULL"
#: Rows that stay out of the inbox until a time that the user chose.
SNOOZED = f"{ACTIVE} AND dismissed_ms IS NULL AND snoozed_until_ms IS NOT NULL"
#: The rows that toasts and the banner may show: those that the user has not closed there.
PRESENTABLE = f"{INBOX} AND closed_ms IS NULL"
#: Rows that stay visible however old they are: banners, and toasts that do not close by themselves.
PINNED = (
    f"{PRESENTABLE} AND (banner = 1 OR (read_ms IS NULL AND "
    "(auto_close = 'false' OR type = 'in-progress')))"
)

#: The conditions of the list's views, by their name in a query.
VIEWS = {"inbox": INBOX, "unread": UNREAD, "dismissed": DISMISSED, "snoozed": SNOOZED}


class UserState(NamedTuple):
    """A state that the user sets and clears.

    Parameters
    ----------
    column
        The column that holds the time at which it was set, or until which it lasts.
    condition
        The condition for setting it, as SQL that begins with ``AND``.
    set_event, clear_event
        The names of the events for setting and clearing it.
    implied
        The column of a state that is set with it, unless the change says otherwise.
    until
        Whether the user says how long it lasts; then setting it means setting that time.
    """

    column: str
    condition: str
    set_event: str
    clear_event: str
    implied: str | None = None
    until: bool = False


#: The states by their name in ``StateChange``.
USER_STATES = {
    "read": UserState("read_ms", "", "read", "unread"),
    # Whoever closes a toast or banner has read it.
    "closed": UserState("closed_ms", " AND dismissable", "closed", "reopened", "read_ms"),
    "dismissed": UserState("dismissed_ms", " AND dismissable", "dismissed", "restored"),
    "snoozed_until_ms": UserState(
        "snoozed_until_ms",
        " AND dismissable AND dismissed_ms IS NULL",
        "snoozed",
        "unsnoozed",
        until=True,
    ),
}

#: The assignments that clear all these states, for a row that asks for attention again.
CLEAR_USER_STATES = ", ".join(f"{state.column} = NULL" for state in USER_STATES.values())
#: The assignments that set the states that a row lacks. Each parameter has its column's name.
ADD_USER_STATES = ", ".join(
    f"{state.column} = coalesce({state.column}, :{state.column})" for state in USER_STATES.values()
)


class StateChange(NamedTuple):
    """A change of states by the user; a state that is None stays as it is.

    ``snoozed_until_ms`` is the time until which rows are snoozed; False brings them back.
    """

    read: bool | None = None
    closed: bool | None = None
    dismissed: bool | None = None
    snoozed_until_ms: int | Literal[False] | None = None

    def sql(self, now_ms: int) -> tuple[str, str]:
        """Return the SQL condition for the rows that change, and the assignments for them."""
        wanted = []
        sets = []
        said = {
            state.column for name, state in USER_STATES.items() if getattr(self, name) is not None
        }
        for name, state in USER_STATES.items():
            on = getattr(self, name)
            if on is None:
                continue
            # A row that has the state already keeps its time, unless the user chose another time.
            time_ms = int(on) if state.until else now_ms
            lacks = f"{state.column} IS NOT {time_ms}" if state.until else f"{state.column} IS NULL"
            missing = f"{lacks}{state.condition}"
            # Not ``if on``: a time may be 0.
            if on is not False:
                wanted.append(f"({missing})")
                sets.append(
                    f"{state.column} = CASE WHEN {missing} THEN {time_ms} ELSE {state.column} END"
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
        """Return the names of the change's events."""
        return [
            state.clear_event if getattr(self, name) is False else state.set_event
            for name, state in USER_STATES.items()
            if getattr(self, name) is not None
        ]
