"""The wire format: every message that enters or leaves this server, as pydantic models.

The TypeScript types (``src/wire.ts``) and ``docs/openapi.json`` are generated from here
by ``make types``. Importing pydantic costs a server 7 MB and 0.14 s, so nothing imports
this module before the first message arrives.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from .limits import (
    MAX_ACTIONS,
    MAX_ANSWER,
    MAX_BODY_BYTES,
    MAX_CAPTION,
    MAX_CHOICE,
    MAX_CHOICES,
    MAX_COMMAND,
    MAX_DEPTH,
    MAX_HEARTBEAT_S,
    MAX_IDS,
    MAX_KEY,
    MAX_LABEL,
    MAX_MESSAGE,
    MAX_PROMPT,
    MAX_SOURCE,
    MAX_TIMER_MS,
    MAX_TTL_S,
    MAX_URL,
    MIN_HEARTBEAT_S,
    DisplayType,
    NotificationType,
)
from .visible import VISIBLE, is_blank

#: ``epoch:seq``, as ``storage.Cursor.parse`` reads it.
CURSOR = "^[^:]+:[0-9]{1,16}$"


def _encodable(text: str) -> str:
    """Refuse half of a surrogate pair, which no UTF-8 file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair, which is no Unicode text") from None
    return text


def _shallow(value: Any) -> Any:
    """Refuse JSON that nests too deeply or holds a number that no browser can parse."""
    stack = [(value, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"nests deeper than {MAX_DEPTH} levels")
        if isinstance(node, dict):
            for key in node:
                _encodable(key)
            stack.extend((child, depth + 1) for child in node.values())
        elif isinstance(node, list):
            stack.extend((child, depth + 1) for child in node)
        elif isinstance(node, str):
            _encodable(node)
        elif isinstance(node, float) and (node != node or abs(node) == float("inf")):
            raise ValueError("holds a number that JSON cannot carry")
    return value


def _time_text(value: Any) -> Any:
    """Refuse a value that is not an RFC 3339 time."""
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("must be an RFC 3339 time such as 2030-01-31T22:00:00Z")
    return value


def _in_utc(value: datetime | None) -> datetime | None:
    """Return a time in UTC; refuse one without an offset."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("must name its offset from UTC, as in 2030-01-31T22:00:00Z")
    try:
        return value.astimezone(timezone.utc)
    except OverflowError:
        # The offset moves the time a few hours beyond the years that datetime supports.
        edge = datetime.max if value.year > 1 else datetime.min
        return edge.replace(tzinfo=timezone.utc)


Text = Annotated[StrictStr, AfterValidator(_encodable)]
JSONData = Annotated[Any, AfterValidator(_shallow)]
Number = StrictInt | StrictFloat


def _between(least: int, most: int) -> WithJsonSchema:
    """Return a schema with a number's bounds, which pydantic leaves out of a union."""
    return WithJsonSchema({"type": "number", "minimum": least, "maximum": most})


def _whole(value: Any) -> Any:
    """Convert 5.0 to 5, since JSON Schema counts it as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: An integer that JavaScript represents exactly.
SafeInt = Annotated[StrictInt, Field(gt=-(2**53), lt=2**53), BeforeValidator(_whole)]
#: Written so that tools for every draft of JSON Schema understand it.
TWO_INTEGERS = WithJsonSchema(
    {
        "type": "array",
        "items": {"type": "integer", "minimum": 1 - 2**53, "maximum": 2**53 - 1},
        "minItems": 2,
        "maxItems": 2,
    }
)


class _Wire(BaseModel):
    """The base of all messages; ignores unknown fields, so that newer senders work."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Action(_Wire):
    """A button of a notification; without a command or a link it dismisses."""

    label: Annotated[
        Text, Field(min_length=1, max_length=MAX_LABEL, description="The button's text.")
    ]
    caption: Annotated[
        Text | None, Field(max_length=MAX_CAPTION, description="A longer text, shown on hover.")
    ] = None
    displayType: Annotated[
        DisplayType | None,
        Field(description="The button's looks."),
    ] = None
    commandId: Annotated[
        Text | None,
        Field(max_length=MAX_COMMAND, description="The JupyterLab command that it runs."),
    ] = None
    args: Annotated[
        Annotated[dict[str, Any], AfterValidator(_shallow)] | None,
        Field(description="The command's arguments."),
    ] = None
    url: Annotated[
        Text | None,
        Field(
            max_length=MAX_URL,
            description="The page that it opens in a new tab: http, https or mailto.",
            json_schema_extra={
                "pattern": "^([hH][tT][tT][pP][sS]?://|[mM][aA][iI][lL][tT][oO]:)[^\\x00-\\x20]*$"
            },
        ),
    ] = None

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str | None) -> str | None:
        if url is None:
            return None
        # A browser ignores these characters inside a scheme: "java\nscript:" would run.
        if any(ord(c) <= 32 for c in url):
            raise ValueError("must not hold white space or control characters")
        if not url.lower().startswith(("http://", "https://", "mailto:")):
            raise ValueError("must begin with http://, https:// or mailto:")
        return url


