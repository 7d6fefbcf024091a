"""The rules of a snooze, the same for notifications and broadcasts.

A snooze is one time. Each lab brings a message back by itself when that has come, and says so; the
first to say it makes the message unread here, which the others hear as any other change. So what
the user does with it afterwards is not undone by a lab that was away at the time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..errors import Invalid
from ..models.stored import ENDED, BroadcastUserState, StoredState
from ..schema import now

__all__ = ["is_snoozed", "snoozed", "woken"]

#: A year, and a day for the clocks of labs, which allow their users a year.
LONGEST = timedelta(days=367)
#: A lab whose clock is ahead by less may bring it back.
CLOCKS = timedelta(minutes=1)

State = StoredState | BroadcastUserState


def is_snoozed(state: State) -> bool:
    """Return whether something is snoozed, or was and nobody has said yet that it is over."""
    return state.snoozed_until not in (None, ENDED)


def snoozed(state: State, until: datetime | None) -> dict[str, Any]:
    """Return the columns that a snooze changes; none if it is so already.

    Parameters
    ----------
    state
        What the user did so far.
    until
        Its end; `None` if the user brings the message back as it was. A lab that was offline
        may tell of an end that has passed; that it is over it tells next.

    Raises
    ------
    Invalid
        If it is too far ahead.
    """
    if until is None:
        return {"snoozed_until": ENDED} if is_snoozed(state) else {}
    if until > now() + LONGEST:
        raise Invalid("A snooze may end a year ahead at most", ["body", "until"])
    return {} if state.snoozed_until == until else {"snoozed_until": until}


def woken(state: State) -> dict[str, Any]:
    """Return the columns that change as a snooze ends by itself.

    None do unless its time has come: another lab may have said so before, and the user may have
    snoozed it again since. Nor is undone what the user did after its end, in a lab that did not
    know of it. One that was never told of began before the service knew what a snooze is.
    """
    until = state.snoozed_until
    if until == ENDED or (until is not None and until > now() + CLOCKS):
        return {}
    done = {"read": state.read, "dismissed": state.dismissed}
    undone = {
        name: None for name, at in done.items() if at is not None and (until is None or at <= until)
    }
    return {"snoozed_until": ENDED, **undone} if undone or until is not None else {}
