"""Receipts, hellos and replies, which labs send to the service."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .common import Model, Name, Text, Utc

__all__ = ["Hello", "HelloAnswer", "LabReceipt", "Receipts", "Reply"]

_SERVER = Field(
    title="Server", description="The server's name; the default's is empty", max_length=255
)


class LabReceipt(Model):
    """The state of one message in one lab."""

    id: Annotated[
        Text,
        Field(title="Message", description="A notification's or broadcast's id", max_length=2000),
    ]
    state: Annotated[
        Literal["stored", "shown", "read", "dismissed", "replied"],
        Field(title="State", description="Its outcome"),
    ]
    tabs: Annotated[
        int | None,
        Field(title="Tabs", description="Number of tabs that showed it at once", ge=0, le=10_000),
    ] = None
    server: Annotated[Text, _SERVER] = ""
    reply: Annotated[
        Text | None,
        Field(title="Reply", description="The user's reply", max_length=4096),
    ] = None
    at: Annotated[Utc | None, Field(title="At", description="Time at which it became so")] = None


class Receipts(Model):
    """Several receipts; the same ones may be sent again."""

    receipts: Annotated[
        list[LabReceipt],
        Field(title="Receipts", description="The receipts, in order", max_length=1000),
    ]


class Reply(Model):
    """A user's answer."""

    reply: Annotated[
        Text, Field(title="Reply", description="A choice or a text", min_length=1, max_length=4096)
    ]
    server: Annotated[Text, _SERVER] = ""


class Hello(Model):
    """A lab's description of itself when it starts."""

    extension: Annotated[Name, Field(title="Extension", description="Its distribution")]
    version: Annotated[Name, Field(title="Version", description="The extension's version")]
    server: Annotated[Text, _SERVER] = ""
    started: Annotated[
        Utc | None, Field(title="Started", description="Time at which the server's process began")
    ] = None


class HelloAnswer(Model):
    """The service's answer to a lab's hello."""

    version: Annotated[str, Field(title="Version", description="Of the service")]
    features: Annotated[
        list[str], Field(title="Features", description="The parts of the wire that it serves")
    ]
    receipts: Annotated[
        Literal["off", "counts", "full"],
        Field(
            title="Receipts",
            description="Extent to which they are kept; with off, none need be sent",
        ),
    ]