Choice = Annotated[
    Text,
    Field(min_length=1, max_length=MAX_CHOICE, json_schema_extra={"pattern": VISIBLE}),
]


class ReplyRequest(_Wire):
    """The question of a notification to its user: choose an answer, write one, or either."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["choices"], "properties": {"choices": {"minItems": 1}}},
                {"required": ["text"], "properties": {"text": {"const": True}}},
            ]
        }
    )

    prompt: Annotated[
        Text | None,
        Field(max_length=MAX_PROMPT, description="The question, if the message does not ask it."),
    ] = None
    choices: Annotated[
        list[Choice],
        Field(max_length=MAX_CHOICES, description="Answers to choose from, each a button."),
    ] = []
    text: Annotated[
        StrictBool, Field(description="True if the user may write an answer of their own.")
    ] = False

    @field_validator("choices")
    @classmethod
    def _seen(cls, choices: list[str]) -> list[str]:
        for choice in choices:
            if is_blank(choice):
                raise ValueError("must not hold a blank answer")
        # Two buttons that say the same would be one answer.
        return list(dict.fromkeys(choices))

    @model_validator(mode="after")
    def _answerable(self) -> ReplyRequest:
        if not self.choices and not self.text:
            raise ValueError("needs `choices`, or `text` as true")
        return self


class Answer(_Wire):
    """A user's answer to a notification that asks for one."""

    answer: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=MAX_ANSWER,
            description="One of its choices, or a text where it asks for one.",
            json_schema_extra={"pattern": VISIBLE},
        ),
    ]

    @field_validator("answer")
    @classmethod
    def _not_blank(cls, answer: str) -> str:
        if is_blank(answer):
            raise ValueError("must not be blank")
        return answer


