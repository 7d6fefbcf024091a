"""The wire: every message that enters or leaves this server, as pydantic models.

The TypeScript types (``src/wire.ts``) and ``docs/openapi.json`` are generated from here
by ``make types``. Importing pydantic costs a server 7 MB and 0.14 s, so nothing imports
this module before the first message comes in.
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
    MAX_BODY_BYTES,
    MAX_CAPTION,
    MAX_COMMAND,
    MAX_DEPTH,
    MAX_HEARTBEAT_S,
    MAX_IDS,
    MAX_KEY,
    MAX_LABEL,
    MAX_MESSAGE,
    MAX_SOURCE,
    MAX_TIMER_MS,
    MAX_TTL_S,
    MAX_URL,
    MIN_HEARTBEAT_S,
    TAGS,
    VISIBLE,
    DisplayType,
    NotificationType,
)

#: ``epoch:seq``, as `Cursor.parse` of the store reads it.
CURSOR = "^[^:]+:[0-9]{1,16}$"


def _encodable(text: str) -> str:
    """Refuse what no UTF-8 file can hold: half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair, which is no Unicode text") from None
    return text


def _shallow(value: Any) -> Any:
    """Refuse JSON that is too deep, or that holds a number no browser can parse."""
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


Text = Annotated[StrictStr, AfterValidator(_encodable)]
JSONData = Annotated[Any, AfterValidator(_shallow)]
Number = StrictInt | StrictFloat


def _between(least: int, most: int) -> WithJsonSchema:
    """Say a number's bounds in the schema too, where pydantic leaves those of a union out."""
    return WithJsonSchema({"type": "number", "minimum": least, "maximum": most})


def _whole(value: Any) -> Any:
    """Take 5.0 for the integer that JSON says it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: What a browser can hold.
SafeInt = Annotated[StrictInt, Field(gt=-(2**53), lt=2**53), BeforeValidator(_whole)]
#: Said so that tools of every draft of JSON Schema understand it.
TWO_INTEGERS = WithJsonSchema(
    {
        "type": "array",
        "items": {"type": "integer", "minimum": 1 - 2**53, "maximum": 2**53 - 1},
        "minItems": 2,
        "maxItems": 2,
    }
)


class _Wire(BaseModel):
    """What all our messages share: unknown fields are ignored, so that newer senders work."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class Action(_Wire):
    """A button of a notification; with neither command nor link it dismisses."""

    label: Annotated[
        Text, Field(min_length=1, max_length=MAX_LABEL, description="What the button says.")
    ]
    caption: Annotated[
        Text | None, Field(max_length=MAX_CAPTION, description="Its longer text, shown on hover.")
    ] = None
    displayType: Annotated[
        DisplayType | None,
        Field(description="How the button looks."),
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
            description="The page that it opens in a new tab; http, https or mailto.",
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
        # A browser ignores these inside a scheme: "java\nscript:" would run.
        if any(ord(c) <= 32 for c in url):
            raise ValueError("must not hold white space or control characters")
        if not url.lower().startswith(("http://", "https://", "mailto:")):
            raise ValueError("must begin with http://, https:// or mailto:")
        return url


class IngestMessage(_Wire):
    """What a sender pushes; ``docs/ingest.md`` describes it."""

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
    body: Annotated[
        Text | None,
        Field(
            description="The longer text, Markdown, at most 32 KiB as UTF-8.",
            json_schema_extra={"maxLength": MAX_BODY_BYTES},
        ),
    ] = None
    markdown: Annotated[StrictBool, Field(description="Whether `message` is Markdown.")] = False
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
        Field(description="How much is done, from 0 to 1; goes with `in-progress`."),
    ] = None
    expiresAt: Annotated[
        datetime | None,
        Field(description="RFC 3339 time, with its offset, after which it is not shown."),
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
            description="Seconds within which an `in-progress` message is sent again, changed or "
            "not; after that its sender is taken for dead, and the message says that it was "
            "interrupted."
        ),
    ] = None
    banner: Annotated[StrictBool, Field(description="Also across the top.")] = False
    dismissable: Annotated[StrictBool, Field(description="Whether it can be put away.")] = True
    source: Annotated[
        Text | None,
        Field(
            min_length=1,
            max_length=MAX_SOURCE,
            description="Who says it; the authenticated user or service if none is given.",
        ),
    ] = None
    data: Annotated[JSONData, Field(description="Carried for other extensions.")] = None

    @field_validator("autoClose", mode="before")
    @classmethod
    def _auto_close(cls, value: Any) -> Any:
        # Said here, since a union would complain once for each of its members.
        if value is None or isinstance(value, bool):
            return value
        if not isinstance(value, (int, float)) or not 0 <= value <= MAX_TIMER_MS:
            raise ValueError(f"must be true, false, or milliseconds from 0 to {MAX_TIMER_MS}")
        return value

    @field_validator("message")
    @classmethod
    def _not_blank(cls, message: str) -> str:
        # To JSON Schema a separator such as U+001C is no white space.
        if not re.search(rf"{VISIBLE}|[\x1c-\x1f]", re.sub(TAGS, "", message)):
            raise ValueError("must not be blank")
        return message

    @field_validator("body")
    @classmethod
    def _body_size(cls, body: str | None) -> str | None:
        if body is not None and len(body.encode()) > MAX_BODY_BYTES:
            raise ValueError(f"is longer than {MAX_BODY_BYTES // 1024} KiB")
        return body

    @field_validator("expiresAt", mode="before")
    @classmethod
    def _rfc3339(cls, value: Any) -> Any:
        if value is None or isinstance(value, datetime):
            return value
        if not isinstance(value, str) or "T" not in value.upper():
            raise ValueError("must be an RFC 3339 time such as 2030-01-31T22:00:00Z")
        return value

    @field_validator("expiresAt")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("must name its offset from UTC, as in 2030-01-31T22:00:00Z")
        try:
            return value.astimezone(timezone.utc)
        except OverflowError:
            # Its offset takes it out of the years that can be told, by some hours.
            edge = datetime.max if value.year > 1 else datetime.min
            return edge.replace(tzinfo=timezone.utc)

    @model_validator(mode="after")
    def _progress_goes_with_in_progress(self) -> IngestMessage:
        # A finished message may still carry its last progress: it is dropped, not refused.
        if self.type != "in-progress":
            self.progress = self.heartbeat = None
        return self


