"""Welcome messages on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .common import Body, FormattedText, Ids, Model, Name, Summary, Utc

__all__ = [
    "AdminWelcome",
    "CreateWelcome",
    "PatchWelcome",
    "WelcomeChanged",
    "WelcomeGone",
    "WelcomeIds",
    "WelcomeMessage",
    "WelcomeReader",
]

_ASPECT = Field(
    title="Aspect", description="Part of the platform that shows it, such as jupyterlab"
)
_TITLE = Field(title="Title", description="The dialog's title, as plain text", max_length=200)
_SUMMARY = Field(title="Summary", description="Short summary in Markdown")
_BODY = Field(title="Body", description="The text in Markdown")
_DISMISSABLE = Field(title="Dismissable", description="True to offer 'never again'")
_MAX_VIEWS = Field(
    title="Most views", description="After so many it is no longer due", ge=1, le=1000
)
_MUST_ACCEPT = Field(
    title="Must accept", description="True if it stays due until the user accepts it"
)
_POSITION = Field(title="Position", description="Lower ones come first", ge=-1000, le=1000)
_EXPIRES = Field(title="Expires", description="It is due to nobody after that")
_USERS = Field(title="Users", description="Only these; everyone if empty", max_length=10_000)
_GROUPS = Field(title="Groups", description="Only these; everyone if empty", max_length=1000)


class CreateWelcome(Model, extra="forbid"):
    """A welcome message to add."""

    aspect: Annotated[Name, _ASPECT] = "jupyterlab"
    title: Annotated[Summary, _TITLE]
    summary: Annotated[Summary | None, _SUMMARY] = None
    body: Annotated[Body, _BODY]
    dismissable: Annotated[bool, _DISMISSABLE] = True
    max_views: Annotated[int | None, _MAX_VIEWS] = None
    must_accept: Annotated[bool, _MUST_ACCEPT] = False
    position: Annotated[int, _POSITION] = 0
    users: Annotated[list[Name], _USERS] = []
    groups: Annotated[list[Name], _GROUPS] = []
    expires: Annotated[Utc | None, _EXPIRES] = None


class PatchWelcome(Model, extra="forbid"):
    """A change; a field that is not there stays. The audience cannot be changed."""

    title: Annotated[Summary | None, _TITLE] = None
    summary: Annotated[Summary | None, _SUMMARY] = None
    body: Annotated[Body | None, _BODY] = None
    dismissable: Annotated[bool | None, _DISMISSABLE] = None
    max_views: Annotated[int | None, _MAX_VIEWS] = None
    must_accept: Annotated[bool | None, _MUST_ACCEPT] = None
    position: Annotated[int | None, _POSITION] = None
    expires: Annotated[Utc | None, _EXPIRES] = None
    quiet: Annotated[
        bool,
        Field(title="Quiet", description="True not to show it again to users who dismissed it"),
    ] = False


class WelcomeMessage(Model):
    """A welcome message as its reader sees it."""

    id: Annotated[str, Field(title="Welcome ID", description="Opaque and unique")]
    aspect: Annotated[str, _ASPECT]
    title: Annotated[str, _TITLE]
    summary: Annotated[FormattedText | None, _SUMMARY]
    body: Annotated[FormattedText, _BODY]
    dismissable: Annotated[bool, _DISMISSABLE]
    max_views: Annotated[int | None, _MAX_VIEWS]
    updated: Annotated[Utc, Field(title="Updated", description="Time of its text's last change")]
    must_accept: Annotated[bool, _MUST_ACCEPT] = False
    accepted: Annotated[
        Utc | None,
        Field(title="Accepted", description="Time at which the user accepted an earlier text"),
    ] = None
    views: Annotated[
        int, Field(title="Views", description="Number of times that the user has seen this text")
    ] = 0


class WelcomeChanged(Model):
    """A user's act on a welcome message, here or in another lab."""

    id: Annotated[str, Field(title="Welcome ID", description="The message's id")]
    due: Annotated[bool, Field(title="Due", description="True if it is to be shown")]
    dismissed: Annotated[
        Utc | None, Field(title="Dismissed", description="Time at which it was put away, or null")
    ]
    accepted: Annotated[
        Utc | None, Field(title="Accepted", description="Time at which it was accepted, or null")
    ]


class WelcomeGone(Model):
    """A welcome message that nobody sees any more."""

    id: Annotated[str, Field(title="Welcome ID", description="The message's id")]


class WelcomeIds(Model):
    """The ids of welcome messages; unknown ones are ignored."""

    ids: Annotated[Ids, Field(title="Welcome IDs", description="Those to mark")] = set()
    all: Annotated[bool, Field(title="All", description="Every one that is due, instead")] = False


class AdminWelcome(Model):
    """A welcome message as administrators see it."""

    id: Annotated[str, Field(title="Welcome ID", description="Opaque and unique")]
    sender: Annotated[str, Field(title="Sender", description="Name of the user who added it")]
    aspect: Annotated[str, _ASPECT]
    title: Annotated[str, _TITLE]
    summary: Annotated[str | None, _SUMMARY]
    body: Annotated[str, _BODY]
    dismissable: Annotated[bool, _DISMISSABLE]
    max_views: Annotated[int | None, _MAX_VIEWS]
    must_accept: Annotated[bool, _MUST_ACCEPT]
    position: Annotated[int, _POSITION]
    users: Annotated[list[str], _USERS]
    groups: Annotated[list[str], _GROUPS]
    created: Annotated[Utc, Field(title="Created", description="Time at which it was added")]
    updated: Annotated[Utc, Field(title="Updated", description="Time of its text's last change")]
    expires: Annotated[Utc | None, _EXPIRES]
    ended: Annotated[
        Utc | None, Field(title="Ended", description="Time at which it was revoked or expired")
    ] = None


class WelcomeReader(Model):
    """One user's state of a welcome message."""

    user: Annotated[str, Field(title="User", description="The user's name")]
    views: Annotated[
        int, Field(title="Views", description="Number of times that the user has seen this text")
    ]
    dismissed: Annotated[
        Utc | None, Field(title="Dismissed", description="Time at which it was put away, or null")
    ]
    accepted: Annotated[
        Utc | None, Field(title="Accepted", description="Time at which it was accepted, or null")
    ]
    accepted_current: Annotated[
        bool,
        Field(
            title="Accepted this text",
            description="True if it is the present text that was accepted",
        ),
    ]