class IngestMessage(_Wire):
    """A message that a sender pushes; ``docs/ingest.md`` describes it."""

    message: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=MAX_MESSAGE,
            description="The summary; plain text unless `markdown` is true.",
            json_schema_extra={"pattern": VISIBLE},
            examples=["Maintenance scheduled for 10 PM tonight"],
        ),
    ]
    type: Annotated[NotificationType, Field(description="Styling and urgency.")] = "info"
    autoClose: Annotated[
        StrictBool
        | Annotated[Number, Field(ge=0, le=MAX_TIMER_MS), _between(0, MAX_TIMER_MS)]
        | None,
        Field(
            description="`false`: until dismissed; `true` or none: the user's setting; "
            "a number: after so many milliseconds; `0`: no toast, center only."
        ),
    ] = None
    actions: Annotated[
        list[Action] | None, Field(max_length=MAX_ACTIONS, description="Buttons.")
    ] = []
    reply: Annotated[
        ReplyRequest | None,
        Field(description="The question to the user; `GET` of the key tells the answer."),
    ] = None
    body: Annotated[
        Text | None,
        Field(
            description="The longer text, Markdown, at most 32 KiB as UTF-8.",
            json_schema_extra={"maxLength": MAX_BODY_BYTES},
        ),
    ] = None
    markdown: Annotated[StrictBool, Field(description="True if `message` is Markdown.")] = False
    key: Annotated[
        Text | None,
        Field(
            min_length=1,
            max_length=MAX_KEY,
            description="The same key from the same source replaces the earlier one in place.",
        ),
    ] = None
    progress: Annotated[
        Annotated[Number, Field(ge=0, le=1), _between(0, 1)] | None,
        Field(description="The part that is done, from 0 to 1; goes with `in-progress`."),
    ] = None
    expiresAt: Annotated[
        datetime | None,
        Field(description="RFC 3339 time, with offset, after which it is not shown."),
    ] = None
    ttl: Annotated[
        Annotated[Number, Field(ge=0, le=MAX_TTL_S), _between(0, MAX_TTL_S)] | None,
        Field(description="The same in seconds from now; `expiresAt` wins."),
    ] = None
    heartbeat: Annotated[
        Annotated[
            Number,
            Field(ge=MIN_HEARTBEAT_S, le=MAX_HEARTBEAT_S),
            _between(MIN_HEARTBEAT_S, MAX_HEARTBEAT_S),
        ]
        | None,
        Field(
            description="Seconds within which the sender repeats an `in-progress` message, changed "
            "or not. Without a repeat the sender counts as dead, and the message becomes a "
            "warning that says when it stopped reporting. With `reply`: seconds within which the "
            "sender asks for the answer with `wait`. Without that, the question says that its "
            "program is gone, until the sender asks for the answer again."
        ),
    ] = None
    banner: Annotated[StrictBool, Field(description="True to show it in the banner too.")] = False
    dismissable: Annotated[StrictBool, Field(description="True if the user can dismiss it.")] = True
    source: Annotated[
        Text | None,
        Field(
            min_length=1,
            max_length=MAX_SOURCE,
            json_schema_extra={"pattern": VISIBLE},
            description="The name of the sender; the authenticated user or service by default.",
        ),
    ] = None
    data: Annotated[JSONData, Field(description="Any JSON, passed on to other extensions.")] = None

    @field_validator("autoClose", mode="before")
    @classmethod
    def _auto_close(cls, value: Any) -> Any:
        # Checked here, since a union would report one problem for each of its members.
        if value is None or isinstance(value, bool):
            return value
        if not isinstance(value, (int, float)) or not 0 <= value <= MAX_TIMER_MS:
            raise ValueError(f"must be true, false, or milliseconds from 0 to {MAX_TIMER_MS}")
        return value

    @field_validator("message", "source")
    @classmethod
    def _not_blank(cls, text: str | None) -> str | None:
        # A message with an invisible source would seem to have none.
        if text is not None and is_blank(text):
            raise ValueError("must not be blank")
        return text

    @field_validator("body")
    @classmethod
    def _body_size(cls, body: str | None) -> str | None:
        if body is not None and len(body.encode()) > MAX_BODY_BYTES:
            raise ValueError(f"is longer than {MAX_BODY_BYTES // 1024} KiB")
        return body

    @field_validator("expiresAt", mode="before")
    @classmethod
    def _rfc3339(cls, value: Any) -> Any:
        return _time_text(value)

    @field_validator("expiresAt")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        return _in_utc(value)

    @model_validator(mode="after")
    def _progress_goes_with_in_progress(self) -> IngestMessage:
        # A finished message may still carry its last progress: drop it instead of refusing.
        if self.type != "in-progress":
            self.progress = None
            if self.reply is None:
                self.heartbeat = None
        return self


