"""Shared parts of the wire: texts, times, types, actions, replies."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..visible import is_blank

__all__ = [
    "MAX_BODY",
    "MAX_SUMMARY",
    "Action",
    "Category",
    "CreateAction",
    "CreateReplyRequest",
    "FormattedText",
    "Ids",
    "Key",
    "Model",
    "Name",
    "PlainJson",
    "ReplyRequest",
    "Snooze",
    "Text",
    "Type",
    "Utc",
    "category_of",
]

MAX_SUMMARY = 4096
MAX_BODY = 32 * 1024
MAX_DEPTH = 20


def _storable(value: str) -> str:
    """Refuse text that PostgreSQL cannot store, with every database."""
    if "\x00" in value:
        raise ValueError("a NUL character is not allowed")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is not allowed") from None
    return value


def _visible(value: str) -> str:
    if is_blank(value):
        raise ValueError("must not be blank")
    return value


def _name(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("control characters are not allowed")
    return value


def _utc(value: datetime) -> datetime:
    """Return a time in UTC and whole seconds, as on the wire; without a zone it counts as UTC."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)
    try:
        value = value.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("the time is out of range") from None
    if not 1970 <= value.year <= 9000:
        raise ValueError("the time is out of range")
    return value.replace(microsecond=0)


def _plain_json(value: Any, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"more than {MAX_DEPTH} levels are not allowed")
    if isinstance(value, str):
        _storable(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("NaN and Infinity are not allowed")
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("integers over 63 bits are not allowed")
    elif isinstance(value, dict):
        for key, item in value.items():
            _storable(key)
            _plain_json(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _plain_json(item, depth + 1)
    return value


Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[
    str, Field(min_length=1, max_length=255), AfterValidator(_storable), AfterValidator(_name)
]
Key = Annotated[
    str, Field(min_length=1, max_length=200), AfterValidator(_storable), AfterValidator(_name)
]
Summary = Annotated[
    str,
    Field(min_length=1, max_length=MAX_SUMMARY),
    AfterValidator(_storable),
    AfterValidator(_visible),
]
Body = Annotated[str, Field(max_length=MAX_BODY), AfterValidator(_storable)]
Utc = Annotated[datetime, AfterValidator(_utc)]
PlainJson = Annotated[dict[str, Any], AfterValidator(_plain_json)]
Ids = Annotated[
    set[Annotated[str, Field(max_length=2000), AfterValidator(_storable)]], Field(max_length=10_000)
]

# Fields that messages and broadcasts share: what the user did, and when the content changed
UpdatedAt = Annotated[
    Utc | None, Field(title="Updated", description="Time of its content's last change")
]
DismissedAt = Annotated[
    Utc | None, Field(title="Dismissed", description="Time at which the user put it away")
]
SnoozedUntil = Annotated[
    Utc | None,
    Field(
        title="Snoozed until",
        description="Time until which the user wants it out of sight; one that has passed: no more",
    ),
]
RepliedAt = Annotated[Utc | None, Field(title="Replied", description="Time of the user's answer")]
# The same for events that tell what changed
DismissedOrNull = Annotated[
    Utc | None, Field(title="Dismissed", description="Time at which it was put away, or null")
]
SnoozedOrNull = Annotated[
    Utc | None,
    Field(
        title="Snoozed until",
        description="Time until which it is out of sight; one that has passed: no more; or null, "
        "if it never was",
    ),
]
RepliedOrNull = Annotated[
    Utc | None, Field(title="Replied", description="Time at which it was answered, or null")
]
AnswerOrNull = Annotated[str | None, Field(title="Answer", description="The answer, or null")]
TYPE = Field(title="Type", description="Styling and urgency")

Type = Literal["default", "info", "success", "warning", "error", "in-progress"]
Category = Literal["info", "notice", "outage"]


def category_of(type_: str) -> Category:
    """Return the category of Semaphore that corresponds to a type."""
    return {"error": "outage", "warning": "notice"}.get(type_, "info")  # type: ignore[return-value]


class Model(BaseModel):
    """A part of the wire; it ignores unknown fields, as Semaphore does.

    This is for answers, and for requests of Semaphore's clients and of labs: either end may be
    newer than the other. Requests of senders and administrators refuse unknown fields: a broadcast
    with a misspelt `starts` would be sent at once.
    """

    model_config = ConfigDict(extra="ignore", ser_json_inf_nan="constants")


class Snooze(Model):
    """The end of a snooze."""

    until: Annotated[
        Utc,
        Field(
            title="Until",
            description="Time at which it comes back, a year ahead at most",
        ),
    ]


class FormattedText(Model):
    """Text that is formatted in both Markdown and HTML."""

    gfm: Annotated[str, Field(title="Markdown text", description="GitHub-flavored Markdown")]
    html: Annotated[str, Field(title="HTML text", description="Safe HTML; raw HTML is escaped")]


class Action(Model):
    """A button; one with neither command nor link dismisses."""

    label: Annotated[Summary, Field(title="Label", description="The button's text", max_length=80)]
    caption: Annotated[
        Text | None, Field(title="Caption", description="Its tooltip", max_length=200)
    ] = None
    displayType: Annotated[
        Literal["default", "accent", "warn", "link"] | None,
        Field(title="Display type", description="The button's looks"),
    ] = None
    commandId: Annotated[
        Text | None,
        Field(title="Command", description="A command of JupyterLab's", max_length=200),
    ] = None
    args: Annotated[
        PlainJson | None, Field(title="Arguments", description="Arguments of the command")
    ] = None
    url: Annotated[
        Text | None,
        Field(
            title="Link",
            description="An address of http, https or mailto",
            max_length=2000,
            pattern=r"^(?i:https?://|mailto:|/)",
        ),
    ] = None


class CreateAction(Action, extra="forbid"):
    """A button as its sender writes it."""


class ReplyRequest(Model):
    """Ask the reader for one of some choices, for a text, or for either."""

    prompt: Annotated[
        Text | None, Field(title="Prompt", description="The question", max_length=200)
    ] = None
    choices: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_storable)]],
        Field(title="Choices", description="Buttons to choose from", max_length=10),
    ] = []
    text: Annotated[
        bool, Field(title="Text", description="True if a text may be written instead")
    ] = False


class CreateReplyRequest(ReplyRequest, extra="forbid"):
    """A question as its sender writes it."""
