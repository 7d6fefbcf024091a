"""Makes the wire's models from stored notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..models.notifications import (
    Message,
    MessageChanged,
    MessageGone,
    MessageSummary,
    ServiceNotification,
)
from ..models.stored import StoredNotification, StoredState
from .content import ContentService, formatted_body, formatted_summary

__all__ = ["NotificationViews", "dump"]


def dump(model: Any) -> bytes:
    """Return a model as JSON in one line, without fields that have their default."""
    data: str = model.model_dump_json(exclude_defaults=True)
    return data.encode()


class NotificationViews:
    """Renders notifications for their readers and senders.

    Parameters
    ----------
    content
        Gives the text of a notification.
    """

    def __init__(self, *, content: ContentService) -> None:
        self._content = content

    def summary(self, stored: StoredNotification, url: str) -> MessageSummary:
        """Return a notification for its reader's list."""
        content = self._content.of(stored)
        return MessageSummary.model_validate(
            {
                **content.options,
                "id": str(stored.id),
                "created": stored.created,
                "read": stored.user_state.read,
                "dismissed": stored.user_state.dismissed,
                "snoozed_until": stored.user_state.snoozed_until,
                "summary": formatted_summary(content.summary),
                "url": url,
                "type": content.type,
                "expires": stored.expires,
                "updated": _updated(stored),
            }
        )

    def message(self, stored: StoredNotification) -> Message:
        """Return a notification as a whole for its reader."""
        content = self._content.of(stored)
        state = stored.user_state
        return Message.model_validate(
            {
                **content.options,
                "id": str(stored.id),
                "created": stored.created,
                "read": state.read,
                "dismissed": state.dismissed,
                "snoozed_until": state.snoozed_until,
                "replied": state.replied,
                "answer": state.reply,
                "summary": formatted_summary(content.summary),
                "body": formatted_body(content.body),
                "type": content.type,
                "expires": stored.expires,
                "updated": _updated(stored),
                "sender": stored.service,
                "key": stored.key,
            }
        )

    def changed(self, id_: int, state: StoredState) -> MessageChanged:
        """Return the event data of a user's act on a notification."""
        return MessageChanged(
            id=str(id_),
            read=state.read,
            dismissed=state.dismissed,
            snoozed_until=state.snoozed_until,
            replied=state.replied,
            answer=state.reply,
        )

    def gone(self, stored: StoredNotification) -> MessageGone:
        """Return the event data for a notification that was revoked or has expired."""
        return MessageGone(
            id=str(stored.id), reason="expired" if stored.state == "expired" else "revoked"
        )

    def for_sender(self, stored: StoredNotification, url: str) -> ServiceNotification:
        """Return a notification as its sender sees it."""
        content = self._content.of(stored)
        return ServiceNotification.model_validate(
            {
                **content.options,
                "id": str(stored.id),
                "created": stored.created,
                "read": stored.user_state.read,
                "sender": stored.service,
                "recipient": stored.recipient,
                "group": stored.group,
                "summary": content.summary,
                "body": content.body,
                "url": url,
                "key": stored.key,
                "template": stored.template,
                "data": stored.data,
                "type": content.type,
                "expires": stored.expires,
                "state": stored.state,
            }
        )


def _updated(stored: StoredNotification) -> datetime | None:
    """Return when the content last changed; `None` if it never did."""
    return None if stored.updated == stored.created else stored.updated