class Receipt(_Wire):
    """The answer to an ingest, sent after the notification is committed."""

    success: Literal[True] = True
    notification_id: Annotated[str, Field(description="The notification's id.")]
    seq: Annotated[int, Field(description="The sequence number of this change.")]
    tabs: Annotated[int, Field(ge=0, description="The number of open tabs that it was pushed to.")]
    durable: Annotated[bool, Field(description="False only while the database cannot be written.")]


class KeptRunning(_Wire):
    """The answer to a request to keep the server running."""

    success: Literal[True] = True


class Problem(_Wire):
    """One problem of a request."""

    field: Annotated[
        str, Field(description="The path of the field; empty if the whole request is meant.")
    ]
    message: Annotated[str, Field(description="The problem, in words.")]


class ErrorAnswer(_Wire):
    """The answer to a refused request, which changed nothing."""

    success: Literal[False] = False
    message: Annotated[str, Field(description="The problem, and the field that has it.")]
    errors: list[Problem] = []


class Image(_Wire):
    """A notification's picture, at ``notifications/{id}/image/{version}``."""

    version: Annotated[
        str, Field(description="A part of its URL, which is another for another picture.")
    ]
    type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    width: Annotated[int, Field(gt=0, description="In pixels.")]
    height: Annotated[int, Field(gt=0, description="In pixels.")]


class Notification(_Wire):
    """A message and its state, without body and data, as lists and streams carry it.

    Times are RFC 3339 in UTC with milliseconds. A row that is ``revoked`` or ``expired``
    is a tombstone: its only purpose is to make a tab forget the notification.
    """

    id: Annotated[str, Field(description="A ULID.")]
    seq: Annotated[int, Field(description="The sequence number of its last change.")]
    position: Annotated[
        int,
        Field(
            description="Its place in the list, highest first: the seq at which it last asked "
            "for attention. Quiet updates of a key (progress) do not change it."
        ),
    ]
    source: Annotated[str, Field(description="The name of the sender.")]
    via: Annotated[
        str | None,
        Field(
            description="The name of the token that sent it, where that is neither `source` nor "
            "the user's own."
        ),
    ]
    key: str | None
    type: NotificationType
    message: str
    markdown: bool
    hasBody: Annotated[bool, Field(description="True if there is a longer text to fetch.")]
    preview: Annotated[
        str | None,
        Field(description="The beginning of the longer text, in Markdown, if it is known."),
    ]
    autoClose: Annotated[
        bool | int | None,
        Field(
            description="Time that its toast stays. `false`: until dismissed; `true` or null: the "
            "user's setting; a number: that many milliseconds; `0`: no toast."
        ),
    ]
    actions: list[Action]
    reply: Annotated[ReplyRequest | None, Field(description="The question to the user.")]
    image: Annotated[Image | None, Field(description="Its picture, if it has one.")]
    progress: float | None
    stopped: Annotated[
        str | None,
        Field(
            description="Time of the last report, if the sender fell silent without an end. A "
            "question can be answered no more then."
        ),
    ]
    banner: bool
    dismissable: bool
    created: Annotated[str, Field(description="Time of its first arrival.")]
    updated: Annotated[str, Field(description="Time at which it last asked for attention.")]
    expiresAt: str | None
    countdown: Annotated[
        str | None, Field(description="The moment that the banner counts down to, if there is one.")
    ]
    read: Annotated[str | None, Field(description="Time at which the user read it.")]
    closed: Annotated[
        str | None,
        Field(
            description="Time at which the user closed its toast or banner: neither shows it any "
            "more. It stays in the inbox."
        ),
    ]
    dismissed: Annotated[
        str | None, Field(description="Time at which the user marked it as done, out of the inbox.")
    ]
    snoozedUntil: Annotated[
        str | None,
        Field(
            description="Time until which the user has snoozed it; then it comes back to the "
            "inbox, unread and on top."
        ),
    ]
    answer: Annotated[str | None, Field(description="The user's answer to `reply`.")]
    answered: Annotated[str | None, Field(description="Time of the user's answer.")]
    revoked: Annotated[str | None, Field(description="Time at which the sender revoked it.")]
    expired: Annotated[str | None, Field(description="Time at which it expired.")]
    ended: Annotated[
        str | None,
        Field(
            description="Time at which it expired, if the user had read it or put it away: it is "
            "kept as done, without its buttons."
        ),
    ]
    origin: Annotated[
        Literal["ingest", "broadcast", "message"],
        Field(
            description="Its way here: pushed by a sender, or from the central service as a "
            "broadcast or a message to this user."
        ),
    ]