class Receipt(_Wire):
    """The answer to an ingest, given after its row is committed."""

    success: Literal[True] = True
    notification_id: Annotated[str, Field(description="The id given to the notification.")]
    seq: Annotated[int, Field(description="The sequence number of this change.")]
    tabs: Annotated[int, Field(ge=0, description="Open streams that it was pushed to.")]
    durable: Annotated[
        bool, Field(description="False only while the store's place cannot be written.")
    ]


class KeptRunning(_Wire):
    """The answer to a user who wants the server to be kept running."""

    success: Literal[True] = True


class Problem(_Wire):
    """One thing that is wrong with a request, and where."""

    field: Annotated[str, Field(description="The path of the field, empty for the whole.")]
    message: Annotated[str, Field(description="What is wrong with it.")]


class ErrorAnswer(_Wire):
    """The answer to a request that was refused; nothing was changed."""

    success: Literal[False] = False
    message: Annotated[str, Field(description="What is wrong, and in which field.")]
    errors: list[Problem] = []


class Notification(_Wire):
    """A message and its state, as lists and streams carry it: without body and data.

    Times are RFC 3339 in UTC with milliseconds. A row that is ``revoked`` or ``expired``
    is a tombstone: it only tells a tab to forget the notification.
    """

    id: Annotated[str, Field(description="A ULID.")]
    seq: Annotated[int, Field(description="The store's sequence number of its last change.")]
    position: Annotated[
        int,
        Field(
            description="Its place in the list, highest first: the seq at which it last asked "
            "for attention. A key's quiet updates (progress) keep it."
        ),
    ]
    source: str
    key: str | None
    type: NotificationType
    message: str
    markdown: bool
    hasBody: Annotated[bool, Field(description="Whether there is a longer text to fetch.")]
    autoClose: Annotated[
        bool | int | None,
        Field(
            description="How long its toast stays. `false`: until dismissed; `true` or null: the "
            "user's setting; a number: so many milliseconds; `0`: no toast."
        ),
    ]
    actions: list[Action]
    progress: float | None
    banner: bool
    dismissable: bool
    created: Annotated[str, Field(description="When it first came in.")]
    updated: Annotated[str, Field(description="When it last asked for attention.")]
    expiresAt: str | None
    read: Annotated[str | None, Field(description="When the user read it.")]
    dismissed: Annotated[str | None, Field(description="When the user put it away.")]
    revoked: Annotated[str | None, Field(description="When the sender took it back.")]
    expired: Annotated[str | None, Field(description="When its time was up.")]
    origin: Annotated[
        Literal["ingest", "broadcast", "message"],
        Field(
            description="How it came: pushed in, or from the central service as a broadcast to "
            "everyone or a message to this user."
        ),
    ]


