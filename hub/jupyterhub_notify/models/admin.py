"""The service itself, as administrators see it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from .common import Model, Text, Utc

__all__ = ["AuditLogEntry", "LabServer", "Publishing", "SetPublishing"]


class SetPublishing(Model, extra="forbid"):
    """Stop all publishing, or let it go on."""

    stopped: Annotated[bool, Field(title="Stopped", description="True if nobody may publish")]
    reason: Annotated[
        Text | None,
        Field(title="Reason", description="Sentence for refused publishers", max_length=200),
    ] = None


class Publishing(Model):
    """The switch that stops all publishing."""

    stopped: Annotated[bool, Field(title="Stopped", description="True if nobody may publish")]
    since: Annotated[Utc | None, Field(title="Since", description="Time at which it was stopped")]
    by: Annotated[str | None, Field(title="By", description="Name of the user who stopped it")]
    reason: Annotated[
        str | None, Field(title="Reason", description="Reason, for refused publishers")
    ]


class AuditLogEntry(Model):
    """A publication, change or revocation, and whose it was; no text of a message."""

    id: Annotated[int, Field(title="Number", description="Number in order")]
    at: Annotated[Utc, Field(title="At", description="Time of the action")]
    caller_kind: Annotated[str, Field(title="Kind", description="A user or a service")]
    caller: Annotated[str, Field(title="Caller", description="Name of the caller")]
    action: Annotated[
        str, Field(title="Action", description="Kind of action, such as notification.create")
    ]
    target: Annotated[
        str, Field(title="Target", description="Target of the action: a service or an id")
    ]
    detail: Annotated[dict[str, Any], Field(title="Detail", description="Numbers and identifiers")]


class LabServer(Model):
    """A server whose lab asks the service by itself."""

    user: Annotated[str, Field(title="User", description="The user's name")]
    server: Annotated[str, Field(title="Server", description="Its name; the default's is empty")]
    extension: Annotated[str, Field(title="Extension", description="Its distribution")]
    version: Annotated[str, Field(title="Version", description="The extension's version")]
    started: Annotated[
        Utc | None, Field(title="Started", description="Time at which its process began")
    ]
    hello: Annotated[Utc, Field(title="Hello", description="Time of its last hello")]