class NotificationDetail(Notification):
    """A whole notification, with body and data."""

    body: Annotated[str | None, Field(description="The longer text, Markdown.")]
    data: Annotated[
        Any, Field(description="Any JSON that the sender passed on to other extensions.")
    ]


class Counts(_Wire):
    """The number of notifications in each view; tombstones are not counted."""

    inbox: Annotated[int, Field(description="Not done.")]
    unread: Annotated[int, Field(description="Not done and not read.")]
    dismissed: Annotated[int, Field(description="Done.")]
    snoozed: Annotated[int, Field(description="Snoozed, and so not in the inbox.")]


class Page(_Wire):
    """A page of the list, highest position first."""

    notifications: list[Notification]
    next: Annotated[
        int | None,
        Field(description="The value of `before` for the next page; none on the last page."),
    ]
    counts: Counts
    cursor: Annotated[
        str, Field(description="The cursor, `epoch:seq`, up to which this answer holds.")
    ]


def _given(*names: str) -> Any:
    """Return for each field a JSON Schema that requires it to be present and not null."""
    return [{"required": [n], "properties": {n: {"not": {"type": "null"}}}} for n in names]


#: The states that a user changes.
STATES = ("read", "closed", "dismissed", "snoozedUntil")


class StateChange(_Wire):
    """A user's change to one notification; a field that is missing stays as it is."""

    model_config = ConfigDict(json_schema_extra={"anyOf": _given(*STATES)})

    read: StrictBool | None = None
    closed: Annotated[
        StrictBool | None,
        Field(
            description="Closed: gone from toasts and banner of every tab, still in the inbox. "
            "`true` also makes it read, unless `read` says otherwise."
        ),
    ] = None
    dismissed: Annotated[StrictBool | None, Field(description="Done: out of the inbox.")] = None
    snoozedUntil: Annotated[
        datetime | Literal[False] | None,
        Field(
            description="Out of the inbox until an RFC 3339 time within a year, else 409; `false` "
            "brings it back now. Only what is in the inbox or snoozed, and dismissable."
        ),
    ] = None

    @field_validator("snoozedUntil", mode="before")
    @classmethod
    def _rfc3339(cls, value: Any) -> Any:
        return False if value is False else _time_text(value)

    @field_validator("snoozedUntil")
    @classmethod
    def _utc(cls, value: datetime | Literal[False] | None) -> datetime | Literal[False] | None:
        return False if value is False else _in_utc(value)

    @model_validator(mode="after")
    def _something(self) -> StateChange:
        if all(getattr(self, name) is None for name in STATES):
            *most, last = (f"`{name}`" for name in STATES)
            raise ValueError(f"needs {', '.join(most)} or {last}")
        return self