class NotificationDetail(Notification):
    """One notification whole."""

    body: Annotated[str | None, Field(description="The longer text, Markdown.")]
    data: Annotated[Any, Field(description="What the sender gave for other extensions.")]


class Counts(_Wire):
    """How many notifications there are of each sort; tombstones count nowhere."""

    inbox: Annotated[int, Field(description="Not dismissed.")]
    unread: Annotated[int, Field(description="Not dismissed and not read.")]
    dismissed: int


class Page(_Wire):
    """A page of the list, highest position first."""

    notifications: list[Notification]
    next: Annotated[
        int | None,
        Field(description="Give it as `before` for the next page; none: this was the last."),
    ]
    counts: Counts
    cursor: Annotated[str, Field(description="`epoch:seq` up to which this answer is true.")]


def _given(*names: str) -> Any:
    """Return a JSON Schema for each field, that holds where it is there and not null."""
    return [{"required": [n], "properties": {n: {"not": {"type": "null"}}}} for n in names]


class StateChange(_Wire):
    """A user's change to one notification; a field that is missing stays as it is."""

    model_config = ConfigDict(json_schema_extra={"anyOf": _given("read", "dismissed")})

    read: StrictBool | None = None
    dismissed: StrictBool | None = None

    @model_validator(mode="after")
    def _something(self) -> StateChange:
        if self.read is None and self.dismissed is None:
            raise ValueError("needs `read` or `dismissed`, each true or false")
        return self


class BulkChange(StateChange):
    """The same for many: those of `ids`, those of `seqs`, or all in the inbox."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": _given("read", "dismissed"),
            "oneOf": _given("ids", "all", "seqs"),
            "not": {"allOf": _given("upTo", "ids")},
        }
    )

    ids: Annotated[
        list[Text] | None, Field(min_length=1, max_length=MAX_IDS, description="These.")
    ] = None
    all: Annotated[Literal[True] | None, Field(description="Every notification in the inbox.")] = (
        None
    )
    upTo: Annotated[
        Text | None,
        Field(
            max_length=200,
            description="With `all`: the `cursor` of what the user sees. What came later, or "
            "asked for attention again, stays as it is. With `seqs`: the `cursor` of the answer "
            "that named them. 409 if the cursor is of another epoch.",
            json_schema_extra={"pattern": CURSOR},
        ),
    ] = None
    seqs: Annotated[
        Annotated[tuple[SafeInt, SafeInt], TWO_INTEGERS] | None,
        Field(
            description="Those whose last change lies in this range, ends included: "
            "what an earlier answer's `seqs` named, to undo it. Its `cursor` belongs with them, "
            "as `upTo`: elsewhere they are numbers of other rows."
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

    changed: Annotated[int, Field(description="How many rows changed.")]
    seqs: Annotated[
        Annotated[tuple[int, int], TWO_INTEGERS] | None,
        Field(description="The sequence numbers that the change took, first and last."),
    ]
    cursor: str


class StoreStatus(_Wire):
    """Where and how notifications are kept."""

    path: Annotated[str | None, Field(description="The database file.")]
    mode: Annotated[
        Literal["wal", "rollback", "memory"],
        Field(description="Its journal; `memory` while its place cannot be used."),
    ]
    durable: bool
    problem: Annotated[str | None, Field(description="What is wrong, in one sentence.")]
    setAside: Annotated[
        str | None,
        Field(description="The corrupt file that this server has set aside last, if it has."),
    ]
    epoch: str
    seq: int
    size: Annotated[int, Field(description="Bytes on the disk.")]


class Failure(_Wire):
    """What failed last, and when."""

    at: str
    message: Annotated[str, Field(description="One sentence.")]


class CentralStatus(_Wire):
    """How asking the central service is going."""

    url: str
    lastSuccess: Annotated[str | None, Field(description="When it last answered everything.")]
    lastFailure: Annotated[Failure | None, Field(description="The last failure, however old.")]
    outbox: Annotated[int, Field(description="What the user did that it was not told yet.")]
    welcome: Annotated[
        Literal["central", "files"],
        Field(description="Whether it serves welcome messages; if not, only files do."),
    ]
    events: Annotated[
        bool, Field(description="Whether its event stream is open; if not, it is polled.")
    ]


class Retention(_Wire):
    """What is kept."""

    days: float
    count: int


class Status(_Wire):
    """The state of this server's notifications, for administrators and checks."""

    version: str
    store: StoreStatus
    tabs: Annotated[int, Field(description="Open streams.")]
    counts: Counts
    retention: Retention
    central: Annotated[
        CentralStatus | None, Field(description="None: no central service is configured.")
    ]


