"""The user's inbox page: notifications and broadcasts in one list, as in the lab's center."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ..models.broadcasts import Broadcast
from ..models.notifications import Message
from ..rendering import plain_text

__all__ = ["Item", "View", "items_of"]

View = Literal["", "unread", "done"]
EXCERPT = 160


@dataclass(frozen=True, kw_only=True)
class Item:
    """One row.

    Parameters
    ----------
    kind
        The kind, which selects the API's routes that mark it.
    title, excerpt
        Plain text for the closed row.
    summary, body
        Safe HTML for the open row.
    links
        The actions that open an address; the others are commands of the lab.
    """

    kind: Literal["message", "broadcast"]
    id: str
    type: str
    title: str
    excerpt: str
    summary: str
    body: str | None
    sender: str
    created: datetime | None
    read: datetime | None
    dismissed: datetime | None
    dismissable: bool
    must_accept: bool
    accepted: datetime | None
    reply: Any
    answer: str | None
    links: Sequence[Any]

    def fits(self, view: View, words: str) -> bool:
        """Return whether this row belongs to a view of the inbox, and to a search in it."""
        if (self.dismissed is not None) != (view == "done"):
            return False
        if view == "unread" and self.read is not None:
            return False
        text = f"{self.title}\n{self.sender}\n{plain_text(self.body_text)}".casefold()
        return all(word in text for word in words.casefold().split())

    body_text: str = ""


def _item(one: Message | Broadcast, kind: Literal["message", "broadcast"]) -> Item:
    body = one.body.gfm if one.body is not None else ""
    if isinstance(one, Message):
        created: datetime | None = one.created
    else:
        # The first notice of a maintenance may have been due before it was sent, and what recurs
        # may have been changed before it was shown again.
        moments = (one.created, one.starts, one.updated)
        created = max((moment for moment in moments if moment is not None), default=None)
    excerpt = " ".join(plain_text(body, words_only=True).split())
    return Item(
        kind=kind,
        id=one.id,
        type=one.type,
        title=plain_text(one.summary.gfm, block=False),
        excerpt=excerpt[:EXCERPT] + ("…" if len(excerpt) > EXCERPT else ""),
        summary=one.summary.html,
        body=None if one.body is None else one.body.html,
        body_text=body,
        sender=one.sender,
        created=created,
        read=one.read,
        dismissed=one.dismissed,
        dismissable=one.dismissable,
        must_accept=getattr(one, "must_accept", False),
        accepted=getattr(one, "accepted", None),
        reply=one.reply,
        answer=one.answer,
        links=[action for action in one.actions if action.url],
    )


def items_of(
    messages: Iterable[Message], broadcasts: Iterable[Broadcast], *, view: View, words: str
) -> list[Item]:
    """Return the rows of a view, newest first."""
    items = [_item(one, "message") for one in messages]
    items += [_item(one, "broadcast") for one in broadcasts if one.inbox]
    found = [item for item in items if item.fits(view, words)]
    # The sort is stable: within a second the rows keep their order, which is newest first.
    return sorted(
        found, key=lambda item: item.created.timestamp() if item.created else 0.0, reverse=True
    )
