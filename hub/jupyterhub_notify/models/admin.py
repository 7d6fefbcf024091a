"""The service itself, as administrators see it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from .common import Model, Text, Utc

__all__ = ["AuditLogEntry", "LabServer", "Publishing", "SetPublishing"]


class SetPublishing(Model):
    """Stop all publishing, or let it go on."""

    stopped: Annotated[bool, Field(title="Stopped", description="Whether nobody may publish")]
    reason: Annotated[
        Text | None,
        Field(title="Reason", description="What refused publishers are told", max_length=200),
    ] = None


class Publishing(Model):
    """The switch that stops all publishing."""

    stopped: Annotated[bool, Field(title="Stopped", description="Whether nobody may publish")]
    since: Annotated[Utc | None, Field(title="Since", description="Since when")]
    by: Annotated[str | None, Field(title="By", description="Who stopped it")]
    reason: Annotated[str | None, Field(title="Reason", description="Why")]


class AuditLogEntry(Model):
    """A publication, change or revocation, and whose it was; no text of a message."""

    id: Annotated[int, Field(title="Number", description="In order")]
    at: Annotated[Utc, Field(title="At", description="When")]
    caller_kind: Annotated[str, Field(title="Kind", description="A user or a service")]
    caller: Annotated[str, Field(title="Caller", description="Who")]
    action: Annotated[str, Field(title="Action", description="What, as notification.create")]
    target: Annotated[str, Field(title="Target", description="Of what: a service or an id")]
    detail: Annotated[dict[str, Any], Field(title="Detail", description="Numbers and identifiers")]


class LabServer(Model):
    """A server whose lab asks the service by itself."""

    user: Annotated[str, Field(title="User", description="Whose")]
    server: Annotated[str, Field(title="Server", description="Its name; the default's is empty")]
    extension: Annotated[str, Field(title="Extension", description="Its distribution")]
    version: Annotated[str, Field(title="Version", description="Of the extension")]
    started: Annotated[Utc | None, Field(title="Started", description="When it began")]
    hello: Annotated[Utc, Field(title="Hello", description="When it said hello last")]
