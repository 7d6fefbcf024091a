"""Notifications on the wire: Semaphore's fields first, then what this service adds.

Each added field has a default, and an answer leaves it out while it has its default. So a
notification without these fields looks the same as Semaphore's.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from .common import (
    TYPE,
    Action,
    AnswerOrNull,
    Body,
    CreateAction,
    CreateReplyRequest,
    DismissedAt,
    DismissedOrNull,
    FormattedText,
    Ids,
    Key,
    Model,
    Name,
    PlainJson,
    RepliedAt,
    RepliedOrNull,
    ReplyRequest,
    Snooze,
    SnoozedOrNull,
    SnoozedUntil,
    Summary,
    Text,
    Type,
    UpdatedAt,
    Utc,
)

__all__ = [
    "CreateNotification",
    "CreateOptions",
    "Message",
    "MessageChanged",
    "MessageGone",
    "MessageIds",
    "MessageSummary",
    "Options",
    "PatchNotification",
    "Receipt",
    "ReconcileItem",
    "Reconciled",
    "ServiceNotification",
    "SnoozeMessages",
]

_KEY = Field(
    title="Key",
    description="The same key of the same service to the same recipient replaces the earlier one",
)
_EXPIRES = Field(title="Expires", description="It is shown to nobody after that")
_ACTIONS = Field(title="Actions", description="Buttons", max_length=5)
_REPLY = Field(title="Reply", description="The question to the reader")
_MARKDOWN = "Short summary in Markdown format; inline formatting only."


class Options(Model):
    """The form in which a message is shown, the same for notifications and broadcasts."""

    banner: Annotated[
        bool, Field(title="Banner", description="True to show it across the top too")
    ] = False
    dismissable: Annotated[
        bool, Field(title="Dismissable", description="True if the reader may put it away")
    ] = True
    auto_close: Annotated[
        Annotated[int, Field(ge=0, le=86_400_000)] | bool | None,
        Field(
            title="Auto-close",
            description="false: until dismissed; true: the user's setting; else ms; 0: no toast",
        ),
    ] = None
    actions: Annotated[list[Action], _ACTIONS] = []
    reply: Annotated[ReplyRequest | None, _REPLY] = None
    important: Annotated[
        bool,
        Field(
            title="Important",
            description="True if it also goes to mail and the like while it stays unread",
        ),
    ] = False
    progress: Annotated[
        float | None,
        Field(title="Progress", description="Of type in-progress: from 0 to 1", ge=0, le=1),
    ] = None


class CreateOptions(Options, extra="forbid"):
    """The same, as a sender writes it."""

    actions: Annotated[list[CreateAction], _ACTIONS] = []  # type: ignore[assignment]  # a list of a subclass, which is only ever read
    reply: Annotated[CreateReplyRequest | None, _REPLY] = None


class _Content(CreateOptions):
    """The content of a notification that is sent, apart from its recipients."""

    summary: Annotated[
        Summary | None,
        Field(title="Summary", description=_MARKDOWN, examples=["You are near your disk quota"]),
    ] = None
    body: Annotated[
        Body | None,
        Field(title="Message body", description="Optional body in full Markdown formatting."),
    ] = None
    template: Annotated[
        Name | None,
        Field(title="Template", description="Instead of a summary: the name of a template"),
    ] = None
    data: Annotated[
        PlainJson | None, Field(title="Data", description="Values that fill the template")
    ] = None
    type: Annotated[Type | None, TYPE] = None
    expires: Annotated[Utc | None, _EXPIRES] = None

    @model_validator(mode="after")
    def _one_content(self) -> _Content:
        if self.template is not None and (self.summary is not None or self.body is not None):
            raise ValueError("give either a template or a summary and body, not both")
        if self.template is None and self.data is not None and self.summary is not None:
            raise ValueError("data without a template are of no use")
        return self


class CreateNotification(_Content, extra="ignore"):
    """A notification to send: Semaphore's body, or one of this service's own.

    Beside Semaphore's own fields an unknown one is ignored, as there; beside ours it is refused.
    """

    recipient: Annotated[
        Name | None,
        Field(title="Recipient", description="Username to whom to send the notification."),
    ] = None
    recipients: Annotated[
        list[Name] | None,
        Field(title="Recipients", description="Several usernames", min_length=1, max_length=10_000),
    ] = None
    group: Annotated[
        Name | None,
        Field(title="Group", description="A group, whose members see it while they are members"),
    ] = None
    key: Annotated[Key | None, _KEY] = None
    show_again: Annotated[
        bool | None,
        Field(
            title="Show again",
            description="True if new content for a key is unread again; by default it is, save for "
            "type in-progress",
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not given.keys() & OURS:
            return given
        unknown = [
            InitErrorDetails(type="extra_forbidden", loc=(name,), input=value)
            for name, value in given.items()
            if name not in cls.model_fields
        ]
        if unknown:
            raise ValidationError.from_exception_data(cls.__name__, unknown)
        return given

    @model_validator(mode="after")
    def _complete(self) -> CreateNotification:
        given = [self.recipient, self.recipients, self.group]
        if sum(item is not None for item in given) != 1:
            raise ValueError("give exactly one of recipient, recipients and group")
        if self.summary is None and self.template is None:
            raise ValueError("give a summary or a template")
        return self


#: Fields of a notification that Semaphore does not have.
OURS = CreateNotification.model_fields.keys() - {"recipient", "summary", "body"}


class ReconcileItem(CreateNotification, extra="forbid"):
    """One of the notifications that should be active; its key tells it from the others."""

    key: Annotated[Key, _KEY]


class PatchNotification(_Content):
    """A change; a field that is not there stays."""

    show_again: Annotated[
        bool,
        Field(title="Show again", description="True to make it unread and not dismissed again"),
    ] = False


class Reconciled(Model):
    """The numbers of notifications that a reconciliation created, changed and revoked."""

    created: Annotated[int, Field(title="Created", description="Those that were not there")]
    changed: Annotated[int, Field(title="Changed", description="Those that were different")]
    revoked: Annotated[int, Field(title="Revoked", description="Those not in the list")]
    unchanged: Annotated[int, Field(title="Unchanged", description="Those that were so already")]


class MessageSummary(Options):
    """A user's notification in a list."""

    id: Annotated[str, Field(title="Message ID", description="Opaque and unique")]
    created: Annotated[Utc, Field(title="Created date", description="Time at which it was sent")]
    read: Annotated[
        Utc | None,
        Field(title="Read date", description="Time at which it was read, or null if unread"),
    ]
    summary: Annotated[
        FormattedText, Field(title="Summary", description="Formatted for an inline context")
    ]
    url: Annotated[str, Field(title="URL", description="URL of the whole notification")]
    dismissed: DismissedAt = None
    snoozed_until: SnoozedUntil = None
    type: Annotated[Type, TYPE] = "info"
    expires: Annotated[Utc | None, _EXPIRES] = None
    updated: UpdatedAt = None


