"""The keyword arguments of ``notify``, as types for editors and type checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, SupportsFloat, TypedDict

from .message import Action, NotificationType

#: A number of Python's own, or of a library such as numpy.
Number = SupportsFloat


class Common(TypedDict, total=False):
    """The options of every notification; ``message.compose`` describes each."""

    body: object
    plain: bool
    key: object
    actions: Sequence[Action | str] | Action | str
    link: object
    ttl: Number | timedelta | None
    toast: bool
    persistent: bool
    auto_close_ms: Number | timedelta | None
    markdown: bool
    banner: bool
    dismissable: bool
    source: object
    data: Any


class Options(Common, total=False):
    """The options of ``notify``; ``pictures.to_picture`` describes ``image``."""

    image: Any
    type: NotificationType
    progress: Number | None
    reply: Mapping[str, Any] | None


class QuestionOptions(Common, total=False):
    """The arguments of ``notify.ask`` besides the question."""

    type: NotificationType
    image: Any


class ProgressOptions(Common, total=False):
    """The options of ``notify.progress`` and ``notify.track``, which set the type themselves."""
