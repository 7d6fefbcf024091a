"""The rules of a snooze, the same for notifications and broadcasts.

A snooze is the time of its end. When that time has come, each lab brings the message back by itself
and tells the service. The first lab to do so makes the message unread here, and the other labs get
this like any other change. So a lab that was away at the time cannot undo what the user did with
the message afterwards.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..errors import Invalid
from ..models.stored import ENDED, BroadcastUserState, StoredState
from ..schema import now

__all__ = ["is_snoozed", "snoozed", "woken"]

#: Maximum length of a snooze. Labs allow a year; the rest is for leap years and wrong clocks.
LONGEST = timedelta(days=367)
#: A lab may end a snooze this much early, since its clock may be ahead.
CLOCKS = timedelta(minutes=1)

State = StoredState | BroadcastUserState


def is_snoozed(state: State) -> bool:
    """Return whether a message is snoozed; until a lab has reported the end, it still is."""
    return state.snoozed_until not in (None, ENDED)


def snoozed(state: State, until: datetime | None) -> dict[str, Any]:
    """Return the columns that a snooze changes; none if the message has this snooze already.

    Parameters
    ----------
    state
        The user's state so far.
    until
        The end of the snooze; `None` if the user brings the message back as it was. The end may
        have passed: a lab that was offline reports the snooze first, and then its end.

    Raises
    ------
    Invalid
        If the end is too far ahead.
    """
    if until is None:
        return {"snoozed_until": ENDED} if is_snoozed(state) else {}
    if until > now() + LONGEST:
        raise Invalid("A snooze may end a year ahead at most", ["body", "until"])
    return {} if state.snoozed_until == until else {"snoozed_until": until}


def woken(state: State) -> dict[str, Any]:
    """Return the columns that change when a snooze ends by itself.

    None change unless the time has come: another lab may have reported the end before, and the
    user may have snoozed the message again since. What the user did after the end, in a lab that
    did not know of the snooze, is kept. A lab may also end a snooze that the service does not know:
    it began before the service supported snoozing.
    """
    until = state.snoozed_until
    if until == ENDED or (until is not None and until > now() + CLOCKS):
        return {}
    done = {"read": state.read, "dismissed": state.dismissed}
    undone = {
        name: None for name, at in done.items() if at is not None and (until is None or at <= until)
    }
    return {"snoozed_until": ENDED, **undone} if undone or until is not None else {}
