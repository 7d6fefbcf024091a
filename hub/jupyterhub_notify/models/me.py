"""The caller, as the service knows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .common import Model

__all__ = ["Me", "Unread"]


class Me(Model):
    """The caller's name, groups and permissions."""

    name: Annotated[str, Field(title="Name", description="The user's or service's name")]
    kind: Annotated[
        Literal["user", "service", "anonymous"], Field(title="Kind", description="Kind of caller")
    ]
    groups: Annotated[list[str], Field(title="Groups", description="The user's groups")]
    admin: Annotated[bool, Field(title="Admin", description="True if it may administer")]
    publish_as: Annotated[
        list[str],
        Field(title="Publishes as", description="Services in whose names it may publish; * is any"),
    ]
    send_groups: Annotated[
        list[str],
        Field(title="Sends to", description="Groups that it may send to; * is every user"),
    ]


class Unread(Model):
    """The number on the bell of the hub's pages."""

    unread: Annotated[
        int,
        Field(
            title="Unread",
            description="Number of messages that the user has neither read nor put away",
        ),
    ]
