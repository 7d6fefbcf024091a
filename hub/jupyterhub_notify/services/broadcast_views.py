"""Makes the wire's models from stored broadcasts."""

from __future__ import annotations

from ..models.broadcasts import (
    AdminBroadcast,
    Broadcast,
    BroadcastChanged,
    BroadcastGone,
)
from ..models.common import category_of
from ..models.stored import BroadcastUserState, StoredBroadcast
from .content import formatted_body, formatted_summary
from .maintenance import countdown_of, summary_of, type_of

__all__ = ["BroadcastViews"]


class BroadcastViews:
    """Renders broadcasts for their readers and senders."""

    def reader(self, stored: StoredBroadcast) -> Broadcast:
        """Return a broadcast as its reader sees it, with the reader's state."""
        state = stored.user_state
        return Broadcast.model_validate(
            {
                **stored.options,
                "id": stored.id,
                "summary": formatted_summary(summary_of(stored)),
                "body": formatted_body(stored.body),
                "active": stored.active,
                "enabled": stored.enabled,
                "stale": stored.stale,
                "category": category_of(type_of(stored)),
                "type": type_of(stored),
                "countdown": countdown_of(stored),
                "sender": stored.sender,
                "key": stored.key,
                "created": stored.created,
                "starts": stored.occurrence,
                "ends": stored.occurrence_ends,
                "updated": None if stored.updated == stored.created else stored.updated,
                "read": state.read,
                "dismissed": state.dismissed,
                "snoozed_until": state.snoozed_until,
                "accepted": state.accepted,
                "replied": state.replied,
                "answer": state.reply,
            }
        )

    def changed(self, id_: str, state: BroadcastUserState) -> BroadcastChanged:
        """Return the event data of a user's act on a broadcast."""
        return BroadcastChanged(
            id=id_,
            read=state.read,
            dismissed=state.dismissed,
            snoozed_until=state.snoozed_until,
            accepted=state.accepted,
            replied=state.replied,
            answer=state.reply,
        )

    def gone(self, stored: StoredBroadcast) -> BroadcastGone:
        """Return the event data for a broadcast that is no longer shown."""
        return BroadcastGone(id=stored.id, reason="ended" if stored.revoked is None else "revoked")

    def admin(self, stored: StoredBroadcast, counts: dict[str, int]) -> AdminBroadcast:
        """Return a broadcast as senders and administrators see it."""
        return AdminBroadcast.model_validate(
            {
                **stored.options,
                **stored.schedule,
                "id": stored.id,
                "created": stored.created,
                "updated": stored.updated,
                "sender": stored.sender,
                "summary": stored.summary,
                "body": stored.body,
                "type": stored.type,
                "audience": stored.audience,
                "active": stored.active,
                "enabled": stored.enabled,
                "stale": stored.stale,
                "counts": stored.counts if stored.counts is not None else counts,
                "origin": stored.origin,
                "users": stored.users,
                "groups": stored.groups,
                "key": stored.key,
                "occurrence": stored.occurrence,
                "next_change": stored.next_change,
                "revoked": stored.revoked,
            }
        )
