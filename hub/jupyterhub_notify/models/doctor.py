"""The doctor's findings: what is missing at the hub, and how running servers are connected."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .common import Model

__all__ = ["Problem", "Report", "ServerReport"]


class Problem(Model):
    """Something that is missing, and what mends it."""

    what: Annotated[
        Literal["hub", "service", "scopes", "roles", "environment", "servers", "files"],
        Field(title="What", description="The part of the configuration that it is in"),
    ]
    problem: Annotated[str, Field(title="Problem", description="One sentence")]
    remedy: Annotated[str, Field(title="Remedy", description="The way to mend it")]


class ServerReport(Model):
    """A running server's connection to the service."""

    user: Annotated[str, Field(title="User", description="The user's name")]
    server: Annotated[str, Field(title="Server", description="Its name; the default's is empty")]
    state: Annotated[
        Literal[
            "ok",
            "needs-restart",
            "cannot-ask",
            "no-extension",
            "older-extension",
            "not-responding",
            "unknown",
        ],
        Field(
            title="State",
            description="`ok` asks the service; `needs-restart` has the extension and does not"
            " know the service; `cannot-ask` knows it and fails to ask it; `older-extension` can"
            " only be pushed to; `unknown` could not be looked at",
        ),
    ]
    version: Annotated[
        str | None, Field(title="Version", description="The extension's version, if it has one")
    ] = None
    detail: Annotated[str | None, Field(title="Detail", description="One sentence")] = None


class Report(Model):
    """The doctor's findings."""

    ok: Annotated[bool, Field(title="OK", description="True if nothing is missing")]
    problems: Annotated[
        list[Problem], Field(title="Problems", description="The parts that are missing")
    ]
    servers: Annotated[
        list[ServerReport], Field(title="Servers", description="Each server that runs")
    ]
