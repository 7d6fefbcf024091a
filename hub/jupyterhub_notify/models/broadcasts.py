"""Broadcasts on the wire: Semaphore's fields first, then what this service adds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .common import (
    TYPE,
    AnswerOrNull,
    Body,
    Category,
    DismissedAt,
    DismissedOrNull,
    FormattedText,
    Key,
    Model,
    Name,
    RepliedAt,
    RepliedOrNull,
    SnoozedOrNull,
    SnoozedUntil,
    Summary,
    Text,
    Type,
    UpdatedAt,
    Utc,
)
from .notifications import CreateOptions, Options

__all__ = [
    "OUTCOMES",
    "AdminBroadcast",
    "Audience",
    "Broadcast",
    "BroadcastChanged",
    "BroadcastGone",
    "CreateBroadcast",
    "Delivered",
    "Outcome",
    "PatchBroadcast",
    "Schedule",
    "SentBroadcast",
]

#: The outcome of a broadcast at one recipient; the words are documented in `central.md`.
Outcome = Literal[
    "shown",
    "read",
    "dismissed",
    "replied",
    "stored",
    "waiting",
    "no-extension",
    "refused",
    "not-responding",
    "expired",
    "error",
]
OUTCOMES: tuple[Outcome, ...] = Outcome.__args__  # type: ignore[attr-defined]
Audience = Literal["all", "anonymous", "running", "named"]

_SUMMARY = Field(title="Summary", description="Short summary in Markdown; inline formatting only")
_BODY = Field(title="Body", description="Longer text in full Markdown formatting")
_KEY = Field(title="Key", description="The same key of the same sender replaces the earlier one")
_IN_INBOX = Field(
    title="Inbox", description="True if it is in the center's list, and so a toast first"
)
_MUST_ACCEPT = Field(
    title="Must accept", description="True if the reader has to accept it; Accept alone closes it"
)
_STARTS = Field(title="Starts", description="Time at which it is shown first; at once if missing")
_ENDS = Field(
    title="Ends", description="Time at which it is shown no more; until revoked if missing"
)


class Schedule(Model):
    """The times at which a broadcast is shown."""

    starts: Annotated[Utc | None, _STARTS] = None
    ends: Annotated[Utc | None, _ENDS] = None
    rrule: Annotated[
        Text | None,
        Field(
            title="Recurrence",
            description="A rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO; needs starts and ends, "
            "which are the first occurrence",
            max_length=500,
        ),
    ] = None
    timezone: Annotated[
        Text | None,
        Field(
            title="Time zone",
            description="In which the rule is computed, such as Europe/Berlin; UTC if missing",
            max_length=64,
        ),
    ] = None

    maintenance: Annotated[
        bool,
        Field(
            title="Maintenance",
            description="True if starts and ends are those of a maintenance: it is announced"
            " before, says when it has begun and when it is over, and then withdraws itself",
        ),
    ] = False
    leads_min: Annotated[
        list[Annotated[int, Field(ge=1, le=525_600)]] | None,
        Field(
            title="Advance notices",
            description="Of a maintenance: minutes before it; by default as the site has set",
            max_length=10,
        ),
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> Schedule:
        if self.starts is not None and self.ends is not None and self.ends <= self.starts:
            raise ValueError("ends must be after starts")
        if self.rrule is not None and (self.starts is None or self.ends is None):
            raise ValueError("a recurrence needs starts and ends of its first occurrence")
        if self.maintenance and self.rrule is not None:
            raise ValueError("a maintenance does not recur")
        if self.maintenance and (self.starts is None or self.ends is None):
            raise ValueError("a maintenance needs starts and ends")
        if self.timezone is not None and self.rrule is None and not self.maintenance:
            raise ValueError("a time zone without a recurrence is of no use")
        return self


class _BroadcastOptions(Options):
    """The form in which a broadcast is shown."""

    inbox: Annotated[bool, _IN_INBOX] = True
    must_accept: Annotated[bool, _MUST_ACCEPT] = False


class _CreateBroadcastOptions(CreateOptions, _BroadcastOptions):
    """The same, as a sender writes it."""


class CreateBroadcast(_CreateBroadcastOptions, Schedule, extra="forbid"):
    """A broadcast to send."""

    summary: Annotated[Summary, _SUMMARY]
    body: Annotated[Body | None, _BODY] = None
    type: Annotated[Type | None, TYPE] = None
    category: Annotated[
        Category | None,
        Field(title="Category", description="Instead of a type, as Semaphore says it"),
    ] = None
    audience: Annotated[
        Audience | None,
        Field(
            title="Audience",
            description="all: everyone, on the hub's own pages too; anonymous: only who is not "
            "logged in; running: who has a server running; named: the users and groups given. By "
            "default named if there are any, else all",
        ),
    ] = None
    users: Annotated[
        list[Name], Field(title="Users", description="To these users", max_length=10_000)
    ] = []
    groups: Annotated[
        list[Name], Field(title="Groups", description="To these groups", max_length=1000)
    ] = []
    key: Annotated[Key | None, _KEY] = None
    enabled: Annotated[
        bool, Field(title="Enabled", description="False to hide it even when scheduled")
    ] = True
    hold_s: Annotated[
        int,
        Field(
            title="Hold",
            description="Seconds to hold it, so that its sender may change their mind",
            ge=0,
            le=3600,
        ),
    ] = 0

    @model_validator(mode="after")
    def _to_somebody(self) -> CreateBroadcast:
        named = bool(self.users or self.groups)
        if self.audience is None:
            self.audience = "named" if named else "all"
        elif (self.audience == "named") != named:
            raise ValueError("users and groups go with the audience named, which needs some")
        if self.type is not None and self.category is not None:
            raise ValueError("give either a type or a category, not both")
        return self


class PatchBroadcast(_CreateBroadcastOptions, extra="forbid"):
    """A change; a field that is not there stays. The audience cannot be changed."""

    summary: Annotated[Summary | None, _SUMMARY] = None
    body: Annotated[Body | None, _BODY] = None
    type: Annotated[Type | None, TYPE] = None
    starts: Annotated[Utc | None, _STARTS] = None
    ends: Annotated[Utc | None, _ENDS] = None
    rrule: Annotated[
        Text | None, Field(title="Recurrence", description="A rule of RFC 5545", max_length=500)
    ] = None
    timezone: Annotated[
        Text | None, Field(title="Time zone", description="Of the rule", max_length=64)
    ] = None
    enabled: Annotated[bool | None, Field(title="Enabled", description="False to hide it")] = None
    hold_s: Annotated[
        Literal[0] | None, Field(title="Hold", description="0: send what is held now")
    ] = None
    show_again: Annotated[
        bool,
        Field(title="Show again", description="True to show it anew to those who dismissed it"),
    ] = False


class Broadcast(_BroadcastOptions):
    """A broadcast as its readers see it."""

    id: Annotated[str, Field(title="The message's identifier", description="Opaque and unique")]
    summary: Annotated[FormattedText, _SUMMARY]
    body: Annotated[FormattedText | None, _BODY]
    active: Annotated[bool, Field(title="Active", description="True if it should be displayed now")]
    enabled: Annotated[
        bool, Field(title="Enabled", description="True if it is shown when scheduled")
    ]
    stale: Annotated[bool, Field(title="Stale", description="True if it will never be shown again")]
    category: Annotated[Category, Field(title="Category", description="As Semaphore says it")]
    type: Annotated[Type, TYPE] = "info"
    sender: Annotated[str, Field(title="Sender", description="Name of the sender")] = ""
    key: Annotated[Key | None, _KEY] = None
    created: Annotated[
        Utc | None, Field(title="Created", description="Time at which it was sent")
    ] = None
    starts: Annotated[
        Utc | None, Field(title="Starts", description="Beginning of the present occurrence")
    ] = None
    ends: Annotated[
        Utc | None, Field(title="Ends", description="End of the present occurrence")
    ] = None
    updated: UpdatedAt = None
    countdown: Annotated[
        Utc | None,
        Field(title="Countdown", description="Moments of a maintenance that it counts down to"),
    ] = None
    read: Annotated[
        Utc | None, Field(title="Read", description="Time at which the user read it")
    ] = None
    dismissed: DismissedAt = None
    snoozed_until: SnoozedUntil = None
    accepted: Annotated[
        Utc | None, Field(title="Accepted", description="Time at which the user accepted it")
    ] = None
    replied: RepliedAt = None
    answer: Annotated[str | None, Field(title="Answer", description="The user's answer")] = None


class BroadcastChanged(Model):
    """A user's act on a broadcast, here or in another lab."""

    id: Annotated[str, Field(title="Broadcast ID", description="The broadcast's id")]
    read: Annotated[
        Utc | None, Field(title="Read", description="Time at which it was read, or null")
    ]
    dismissed: DismissedOrNull
    snoozed_until: SnoozedOrNull
    accepted: Annotated[
        Utc | None, Field(title="Accepted", description="Time at which it was accepted, or null")
    ]
    replied: RepliedOrNull
    answer: AnswerOrNull