class BulkChange(StateChange):
    """A user's change to many notifications: `ids`, `seqs`, or all in the inbox."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": _given(*STATES),
            "oneOf": _given("ids", "all", "seqs"),
            "not": {"allOf": _given("upTo", "ids")},
        }
    )

    ids: Annotated[
        list[Text] | None,
        Field(min_length=1, max_length=MAX_IDS, description="The ids that are meant."),
    ] = None
    all: Annotated[Literal[True] | None, Field(description="Every notification in the inbox.")] = (
        None
    )
    upTo: Annotated[
        Text | None,
        Field(
            max_length=200,
            description="With `all`: the `cursor` of what the user sees. Whatever arrived later or "
            "asked for attention again stays as it is. With `seqs`: the `cursor` of the answer "
            "that named them. 409 if the cursor is of another epoch.",
            json_schema_extra={"pattern": CURSOR},
        ),
    ] = None
    seqs: Annotated[
        Annotated[tuple[SafeInt, SafeInt], TWO_INTEGERS] | None,
        Field(
            description="The notifications whose last change lies in this range, ends included. "
            "To undo a change, give the `seqs` of its answer, with the answer's `cursor` as "
            "`upTo`: in another epoch the numbers belong to other rows."
        ),
    ] = None

    @field_validator("upTo")
    @classmethod
    def _cursor(cls, cursor: str | None) -> str | None:
        if cursor is not None and not re.fullmatch(CURSOR.strip("^$"), cursor):
            raise ValueError("must be a cursor, as a frame or an answer gave it")
        return cursor

    @model_validator(mode="after")
    def _one_selection(self) -> BulkChange:
        if sum(x is not None for x in (self.ids, self.all, self.seqs)) != 1:
            raise ValueError("needs just one of `ids`, `all` and `seqs`")
        if self.upTo is not None and self.ids is not None:
            raise ValueError("may have `upTo` only with `all` or `seqs`")
        return self


class Changed(_Wire):
    """The answer to a change of state."""

    changed: Annotated[int, Field(description="Number of rows that changed.")]
    seqs: Annotated[
        Annotated[tuple[int, int], TWO_INTEGERS] | None,
        Field(description="The first and last sequence number of the change."),
    ]
    cursor: str


class Quiet(_Wire):
    """The user's do-not-disturb and muted sources."""

    doNotDisturb: Annotated[
        bool | None,
        Field(
            description="True while nothing pops up. Null: the user never chose, and JupyterLab's "
            "own switch counts."
        ),
    ]
    until: Annotated[
        str | None, Field(description="Time at which it ends; null: when the user turns it off.")
    ]
    muted: Annotated[
        list[str],
        Field(description="Sources whose messages go to the center only, if dismissable."),
    ]


class QuietChange(_Wire):
    """A change of do-not-disturb or muted sources; a field that is missing stays as it is."""

    model_config = ConfigDict(json_schema_extra={"anyOf": _given("doNotDisturb", "mute", "unmute")})

    doNotDisturb: StrictBool | None = None
    until: Annotated[
        datetime | None,
        Field(
            description="End of do-not-disturb, if it is turned on: an RFC 3339 time within a "
            "year, else 409. Null: until the user turns it off. Without it, what is on keeps its "
            "end; else the same as null."
        ),
    ] = None
    mute: Annotated[
        Text | None, Field(min_length=1, max_length=MAX_SOURCE, description="A source to mute.")
    ] = None
    unmute: Annotated[
        Text | None,
        Field(min_length=1, max_length=MAX_SOURCE, description="A source to hear again."),
    ] = None

    @field_validator("until", mode="before")
    @classmethod
    def _rfc3339(cls, value: Any) -> Any:
        return _time_text(value)

    @field_validator("until")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        return _in_utc(value)

    @model_validator(mode="after")
    def _something(self) -> QuietChange:
        if self.doNotDisturb is None and self.mute is None and self.unmute is None:
            raise ValueError("needs `doNotDisturb`, `mute` or `unmute`")
        return self


class Channel(_Wire):
    """One other way in which the central service reaches the user, such as mail."""

    name: Annotated[str, Field(description="The site's name for it.")]
    on: Annotated[bool, Field(description="True if the user wants it.")]
    reaches: Annotated[bool, Field(description="True if it has an address of the user's.")]