class Message(Options):
    """A user's notification as a whole."""

    id: Annotated[str, Field(title="Message ID", description="Opaque and unique")]
    created: Annotated[Utc, Field(title="Created date", description="Time at which it was sent")]
    read: Annotated[
        Utc | None,
        Field(title="Read date", description="Time at which it was read, or null if unread"),
    ]
    summary: Annotated[
        FormattedText, Field(title="Summary", description="Formatted for an inline context")
    ]
    body: Annotated[
        FormattedText | None,
        Field(title="Message body", description="Formatted for a block context"),
    ]
    dismissed: DismissedAt = None
    snoozed_until: SnoozedUntil = None
    replied: RepliedAt = None
    answer: Annotated[str | None, Field(title="Answer", description="The user's answer")] = None
    type: Annotated[Type, TYPE] = "info"
    expires: Annotated[Utc | None, _EXPIRES] = None
    updated: UpdatedAt = None
    sender: Annotated[str, Field(title="Sender", description="The service that sent it")] = ""
    key: Annotated[Key | None, _KEY] = None


class MessageChanged(Model):
    """A user's act on a message, here or in another lab."""

    id: Annotated[str, Field(title="Message ID", description="The message's id")]
    read: Annotated[
        Utc | None, Field(title="Read date", description="Time at which it was read, or null")
    ]
    dismissed: DismissedOrNull
    snoozed_until: SnoozedOrNull
    replied: RepliedOrNull
    answer: AnswerOrNull


class MessageGone(Model):
    """A message that nobody sees any more."""

    id: Annotated[str, Field(title="Message ID", description="The message's id")]
    reason: Annotated[
        Literal["revoked", "expired"], Field(title="Reason", description="Cause of its end")
    ]


class ServiceNotification(Options):
    """A notification as its sender sees it."""

    id: Annotated[str, Field(title="Message ID", description="Opaque and unique")]
    created: Annotated[Utc, Field(title="Created date", description="Time at which it was sent")]
    read: Annotated[
        Utc | None,
        Field(title="Read date", description="Time at which it was read, or null if unread"),
    ]
    sender: Annotated[str, Field(title="Sender", description="The service that sent it")]
    recipient: Annotated[
        str | None, Field(title="Recipient", description="Username; null where it is a group's")
    ]
    summary: Annotated[str, Field(title="Summary", description=_MARKDOWN)]
    body: Annotated[str | None, Field(title="Message body", description="Markdown, or null")]
    url: Annotated[str, Field(title="URL", description="URL of this notification")]
    group: Annotated[str | None, Field(title="Group", description="The group, if any")] = None
    key: Annotated[Key | None, _KEY] = None
    template: Annotated[Text | None, Field(title="Template", description="Its template")] = None
    data: Annotated[PlainJson | None, Field(title="Data", description="As they were sent")] = None
    type: Annotated[Type, TYPE] = "info"
    expires: Annotated[Utc | None, _EXPIRES] = None
    state: Annotated[
        Literal["active", "revoked", "expired"],
        Field(title="State", description="Its present state"),
    ] = "active"


class Receipt(Model):
    """The state of a notification at one user."""

    user: Annotated[str, Field(title="User", description="The user's name")]
    stored: Annotated[Utc | None, Field(title="Stored", description="Time at which a lab kept it")]
    shown: Annotated[Utc | None, Field(title="Shown", description="Time at which a tab showed it")]
    tabs: Annotated[
        int | None, Field(title="Tabs", description="Number of tabs that showed it at once")
    ]
    read: Annotated[Utc | None, Field(title="Read", description="Time at which it was read")]
    dismissed: Annotated[
        Utc | None, Field(title="Dismissed", description="Time at which it was put away")
    ]
    replied: Annotated[
        Utc | None, Field(title="Replied", description="Time at which it was answered")
    ]
    reply: Annotated[str | None, Field(title="Reply", description="The answer")]


class MessageIds(Model):
    """The ids of messages; unknown ones are ignored."""

    ids: Annotated[Ids, Field(title="Notification IDs", description="Those to mark")]


class SnoozeMessages(MessageIds, Snooze):
    """The ids of messages, and the end of their snooze."""
