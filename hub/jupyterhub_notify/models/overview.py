"""Everything that a page or lab shows at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .broadcasts import Broadcast
from .common import Model
from .notifications import Message
from .welcome import WelcomeMessage

__all__ = ["Overview"]


class Overview(Model):
    """The present state of all that the caller sees, and where events go on from there."""

    cursor: Annotated[
        str, Field(title="Cursor", description="For Last-Event-ID of the event stream")
    ]
    unread: Annotated[
        int, Field(title="Unread", description="Notifications neither read nor put away")
    ]
    total: Annotated[int, Field(title="Total", description="Notifications that there are")]
    broadcasts: Annotated[
        list[Broadcast], Field(title="Broadcasts", description="The broadcasts that are shown now")
    ]
    messages: Annotated[
        list[Message], Field(title="Messages", description="The newest notifications")
    ]
    welcome: Annotated[
        list[WelcomeMessage],
        Field(title="Welcome", description="The messages of the aspect that are due"),
    ]