class Channels(_Wire):
    """The central service's channels, and what the user has chosen of them."""

    channels: Annotated[
        list[Channel], Field(description="Empty where there is no service that has some.")
    ]
    digest: Annotated[
        Literal["none", "hourly", "daily"],
        Field(description="The times at which gathered messages are sent; `none`: each at once."),
    ]
    quietFrom: Annotated[
        str | None,
        Field(
            description="The time of day from which nothing is sent, `HH:MM`; null: there is none."
        ),
    ]
    quietUntil: Annotated[
        str | None,
        Field(description="The time of day at which that ends; it may be the next morning's."),
    ]
    timezone: Annotated[
        str, Field(description="The time zone of these times, such as `Europe/Berlin`.")
    ]


_TIME_OF_DAY = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _time_of_day(text: str) -> str:
    if re.fullmatch(_TIME_OF_DAY, text) is None:
        raise ValueError("must be a time of day such as 22:00")
    return text


TimeOfDay = Annotated[
    StrictStr,
    AfterValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": _TIME_OF_DAY}),
]


class ChannelsChange(_Wire):
    """A change of the user's channels; a field that is missing stays as it is."""

    on: Annotated[
        dict[Text, StrictBool] | None,
        Field(max_length=100, description="For each channel's name, true if it is wanted."),
    ] = None
    digest: Annotated[
        Literal["none", "hourly", "daily"] | None,
        Field(description="The times at which gathered messages are sent: each hour, or at eight."),
    ] = None
    quietFrom: Annotated[
        TimeOfDay | None,
        Field(description="Time of day at which quiet hours begin; null: there are none."),
    ] = None
    quietUntil: Annotated[
        TimeOfDay | None,
        Field(description="Time of day at which they end; it may be the next morning."),
    ] = None
    timezone: Annotated[
        Text | None,
        Field(min_length=1, max_length=100, description="A name such as `Europe/Berlin`."),
    ] = None


class StoreStatus(_Wire):
    """The place and the state of the stored notifications."""

    path: Annotated[str | None, Field(description="The database file.")]
    mode: Annotated[
        Literal["wal", "rollback", "memory"],
        Field(description="Its journal mode; `memory` while the file cannot be used."),
    ]
    durable: bool
    problem: Annotated[str | None, Field(description="The present problem, in one sentence.")]
    setAside: Annotated[
        str | None,
        Field(description="The last corrupt file that this server has set aside."),
    ]
    epoch: str
    seq: int
    size: Annotated[int, Field(description="The size on disk, in bytes.")]


class Failure(_Wire):
    """The last failure, and its time."""

    at: str
    message: Annotated[str, Field(description="One sentence.")]


class CentralStatus(_Wire):
    """The state of the connection to the central service."""

    url: str
    lastSuccess: Annotated[
        str | None, Field(description="Time at which all its lists were last read.")
    ]
    lastFailure: Annotated[Failure | None, Field(description="The last failure, however old.")]
    outbox: Annotated[
        int, Field(description="The number of the user's changes that it has not received yet.")
    ]
    welcome: Annotated[
        Literal["central", "files"],
        Field(description="The source of welcome messages: the service too, or files only."),
    ]
    events: Annotated[
        bool, Field(description="True while its event stream is open; otherwise it is polled.")
    ]


class Retention(_Wire):
    """The bounds on what is kept."""

    days: float
    count: int


class Status(_Wire):
    """The health of this server's notifications, for administrators and checks."""

    version: str
    store: StoreStatus
    tabs: Annotated[int, Field(description="The number of open tabs.")]
    counts: Counts
    retention: Retention
    central: Annotated[
        CentralStatus | None, Field(description="None if no central service is configured.")
    ]
    welcomeProblem: Annotated[
        str | None,
        Field(description="The welcome files that are left out, and why, in one sentence."),
    ]


