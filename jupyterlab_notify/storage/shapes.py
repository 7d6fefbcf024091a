"""The shapes of what storage takes and returns as JSON or rows, for type checkers only.

At run time these are plain dictionaries, and nothing imports this module: making its types would
take time and memory at each server's start.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from .fields import WireNotification


class NewNotification(TypedDict):
    """A message that is to be stored: the columns that its sender determines."""

    id: str
    source: str
    #: The name of the sender's token; None if the source has the same name.
    via: str | None
    key: str | None
    type: str
    message: str
    markdown: int
    body: str | None
    auto_close: str | None
    actions: str
    reply: str | None
    progress: float | None
    banner: int
    dismissable: int
    data: str | None
    expires_ms: int | None
    interrupt_ms: int | None
    #: The time within which the sender must repeat the message; None if it need not.
    heartbeat_ms: int | None


class Counts(TypedDict):
    """The shape of ``models.Counts``."""

    inbox: int
    unread: int
    dismissed: int
    snoozed: int


class Page(TypedDict):
    """The shape of ``models.Page``."""

    notifications: list[WireNotification]
    next: int | None
    counts: Counts
    cursor: str


class Changed(TypedDict):
    """The shape of ``models.Changed``."""

    changed: int
    seqs: list[int] | None
    cursor: str


class Quiet(TypedDict):
    """The shape of ``models.Quiet``."""

    doNotDisturb: bool | None
    until: str | None
    muted: list[str]


class Frame(TypedDict, total=False):
    """The shape of ``models.SnapshotFrame`` or ``models.ChangesFrame``."""

    type: Literal["snapshot", "changes"]
    cursor: str
    now: str | None
    counts: Counts
    durable: bool
    welcome: int
    quiet: Quiet | None
    notifications: list[WireNotification]
    pinned: list[WireNotification]


class WelcomeContent(TypedDict, total=False):
    """A source's part of a welcome message: ``models.WelcomeMessage`` without its state."""

    id: str
    aspect: str
    title: str
    summary: str | None
    body: str
    dismissable: bool
    #: Only from a central service.
    must_accept: bool
    max_views: int | None
    updated: str | None
    #: Only from a central service.
    updated_ms: int | None


class WelcomeMessages(TypedDict):
    """The shape of ``models.Welcome``."""

    version: int
    messages: list[dict[str, Any]]


class WelcomeVersion(TypedDict):
    """The shape of ``models.WelcomeVersion``."""

    version: int


class StoreStatus(TypedDict):
    """The shape of ``models.StoreStatus``."""

    path: str | None
    mode: str
    durable: bool
    problem: str | None
    setAside: str | None
    epoch: str
    seq: int
    size: int
