"""The recipients of a broadcast, and the users and groups to choose from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .broadcasts import Audience
from .common import Body, Model, Name, Summary, Type, Utc
from .notifications import CreateOptions, Options

__all__ = [
    "ChooseRecipients",
    "Directory",
    "Group",
    "Recipients",
    "SaveTemplate",
    "SavedTemplate",
    "TemplateSample",
]


class ChooseRecipients(Model, extra="forbid"):
    """Recipients as a broadcast names them."""

    audience: Annotated[Audience, Field(title="Audience", description="As of a broadcast")] = "all"
    users: Annotated[
        list[Name], Field(title="Users", description="With audience named", max_length=10_000)
    ] = []
    groups: Annotated[
        list[Name], Field(title="Groups", description="With audience named", max_length=1000)
    ] = []


class Recipients(Model):
    """The number of users that a broadcast would reach if it were sent now."""

    total: Annotated[int, Field(title="Total", description="Number of users")]
    running: Annotated[int, Field(title="Running", description="Number of users whose server runs")]
    known: Annotated[int, Field(title="Known", description="Users that the hub has")]
    users: Annotated[list[str], Field(title="Users", description="The first of them, by name")]
    unknown: Annotated[
        list[str], Field(title="Unknown", description="Named users and groups that nobody has")
    ] = []


class TemplateSample(Model):
    """A template to start a broadcast from, filled with its own sample."""

    name: Annotated[str, Field(title="Name", description="The template's name")]
    summary: Annotated[str, Field(title="Summary", description="In Markdown")]
    body: Annotated[str | None, Field(title="Body", description="In Markdown")] = None
    type: Annotated[str | None, Field(title="Type", description="As the template says")] = None
    banner: Annotated[bool | None, Field(title="Banner", description="As the template says")] = None
    dismissable: Annotated[
        bool | None, Field(title="Dismissable", description="As the template says")
    ] = None


class _Template(Options):
    """The part of a broadcast that a template keeps: text, display and recipients."""

    summary: Annotated[Summary, Field(title="Summary", description="In Markdown")]
    body: Annotated[Body | None, Field(title="Body", description="In Markdown")] = None
    type: Annotated[Type, Field(title="Type", description="Styling and urgency")] = "info"
    inbox: Annotated[bool, Field(title="Inbox", description="As of a broadcast")] = True
    must_accept: Annotated[bool, Field(title="Must accept", description="As of a broadcast")] = (
        False
    )
    audience: Annotated[Audience, Field(title="Audience", description="As of a broadcast")] = "all"
    users: Annotated[
        list[Name], Field(title="Users", description="With audience named", max_length=10_000)
    ] = []
    groups: Annotated[
        list[Name], Field(title="Groups", description="With audience named", max_length=1000)
    ] = []


class SaveTemplate(CreateOptions, _Template, extra="forbid"):
    """A broadcast to be kept as a template."""


class SavedTemplate(_Template):
    """A template that a sender has saved."""

    name: Annotated[str, Field(title="Name", description="The template's name")]
    saved_by: Annotated[
        str, Field(title="Saved by", description="Name of the user who saved it last")
    ]
    shared: Annotated[
        bool,
        Field(
            title="Shared", description="True if every sender sees it, as those of administrators"
        ),
    ]
    updated: Annotated[Utc, Field(title="Updated", description="Time at which it was saved last")]


class Group(Model):
    """A group of users."""

    name: Annotated[str, Field(title="Name", description="The group's name")]
    members: Annotated[int, Field(title="Members", description="Number of users who belong to it")]


class Directory(Model):
    """Users and groups that the caller may send to."""

    users: Annotated[list[str], Field(title="Users", description="The first that fit")]
    groups: Annotated[list[Group], Field(title="Groups", description="All that fit")]