class WelcomeMessage(_Wire):
    """A message that is shown on start until the user has seen it often enough."""

    id: Annotated[
        str, Field(description="An id that is unique among files and the central service.")
    ]
    aspect: Annotated[str, Field(description="The part of the platform that it belongs to.")]
    title: str
    summary: Annotated[str | None, Field(description="Markdown.")]
    body: Annotated[str, Field(description="Markdown.")]
    dismissable: Annotated[bool, Field(description="True if the user can dismiss it for good.")]
    must_accept: Annotated[
        bool, Field(description="True if it is due, again and again, until the user accepts it.")
    ]
    max_views: Annotated[
        int | None, Field(description="The number of views after which it is no longer due.")
    ]
    views: Annotated[int, Field(ge=0, description="The number of times it was seen.")]
    updated: str | None
    source: Literal["central", "file"]
    due: Annotated[bool, Field(description="True if it is to be shown on start.")]


class Welcome(_Wire):
    """The welcome messages."""

    version: Annotated[
        int, Field(description="The `welcome` value of the stream's frames that this belongs to.")
    ]
    messages: list[WelcomeMessage]


class WelcomeVersion(_Wire):
    """The answer to a change of welcome messages' state."""

    version: int


class WelcomeIds(_Wire):
    """Ids of welcome messages; unknown ones are ignored."""

    ids: Annotated[
        list[Text], Field(min_length=1, max_length=MAX_IDS, description="The ids that are meant.")
    ]


class WelcomeDismissal(_Wire):
    """The welcome messages to dismiss for good: some, or all until the reset."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _given("ids", "all")})

    ids: Annotated[
        list[Text] | None,
        Field(min_length=1, max_length=MAX_IDS, description="The ids that are meant."),
    ] = None
    all: Annotated[
        Literal[True] | None, Field(description="All of them, and all that are still to come.")
    ] = None

    @model_validator(mode="after")
    def _one_selection(self) -> WelcomeDismissal:
        if (self.ids is None) == (self.all is None):
            raise ValueError("needs just one of `ids` and `all`")
        return self


class SnapshotFrame(_Wire):
    """The first frame of a stream without a usable cursor, and after every reset.

    A tab replaces what it has with this. ``notifications`` are the newest of the inbox,
    highest position first; ``pinned`` are the older ones that must stay in sight: banners,
    and messages that do not close by themselves.
    """

    type: Literal["snapshot"] = "snapshot"
    cursor: str
    now: Annotated[str, Field(description="The server's time, from which ages are computed.")]
    counts: Counts
    durable: bool
    welcome: Annotated[
        int, Field(description="A number that changes when other welcome messages are due.")
    ]
    quiet: Annotated[
        Quiet | None,
        Field(description="Do-not-disturb and muted sources; null if none is set."),
    ]
    notifications: list[Notification]
    pinned: list[Notification]


class ChangesFrame(_Wire):
    """The present state of rows that changed since the last frame, lowest seq first."""

    type: Literal["changes"] = "changes"
    cursor: str
    now: Annotated[str, Field(description="The server's time, from which ages are computed.")]
    counts: Counts
    durable: bool
    welcome: Annotated[
        int, Field(description="A number that changes when other welcome messages are due.")
    ]
    quiet: Annotated[
        Quiet | None,
        Field(description="Do-not-disturb and muted sources; null if none is set."),
    ]
    notifications: list[Notification]


class PongFrame(_Wire):
    """The answer to a tab's ``{"type": "ping"}``."""

    type: Literal["pong"] = "pong"


class AliveFrame(_Wire):
    """A keep-alive frame, sent after the first frame and then at a fixed interval.

    A tab sends no answer, which a hub's proxy would count as user activity. A tab that has
    received nothing for clearly longer than ``interval`` may consider the connection dead.
    """

    type: Literal["alive"] = "alive"
    interval: Annotated[float, Field(gt=0, description="Seconds until the next keep-alive frame.")]


Frame = SnapshotFrame | ChangesFrame | PongFrame | AliveFrame