class WelcomeMessage(_Wire):
    """What a user is greeted with on start, until they have seen enough of it."""

    id: Annotated[str, Field(description="Unique among those of files and central service.")]
    aspect: Annotated[str, Field(description="The part of the platform that it belongs to.")]
    title: str
    summary: Annotated[str | None, Field(description="Markdown.")]
    body: Annotated[str, Field(description="Markdown.")]
    dismissable: Annotated[bool, Field(description="Whether it can be told not to come again.")]
    max_views: Annotated[int | None, Field(description="Not due after so many views.")]
    views: Annotated[int, Field(ge=0, description="How often it was seen.")]
    updated: str | None
    source: Literal["central", "file"]
    due: Annotated[bool, Field(description="Whether it is to be shown on start.")]


class Welcome(_Wire):
    """The welcome messages."""

    version: Annotated[
        int, Field(description="The `welcome` of the stream's frames that this belongs to.")
    ]
    messages: list[WelcomeMessage]


class WelcomeVersion(_Wire):
    """The answer to a change of welcome messages' state."""

    version: int


class WelcomeIds(_Wire):
    """Which welcome messages are meant; unknown ids are passed over."""

    ids: Annotated[list[Text], Field(min_length=1, max_length=MAX_IDS, description="These.")]


class WelcomeDismissal(_Wire):
    """Which welcome messages are never to be shown again: these, or any until the reset."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _given("ids", "all")})

    ids: Annotated[
        list[Text] | None, Field(min_length=1, max_length=MAX_IDS, description="These.")
    ] = None
    all: Annotated[
        Literal[True] | None, Field(description="All, and those that are still to come.")
    ] = None

    @model_validator(mode="after")
    def _one_selection(self) -> WelcomeDismissal:
        if (self.ids is None) == (self.all is None):
            raise ValueError("needs just one of `ids` and `all`")
        return self


class SnapshotFrame(_Wire):
    """The first frame of a stream without a (useful) cursor, and after every reset.

    A tab forgets what it has and takes this instead. ``notifications`` are the newest of
    the inbox, highest position first; ``pinned`` the older ones that must be in sight:
    banners, and what does not close by itself.
    """

    type: Literal["snapshot"] = "snapshot"
    cursor: str
    now: Annotated[str, Field(description="The server's time, by which ages are told.")]
    counts: Counts
    durable: bool
    welcome: Annotated[
        int, Field(description="Another number: other welcome messages are due than before.")
    ]
    notifications: list[Notification]
    pinned: list[Notification]


class ChangesFrame(_Wire):
    """The present state of rows that changed since the last frame, lowest seq first."""

    type: Literal["changes"] = "changes"
    cursor: str
    now: Annotated[str, Field(description="The server's time, by which ages are told.")]
    counts: Counts
    durable: bool
    welcome: Annotated[
        int, Field(description="Another number: other welcome messages are due than before.")
    ]
    notifications: list[Notification]


class PongFrame(_Wire):
    """The answer to a tab's ``{"type": "ping"}``."""

    type: Literal["pong"] = "pong"


class AliveFrame(_Wire):
    """A sign of life, sent after the first frame and then at a fixed interval.

    A tab sends nothing back: a hub's proxy would take that for the user's activity. A tab that
    has received nothing for clearly longer than ``interval`` may take the connection for dead.
    """

    type: Literal["alive"] = "alive"
    interval: Annotated[float, Field(gt=0, description="Seconds until the next one.")]


Frame = SnapshotFrame | ChangesFrame | PongFrame | AliveFrame
