"""What a caller in Python can say about a notification, as types for editors and checkers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from .message import Action, NotificationType


class Common(TypedDict, total=False):
    """What every notification can be given; ``message.compose`` describes each."""

    body: str | None
    key: str
    actions: Sequence[Action | str]
    link: str | None
    ttl: float | None
    toast: bool
    persistent: bool
    auto_close_ms: float | None
    markdown: bool
    banner: bool
    dismissable: bool
    source: str | None
    data: Any


class Options(Common, total=False):
    """What ``notify`` takes besides the message."""

    type: NotificationType
    progress: float | None


class ProgressOptions(Common, total=False):
    """What ``notify.progress`` and ``notify.track`` take; they choose the type themselves."""