class BroadcastGone(Model):
    """A broadcast that nobody sees any more, or not now."""

    id: Annotated[str, Field(title="Broadcast ID", description="The broadcast's id")]
    reason: Annotated[
        Literal["revoked", "ended"], Field(title="Reason", description="Cause of its end")
    ]


class AdminBroadcast(_BroadcastOptions):
    """A broadcast as those who send broadcasts see it."""

    id: Annotated[str, Field(title="Broadcast ID", description="Opaque and unique")]
    created: Annotated[Utc, Field(title="Created", description="Time at which it was sent")]
    updated: Annotated[Utc, Field(title="Updated", description="Time of its last change")]
    sender: Annotated[str, Field(title="Sender", description="Name of the sender")]
    summary: Annotated[str, _SUMMARY]
    body: Annotated[str | None, _BODY]
    type: Annotated[Type, TYPE]
    audience: Annotated[Audience, Field(title="Audience", description="Its audience")]
    active: Annotated[bool, Field(title="Active", description="True if it is displayed now")]
    enabled: Annotated[bool, Field(title="Enabled", description="True if it may be displayed")]
    stale: Annotated[
        bool, Field(title="Stale", description="True if it will never be displayed again")
    ]
    counts: Annotated[
        dict[str, int],
        Field(title="Counts", description="Recipients of the latest occurrence by outcome"),
    ]
    origin: Annotated[
        Literal["api", "folder"],
        Field(title="Origin", description="The API, or the folder of broadcasts"),
    ] = "api"
    users: Annotated[list[str], Field(title="Users", description="Named users")] = []
    groups: Annotated[list[str], Field(title="Groups", description="Named groups")] = []
    key: Annotated[Key | None, _KEY] = None
    starts: Annotated[Utc | None, _STARTS] = None
    ends: Annotated[Utc | None, _ENDS] = None
    rrule: Annotated[str | None, Field(title="Recurrence", description="A rule of RFC 5545")] = None
    timezone: Annotated[str | None, Field(title="Time zone", description="Of the rule")] = None
    maintenance: Annotated[
        bool, Field(title="Maintenance", description="True if it is a maintenance")
    ] = False
    leads_min: Annotated[
        list[int] | None, Field(title="Advance notices", description="Minutes before it")
    ] = None
    held_until: Annotated[
        Utc | None,
        Field(title="Held until", description="Time at which it goes out, if it was held"),
    ] = None
    occurrence: Annotated[
        Utc | None, Field(title="Occurrence", description="Beginning of the latest occurrence")
    ] = None
    next_change: Annotated[
        Utc | None, Field(title="Next change", description="Time at which it begins or ends next")
    ] = None
    revoked: Annotated[
        Utc | None, Field(title="Revoked", description="Time at which it was revoked, if it was")
    ] = None


class SentBroadcast(AdminBroadcast):
    """A broadcast that was sent just now."""


class Delivered(Model):
    """The delivery of a broadcast to one server of one recipient."""

    user: Annotated[str, Field(title="User", description="The user's name")]
    server: Annotated[str, Field(title="Server", description="Its name; the default's is empty")]
    outcome: Annotated[Outcome, Field(title="Outcome", description="Its outcome")]
    reason: Annotated[
        str | None, Field(title="Reason", description="Reason of the outcome, where there is one")
    ]
    tabs: Annotated[
        int | None, Field(title="Tabs", description="Number of tabs that showed it at once")
    ]
    reply: Annotated[str | None, Field(title="Reply", description="The user's answer")]
    updated: Annotated[Utc, Field(title="Updated", description="Time since which it is so")]
